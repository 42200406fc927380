//! How refusals are named and numbered on the wire. For SQS, which had the Query protocol first, JSON and Query differ.

use std::borrow::Cow;

use aws_api::{ApiError, Fault, Service};

use crate::call::Protocol;

/// What SQS writes for one of its errors.
struct Row {
    /// The shape's name in the model, and in JSON.
    name: &'static str,
    /// The code in the Query protocol and in `x-amzn-query-error`.
    query_code: &'static str,
    /// The HTTP status in the Query protocol.
    query_status: u16,
    /// The HTTP status in JSON for a client that asked for the codes of the Query protocol.
    compatible_status: u16,
}

const fn row(name: &'static str, query_code: &'static str, query_status: u16, compatible_status: u16) -> Row {
    Row { name, query_code, query_status, compatible_status }
}

/// The model's `awsQueryError` traits, and statuses as clients have seen them.
const SQS: [Row; 19] = [
    row("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", 400, 400),
    row("QueueNameExists", "QueueAlreadyExists", 400, 400),
    row("QueueDeletedRecently", "AWS.SimpleQueueService.QueueDeletedRecently", 400, 400),
    row("BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", 400, 400),
    row("BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong", 400, 400),
    row("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest", 400, 400),
    row("InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId", 400, 400),
    row("MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight", 400, 400),
    row("TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", 400, 400),
    row("UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation", 400, 400),
    row("PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress", 403, 403),
    row("InvalidParameterValueException", "InvalidParameterValue", 400, 400),
    row("MissingRequiredParameterException", "MissingParameter", 400, 400),
    row("AccessDeniedException", "AccessDenied", 403, 403),
    row("OverLimit", "OverLimit", 403, 400),
    row("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", 404, 400),
    row("ResourceNotFoundException", "ResourceNotFoundException", 404, 404),
    row("KmsAccessDenied", "KMS.AccessDeniedException", 400, 400),
    row("RequestThrottled", "RequestThrottled", 403, 400),
];

/// Errors that are shapes of SQS's model and keep their name in both protocols.
const SQS_SAME: [&str; 6] = [
    "InvalidAddress",
    "InvalidAttributeName",
    "InvalidAttributeValue",
    "InvalidIdFormat",
    "InvalidMessageContents",
    "InvalidSecurity",
];

/// Errors that come from the framework around SQS, although the table above has them.
const SQS_FRAMEWORK: [&str; 3] =
    ["InvalidParameterValueException", "MissingRequiredParameterException", "AccessDeniedException"];

/// A refusal as it goes out.
pub(crate) struct Outgoing<'e> {
    /// `__type` in JSON, `Code` in XML.
    pub(crate) code: Cow<'e, str>,
    pub(crate) message: Cow<'e, str>,
    pub(crate) status: u16,
    pub(crate) fault: &'static str,
    /// `x-amzn-query-error`.
    pub(crate) query_error: Option<String>,
}

pub(crate) fn outgoing(service: Service, protocol: Protocol, error: &ApiError) -> Outgoing<'_> {
    let fault = match error.fault() {
        Fault::Sender => "Sender",
        Fault::Receiver => "Receiver",
    };
    let mut outgoing = Outgoing {
        code: error.code.as_ref().into(),
        message: error.message.as_str().into(),
        status: error.status,
        fault,
        query_error: None,
    };
    match service {
        Service::Sqs => for_sqs(protocol, error, &mut outgoing),
        Service::CloudWatch => for_cloudwatch(protocol, error, &mut outgoing),
        Service::CloudTrail | Service::Events | Service::Sns | Service::CloudFormation | Service::Sts => {}
    }
    outgoing
}

/// The shapes of CloudWatch's model whose code in the Query protocol is another: the model's `awsQueryError` traits. The last
/// two come from the framework around it.
const CLOUDWATCH: [(&str, &str); 9] = [
    ("InvalidParameterValueException", "InvalidParameterValue"),
    ("InvalidParameterCombinationException", "InvalidParameterCombination"),
    ("MissingRequiredParameterException", "MissingParameter"),
    ("InvalidFormatFault", "InvalidFormat"),
    ("LimitExceededFault", "LimitExceeded"),
    ("InternalServiceFault", "InternalServiceError"),
    ("ResourceNotFoundException", "ResourceNotFoundException"),
    ("ValidationException", "ValidationError"),
    ("AccessDeniedException", "AccessDenied"),
];
const CLOUDWATCH_FRAMEWORK: [&str; 2] = ["ValidationException", "AccessDeniedException"];
/// Those that have one name everywhere.
const CLOUDWATCH_SAME: [&str; 3] = ["InvalidNextToken", "ResourceNotFound", "ResourceConflict"];

fn for_cloudwatch<'e>(protocol: Protocol, error: &'e ApiError, outgoing: &mut Outgoing<'e>) {
    let known = CLOUDWATCH.iter().find(|(name, _)| *name == error.code);
    let query_code = known.map_or(&*error.code, |(_, query_code)| query_code);
    match protocol {
        Protocol::Query => outgoing.code = query_code.into(),
        Protocol::Json { .. } | Protocol::Cbor => {
            let own = (known.is_some() || CLOUDWATCH_SAME.contains(&&*error.code))
                && !CLOUDWATCH_FRAMEWORK.contains(&&*error.code);
            let namespace = if own { "com.amazonaws.cloudwatch.v2010_08_01" } else { "com.amazon.coral.service" };
            outgoing.code = format!("{namespace}#{}", error.code).into();
            outgoing.query_error = Some(format!("{query_code};{}", outgoing.fault));
        }
    }
}

fn for_sqs<'e>(protocol: Protocol, error: &'e ApiError, outgoing: &mut Outgoing<'e>) {
    let row = SQS.iter().find(|row| row.name == error.code);
    let query_code = row.map_or(error.code.as_ref(), |row| row.query_code);
    match protocol {
        Protocol::Query => {
            outgoing.code = query_code.into();
            outgoing.status = row.map_or(error.status, |row| row.query_status);
            if error.code == "QueueDoesNotExist" && error.message == "The specified queue does not exist." {
                outgoing.message = "The specified queue does not exist for this wsdl version.".into();
            }
        }
        // SQS does not speak CBOR.
        Protocol::Cbor => {}
        Protocol::Json { query_compatible } => {
            let own = (row.is_some() || SQS_SAME.contains(&&*error.code)) && !SQS_FRAMEWORK.contains(&&*error.code);
            let namespace = if own { "com.amazonaws.sqs" } else { "com.amazon.coral.service" };
            outgoing.code = format!("{namespace}#{}", error.code).into();
            outgoing.status = match row {
                Some(row) if query_compatible => row.compatible_status,
                Some(_) => 400,
                None => error.status,
            };
            outgoing.query_error = Some(format!("{query_code};{}", outgoing.fault));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqs_in_three_ways() {
        let plain = Protocol::Json { query_compatible: false };
        let compatible = Protocol::Json { query_compatible: true };
        let rows = [
            ("QueueDoesNotExist", 400, plain, "com.amazonaws.sqs#QueueDoesNotExist", 400),
            ("QueueDoesNotExist", 400, Protocol::Query, "AWS.SimpleQueueService.NonExistentQueue", 400),
            ("PurgeQueueInProgress", 403, plain, "com.amazonaws.sqs#PurgeQueueInProgress", 400),
            ("PurgeQueueInProgress", 400, compatible, "com.amazonaws.sqs#PurgeQueueInProgress", 403),
            ("PurgeQueueInProgress", 400, Protocol::Query, "AWS.SimpleQueueService.PurgeQueueInProgress", 403),
            ("ReceiptHandleIsInvalid", 404, compatible, "com.amazonaws.sqs#ReceiptHandleIsInvalid", 400),
            ("ReceiptHandleIsInvalid", 400, Protocol::Query, "ReceiptHandleIsInvalid", 404),
            ("InvalidAttributeName", 400, plain, "com.amazonaws.sqs#InvalidAttributeName", 400),
            (
                "InvalidParameterValueException",
                400,
                plain,
                "com.amazon.coral.service#InvalidParameterValueException",
                400,
            ),
            ("InvalidParameterValueException", 400, Protocol::Query, "InvalidParameterValue", 400),
            ("SerializationException", 400, plain, "com.amazon.coral.service#SerializationException", 400),
            ("SignatureDoesNotMatch", 403, Protocol::Query, "SignatureDoesNotMatch", 403),
            ("InternalFailure", 500, compatible, "com.amazon.coral.service#InternalFailure", 500),
        ];
        for (name, status, protocol, code, expected_status) in rows {
            let error = ApiError::new(name, "m").with_status(status);
            let outgoing = outgoing(Service::Sqs, protocol, &error);
            assert_eq!((&*outgoing.code, outgoing.status), (code, expected_status), "{name} {protocol:?}");
        }
    }

    #[test]
    fn other_services_write_what_the_core_says() {
        let error = ApiError::new("NotFound", "Topic does not exist").with_status(404);
        let outgoing = outgoing(Service::Sns, Protocol::Query, &error);
        assert_eq!((&*outgoing.code, outgoing.status, outgoing.fault), ("NotFound", 404, "Sender"));
        assert_eq!(outgoing.query_error, None);
    }
}
