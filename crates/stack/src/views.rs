//! Operations that only look.

use aws_api::cloudformation::{
    Change, ChangeSetRequest, ChangeSetSummary, DescribeChangeSetResponse, DescribeStackResourceRequest,
    DescribeStackResourceResponse, DescribeStackResourcesRequest, DescribeStackResourcesResponse,
    DescribeStacksRequest, DescribeStacksResponse, DriftInformation, Export, GetTemplateRequest, GetTemplateResponse,
    GetTemplateSummaryResponse, ListChangeSetsRequest, ListChangeSetsResponse, ListExportsRequest, ListExportsResponse,
    ListStackResourcesResponse, ListStacksRequest, ListStacksResponse, Output, Parameter, ParameterConstraints,
    ParameterDeclaration, ResourceChange, RollbackConfigurationView, Stack as StackView, StackEvent, StackPageRequest,
    StackResource, StackResourceDetail, StackResourceSummary, StackSummary, Tag, TemplateParameter,
    ValidateTemplateResponse,
};
use aws_api::{ApiError, RequestContext};

use crate::change_set::ChangeSet;
use crate::check;
use crate::page::{List, foreign_token};
use crate::stack::{Event, Made, OnFailure, Stack};
use crate::stacks::{Stacks, invalid, missing};
use crate::template::Template;
use crate::types::ENDPOINT;

/// What is shown of a secret.
const SECRET: &str = "****";

/// The server's address as the client knows it, in place of the mark that is kept.
fn reached(ctx: &RequestContext, text: &str) -> String {
    text.replace(ENDPOINT, &ctx.endpoint)
}

fn tags(tags: &[(String, String)]) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect()
}

fn parameters(template: &str, values: &std::collections::BTreeMap<String, String>) -> Vec<Parameter> {
    let template = Template::parse(template).unwrap_or_default();
    let shown = |name: &String, value: &String| {
        let secret = template.parameter(name).is_some_and(|parameter| parameter.no_echo);
        if secret { SECRET.to_owned() } else { value.clone() }
    };
    values
        .iter()
        .map(|(name, value)| Parameter {
            parameter_key: Some(name.clone()),
            parameter_value: Some(shown(name, value)),
            ..Parameter::default()
        })
        .collect()
}

fn stack_view(ctx: &RequestContext, stack: &Stack, drift_information: DriftInformation) -> StackView {
    let template = Template::parse(&stack.template).unwrap_or_default();
    StackView {
        stack_id: stack.id(),
        stack_name: stack.name.clone(),
        change_set_id: stack.change_set_id.clone(),
        description: template.description,
        parameters: parameters(&stack.template, &stack.parameters),
        creation_time: stack.created.to_rfc3339_millis(),
        deletion_time: stack.deleted.map(aws_api::Timestamp::to_rfc3339_millis),
        last_updated_time: stack.updated.map(aws_api::Timestamp::to_rfc3339_millis),
        rollback_configuration: RollbackConfigurationView {},
        stack_status: stack.status.as_str().into(),
        stack_status_reason: stack.status_reason.clone(),
        disable_rollback: stack.on_failure == OnFailure::DoNothing,
        notification_arns: Vec::new(),
        capabilities: stack.capabilities.clone(),
        outputs: stack
            .outputs
            .iter()
            .map(|output| Output {
                output_key: output.key.clone(),
                output_value: reached(ctx, &output.value),
                description: output.description.clone(),
                export_name: output.export.clone(),
            })
            .collect(),
        tags: tags(&stack.tags),
        enable_termination_protection: stack.termination_protection,
        drift_information,
    }
}

fn change_set_status(set: &ChangeSet) -> String {
    if set.status_reason.is_some() { "FAILED".into() } else { "CREATE_COMPLETE".into() }
}

fn only_page(next_token: Option<&String>) -> Result<(), ApiError> {
    match next_token {
        Some(_) => Err(foreign_token()),
        None => Ok(()),
    }
}

impl Stacks {
    /// One stack, or all that are not deleted.
    pub fn describe_stacks(
        &self,
        ctx: &RequestContext,
        req: &DescribeStacksRequest,
    ) -> Result<DescribeStacksResponse, ApiError> {
        let (stacks, next_token) = if let Some(name) = &req.stack_name {
            only_page(req.next_token.as_ref())?;
            (vec![self.existing(ctx, Some(name))?], None)
        } else {
            let stacks = self.of(ctx).into_iter().filter(|stack| stack.exists());
            List::new(ctx, "DescribeStacks", "").page(stacks, |stack| stack.place(), req.next_token.as_ref())?
        };
        let stacks = stacks.into_iter().map(|stack| stack_view(ctx, stack, self.drift_of(stack))).collect();
        Ok(DescribeStacksResponse { stacks, next_token })
    }

    /// The stack whose events are asked for.
    pub fn with_events(&self, ctx: &RequestContext, req: &StackPageRequest) -> Result<&Stack, ApiError> {
        let name = req.stack_name.as_deref().ok_or_else(|| missing("stackName"))?;
        self.find(ctx, name).ok_or_else(|| invalid(format!("Stack [{name}] does not exist")))
    }

    /// How an event is shown.
    pub fn event(&self, ctx: &RequestContext, stack: &Stack, event: &Event) -> StackEvent {
        let time = event.time.to_rfc3339_millis();
        let of_stack = event.kind == "AWS::CloudFormation::Stack";
        let status = event.status.as_str();
        StackEvent {
            stack_id: stack.id(),
            event_id: if of_stack {
                format!("{}-{:06}", stack.uuid, event.number)
            } else {
                format!("{}-{status}-{time}", event.logical_id)
            },
            stack_name: stack.name.clone(),
            logical_resource_id: event.logical_id.clone(),
            physical_resource_id: event.physical_id.as_deref().map(|id| reached(ctx, id)).unwrap_or_default(),
            resource_type: event.kind.clone(),
            timestamp: time,
            resource_status: status.into(),
            resource_status_reason: event.reason.clone(),
            resource_properties: event.properties.as_deref().map(|text| reached(ctx, text)),
        }
    }

    /// The resources of a stack.
    pub fn describe_stack_resources(
        &self,
        ctx: &RequestContext,
        req: &DescribeStackResourcesRequest,
    ) -> Result<DescribeStackResourcesResponse, ApiError> {
        let stack = match (&req.stack_name, &req.physical_resource_id) {
            (Some(name), None) => self.existing(ctx, Some(name))?,
            (None, Some(id)) => {
                let has = |stack: &&Stack| {
                    let of = |made: &Made| {
                        made.real.physical_id.as_deref().map(|own| reached(ctx, own)).as_ref() == Some(id)
                    };
                    stack.exists() && stack.resources.values().any(of)
                };
                let found = self.of(ctx).into_iter().find(has);
                found.ok_or_else(|| invalid(format!("Stack for {id} does not exist")))?
            }
            _ => return Err(invalid("Either StackName or PhysicalResourceId must be specified.")),
        };
        let wanted = |id: &str| req.logical_resource_id.as_deref().is_none_or(|wanted| wanted == id);
        let resources = stack.resources.iter().filter(|(id, _)| wanted(id));
        let stack_resources = resources
            .map(|(id, made)| StackResource {
                stack_name: stack.name.clone(),
                stack_id: stack.id(),
                logical_resource_id: id.clone(),
                physical_resource_id: made.real.physical_id.as_deref().map(|id| reached(ctx, id)),
                resource_type: made.real.kind.clone(),
                timestamp: made.updated.to_rfc3339_millis(),
                resource_status: made.status.as_str().into(),
                resource_status_reason: made.status_reason.clone(),
                drift_information: self.resource_drift_of(stack, id, made),
            })
            .collect();
        Ok(DescribeStackResourcesResponse { stack_resources })
    }

    /// One resource of a stack.
    pub fn describe_stack_resource(
        &self,
        ctx: &RequestContext,
        req: &DescribeStackResourceRequest,
    ) -> Result<DescribeStackResourceResponse, ApiError> {
        let name = req.stack_name.as_deref().ok_or_else(|| missing("stackName"))?;
        let id = req.logical_resource_id.as_deref().ok_or_else(|| missing("logicalResourceId"))?;
        let stack = self.find(ctx, name).ok_or_else(|| invalid(format!("Stack '{name}' does not exist")))?;
        let made = stack.resources.get(id);
        let made = made.ok_or_else(|| invalid(format!("Resource {id} does not exist for stack {}", stack.name)))?;
        let template = Template::parse(&stack.template).unwrap_or_default();
        let metadata = template.resource(id).and_then(|resource| resource.metadata.as_ref());
        let stack_resource_detail = StackResourceDetail {
            stack_name: stack.name.clone(),
            stack_id: stack.id(),
            logical_resource_id: id.to_owned(),
            physical_resource_id: made.real.physical_id.as_deref().map(|id| reached(ctx, id)),
            resource_type: made.real.kind.clone(),
            last_updated_timestamp: made.updated.to_rfc3339_millis(),
            resource_status: made.status.as_str().into(),
            resource_status_reason: made.status_reason.clone(),
            metadata: metadata.map(|metadata| metadata.to_json().to_string()),
            drift_information: self.resource_drift_of(stack, id, made),
        };
        Ok(DescribeStackResourceResponse { stack_resource_detail })
    }

    /// The resources of a stack, in short.
    pub fn list_stack_resources(
        &self,
        ctx: &RequestContext,
        req: &StackPageRequest,
    ) -> Result<ListStackResourcesResponse, ApiError> {
        let stack = self.existing(ctx, req.stack_name.as_deref())?;
        let list = List::new(ctx, "ListStackResources", &stack.uuid);
        let resources = stack.resources.iter();
        let (resources, next_token) = list.page(resources, |(id, _)| (*id).clone(), req.next_token.as_ref())?;
        let summaries = resources.into_iter().map(|(id, made)| StackResourceSummary {
            logical_resource_id: id.clone(),
            physical_resource_id: made.real.physical_id.as_deref().map(|id| reached(ctx, id)),
            resource_type: made.real.kind.clone(),
            last_updated_timestamp: made.updated.to_rfc3339_millis(),
            resource_status: made.status.as_str().into(),
            resource_status_reason: made.status_reason.clone(),
            drift_information: self.resource_drift_of(stack, id, made),
        });
        Ok(ListStackResourcesResponse { stack_resource_summaries: summaries.collect(), next_token })
    }

    /// A template as it was given.
    pub fn get_template(
        &self,
        ctx: &RequestContext,
        req: &GetTemplateRequest,
    ) -> Result<GetTemplateResponse, ApiError> {
        if let Some(stage) = req.template_stage.as_deref().filter(|stage| !["Original", "Processed"].contains(stage)) {
            return Err(invalid(format!("The template stage {stage} is not known.")));
        }
        let template_body = match (&req.change_set_name, &req.stack_name) {
            (Some(name), stack) => self.change_set(ctx, Some(name), stack.as_deref())?.0.wanted.template.clone(),
            (None, Some(name)) => self.existing(ctx, Some(name))?.template.clone(),
            (None, None) => return Err(invalid("StackName is required if ChangeSetName is not specified.")),
        };
        Ok(GetTemplateResponse { template_body, stages_available: vec!["Original".into(), "Processed".into()] })
    }

    /// The text of a stack's template.
    pub fn template_of(&self, ctx: &RequestContext, stack: &str) -> Result<String, ApiError> {
        Ok(self.existing(ctx, Some(stack))?.template.clone())
    }

    /// All stacks, deleted ones too.
    pub fn list_stacks(&self, ctx: &RequestContext, req: &ListStacksRequest) -> Result<ListStacksResponse, ApiError> {
        let wanted = |stack: &&Stack| {
            let filter = &req.stack_status_filter;
            filter.is_empty() || filter.iter().any(|status| status == stack.status.as_str())
        };
        let stacks = self.of(ctx).into_iter().filter(wanted);
        let list = List::new(ctx, "ListStacks", "");
        let (stacks, next_token) = list.page(stacks, |stack| stack.place(), req.next_token.as_ref())?;
        let stack_summaries = stacks.into_iter().map(|stack| StackSummary {
            stack_id: stack.id(),
            stack_name: stack.name.clone(),
            template_description: Template::parse(&stack.template).unwrap_or_default().description,
            creation_time: stack.created.to_rfc3339_millis(),
            last_updated_time: stack.updated.map(aws_api::Timestamp::to_rfc3339_millis),
            deletion_time: stack.deleted.map(aws_api::Timestamp::to_rfc3339_millis),
            stack_status: stack.status.as_str().into(),
            stack_status_reason: stack.status_reason.clone(),
            drift_information: self.drift_of(stack),
        });
        Ok(ListStacksResponse { stack_summaries: stack_summaries.collect(), next_token })
    }

    /// What the stacks of the region export, in the order of the names: no two are alike.
    pub fn list_exports(
        &self,
        ctx: &RequestContext,
        req: &ListExportsRequest,
    ) -> Result<ListExportsResponse, ApiError> {
        let stacks = self.of(ctx).into_iter().filter(|stack| stack.exists());
        let mut exports: Vec<_> = stacks
            .flat_map(|stack| {
                stack.outputs.iter().filter_map(move |output| {
                    Some(Export {
                        exporting_stack_id: stack.id(),
                        name: output.export.clone()?,
                        value: reached(ctx, &output.value),
                    })
                })
            })
            .collect();
        exports.sort_by(|a, b| a.name.cmp(&b.name));
        let list = List::new(ctx, "ListExports", "");
        let (exports, next_token) =
            list.page(exports.into_iter(), |export| export.name.clone(), req.next_token.as_ref())?;
        Ok(ListExportsResponse { exports, next_token })
    }

    /// A change set.
    pub fn describe_change_set(
        &self,
        ctx: &RequestContext,
        req: &ChangeSetRequest,
    ) -> Result<DescribeChangeSetResponse, ApiError> {
        only_page(req.next_token.as_ref())?;
        if req.include_property_values == Some(true) {
            return Err(invalid("The parameter IncludePropertyValues is not supported."));
        }
        let (set, stack) = self.change_set(ctx, req.change_set_name.as_deref(), req.stack_name.as_deref())?;
        let changes = set.changes.iter().map(|planned| Change {
            type_: "Resource".into(),
            resource_change: ResourceChange {
                action: planned.action.clone(),
                logical_resource_id: planned.logical_id.clone(),
                physical_resource_id: planned.physical_id.as_deref().map(|id| reached(ctx, id)),
                resource_type: planned.kind.clone(),
                replacement: planned.replacement.clone(),
                scope: if planned.action == "Modify" { vec!["Properties".into()] } else { Vec::new() },
            },
        });
        Ok(DescribeChangeSetResponse {
            change_set_name: set.name.clone(),
            change_set_id: set.id(),
            stack_id: stack.id(),
            stack_name: stack.name.clone(),
            description: set.description.clone(),
            parameters: parameters(&set.wanted.template, &set.wanted.parameters),
            creation_time: set.created.to_rfc3339_millis(),
            execution_status: set.execution_status.clone(),
            status: change_set_status(set),
            status_reason: set.status_reason.clone(),
            notification_arns: Vec::new(),
            capabilities: set.capabilities.clone(),
            tags: tags(&set.wanted.tags),
            changes: changes.collect(),
        })
    }

    /// The change sets of a stack.
    pub fn list_change_sets(
        &self,
        ctx: &RequestContext,
        req: &ListChangeSetsRequest,
    ) -> Result<ListChangeSetsResponse, ApiError> {
        let stack = self.existing(ctx, req.stack_name.as_deref())?;
        let list = List::new(ctx, "ListChangeSets", &stack.uuid);
        let mut sets: Vec<_> = self.change_sets(stack).collect();
        sets.sort_by_cached_key(|set| set.place());
        let (sets, next_token) = list.page(sets.into_iter(), |set| set.place(), req.next_token.as_ref())?;
        let summaries = sets.into_iter().map(|set| ChangeSetSummary {
            stack_id: stack.id(),
            stack_name: stack.name.clone(),
            change_set_id: set.id(),
            change_set_name: set.name.clone(),
            execution_status: set.execution_status.clone(),
            status: change_set_status(set),
            status_reason: set.status_reason.clone(),
            creation_time: set.created.to_rfc3339_millis(),
            description: set.description.clone(),
        });
        Ok(ListChangeSetsResponse { summaries: summaries.collect(), next_token })
    }
}

/// Whether a template can be deployed, and what it declares.
pub fn validate_template(text: &str) -> Result<ValidateTemplateResponse, ApiError> {
    let template = check::template(text)?;
    let parameters = template.parameters.iter().map(|parameter| TemplateParameter {
        parameter_key: parameter.name.clone(),
        default_value: parameter.default.clone(),
        no_echo: parameter.no_echo,
        description: parameter.description.clone(),
    });
    Ok(ValidateTemplateResponse {
        parameters: parameters.collect(),
        description: template.description.clone(),
        capabilities: Vec::new(),
        capabilities_reason: None,
    })
}

/// What a template declares.
pub fn template_summary(text: &str) -> Result<GetTemplateSummaryResponse, ApiError> {
    let template = Template::parse(text)?;
    let parameters = template.parameters.iter().map(|parameter| ParameterDeclaration {
        parameter_key: parameter.name.clone(),
        default_value: parameter.default.clone(),
        parameter_type: parameter.kind.to_string(),
        no_echo: parameter.no_echo,
        description: parameter.description.clone(),
        parameter_constraints: ParameterConstraints { allowed_values: parameter.allowed_values.clone() },
    });
    Ok(GetTemplateSummaryResponse {
        parameters: parameters.collect(),
        description: template.description.clone(),
        capabilities: Vec::new(),
        resource_types: template.resource_types(),
        version: template.version.clone(),
        metadata: template.metadata.as_ref().map(|metadata| metadata.to_json().to_string()),
    })
}
