//! Which attributes a receive answers with.

use std::collections::BTreeMap;

use aws_api::ApiError;
use aws_api::sqs::ReceiveMessageRequest;

use crate::{Message, State, refusal};

const SYSTEM: &[&str] = &[
    "SenderId",
    "SentTimestamp",
    "ApproximateReceiveCount",
    "ApproximateFirstReceiveTimestamp",
    "SequenceNumber",
    "MessageDeduplicationId",
    "MessageGroupId",
    "AWSTraceHeader",
    "DeadLetterQueueSourceArn",
];

/// What a receive asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    system: Vec<&'static str>,
    user: Vec<String>,
}

impl Selection {
    /// A system attribute that no message has is refused; names of message attributes are not checked, as on AWS.
    pub fn read(req: ReceiveMessageRequest) -> Result<Self, ApiError> {
        let asked = || req.attribute_names.iter().chain(&req.message_system_attribute_names);
        if let Some(unknown) = asked().find(|name| *name != "All" && !SYSTEM.contains(&name.as_str())) {
            return Err(refusal::unknown_attribute(unknown));
        }
        let all = asked().any(|name| name == "All");
        let system = SYSTEM.iter().copied().filter(|name| all || asked().any(|asked| asked == name)).collect();
        Ok(Self { system, user: req.message_attribute_names })
    }

    /// Is this message attribute asked for: `All`, `.*`, `prefix.*`, or its name?
    pub fn has(&self, name: &str) -> bool {
        self.user.iter().any(|asked| {
            asked == "All" || asked == name || asked.strip_suffix(".*").is_some_and(|prefix| name.starts_with(prefix))
        })
    }

    /// The system attributes that were asked for and have a value.
    pub fn system(&self, message: &Message, state: &State) -> BTreeMap<String, String> {
        let value = |name: &str| match name {
            "SenderId" => Some(message.sender.clone()),
            "SentTimestamp" => Some(message.sent.as_millis().to_string()),
            "ApproximateReceiveCount" => Some(state.receives.to_string()),
            "ApproximateFirstReceiveTimestamp" => state.first_received.map(|at| at.as_millis().to_string()),
            "MessageGroupId" => message.group.clone(),
            "AWSTraceHeader" => message.trace_header.clone(),
            "DeadLetterQueueSourceArn" => message.source.clone(),
            _ => None,
        };
        self.system.iter().filter_map(|name| Some(((*name).to_owned(), value(name)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_message_attributes() {
        let attributes = ["General", "Hello", "Help.Me"];
        for (asked, expected) in [
            (vec![], vec![]),
            (vec!["All"], vec!["General", "Hello", "Help.Me"]),
            (vec![".*"], vec!["General", "Hello", "Help.Me"]),
            (vec!["Foo", "Help"], vec![]),
            (vec!["Hello", "General"], vec!["General", "Hello"]),
            (vec!["Hel.*"], vec!["Hello", "Help.Me"]),
            (vec!["AWS."], vec![]),
            (vec!["..foo"], vec![]),
        ] {
            let user = asked.iter().map(|name| (*name).to_owned()).collect();
            let selection = Selection { system: vec![], user };
            let got: Vec<_> = attributes.into_iter().filter(|name| selection.has(name)).collect();
            assert_eq!(got, expected, "{asked:?}");
        }
    }
}
