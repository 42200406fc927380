//! The paths of `InputPath` and `InputPathsMap`: `$.detail.resources[0].ARN`.

use crate::json;

/// Steps of one path. No event that is taken from outside is deeper by much.
const STEPS_MAX: usize = 128;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    Element(usize),
}

/// A JSON path that leads to one value: member names after dots or in brackets, and indices. Wildcards, descent, slices and
/// filters are not among what EventBridge takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonPath(Vec<Step>);

impl JsonPath {
    /// Reads a path, `None` if it is none of these.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text.strip_prefix('$')?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, after) = parse_step(rest)?;
            steps.push(step);
            rest = after;
        }
        (steps.len() <= STEPS_MAX).then_some(Self(steps))
    }

    /// The JSON text of the value that the path leads to, as it is written in the event.
    pub fn find<'e>(&self, event: &'e str) -> Option<&'e str> {
        let mut here = event;
        for step in &self.0 {
            here = match step {
                Step::Member(name) => json::members(here)?.get(name)?.get(),
                Step::Element(index) => json::elements(here)?.get(*index)?.get(),
            };
        }
        Some(here)
    }
}

fn parse_step(text: &str) -> Option<(Step, &str)> {
    if let Some(rest) = text.strip_prefix('.') {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let name = &rest[..end];
        let plain = !name.is_empty() && !name.contains(['*', ']', '\'', '"', '@', '?', '(', ')', ' ', ',']);
        return plain.then(|| (Step::Member(name.to_owned()), &rest[end..]));
    }
    let rest = text.strip_prefix('[')?;
    for quote in ['\'', '"'] {
        if let Some(quoted) = rest.strip_prefix(quote) {
            let (name, after) = quoted.split_once(quote)?;
            return Some((Step::Member(name.to_owned()), after.strip_prefix(']')?));
        }
    }
    let (index, after) = rest.split_once(']')?;
    let digits = !index.is_empty() && index.bytes().all(|b| b.is_ascii_digit());
    Some((Step::Element(index.parse().ok().filter(|_| digits)?), after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_paths_lead_to() {
        let event = r#"{"detail-type":"t","detail":{"n": 1.50,"a b":"x","l":[{"k":"v"},[true]],"n\u0061me":null}}"#;
        let cases = [
            ("$", Some(event)),
            ("$.detail-type", Some("\"t\"")),
            ("$.detail.n", Some("1.50")),
            ("$.detail['a b']", Some("\"x\"")),
            ("$['detail'].l[0].k", Some("\"v\"")),
            ("$.detail.l[1][0]", Some("true")),
            ("$.detail.l[1]", Some("[true]")),
            ("$.detail.l[2]", None),
            ("$.detail.name", Some("null")),
            ("$.detail.n.x", None),
            ("$.none", None),
        ];
        for (path, expected) in cases {
            assert_eq!(JsonPath::parse(path).unwrap().find(event), expected, "{path}");
        }
        let deep = format!("{}1{}", "{\"a\":".repeat(900), "}".repeat(900));
        assert!(JsonPath::parse("$.a.a").unwrap().find(&deep).is_some());
    }

    #[test]
    fn what_is_no_path() {
        for text in [
            "",
            "detail",
            "$detail",
            "$.",
            "$..a",
            "$.*",
            "$.a[*]",
            "$.a[-1]",
            "$.a[1:2]",
            "$.a[?(@.x)]",
            "$.a[",
            "$['a",
        ] {
            assert_eq!(JsonPath::parse(text), None, "{text}");
        }
        assert_eq!(JsonPath::parse(&format!("${}", ".a".repeat(129))), None);
    }
}
