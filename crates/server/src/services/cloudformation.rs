//! AWS CloudFormation.

use aws_api::cloudformation::{
    CancelUpdateStackRequest, ChangeSetRequest, CloudFormationApi, ContinueUpdateRollbackRequest,
    CreateChangeSetRequest, CreateChangeSetResponse, CreateStackRequest, DeleteStackRequest, DescribeChangeSetResponse,
    DescribeStackDriftDetectionStatusRequest, DescribeStackDriftDetectionStatusResponse, DescribeStackEventsResponse,
    DescribeStackResourceDriftsRequest, DescribeStackResourceDriftsResponse, DescribeStackResourceRequest,
    DescribeStackResourceResponse, DescribeStackResourcesRequest, DescribeStackResourcesResponse,
    DescribeStacksRequest, DescribeStacksResponse, DetectStackDriftRequest, DetectStackDriftResponse,
    DetectStackResourceDriftRequest, DetectStackResourceDriftResponse, EmptyResponse, ExecuteChangeSetRequest,
    GetTemplateRequest, GetTemplateResponse, GetTemplateSummaryRequest, GetTemplateSummaryResponse,
    ListChangeSetsRequest, ListChangeSetsResponse, ListExportsRequest, ListExportsResponse, ListImportsRequest,
    ListImportsResponse, ListStackResourcesResponse, ListStacksRequest, ListStacksResponse, RollbackStackRequest,
    StackIdResponse, StackPageRequest, UpdateStackRequest, UpdateTerminationProtectionRequest, ValidateTemplateRequest,
    ValidateTemplateResponse,
};
use aws_api::{ApiError, Change, Entity, RequestContext};
use pipeline::Registry;
use serde_json::Value;
use stack::template::TEMPLATE_LEN_MAX;
use stack::{Around, Event, Given, Stack, Stacks};
use store::{Space, Unit};

use super::Services;
use crate::app::unavailable;
use crate::clock;
use crate::drift;
use crate::on_behalf::{Asker, OnBehalf, SELF};
use crate::stacks::{self, SERVICE, event_key, event_rows};

/// Events of a page.
const EVENTS_PAGE: usize = 100;

impl Services {
    /// The template that a request brings or names.
    async fn template(
        &self,
        ctx: &RequestContext,
        body: Option<&String>,
        url: Option<&String>,
    ) -> Result<Option<String>, ApiError> {
        Stacks::template_body(body, url)?;
        match (body, url) {
            (Some(body), _) => Ok(Some(body.clone())),
            (None, Some(url)) => self.fetch(ctx, url).await.map(Some),
            (None, None) => Ok(None),
        }
    }

    /// A template that is an object of this server's S3, whatever the host in its URL, read in the caller's name.
    async fn fetch(&self, ctx: &RequestContext, url: &str) -> Result<String, ApiError> {
        let invalid = |what: &str| ApiError::new("ValidationError", format!("TemplateURL {what}"));
        let uri: http::Uri = url.parse().map_err(|_| invalid("is no URL."))?;
        let host = uri.host().unwrap_or_default();
        let path = match gateway::host_bucket(host, &self.0.config.domains) {
            Some(bucket) => format!("/{bucket}{}", uri.path()),
            None => uri.path().to_owned(),
        };
        let mut request = OnBehalf::bucket_request("GET", "", "", String::new());
        *request.uri_mut() = path.parse().map_err(|_| invalid("is no URL of an object."))?;
        let asker = Asker::of(&self.0, ctx)?;
        let behalf = OnBehalf { asker, region: ctx.region.clone(), via: SERVICE };
        let body = behalf.s3(&self.0, request).await.map_err(|error| {
            ApiError::new("ValidationError", format!("S3 error: {} ({})", error.message, error.code))
        })?;
        if body.len() > TEMPLATE_LEN_MAX {
            return Err(invalid("names a template that is too long."));
        }
        String::from_utf8(body.to_vec()).map_err(|_| invalid("names no text."))
    }

    /// Decides over stacks with what that needs from outside, and commits what was decided and what is to be told of it.
    async fn decide<T>(
        &self,
        ctx: &RequestContext,
        template: Option<String>,
        decide: impl FnOnce(&Registry, Value, String, Option<String>, &mut Around<'_>) -> Result<Decided<T>, ApiError>,
    ) -> Result<(T, Option<String>), ApiError> {
        let asker = Asker::of(&self.0, ctx)?;
        let caller = serde_json::to_value(&asker).map_err(|_| ApiError::internal("The caller cannot be kept."))?;
        self.0
            .change_with(|registry| {
                let exports = |name: &str| registry.stacks.export(ctx.account(), &ctx.region, name, "");
                let mut random = || clock::new_id().as_u128();
                let mut around = Around { now: ctx.now, random: &mut random, exports: &exports, events: Vec::new() };
                let uuid = clock::new_id().to_string();
                let decided = decide(registry, caller, uuid, template, &mut around)?;
                let mut changes = decided.changes;
                let mut unit = Unit::new();
                let key = decided.begun.as_ref().map(Entity::key);
                if let Some(stack) = &decided.begun {
                    changes.extend(registry.stacks.let_go(stack));
                    changes.push(Change::put(stack));
                    unit = event_rows(&stack.uuid, &around.events);
                }
                Ok(((decided.answer, key), changes, unit))
            })
            .await
    }

    /// The same for what begins an operation: it is begun.
    async fn begin<T>(
        &self,
        ctx: &RequestContext,
        template: Option<String>,
        decide: impl FnOnce(&Registry, Value, String, Option<String>, &mut Around<'_>) -> Result<Decided<T>, ApiError>,
    ) -> Result<T, ApiError> {
        let (answer, key) = self.decide(ctx, template, decide).await?;
        if let Some(key) = key {
            stacks::begin(&self.0, key).await;
        }
        Ok(answer)
    }
}

/// What was decided: the answer, the stack that an operation was begun on, and changes besides it.
struct Decided<T> {
    answer: T,
    begun: Option<Stack>,
    changes: Vec<Change>,
}

impl<T> Decided<T> {
    fn begun((answer, begun): (T, Option<Stack>)) -> Self {
        Self { answer, begun, changes: Vec::new() }
    }

    fn changed((answer, changes): (T, Vec<Change>)) -> Self {
        Self { answer, begun: None, changes }
    }
}

impl CloudFormationApi for Services {
    async fn create_stack(&self, ctx: &RequestContext, req: CreateStackRequest) -> Result<StackIdResponse, ApiError> {
        let template = self.template(ctx, req.template_body.as_ref(), req.template_url.as_ref()).await?;
        self.begin(ctx, template, |registry, caller, uuid, template, around| {
            let given = Given { template, caller, uuid, adopts: ctx.via == Some(SELF) };
            registry.stacks.create_stack(ctx, &req, given, around).map(Decided::begun)
        })
        .await
    }

    async fn update_stack(&self, ctx: &RequestContext, req: UpdateStackRequest) -> Result<StackIdResponse, ApiError> {
        let template = self.template(ctx, req.template_body.as_ref(), req.template_url.as_ref()).await?;
        self.begin(ctx, template, |registry, caller, uuid, template, around| {
            let given = Given { template, caller, uuid, adopts: false };
            registry.stacks.update_stack(ctx, &req, given, around).map(Decided::begun)
        })
        .await
    }

    async fn delete_stack(&self, ctx: &RequestContext, req: DeleteStackRequest) -> Result<(), ApiError> {
        self.begin(ctx, None, |registry, caller, _, _, around| {
            let begun = registry.stacks.delete_stack(ctx, &req, caller, around)?;
            Ok(Decided::begun(((), begun)))
        })
        .await
    }

    async fn cancel_update_stack(&self, ctx: &RequestContext, req: CancelUpdateStackRequest) -> Result<(), ApiError> {
        // What runs is waited for by who began the update.
        self.decide(ctx, None, |registry, _, _, _, around| {
            let begun = registry.stacks.cancel_update_stack(ctx, &req, around)?;
            Ok(Decided::begun(((), begun)))
        })
        .await
        .map(|((), _)| ())
    }

    async fn rollback_stack(
        &self,
        ctx: &RequestContext,
        req: RollbackStackRequest,
    ) -> Result<StackIdResponse, ApiError> {
        self.begin(ctx, None, |registry, caller, _, _, around| {
            registry.stacks.rollback_stack(ctx, &req, caller, around).map(Decided::begun)
        })
        .await
    }

    async fn continue_update_rollback(
        &self,
        ctx: &RequestContext,
        req: ContinueUpdateRollbackRequest,
    ) -> Result<EmptyResponse, ApiError> {
        self.begin(ctx, None, |registry, caller, _, _, around| {
            registry.stacks.continue_update_rollback(ctx, &req, caller, around).map(Decided::begun)
        })
        .await
    }

    async fn detect_stack_drift(
        &self,
        ctx: &RequestContext,
        req: DetectStackDriftRequest,
    ) -> Result<DetectStackDriftResponse, ApiError> {
        let asker = Asker::of(&self.0, ctx)?;
        let caller = serde_json::to_value(&asker).map_err(|_| ApiError::internal("The caller cannot be kept."))?;
        let id = clock::new_id().to_string();
        let (answer, row) = self
            .0
            .change(|registry| {
                let (answer, detection, changes) = registry.stacks.detect_stack_drift(ctx, &req, caller, id)?;
                Ok(((answer, detection.key()), changes))
            })
            .await?;
        drift::begin(&self.0, row);
        Ok(answer)
    }

    async fn detect_stack_resource_drift(
        &self,
        ctx: &RequestContext,
        req: DetectStackResourceDriftRequest,
    ) -> Result<DetectStackResourceDriftResponse, ApiError> {
        let (stack, id) = {
            let registry = self.0.registry();
            let (stack, id) = registry.stacks.detect_stack_resource_drift(ctx, &req)?;
            (stack.clone(), id)
        };
        let behalf = OnBehalf { asker: Asker::of(&self.0, ctx)?, region: ctx.region.clone(), via: SERVICE };
        let found = drift::check(&self.0, &behalf, &stack, &id).await;
        let found = found.ok_or_else(|| ApiError::internal("The resource cannot be read."))?;
        let shown = stack::shown_drift(ctx, &stack, &found);
        self.0.change(|registry| Ok(((), registry.stacks.found(&stack, &found)))).await?;
        Ok(DetectStackResourceDriftResponse { stack_resource_drift: shown })
    }

    async fn create_change_set(
        &self,
        ctx: &RequestContext,
        req: CreateChangeSetRequest,
    ) -> Result<CreateChangeSetResponse, ApiError> {
        let template = self.template(ctx, req.template_body.as_ref(), req.template_url.as_ref()).await?;
        let (answer, _) = self
            .decide(ctx, template, |registry, caller, uuid, template, around| {
                let given = Given { template, caller, uuid, adopts: false };
                registry.stacks.create_change_set(ctx, &req, given, around).map(Decided::changed)
            })
            .await?;
        Ok(answer)
    }

    async fn execute_change_set(
        &self,
        ctx: &RequestContext,
        req: ExecuteChangeSetRequest,
    ) -> Result<EmptyResponse, ApiError> {
        self.begin(ctx, None, |registry, caller, _, _, around| {
            let (answer, begun, changes) = registry.stacks.execute_change_set(ctx, &req, caller, around)?;
            Ok(Decided { answer, begun, changes })
        })
        .await
    }

    async fn describe_stack_events(
        &self,
        ctx: &RequestContext,
        req: StackPageRequest,
    ) -> Result<DescribeStackEventsResponse, ApiError> {
        let stack = self.0.registry().stacks.with_events(ctx, &req)?.clone();
        let end = match &req.next_token {
            None => stack.events,
            Some(token) => token
                .parse()
                .map_err(|_| ApiError::new("ValidationError", "The next token is not one of this list."))?,
        };
        let begin = end.saturating_sub(EVENTS_PAGE as u64);
        let rows = self.0.store.range(Space::Meta, event_key(&stack.uuid, begin)..event_key(&stack.uuid, end));
        let mut events = Vec::new();
        for row in rows {
            let (_, row) = row.map_err(|error| unavailable(&error))?;
            let event: Event =
                serde_json::from_slice(&row).map_err(|_| ApiError::internal("An event cannot be read."))?;
            events.push(event);
        }
        let registry = self.0.registry();
        let stack_events = events.iter().rev().map(|event| registry.stacks.event(ctx, &stack, event)).collect();
        Ok(DescribeStackEventsResponse { stack_events, next_token: (begin > 0).then(|| begin.to_string()) })
    }

    async fn get_template_summary(
        &self,
        ctx: &RequestContext,
        req: GetTemplateSummaryRequest,
    ) -> Result<GetTemplateSummaryResponse, ApiError> {
        if req.stack_set_name.is_some() || req.call_as.is_some() || req.template_summary_config.is_some() {
            return Err(ApiError::new("ValidationError", "Stack sets and TemplateSummaryConfig are not supported."));
        }
        let given = self.template(ctx, req.template_body.as_ref(), req.template_url.as_ref()).await?;
        let text = match (given, &req.stack_name) {
            (Some(text), None) => text,
            (None, Some(stack)) => self.0.registry().stacks.template_of(ctx, stack)?,
            _ => {
                let message = "Only one of TemplateBody, TemplateURL and StackName must be specified.";
                return Err(ApiError::new("ValidationError", message));
            }
        };
        stack::template_summary(&text)
    }

    async fn validate_template(
        &self,
        ctx: &RequestContext,
        req: ValidateTemplateRequest,
    ) -> Result<ValidateTemplateResponse, ApiError> {
        let text = self.template(ctx, req.template_body.as_ref(), req.template_url.as_ref()).await?;
        let message = "Either Template URL or Template Body must be specified.";
        stack::validate_template(&text.ok_or_else(|| ApiError::new("ValidationError", message))?)
    }

    changes! { stacks:
        delete_change_set(ChangeSetRequest) -> EmptyResponse;
        update_termination_protection(UpdateTerminationProtectionRequest) -> StackIdResponse;
    }

    reads! { stacks:
        describe_stacks(DescribeStacksRequest) -> DescribeStacksResponse;
        describe_stack_resources(DescribeStackResourcesRequest) -> DescribeStackResourcesResponse;
        describe_stack_resource(DescribeStackResourceRequest) -> DescribeStackResourceResponse;
        list_stack_resources(StackPageRequest) -> ListStackResourcesResponse;
        get_template(GetTemplateRequest) -> GetTemplateResponse;
        list_stacks(ListStacksRequest) -> ListStacksResponse;
        describe_stack_drift_detection_status(DescribeStackDriftDetectionStatusRequest)
            -> DescribeStackDriftDetectionStatusResponse;
        describe_stack_resource_drifts(DescribeStackResourceDriftsRequest) -> DescribeStackResourceDriftsResponse;
        list_imports(ListImportsRequest) -> ListImportsResponse;
        list_exports(ListExportsRequest) -> ListExportsResponse;
        describe_change_set(ChangeSetRequest) -> DescribeChangeSetResponse;
        list_change_sets(ListChangeSetsRequest) -> ListChangeSetsResponse;
    }
}
