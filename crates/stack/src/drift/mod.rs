//! Drift: what there really is of a stack's resources, and how it differs from what the template says.
//!
//! What there is, is told by ordinary reads of the services ([`Stack::reads`]), which somebody makes in the name of who asked;
//! [`Stack::checked`] compares their answers with what the stack made. Only properties that the template gives are compared.
//!
//! Source: CloudFormation user guide, "Detect unmanaged configuration changes to stacks and resources with drift detection".

mod compare;
mod detection;
mod read;
mod requests;
#[cfg(test)]
mod tests;
mod xml;

use aws_api::{Entity, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::compare::Difference;
pub use self::detection::{Detection, DetectionStatus};
pub use self::requests::shown_drift;
use crate::call::Call;
use crate::stack::{Made, Stack};
use crate::template::Template;
use crate::types::{Properties, Subject};

/// A read of what there is.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// The operation.
    pub call: Call,
    /// The list of its answer that goes on behind `NextToken`.
    pub pages: Option<&'static str>,
}

impl Read {
    fn rpc(service: &'static str, op: &'static str, input: Value) -> Self {
        Self { call: Call::Rpc { service, op, input }, pages: None }
    }

    fn paged(self, list: &'static str) -> Self {
        Self { pages: Some(list), ..self }
    }

    fn bucket(op: &'static str, bucket: &str, query: &'static str) -> Self {
        let method = if op == "HeadBucket" { "HEAD" } else { "GET" };
        Self { call: Call::S3 { op, method, bucket: bucket.to_owned(), query, body: String::new() }, pages: None }
    }
}

/// What a read told: a JSON answer, or the text of one of S3's. Nothing where there is no such thing.
pub type Answer = Option<Value>;

/// How the properties of a type's resources are told.
struct Reader {
    /// The type.
    kind: &'static str,
    /// The reads. Where none finds anything, the resource is not there.
    reads: fn(&Subject<'_>, &Properties) -> Vec<Read>,
    /// The properties in the template's shape; `None` if the resource is not there.
    actual: fn(&Subject<'_>, &Properties, &[Answer]) -> Option<Properties>,
    /// Properties that are JSON documents.
    documents: &'static [&'static str],
    /// Properties that no read tells.
    untold: &'static [&'static str],
}

/// What was found of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DriftStatus {
    /// It is what the template says.
    InSync,
    /// It has other properties.
    Modified,
    /// It is not there.
    Deleted,
    /// It could not be read.
    Unknown,
}

impl DriftStatus {
    /// AWS's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InSync => "IN_SYNC",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
            Self::Unknown => "UNKNOWN",
        }
    }

    pub(crate) fn is_drifted(self) -> bool {
        matches!(self, Self::Modified | Self::Deleted)
    }
}

/// What the last detection found of a resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResourceDrift {
    /// Twelve digits.
    pub account: String,
    /// The stack's region.
    pub region: String,
    /// The last part of the stack's ARN.
    pub stack: String,
    /// Its name in the template.
    pub logical_id: String,
    /// Its physical id.
    pub physical_id: String,
    /// `AWS::SQS::Queue`
    pub kind: String,
    /// What was found.
    pub status: DriftStatus,
    /// Why it could not be read.
    pub reason: Option<String>,
    /// What the template says, as JSON, secrets hidden.
    pub expected: Option<String>,
    /// What there is, as JSON.
    pub actual: Option<String>,
    /// How they differ: the path, both values as texts, and `ADD`, `REMOVE` or `NOT_EQUAL`.
    pub differences: Vec<(String, String, String, String)>,
    /// When it was looked at.
    pub time: Timestamp,
}

impl Entity for ResourceDrift {
    const KIND: &'static str = "resource-drift";

    fn key(&self) -> String {
        format!("{}/{}/{}/{}", self.account, self.region, self.stack, self.logical_id)
    }
}

/// Is this the refusal of a read that says that there is no such thing?
pub fn is_absent(status: u16, code: &str) -> bool {
    status == 404
        || ["NotFound", "NonExistent", "DoesNotExist", "NoSuch", "NotEnabled"].iter().any(|part| code.contains(part))
}

impl Stack {
    /// The reads that tell what there is of a resource; `None` if nothing tells it.
    pub fn reads(&self, logical_id: &str) -> Option<Vec<Read>> {
        let (made, reader) = self.readable(logical_id)?;
        Some((reader.reads)(&self.subject(&made.real), &self.expected(logical_id, made, reader)))
    }

    fn readable(&self, logical_id: &str) -> Option<(&Made, &'static Reader)> {
        let made = self.resources.get(logical_id).filter(|made| made.real.physical_id.is_some())?;
        Some((made, read::reader(&made.real.kind)?))
    }

    /// What the template gives explicitly. The stack's tags are among those of a resource only if that has some of its own.
    fn expected(&self, logical_id: &str, made: &Made, reader: &Reader) -> Properties {
        let mut expected = made.real.properties.clone();
        expected.retain(|name, _| !reader.untold.contains(&name.as_str()));
        let template = Template::parse(&self.template).ok();
        let gives_tags = template.and_then(|template| {
            let resource = template.resource(logical_id)?;
            Some(resource.properties.iter().any(|(name, _, _)| name == "Tags"))
        });
        if gives_tags != Some(true) {
            expected.remove("Tags");
        }
        without_system_tags(&mut expected);
        for name in reader.documents {
            if let Some(text @ Value::String(_)) = expected.get_mut(*name) {
                *text = read::document(text);
            }
        }
        expected
    }

    /// What the answers of its reads tell of a resource, or that they were refused.
    pub fn checked(&self, id: &str, answers: Result<&[Answer], String>, now: Timestamp) -> Option<ResourceDrift> {
        let (made, reader) = self.readable(id)?;
        let expected = self.expected(id, made, reader);
        let shown = |properties: &Properties| self.without_secrets(Value::Object(properties.clone()).to_string());
        let mut drift = ResourceDrift {
            account: self.account.clone(),
            region: self.region.clone(),
            stack: self.uuid.clone(),
            logical_id: id.to_owned(),
            physical_id: made.real.physical_id.clone().unwrap_or_default(),
            kind: made.real.kind.clone(),
            status: DriftStatus::InSync,
            reason: None,
            expected: Some(shown(&expected)),
            actual: None,
            differences: Vec::new(),
            time: now,
        };
        let answers = match answers {
            Ok(answers) => answers,
            Err(reason) => return Some(ResourceDrift { status: DriftStatus::Unknown, reason: Some(reason), ..drift }),
        };
        let there = answers.iter().any(Option::is_some);
        let actual = (reader.actual)(&self.subject(&made.real), &expected, answers).filter(|_| there);
        let Some(mut actual) = actual else {
            return Some(ResourceDrift { status: DriftStatus::Deleted, ..drift });
        };
        without_system_tags(&mut actual);
        // In the same order, so that they can be laid beside each other.
        let names = expected.keys();
        let actual: Properties = names.filter_map(|name| Some((name.clone(), actual.remove(name)?))).collect();
        drift.actual = Some(shown(&actual));
        let text = |value: Option<&Value>| {
            let text = value.map(|value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned));
            self.without_secrets(text.unwrap_or_else(|| "null".into()))
        };
        let found = compare::compare(&expected, &actual, reader.documents);
        let found = found.into_iter().map(|it| {
            let kind = it.kind().to_owned();
            (it.path, text(it.expected.as_ref()), text(it.actual.as_ref()), kind)
        });
        drift.differences = found.collect();
        if !drift.differences.is_empty() {
            drift.status = DriftStatus::Modified;
        }
        Some(drift)
    }
}

/// What services and CloudFormation itself label is no drift.
fn without_system_tags(properties: &mut Properties) {
    if let Some(Value::Array(tags)) = properties.get_mut("Tags") {
        tags.retain(|tag| !tag["Key"].as_str().is_some_and(|key| key.starts_with("aws:")));
    }
}
