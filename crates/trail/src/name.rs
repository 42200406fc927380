//! Names: of trails, and of the place that their files go to.

use aws_api::{ApiError, Arn};

/// The shortest name of a trail, in characters ("`CreateTrail`" in the CloudTrail API reference).
const NAME_LEN_MIN: usize = 3;
/// The longest name of a trail, in characters.
const NAME_LEN_MAX: usize = 128;
/// The longest key prefix, in characters.
const PREFIX_LEN_MAX: usize = 200;
/// The longest `SnsTopicName`, in characters.
const TOPIC_LEN_MAX: usize = 256;

fn invalid_name(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidTrailNameException", message)
}

/// A trail's name is as `CreateTrail` demands.
pub(crate) fn check_trail_name(name: &str) -> Result<(), ApiError> {
    let length = name.chars().count();
    if length < NAME_LEN_MIN {
        return Err(invalid_name(format!(
            "Trail name too short. Minimum allowed length: {NAME_LEN_MIN} characters. Specified name length: {length} characters."
        )));
    }
    if length > NAME_LEN_MAX {
        return Err(invalid_name(format!(
            "Trail name too long. Maximum allowed length: {NAME_LEN_MAX} characters. Specified name length: {length} characters."
        )));
    }
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c)) {
        return Err(invalid_name(
            "Trail name or ARN can contain uppercase letters, lowercase letters, numbers, periods (.), hyphens (-), and underscores (_).",
        ));
    }
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Err(invalid_name("Trail name must starts with a letter or number."));
    }
    if !name.ends_with(|c: char| c.is_ascii_alphanumeric()) {
        return Err(invalid_name("Trail name must ends with a letter or number."));
    }
    if name.as_bytes().windows(2).any(|pair| pair.iter().all(|byte| b".-_".contains(byte))) {
        return Err(invalid_name("Trail name must not contain adjacent periods, hyphens or underscores."));
    }
    if name.parse::<std::net::Ipv4Addr>().is_ok() {
        return Err(invalid_name("Trail name must not be in IP address format."));
    }
    Ok(())
}

/// What a caller gave to name a trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NameOrArn<'a> {
    /// A name: a trail of the caller's account and region.
    Name(&'a str),
    /// The parts of a trail's ARN.
    Arn { region: String, account: String, name: String },
}

/// Reads a trail's name or its ARN.
pub(crate) fn parse_name_or_arn(text: &str) -> Result<NameOrArn<'_>, ApiError> {
    if !text.starts_with("arn:") {
        check_trail_name(text)?;
        return Ok(NameOrArn::Name(text));
    }
    let (region, account, name) = parse_trail_arn(text)?;
    check_trail_name(&name)?;
    Ok(NameOrArn::Arn { region, account, name })
}

/// The region, account and name in a trail's ARN.
pub(crate) fn parse_trail_arn(text: &str) -> Result<(String, String, String), ApiError> {
    let malformed = || {
        ApiError::new(
            "CloudTrailARNInvalidException",
            format!("{text} is not the ARN of a trail (arn:aws:cloudtrail:<region>:<account>:trail/<name>)."),
        )
    };
    let arn: Arn = text.parse().map_err(|_| malformed())?;
    match arn.resource.strip_prefix("trail/") {
        Some(name) if arn.service == "cloudtrail" && !name.is_empty() && !name.contains('/') => {
            Ok((arn.region.clone(), arn.account.clone(), name.to_owned()))
        }
        _ => Err(malformed()),
    }
}

/// The bucket has a name that a bucket can have, and exists.
pub(crate) fn check_bucket(name: &str, exists: &dyn Fn(&str) -> bool) -> Result<(), ApiError> {
    let plain = (3..=63).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-');
    if !plain {
        return Err(ApiError::new(
            "InvalidS3BucketNameException",
            "The S3 bucket name must have 3 to 63 lowercase letters, numbers, periods (.) and hyphens (-).",
        ));
    }
    if !exists(name) {
        return Err(ApiError::new("S3BucketDoesNotExistException", format!("S3 bucket {name} does not exist!")));
    }
    Ok(())
}

/// The key prefix is one that files can be written under.
pub(crate) fn check_prefix(prefix: &str) -> Result<(), ApiError> {
    let invalid = |message: &str| ApiError::new("InvalidS3PrefixException", message);
    if prefix.chars().count() > PREFIX_LEN_MAX {
        return Err(invalid("The S3 key prefix must not have more than 200 characters."));
    }
    if prefix.chars().any(char::is_control) {
        return Err(invalid("The S3 key prefix must not contain control characters."));
    }
    if prefix.split('/').any(|segment| segment == "..") || prefix.starts_with('/') {
        return Err(invalid("The S3 key prefix must not begin with a slash or contain the segment \"..\"."));
    }
    Ok(())
}

/// What names a topic: a topic's name, or the ARN of one of this account, of any region. Whether there is such a topic is
/// not known here.
pub(crate) fn check_topic(account: &str, name_or_arn: &str) -> Result<(), ApiError> {
    let invalid = |message: &str| Err(ApiError::new("InvalidSnsTopicNameException", message));
    if name_or_arn.chars().count() > TOPIC_LEN_MAX {
        return invalid("The name of the SNS topic must not have more than 256 characters.");
    }
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if !name_or_arn.starts_with("arn:") {
        return if is_name(name_or_arn) {
            Ok(())
        } else {
            invalid("The name of an SNS topic has letters, numbers, hyphens (-) and underscores (_) only.")
        };
    }
    match name_or_arn.parse::<Arn>() {
        Ok(arn)
            if arn.service != "sns" || arn.partition != "aws" || arn.region.is_empty() || !is_name(&arn.resource) =>
        {
            invalid("SnsTopicName is not the ARN of an SNS topic.")
        }
        Ok(arn) if arn.account == account => Ok(()),
        Ok(_) => Err(insufficient_topic_policy()),
        Err(_) => invalid("SnsTopicName is not the ARN of an SNS topic."),
    }
}

/// There is no such topic, or CloudTrail may not publish to it: AWS does not tell which.
pub fn insufficient_topic_policy() -> ApiError {
    ApiError::new("InsufficientSnsTopicPolicyException", "SNS Topic does not exist or the topic policy is incorrect!")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trail_names() {
        for good in ["abc", "a.b", "Trail-1_x", &"a".repeat(128), "1.2.3.4.5", "1-2-3"] {
            assert_eq!(check_trail_name(good), Ok(()), "{good}");
        }
        let cases = [
            ("", "Trail name too short. Minimum allowed length: 3 characters. Specified name length: 0 characters."),
            ("ab", "Trail name too short. Minimum allowed length: 3 characters. Specified name length: 2 characters."),
            ("-abc", "Trail name must starts with a letter or number."),
            ("abc_", "Trail name must ends with a letter or number."),
            ("a..b", "Trail name must not contain adjacent periods, hyphens or underscores."),
            ("a-_b", "Trail name must not contain adjacent periods, hyphens or underscores."),
            ("192.168.5.4", "Trail name must not be in IP address format."),
            (
                "a/b",
                "Trail name or ARN can contain uppercase letters, lowercase letters, numbers, periods (.), hyphens (-), and underscores (_).",
            ),
        ];
        for (name, message) in cases {
            assert_eq!(check_trail_name(name), Err(invalid_name(message)), "{name}");
        }
        assert!(check_trail_name(&"a".repeat(129)).is_err());
    }

    #[test]
    fn arns() {
        let arn = "arn:aws:cloudtrail:eu-central-1:111122223333:trail/audit";
        assert_eq!(parse_trail_arn(arn), Ok(("eu-central-1".into(), "111122223333".into(), "audit".into())));
        for bad in ["arn:aws:s3:::b", "arn:aws:cloudtrail:r:a:trail/", "arn:aws:cloudtrail:r:a:trail/x/y", "audit"] {
            assert_eq!(parse_trail_arn(bad).unwrap_err().code, "CloudTrailARNInvalidException", "{bad}");
        }
    }

    #[test]
    fn topics() {
        let code = |name: &str| check_topic("111122223333", name).map_err(|error| error.code.into_owned());
        for good in ["t", "My_topic-1", &"t".repeat(256), "arn:aws:sns:eu-west-1:111122223333:t"] {
            assert_eq!(code(good), Ok(()), "{good}");
        }
        for bad in [
            "a b",
            "a/b",
            "t.fifo",
            "töpic",
            &"t".repeat(257),
            "arn:aws:sns",
            "arn:aws:sqs:eu-west-1:111122223333:t",
            "arn:aws:sns:eu-west-1:111122223333:",
            "arn:aws:sns::111122223333:t",
            "arn:aws:sns:eu-west-1:111122223333:t:5d3c",
        ] {
            assert_eq!(code(bad), Err("InvalidSnsTopicNameException".into()), "{bad}");
        }
        assert_eq!(code("arn:aws:sns:eu-west-1:444455556666:t"), Err("InsufficientSnsTopicPolicyException".into()));
    }

    #[test]
    fn prefixes() {
        assert_eq!(check_prefix("logs/2026"), Ok(()));
        for bad in ["/a", "a/../b", "a\nb", &"p".repeat(201)] {
            assert_eq!(check_prefix(bad).unwrap_err().code, "InvalidS3PrefixException", "{bad}");
        }
    }
}
