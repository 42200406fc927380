//! A rule's state, and which events it lets the rule see ("Events from AWS services via CloudTrail" in the guide).

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The three states of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum RuleState {
    /// The rule sees nothing.
    #[serde(rename = "DISABLED")]
    Disabled,
    /// The rule sees everything but read-only management events.
    #[default]
    #[serde(rename = "ENABLED")]
    Enabled,
    /// The rule sees everything.
    #[serde(rename = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")]
    EnabledWithAllCloudTrailManagementEvents,
}

impl RuleState {
    /// The API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "DISABLED",
            Self::Enabled => "ENABLED",
            Self::EnabledWithAllCloudTrailManagementEvents => "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
        }
    }

    /// Whether a rule in this state sees an event of this kind.
    pub fn sees(self, kind: EventKind) -> bool {
        match self {
            Self::Disabled => false,
            Self::Enabled => !kind.read_only_management,
            Self::EnabledWithAllCloudTrailManagementEvents => true,
        }
    }
}

impl FromStr for RuleState {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Disabled, Self::Enabled, Self::EnabledWithAllCloudTrailManagementEvents]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or(())
    }
}

/// What the state of a rule looks at in an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct EventKind {
    /// A management event, by way of CloudTrail, that only looked. Data events are never of this kind.
    pub read_only_management: bool,
}

impl EventKind {
    /// A management event. EventBridge decides by name what only looks: `Describe…`, `Get…` and `List…`, but for two of STS
    /// that give credentials.
    pub fn management(event_source: &str, event_name: &str) -> Self {
        let looks = ["Describe", "Get", "List"].iter().any(|verb| event_name.starts_with(verb));
        let gives_credentials =
            event_source == "sts.amazonaws.com" && matches!(event_name, "GetFederationToken" | "GetSessionToken");
        Self { read_only_management: looks && !gives_credentials }
    }

    /// Any other event: a data event, or one from `PutEvents`.
    pub fn other() -> Self {
        Self { read_only_management: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_events_reach_a_rule() {
        let read = EventKind::management("s3.amazonaws.com", "ListBuckets");
        let write = EventKind::management("s3.amazonaws.com", "CreateBucket");
        let data = EventKind::other();
        for (state, expected) in [
            (RuleState::Disabled, [false, false, false]),
            (RuleState::Enabled, [false, true, true]),
            (RuleState::EnabledWithAllCloudTrailManagementEvents, [true, true, true]),
        ] {
            assert_eq!([state.sees(read), state.sees(write), state.sees(data)], expected, "{state:?}");
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert_eq!("enabled".parse::<RuleState>(), Err(()));
    }

    #[test]
    fn read_only_by_name() {
        for (source, name, expected) in [
            ("s3.amazonaws.com", "GetBucketAcl", true),
            ("ec2.amazonaws.com", "DescribeInstances", true),
            ("sts.amazonaws.com", "GetCallerIdentity", true),
            ("sts.amazonaws.com", "GetSessionToken", false),
            ("sts.amazonaws.com", "GetFederationToken", false),
            ("events.amazonaws.com", "TestEventPattern", false),
            ("s3.amazonaws.com", "HeadBucket", false),
        ] {
            assert_eq!(EventKind::management(source, name).read_only_management, expected, "{source} {name}");
        }
    }
}
