//! The detector as CloudFormation templates: trail, log bucket, rule, topic, queue, alarm. What `serve` deploys for itself here
//! is, byte for byte, what `sigtrail template` prints for an account on AWS.
//!
//! A trail may record all regions, but a rule sees the events of its own region only: each other region has the smaller stack
//! whose topic sends into the queue of the home region.

use stack::document;

/// The template of the home region, YAML.
pub const HOME: &str = include_str!("detector.yaml");
/// The template of each other region, YAML.
pub const OTHER_REGION: &str = include_str!("other-region.yaml");
/// The name of the stack that `serve` deploys, in whichever region.
pub const STACK: &str = "sigtrail";
/// The name of its trail, rules, topics and queue.
pub const NAME: &str = "sigtrail-sigv2";

/// The name of the log bucket that `serve` makes for an account.
pub fn log_bucket(account: &str) -> String {
    format!("sigtrail-logs-{account}")
}

/// The parameters of the home region's stack that `serve` deploys: all buckets, all regions, management events, too.
pub fn home_parameters(account: &str, require_tls: bool) -> [(&'static str, String); 5] {
    [
        ("AllBuckets", "true".into()),
        ("ManagementEvents", "true".into()),
        ("MultiRegion", "true".into()),
        ("LogBucketName", log_bucket(account)),
        ("RequireTls", require_tls.to_string()),
    ]
}

/// The parameters of another region's.
pub fn other_region_parameters(account: &str, home: &str) -> [(&'static str, String); 2] {
    [("QueueArn", format!("arn:aws:sqs:{home}:{account}:{NAME}")), ("ManagementEvents", "true".into())]
}

/// A template as JSON: functions by their full names, in the order of the text.
///
/// # Errors
/// It is no YAML.
///
/// ```
/// assert!(detector::to_json(detector::OTHER_REGION).unwrap().contains(r#""Fn::GetAtt": "Rule.Arn""#));
/// ```
pub fn to_json(template: &str) -> Result<String, stack::Problem> {
    // A tree of texts, numbers and lists is always written.
    Ok(serde_json::to_string_pretty(&document::parse(template)?).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use stack::template::Template;

    use super::*;

    #[test]
    fn both_forms_say_the_same() {
        for yaml in [HOME, OTHER_REGION] {
            let json = to_json(yaml).unwrap();
            assert!(document::parse(&json) == document::parse(yaml), "{json}");
            stack::check_template(&json).unwrap();
        }
    }

    #[test]
    fn both_rules_have_the_pattern_of_the_issue() {
        let wanted: serde_json::Value = serde_json::json!({
            "source": ["aws.s3"],
            "detail-type": ["AWS API Call via CloudTrail"],
            "detail": {
                "eventSource": ["s3.amazonaws.com"],
                "additionalEventData": { "SignatureVersion": ["SigV2"] },
            },
        });
        for yaml in [HOME, OTHER_REGION] {
            let json: serde_json::Value = serde_json::from_str(&to_json(yaml).unwrap()).unwrap();
            assert_eq!(json["Resources"]["Rule"]["Properties"]["EventPattern"], wanted);
        }
    }

    #[test]
    fn every_parameter_is_one_of_its_template_and_allowed() {
        let home = Template::parse(HOME).unwrap();
        for (name, value) in home_parameters("111122223333", false) {
            assert_eq!(home.parameter(name).unwrap().refusal(&value), None, "{name}");
        }
        let other = Template::parse(OTHER_REGION).unwrap();
        for (name, value) in other_region_parameters("111122223333", "eu-central-1") {
            assert_eq!(other.parameter(name).unwrap().refusal(&value), None, "{name}");
        }
    }
}
