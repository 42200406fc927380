//! Tags that services set on resources, and nobody else.
//!
//! Source: "Tag naming limits and requirements" in the guide of tags: keys that begin with `aws:`, in whatever case, are AWS's; they
//! can be neither edited nor deleted and do not count against the limit of tags of a resource.

/// What the services say to a caller who sets such a tag or removes one, each with its own code.
pub const SYSTEM_TAG_REFUSED: &str = "aws: prefixed tag key names are not allowed for external use.";

/// Is it a key of a service's?
pub fn is_system_tag(key: &str) -> bool {
    key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:"))
}

/// How many of these keys count against a limit.
pub fn user_tags<'a>(keys: impl IntoIterator<Item = &'a String>) -> usize {
    keys.into_iter().filter(|key| !is_system_tag(key)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_services() {
        for (key, expected) in [("aws:cloudformation:stack-id", true), ("AWS:x", true), ("aws:", true), ("aws", false)]
        {
            assert_eq!(is_system_tag(key), expected, "{key}");
        }
        assert!(!is_system_tag("xaws:") && !is_system_tag("aw\u{df}:"));
        assert_eq!(user_tags(&["aws:a".to_owned(), "a".to_owned()]), 1);
    }
}
