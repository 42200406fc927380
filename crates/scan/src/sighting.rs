//! What is counted of a record, read without the rest of it.

use std::borrow::Cow;
use std::sync::LazyLock;

use event_pattern::{EventError, PathValues, Paths, PathsRoom, Value};
use record::{GroupingParts, is_foreign};

macro_rules! paths {
    ($($name:ident = $path:literal,)*) => {
        /// Places in [`PATHS`].
        #[derive(Clone, Copy)]
        enum Path {
            $($name),*
        }

        static PATHS: LazyLock<Paths> = LazyLock::new(|| Paths::new([$($path),*]));
    };
}

paths! {
    IdentityKind = "userIdentity.type",
    IdentityArn = "userIdentity.arn",
    InvokedBy = "userIdentity.invokedBy",
    PrincipalId = "userIdentity.principalId",
    AccountId = "userIdentity.accountId",
    AccessKeyId = "userIdentity.accessKeyId",
    IssuerArn = "userIdentity.sessionContext.sessionIssuer.arn",
    EventTime = "eventTime",
    EventName = "eventName",
    EventSource = "eventSource",
    SourceIpAddress = "sourceIPAddress",
    UserAgent = "userAgent",
    ErrorCode = "errorCode",
    BucketName = "requestParameters.bucketName",
    AuthenticationMethod = "additionalEventData.AuthenticationMethod",
    ClaimedAccessKeyId = "additionalEventData.claimedAccessKeyId",
    ResourceKind = "resources.type",
    ResourceArn = "resources.ARN",
    EventId = "eventID",
    SharedEventId = "sharedEventID",
    ManagementEvent = "managementEvent",
}

/// What is counted of a record that matched. What is no text where one should be is taken for absent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sighting<'a>(PathValues<'a>);

impl<'a> Sighting<'a> {
    /// Looks into a record, which must be JSON, all of it. One that is not UTF-8 may be so where nothing is read.
    pub fn of(record: &'a [u8], room: &'a mut PathsRoom) -> Result<Self, EventError> {
        let is_text = std::str::from_utf8(record).is_ok();
        let read = if is_text { PATHS.read_strict(record, room) } else { PATHS.read(record, room) };
        read.map(Self)
    }

    fn text(&self, path: Path) -> Option<&'a str> {
        match self.0.last(path as usize) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    pub fn event_time(&self) -> &'a str {
        self.text(Path::EventTime).unwrap_or_default()
    }

    pub fn event_name(&self) -> &'a str {
        self.text(Path::EventName).unwrap_or_default()
    }

    pub fn source_ip_address(&self) -> &'a str {
        self.text(Path::SourceIpAddress).unwrap_or_default()
    }

    pub fn user_agent(&self) -> &'a str {
        self.text(Path::UserAgent).unwrap_or_default()
    }

    pub fn error_code(&self) -> Option<&'a str> {
        self.text(Path::ErrorCode)
    }

    /// How the signature was carried.
    pub fn authentication_method(&self) -> Option<&'a str> {
        self.text(Path::AuthenticationMethod)
    }

    /// Who, as [`record::UserIdentity::grouping`] has it.
    pub fn identity(&self) -> Cow<'a, str> {
        let parts = GroupingParts {
            issuer_arn: self.text(Path::IssuerArn),
            arn: self.text(Path::IdentityArn),
            invoked_by: self.text(Path::InvokedBy),
            account: self.text(Path::AccountId),
            principal: self.text(Path::PrincipalId),
        };
        parts.grouping()
    }

    /// The key that signed; of a refused request, the one that it named.
    pub fn access_key_id(&self) -> &'a str {
        self.text(Path::AccessKeyId).or_else(|| self.text(Path::ClaimedAccessKeyId)).unwrap_or_default()
    }

    /// The record's own id.
    pub fn event_id(&self) -> Option<&'a str> {
        self.text(Path::EventId)
    }

    /// The same in the records of both accounts, of a call between two.
    pub fn shared_event_id(&self) -> Option<&'a str> {
        self.text(Path::SharedEventId)
    }

    /// Whether this is the copy of the account that was called.
    pub fn is_of_foreign_caller(&self) -> bool {
        self.shared_event_id().is_some() && is_foreign(self.text(Path::IdentityKind), self.text(Path::AccountId))
    }

    /// Whether it is a data event of S3. Records older than version 1.06 do not say: they are taken for management events.
    pub fn is_data_event(&self) -> bool {
        self.0.last(Path::ManagementEvent as usize) == Some(Value::Bool(false))
            && self.text(Path::EventSource) == Some("s3.amazonaws.com")
    }

    /// Its day, `2026-03-14`.
    pub fn day(&self) -> &'a str {
        self.event_time().get(..10).unwrap_or_default()
    }

    /// The bucket, if the record is about one.
    pub fn bucket(&self) -> &'a str {
        self.text(Path::BucketName).or_else(|| self.bucket_of_resources()).unwrap_or_default()
    }

    fn bucket_of_resources(&self) -> Option<&'a str> {
        let kinds = self.0.all(Path::ResourceKind as usize);
        // The last that is told is the first of the list.
        let (_, bucket) = kinds.filter(|(kind, _)| *kind == Value::String("AWS::S3::Bucket")).last()?;
        let mut arns = self.0.all(Path::ResourceArn as usize).filter(|(_, element)| *element == bucket);
        match arns.next() {
            Some((Value::String(arn), _)) => arn.strip_prefix("arn:aws:s3:::"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(record: &str) -> String {
        Sighting::of(record.as_bytes(), &mut PathsRoom::default()).unwrap().bucket().to_owned()
    }

    #[test]
    fn a_bucket_is_named_or_among_the_resources() {
        let resources = r#""resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::x/k"},{"ARN":"arn:aws:s3:::b","type":"AWS::S3::Bucket"},{"type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::c"}]"#;
        assert_eq!(bucket(&format!("{{{resources}}}")), "b");
        assert_eq!(bucket(&format!(r#"{{"requestParameters":{{"bucketName":"n\u0061med"}},{resources}}}"#)), "named");
        assert_eq!(bucket(&format!(r#"{{"requestParameters":{{"bucketName":["x",{{}}]}},{resources}}}"#)), "x");
        assert_eq!(bucket(r#"{"requestParameters":null,"resources":[{"type":"AWS::S3::Bucket"}]}"#), "");
        assert_eq!(bucket(r#"{"requestParameters":{"bucketName":5},"resources":"AWS::S3::Bucket"}"#), "");
    }

    #[test]
    fn who_it_was_and_when() {
        let mut room = PathsRoom::default();
        let record = br#"{"userIdentity":{"type":"AWSAccount","principalId":"AIDA","accountId":"111122223333"},
            "additionalEventData":{"claimedAccessKeyId":"AKIA"},"sharedEventID":"5","managementEvent":false,
            "eventSource":"s3.amazonaws.com","eventTime":"2026-03-14T09:26:53Z","errorCode":null,"userAgent":7}"#;
        let seen = Sighting::of(record, &mut room).unwrap();
        assert_eq!((seen.day(), seen.access_key_id(), seen.user_agent()), ("2026-03-14", "AKIA", ""));
        assert!(seen.is_of_foreign_caller() && seen.is_data_event() && seen.error_code().is_none());
        assert!(seen.event_id().is_none() && seen.identity().contains("111122223333"));
        assert!(Sighting::of(br#"{"userIdentity":}"#, &mut room).is_err());
        assert!(Sighting::of(br#"{"eventName":"x","responseElements":{"y":[1,]}}"#, &mut room).is_err());
        let odd = Sighting::of(b"{\"eventName\":\"x\",\"responseElements\":\"\xff\"}", &mut room).unwrap();
        assert_eq!(odd.event_name(), "x");
    }
}
