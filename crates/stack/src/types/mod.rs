//! The types of resources: their properties, and the operations that make, change and remove one.
//!
//! Source: CloudFormation template reference, one page a type; `Ref` and `Fn::GetAtt` are under "Return values" there.

mod cloudtrail;
mod cloudwatch;
mod events;
mod s3;
mod sns;
mod sqs;

pub use events::with_statement;
use serde_json::{Map, Value, json};

use crate::call::{Call, Step};
use crate::evaluate::{Values, scalar};
use crate::schema::{Property, TAGS};
use crate::stack::{Real, Stack};

pub(crate) use self::sns::default_topic_policy;

/// The properties of one resource, with the types that its schema wants.
pub type Properties = Map<String, Value>;

/// Stands for scheme and address of the server in what is kept: they are not the same after every start.
pub const ENDPOINT: &str = "http://endpoint.sigtrail.invalid";

/// One resource, as far as it is known while its operations are made.
#[derive(Debug, Clone)]
pub struct Subject<'a> {
    /// Twelve digits.
    pub account: &'a str,
    /// The stack's region.
    pub region: &'a str,
    /// The name that the resource has or will have.
    pub name: &'a str,
    /// The physical id, once there is one.
    pub physical_id: Option<&'a str>,
}

/// What came of a look for a resource that is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// It is there, with this physical id.
    Here(String),
    /// Perhaps, further on from here.
    Further(String),
    /// There is none.
    Nowhere,
}

/// A type of resources.
pub struct ResourceType {
    /// `AWS::SQS::Queue`
    pub name: &'static str,
    /// All of its properties; what is not among them is refused.
    pub properties: &'static [Property],
    /// What `Fn::GetAtt` takes.
    pub attributes: &'static [&'static str],
    /// The property that names the resource. Without it, or its value, a name is made up.
    pub(crate) name_property: Option<&'static str>,
    /// The longest name.
    pub(crate) name_len_max: usize,
    /// Names are in lower case.
    pub(crate) lower_case: bool,
    /// A read that fails as long as there is no resource of this name.
    pub(crate) look: Option<fn(&Subject<'_>, &Properties) -> Call>,
    pub(crate) create: fn(&Subject<'_>, &Properties) -> Vec<Step>,
    /// From the properties before to those after.
    pub(crate) update: fn(&Subject<'_>, &Properties, &Properties) -> Vec<Step>,
    pub(crate) delete: fn(&Subject<'_>, &Properties) -> Vec<Step>,
    /// The physical id, from the answers of `create` where only they tell it.
    pub(crate) physical_id: fn(&Subject<'_>, &Properties, &[Value]) -> String,
    pub(crate) values: fn(&Subject<'_>, &Properties) -> Values,
}

/// Every type that is supported.
pub static TYPES: [&ResourceType; 15] = [
    &cloudtrail::TRAIL,
    &cloudwatch::ALARM,
    &events::EVENT_BUS,
    &events::EVENT_BUS_POLICY,
    &events::RULE,
    &s3::BUCKET,
    &s3::BUCKET_POLICY,
    &sns::SUBSCRIPTION,
    &sns::TOPIC,
    &sns::TOPIC_INLINE_POLICY,
    &sns::TOPIC_POLICY,
    &sqs::QUEUE,
    &sqs::QUEUE_INLINE_POLICY,
    &sqs::QUEUE_POLICY,
    &cloudformation::WAIT_CONDITION_HANDLE,
];

mod cloudformation {
    //! Types without any resource behind them.

    use super::{ResourceType, by_name, nothing, nothing_to_update, values_of_name};

    /// A resource that is nothing, which templates use where one must be declared.
    pub(super) static WAIT_CONDITION_HANDLE: ResourceType = ResourceType {
        name: "AWS::CloudFormation::WaitConditionHandle",
        properties: &[],
        attributes: &[],
        name_property: None,
        name_len_max: 255,
        lower_case: false,
        look: None,
        create: nothing,
        update: nothing_to_update,
        delete: nothing,
        physical_id: by_name,
        values: values_of_name,
    };
}

/// The type of this name.
pub fn resource_type(name: &str) -> Option<&'static ResourceType> {
    TYPES.iter().find(|known| known.name == name).copied()
}

impl ResourceType {
    /// Adds the stack's tags to the properties of a type that has tags; of one key the resource's own counts.
    pub(crate) fn add_tags(&self, properties: &mut Properties, stack: &[(String, String)]) {
        if stack.is_empty() || !self.properties.iter().any(|property| property.name == TAGS.name) {
            return;
        }
        let own = tags(properties);
        let more = stack.iter().filter(|(key, _)| !own.iter().any(|(other, _)| other == key)).cloned();
        let all: Vec<_> = own.iter().cloned().chain(more).collect();
        properties.insert(TAGS.name.to_owned(), tag_list(&all));
    }

    /// Does CloudFormation mark resources of the type as a stack's (`cloudFormationSystemTags` in the types' schemas)? Trails have
    /// tags, but not these.
    fn has_system_tags(&self) -> bool {
        self.name != cloudtrail::TRAIL.name && self.properties.iter().any(|property| property.name == TAGS.name)
    }

    /// The properties that operations are made of: with the tags that say of which stack the resource is. A stack does not keep
    /// them among the properties, so that no two ever differ by them.
    pub(crate) fn marked(&self, properties: &Properties, stack: &Stack, logical_id: &str) -> Properties {
        let mut marked = properties.clone();
        if self.has_system_tags() {
            let system =
                [("stack-name", stack.name.clone()), ("stack-id", stack.id()), ("logical-id", logical_id.into())];
            let system = system.into_iter().map(|(name, value)| (format!("aws:cloudformation:{name}"), value));
            let all: Vec<_> = tags(properties).into_iter().chain(system).collect();
            marked.insert(TAGS.name.to_owned(), tag_list(&all));
        }
        marked
    }

    /// Is it not known which resource is meant? Of most types the name says it; a subscription's ARN is in the answer that made
    /// it alone, which nobody may have got.
    pub(crate) fn is_lost(&self, real: &Real) -> bool {
        self.name == sns::SUBSCRIPTION.name && real.physical_id.as_deref().is_some_and(|id| !id.starts_with("arn:"))
    }

    /// What looks for one that is lost; `from` is where the answer before said that there is more.
    pub(crate) fn search(properties: &Properties, from: Option<&str>) -> Step {
        sns::search(properties, from)
    }

    /// What the answer says of it.
    pub(crate) fn found(properties: &Properties, answer: &Value) -> Found {
        sns::found(properties, answer)
    }

    /// Do these properties, changed, want another resource?
    pub(crate) fn is_replaced(&self, before: &Properties, after: &Properties) -> bool {
        self.properties.iter().any(|p| p.replaces && before.get(p.name) != after.get(p.name))
    }

    /// What is said of properties that are there and have no effect.
    pub(crate) fn without_effect(&self, properties: &Properties) -> Option<String> {
        let said = self.properties.iter().filter(|property| properties.contains_key(property.name));
        let said: Vec<_> =
            said.filter_map(|p| Some(format!("{} has no effect here: {}", p.name, p.without_effect?))).collect();
        (!said.is_empty()).then(|| said.join("; "))
    }

    /// The name that the properties give.
    pub(crate) fn given_name<'p>(&self, properties: &'p Properties) -> Option<&'p str> {
        text(properties, self.name_property?)
    }

    /// A name of the stack's, the resource's and twelve random characters, cut where it would be too long.
    pub(crate) fn made_up_name(&self, stack: &str, logical_id: &str, random: u128) -> String {
        const ALPHABET: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        let mut rest = random;
        let mut suffix = String::new();
        for _ in 0..12 {
            suffix.push(char::from(ALPHABET[usize::try_from(rest % 36).unwrap_or_default()]));
            rest /= 36;
        }
        let room = self.name_len_max.saturating_sub(suffix.len() + 2);
        let logical = cut(logical_id, room / 2);
        let stack = cut(stack, room - logical.len());
        let name = format!("{stack}-{logical}-{suffix}");
        if self.lower_case { name.to_ascii_lowercase() } else { name }
    }
}

/// Tags that begin with `aws:` are for no template to set.
pub(crate) fn check_tags(properties: &Properties) -> Result<(), String> {
    let system = tags(properties).iter().any(|(key, _)| aws_api::is_system_tag(key));
    if system { Err(aws_api::SYSTEM_TAG_REFUSED.to_owned()) } else { Ok(()) }
}

fn cut(text: &str, len: usize) -> &str {
    text.get(..len).unwrap_or(text)
}

/// A text property.
pub(crate) fn text<'p>(properties: &'p Properties, name: &str) -> Option<&'p str> {
    properties.get(name).and_then(Value::as_str)
}

/// A list property; empty if it is not there.
pub(crate) fn list<'p>(properties: &'p Properties, name: &str) -> &'p [Value] {
    properties.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Was the property changed?
fn differs(before: &Properties, after: &Properties, name: &str) -> bool {
    before.get(name) != after.get(name)
}

/// The resource's tags, among which are the stack's.
fn tags(properties: &Properties) -> Vec<(String, String)> {
    let tags = list(properties, "Tags").iter();
    tags.filter_map(|tag| Some((tag["Key"].as_str()?.to_owned(), tag["Value"].as_str()?.to_owned()))).collect()
}

/// Tags as a list of `{Key, Value}`.
fn tag_list(tags: &[(String, String)]) -> Value {
    tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}

/// Tags as a map.
fn tag_map(tags: &[(String, String)]) -> Value {
    Value::Object(tags.iter().map(|(key, value)| (key.clone(), Value::String(value.clone()))).collect())
}

/// What makes one resource's tags those of another: keys go, and then the tags are set that there are.
fn retagged(
    before: &Properties,
    after: &Properties,
    untag: impl FnOnce(Vec<Value>) -> Step,
    tag: impl FnOnce(&[(String, String)]) -> Step,
) -> Vec<Step> {
    let keys = |properties| -> Vec<Value> { list(properties, "Tags").iter().map(|tag| tag["Key"].clone()).collect() };
    let kept = keys(after);
    let gone: Vec<_> = keys(before).into_iter().filter(|key| !kept.contains(key)).collect();
    let tags = tags(after);
    let untagged = (!gone.is_empty()).then(|| untag(gone));
    let tagged = (differs(before, after, "Tags") && !tags.is_empty()).then(|| tag(&tags));
    untagged.into_iter().chain(tagged).collect()
}

/// The text of `PolicyDocument`, which a template may give as an object or as a text.
fn policy_document(properties: &Properties) -> String {
    let document = properties.get("PolicyDocument");
    document.map(|document| scalar(document).unwrap_or_else(|| document.to_string())).unwrap_or_default()
}

pub(crate) fn arn(subject: &Subject<'_>, service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{}:{}:{resource}", subject.region, subject.account)
}

fn nothing(_: &Subject<'_>, _: &Properties) -> Vec<Step> {
    Vec::new()
}

fn nothing_to_update(_: &Subject<'_>, _: &Properties, _: &Properties) -> Vec<Step> {
    Vec::new()
}

fn by_name(subject: &Subject<'_>, _: &Properties, _: &[Value]) -> String {
    subject.name.to_owned()
}

/// The same where `Fn::GetAtt` tells it, too, as `Id`.
fn values_with_id(subject: &Subject<'_>, properties: &Properties) -> Values {
    let id = values_of_name(subject, properties).reference;
    Values { attributes: [("Id".to_owned(), id.clone())].into(), reference: id }
}

fn values_of_name(subject: &Subject<'_>, _: &Properties) -> Values {
    Values { reference: subject.physical_id.unwrap_or(subject.name).to_owned(), ..Values::default() }
}
