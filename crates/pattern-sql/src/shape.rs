//! What CloudTrail says of a record's shape.
//!
//! Source: CloudTrail user guide, "CloudTrail record contents for management, data, and network activity events" and
//! "CloudTrail userIdentity element"; Amazon S3 user guide, "Amazon S3 CloudTrail events", for
//! `additionalEventData`. What stands here is one object, or one value; everything else may be an array.

use crate::error::Refusal;

/// Elements that are one object, or null.
const OBJECTS: [&str; 10] = [
    "userIdentity",
    "userIdentity.sessionContext",
    "userIdentity.sessionContext.sessionIssuer",
    "userIdentity.sessionContext.attributes",
    "userIdentity.onBehalfOf",
    "requestParameters",
    "responseElements",
    "additionalEventData",
    "serviceEventDetails",
    "tlsDetails",
];

/// Elements that are one text, and never null.
const TEXTS: [&str; 43] = [
    "eventVersion",
    "eventTime",
    "eventSource",
    "eventName",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "errorCode",
    "errorMessage",
    "requestID",
    "eventID",
    "eventType",
    "apiVersion",
    "recipientAccountId",
    "sharedEventID",
    "vpcEndpointId",
    "vpcEndpointAccountId",
    "eventCategory",
    "sessionCredentialFromConsole",
    "userIdentity.type",
    "userIdentity.principalId",
    "userIdentity.arn",
    "userIdentity.accountId",
    "userIdentity.accessKeyId",
    "userIdentity.userName",
    "userIdentity.invokedBy",
    "userIdentity.sessionContext.ec2RoleDelivery",
    "userIdentity.sessionContext.sessionIssuer.type",
    "userIdentity.sessionContext.sessionIssuer.principalId",
    "userIdentity.sessionContext.sessionIssuer.arn",
    "userIdentity.sessionContext.sessionIssuer.accountId",
    "userIdentity.sessionContext.sessionIssuer.userName",
    "userIdentity.sessionContext.attributes.creationDate",
    "userIdentity.sessionContext.attributes.mfaAuthenticated",
    "userIdentity.onBehalfOf.userId",
    "tlsDetails.tlsVersion",
    "tlsDetails.cipherSuite",
    "tlsDetails.clientProvidedHostHeader",
    "additionalEventData.SignatureVersion",
    "additionalEventData.CipherSuite",
    "additionalEventData.AuthenticationMethod",
    "additionalEventData.SSEApplied",
    "additionalEventData.x-amz-id-2",
];

/// Elements that are true or false.
const FLAGS: [&str; 2] = ["readOnly", "managementEvent"];

/// What is known of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// One object, or null.
    Object,
    /// One text.
    Text,
    /// True or false.
    Flag,
}

/// What is known of the element `name`, such as `userIdentity.arn`.
pub(crate) fn known(name: &str) -> Option<Known> {
    let listed = |list: &[&str]| list.contains(&name);
    match () {
        () if listed(&OBJECTS) => Some(Known::Object),
        () if listed(&TEXTS) => Some(Known::Text),
        () if listed(&FLAGS) => Some(Known::Flag),
        () => None,
    }
}

/// How many steps lead through elements that are certainly objects, and one further.
pub(crate) fn certain_steps(steps: &[&str]) -> usize {
    let objects = (1..steps.len()).take_while(|&count| known(&steps[..count].join(".")) == Some(Known::Object)).count();
    objects + 1
}

/// The way through them, each step as the engine writes it; whether a single value is known to be at its end; and how many
/// steps it has.
pub(crate) fn certain_path(
    steps: &[&str],
    step: impl Fn(&str) -> Result<String, Refusal>,
) -> Result<(String, bool, usize), Refusal> {
    let count = certain_steps(steps);
    let path = steps[..count].iter().map(|name| step(name)).collect::<Result<String, _>>()?;
    Ok((path, count == steps.len() && known(&steps.join(".")).is_some(), count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_that_are_certain() {
        let cases = [
            ("eventName", 1),
            ("resources.ARN", 1),
            ("requestParameters", 1),
            ("requestParameters.a.b", 2),
            ("userIdentity.sessionContext.sessionIssuer.arn", 4),
            ("userIdentity.sessionContext.other.arn", 3),
        ];
        for (name, count) in cases {
            assert_eq!(certain_steps(&name.split('.').collect::<Vec<_>>()), count, "{name}");
        }
    }
}
