//! The evaluation of selectors.

use crate::Selectors;

/// Which events are of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventCategory {
    /// On accounts and buckets: `ListBuckets`, `CreateQueue`.
    Management,
    /// On objects: `GetObject`.
    Data,
}

/// One entry of a record's `resources` of the type that the event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceName<'a> {
    /// `ARN`: `arn:aws:s3:::bucket/key`.
    Arn(&'a str),
    /// `ARNPrefix`, of calls that are about many objects: `arn:aws:s3:::bucket/prefix`.
    ArnPrefix(&'a str),
}

impl<'a> ResourceName<'a> {
    fn text(self) -> &'a str {
        match self {
            Self::Arn(text) | Self::ArnPrefix(text) => text,
        }
    }
}

/// What selectors look at in an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventFacts<'a> {
    /// The account that receives this copy of the event: twelve digits.
    pub account: &'a str,
    /// The region of the event.
    pub region: &'a str,
    /// `eventCategory`.
    pub category: EventCategory,
    /// `readOnly`.
    pub read_only: bool,
    /// `s3.amazonaws.com`.
    pub event_source: &'a str,
    /// `GetObject`.
    pub event_name: &'a str,
    /// `AwsApiCall`.
    pub event_type: &'a str,
    /// For data events, `AWS::S3::Object`; empty for management events.
    pub resource_type: &'a str,
    /// The entries of `resources` of that type.
    pub resources: &'a [ResourceName<'a>],
    /// `userIdentity.arn`, where the caller has one.
    pub user_identity_arn: Option<&'a str>,
    /// `sessionCredentialFromConsole` is there.
    pub session_credential_from_console: bool,
    /// CloudTrail itself made the call, to deliver a file.
    pub own_delivery: bool,
    /// The trail, by name or ARN, that the call stopped: `StopLogging` is the last event that a trail records.
    pub stopped_trail: Option<&'a str>,
}

impl EventFacts<'_> {
    /// What the selectors compare of a resource. `HeadBucket` and `DeleteObjects` are about the whole bucket, so that only
    /// selectors of whole buckets choose them.
    fn compared<'a>(&self, resource: ResourceName<'a>) -> &'a str {
        let text = resource.text();
        if !matches!(self.event_name, "HeadBucket" | "DeleteObjects") {
            return text;
        }
        let Some(rest) = text.strip_prefix("arn:aws:s3:::") else { return text };
        let bucket_len = rest.find('/').map_or(rest.len(), |slash| slash + 1);
        &text[..text.len() - rest.len() + bucket_len]
    }
}

/// What a condition looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    EventSource,
    EventName,
    EventType,
    UserIdentityArn,
    SessionCredentialFromConsole,
    ResourceArn,
}

/// How a condition compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equals,
    StartsWith,
    EndsWith,
}

/// A field against values: one of them holds, or, if negated, none does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    pub field: Field,
    pub operator: Operator,
    pub negated: bool,
    pub values: Vec<String>,
}

impl Condition {
    fn holds(&self, actual: &str) -> bool {
        let any = self.values.iter().any(|value| match self.operator {
            Operator::Equals => actual == value,
            Operator::StartsWith => actual.starts_with(value.as_str()),
            Operator::EndsWith => actual.ends_with(value.as_str()),
        });
        any != self.negated
    }
}

/// One selector: everything in it must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CompiledSelector {
    pub category: EventCategory,
    /// Empty for management events.
    pub resource_type: String,
    pub read_only: Option<bool>,
    pub conditions: Vec<Condition>,
}

impl CompiledSelector {
    fn selects(&self, facts: &EventFacts<'_>) -> bool {
        self.category == facts.category
            && (self.category == EventCategory::Management || self.resource_type == facts.resource_type)
            && self.read_only.is_none_or(|wanted| wanted == facts.read_only)
            && self.plain_conditions_hold(facts)
            && self.resource_conditions_hold(facts)
    }

    fn plain_conditions_hold(&self, facts: &EventFacts<'_>) -> bool {
        self.conditions.iter().filter(|condition| condition.field != Field::ResourceArn).all(|condition| {
            condition.holds(match condition.field {
                Field::EventSource => facts.event_source,
                Field::EventName => facts.event_name,
                Field::EventType => facts.event_type,
                // Without an ARN nothing equals it and it differs from everything.
                Field::UserIdentityArn | Field::ResourceArn => facts.user_identity_arn.unwrap_or_default(),
                Field::SessionCredentialFromConsole if facts.session_credential_from_console => "true",
                Field::SessionCredentialFromConsole => "false",
            })
        })
    }

    /// All conditions on the ARN hold for one and the same resource.
    fn resource_conditions_hold(&self, facts: &EventFacts<'_>) -> bool {
        let mut conditions =
            self.conditions.iter().filter(|condition| condition.field == Field::ResourceArn).peekable();
        if conditions.peek().is_none() {
            return true;
        }
        facts
            .resources
            .iter()
            .any(|resource| conditions.clone().all(|condition| condition.holds(facts.compared(*resource))))
    }
}

/// A trail's selectors, ready to be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompiledSelectors(Vec<CompiledSelector>);

impl CompiledSelectors {
    /// Compiles selectors that were checked when they were put.
    pub fn new(selectors: &Selectors) -> Self {
        Self(match selectors {
            Selectors::Default => super::compile_basic(&[super::default_basic()]),
            Selectors::Basic(list) => super::compile_basic(list),
            Selectors::Advanced(list) => super::compile_advanced(list),
        })
    }

    /// Whether any selector chooses an event. Does not look at account, region or who delivers.
    pub fn selects(&self, facts: &EventFacts<'_>) -> bool {
        self.0.iter().any(|selector| selector.selects(facts))
    }
}
