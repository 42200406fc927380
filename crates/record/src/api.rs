//! From a call to one of the RPC services to its record.

use aws_api::{Arn, Category, OpInfo, ServiceInfo, Timestamp};
use serde_json::Value;

use crate::elements::Elements;
use crate::parameters::cut;
use crate::record::Asked;
use crate::{AdditionalEventData, Common, Record, Resource};

/// What stands in the place of what nobody else should read, as in AWS's own records.
pub const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// Members that hold what a customer's messages hold, or the values of a stack's parameters, which may be secrets: source,
/// event, names at any depth.
const CONTENTS: &[(&str, &str, &[&str])] = &[
    ("events.amazonaws.com", "PutTargets", &["input", "inputTemplate"]),
    ("events.amazonaws.com", "TestEventPattern", &["event"]),
    ("cloudformation.amazonaws.com", "CreateStack", &["parameterValue", "templateBody"]),
    ("cloudformation.amazonaws.com", "UpdateStack", &["parameterValue", "templateBody"]),
    ("cloudformation.amazonaws.com", "CreateChangeSet", &["parameterValue", "templateBody"]),
    ("cloudformation.amazonaws.com", "ValidateTemplate", &["templateBody"]),
    ("cloudformation.amazonaws.com", "GetTemplateSummary", &["templateBody"]),
];

/// What was seen of one call that is a management event, or that failed authentication: then it is one whatever it asked for,
/// since nothing was done with anybody's data.
#[derive(Debug, Clone)]
pub struct ApiCall {
    /// The service.
    pub service: &'static ServiceInfo,
    /// The operation; [`OpInfo::UNKNOWN`] of an unproven call whose head names none.
    pub op: &'static OpInfo,
    /// As of any request. Of a proven call the account is the caller's, and the region the one that was signed for.
    pub common: Common,
    /// What was asked ([`crate::request_parameters`]); `None` also where the call was refused before that was looked at, as
    /// every unproven one is.
    pub parameters: Option<Elements>,
    /// What was answered ([`crate::response_elements`]), of writes only.
    pub response: Option<Elements>,
}

impl ApiCall {
    /// The record, completed at `event_time`.
    pub fn record(&self, event_time: Timestamp) -> Record {
        let asked = Asked {
            event_source: self.service.event_source(),
            event_name: self.op.name,
            access: self.op.access,
            category: Category::Management,
        };
        let common = &self.common;
        let mut record = Record {
            user_agent: common.user_agent.clone().unwrap_or_default(),
            request_parameters: self.parameters.clone(),
            response_elements: self.response.clone(),
            additional_event_data: common.claimed_access_key_id.as_deref().map(claim),
            resources: self.resources(),
            ..Record::of(asked, common, event_time)
        };
        // Whatever a service calls it.
        if let Some("AccessDeniedException" | "AuthorizationError") = record.error_code.as_deref() {
            record.error_code = Some("AccessDenied".into());
        }
        hide_contents(&mut record);
        record.fitted()
    }

    /// The queue of a call to SQS. Records of the other services' management events have no resources on AWS.
    fn resources(&self) -> Vec<Resource> {
        let arn = Some(self.service.signing_name).filter(|name| *name == "sqs").and_then(|_| self.queue_arn());
        let resource = |arn| Resource {
            account_id: Some(self.common.recipient_account.clone()),
            kind: "AWS::SQS::Queue".into(),
            arn: Some(arn),
            ..Resource::default()
        };
        arn.map(resource).into_iter().collect()
    }

    fn queue_arn(&self) -> Option<String> {
        let text = |name: &str| self.parameters.as_ref()?.get(name)?.as_str();
        if let Some(arn) = text("sourceArn") {
            return arn.parse::<Arn>().ok().filter(|arn| arn.service == "sqs").map(|arn| arn.to_string());
        }
        let (account, name) = match (text("queueName"), text("queueUrl")) {
            (Some(name), _) => (self.common.recipient_account.as_str(), name),
            (None, url) => {
                // `https://host/111122223333/name`, or only its path
                let mut parts = url?.rsplit('/');
                let name = parts.next()?;
                (parts.next()?, name)
            }
        };
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let is_name = (1..=80).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        (is_account && is_name).then(|| Arn::new("sqs", &self.common.region, account, name).to_string())
    }
}

/// These services' events have no `additionalEventData` on AWS, so it holds nothing else.
fn claim(access_key_id: &str) -> AdditionalEventData {
    AdditionalEventData { claimed_access_key_id: Some(cut(access_key_id).to_owned()), ..AdditionalEventData::default() }
}

fn hide_contents(record: &mut Record) {
    let Some(parameters) = &mut record.request_parameters else { return };
    for (source, name, members) in CONTENTS {
        if record.event_source == *source && record.event_name == *name {
            hide(parameters, members);
        }
    }
    // An endpoint that is not a queue is an address, which may hold a password.
    if record.event_source == "sns.amazonaws.com"
        && let Some(Value::String(endpoint)) = parameters.get_mut("endpoint")
        && !endpoint.starts_with("arn:")
    {
        HIDDEN.clone_into(endpoint);
    }
}

fn hide(map: &mut Elements, members: &[&str]) {
    for (name, value) in map {
        if members.contains(&name.as_str()) {
            *value = HIDDEN.into();
            continue;
        }
        match value {
            Value::Object(inner) => hide(inner, members),
            Value::Array(values) => {
                for inner in values.iter_mut().filter_map(Value::as_object_mut) {
                    hide(inner, members);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Failure, UserIdentity, request_parameters, response_elements};

    fn call(service: &'static ServiceInfo, op: &str) -> ApiCall {
        ApiCall {
            service,
            op: service.op(op).unwrap(),
            common: Common {
                identity: UserIdentity {
                    kind: "IAMUser".into(),
                    account_id: Some("111122223333".into()),
                    user_name: Some("u".into()),
                    ..UserIdentity::default()
                },
                claimed_access_key_id: None,
                recipient_account: "111122223333".into(),
                region: "eu-central-1".into(),
                source_ip: "192.0.2.1".into(),
                user_agent: Some("aws-cli/2".into()),
                host: "sqs.eu-central-1.amazonaws.com".into(),
                tls: None,
                request_id: "R".into(),
                event_id: "E".into(),
                failure: None,
            },
            parameters: None,
            response: None,
        }
    }

    const MOMENT: Timestamp = Timestamp::from_secs(1_773_480_413);

    #[test]
    fn golden() {
        let mut call = call(&aws_api::sqs::SERVICE, "CreateQueue");
        let input = aws_api::sqs::CreateQueueRequest { queue_name: Some("q".into()), ..Default::default() };
        call.parameters = request_parameters(&input).unwrap();
        let output = aws_api::sqs::CreateQueueResult { queue_url: "http://h/111122223333/q".into() };
        call.response = response_elements(&output).unwrap();
        assert_eq!(
            serde_json::to_string(&call.record(MOMENT)).unwrap(),
            concat!(
                r#"{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","accountId":"111122223333","userName":"u"},"#,
                r#""eventTime":"2026-03-14T09:26:53Z","eventSource":"sqs.amazonaws.com","eventName":"CreateQueue","#,
                r#""awsRegion":"eu-central-1","sourceIPAddress":"192.0.2.1","userAgent":"aws-cli/2","#,
                r#""requestParameters":{"queueName":"q"},"responseElements":{"queueUrl":"http://h/111122223333/q"},"#,
                r#""requestID":"R","eventID":"E","readOnly":false,"#,
                r#""resources":[{"accountId":"111122223333","type":"AWS::SQS::Queue","ARN":"arn:aws:sqs:eu-central-1:111122223333:q"}],"#,
                r#""eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}"#,
            )
        );
    }

    #[test]
    fn the_queue_that_a_call_is_about() {
        let cases = [
            (
                json!({"queueUrl": "https://h/111122223333/a.fifo"}),
                Some("arn:aws:sqs:eu-central-1:111122223333:a.fifo"),
            ),
            (json!({"queueUrl": "/111122223333/a"}), Some("arn:aws:sqs:eu-central-1:111122223333:a")),
            (json!({"sourceArn": "arn:aws:sqs:us-east-1:1:dlq"}), Some("arn:aws:sqs:us-east-1:1:dlq")),
            (json!({"queueUrl": "a"}), None),
            (json!({"queueUrl": "https://h/111122223333/a b"}), None),
            (json!({"sourceArn": "nonsense"}), None),
            (json!({}), None),
        ];
        for (parameters, arn) in cases {
            let mut call = call(&aws_api::sqs::SERVICE, "PurgeQueue");
            call.parameters = parameters.as_object().cloned();
            let resources = call.record(MOMENT).resources;
            assert_eq!(resources.first().and_then(|resource| resource.arn.as_deref()), arn, "{parameters}");
        }
    }

    #[test]
    fn contents_and_passwords_are_hidden() {
        let mut put = call(&aws_api::events::SERVICE, "PutTargets");
        let parameters = json!({"rule": "r", "targets": [{"id": "1", "input": "secret"},
            {"id": "2", "inputTransformer": {"inputTemplate": "secret", "inputPathsMap": {"a": "$.a"}}}]});
        put.parameters = parameters.as_object().cloned();
        let mut subscribe = call(&aws_api::sns::SERVICE, "Subscribe");
        subscribe.parameters = json!({"endpoint": "https://u:secret@h/"}).as_object().cloned();
        for call in [&put, &subscribe] {
            let text = serde_json::to_string(&call.record(MOMENT)).unwrap();
            assert!(!text.contains("secret") && text.contains(HIDDEN), "{text}");
        }
        subscribe.parameters = json!({"endpoint": "arn:aws:sqs:r:a:q"}).as_object().cloned();
        assert_eq!(subscribe.record(MOMENT).request_parameters.unwrap()["endpoint"], "arn:aws:sqs:r:a:q");
    }

    #[test]
    fn refused_for_the_role() {
        let mut call = call(&aws_api::sns::SERVICE, "CreateTopic");
        call.common.failure = Some(Failure { code: "AuthorizationError".into(), message: "User: …".into() });
        call.common.user_agent = None;
        let record = serde_json::to_value(call.record(MOMENT)).unwrap();
        assert_eq!((&record["errorCode"], &record["requestParameters"]), (&json!("AccessDenied"), &Value::Null));
        assert_eq!(record.get("userAgent"), None);
    }

    /// Also an operation on messages is then a management event: no message was sent.
    #[test]
    fn unproven() {
        let mut call = call(&aws_api::sqs::SERVICE, "SendMessage");
        call.common.identity = UserIdentity::unproven();
        call.common.claimed_access_key_id = Some("AKIAVICTIM".into());
        call.common.failure = Some(Failure { code: "InvalidSignatureException".into(), message: "m".into() });
        assert_eq!(
            serde_json::to_string(&call.record(MOMENT)).unwrap(),
            concat!(
                r#"{"eventVersion":"1.11","userIdentity":{"type":"Unknown"},"#,
                r#""eventTime":"2026-03-14T09:26:53Z","eventSource":"sqs.amazonaws.com","eventName":"SendMessage","#,
                r#""awsRegion":"eu-central-1","sourceIPAddress":"192.0.2.1","userAgent":"aws-cli/2","#,
                r#""errorCode":"InvalidSignatureException","errorMessage":"m","requestParameters":null,"responseElements":null,"#,
                r#""additionalEventData":{"claimedAccessKeyId":"AKIAVICTIM"},"requestID":"R","eventID":"E","readOnly":false,"#,
                r#""eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}"#,
            )
        );
        (call.op, call.common.claimed_access_key_id) = (&OpInfo::UNKNOWN, None);
        let record = call.record(MOMENT);
        assert_eq!((record.event_name.as_str(), record.additional_event_data), ("UnknownOperation", None));
    }
}
