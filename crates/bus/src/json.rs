//! JSON text without a tree: depth costs nothing, numbers and order stay as they are written.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// The deepest nesting that `Detail` may have (`PutEvents` in the API reference).
const DEPTH_MAX: usize = 1000;

/// A JSON object as text, without white space between its tokens. `None` if it is not one, or is nested too deep, or holds
/// an integer that 64 bits do not.
pub(crate) fn compact_object(text: &str) -> Option<String> {
    let raw: &RawValue = serde_json::from_str(text).ok()?;
    if !raw.get().starts_with('{') {
        return None;
    }
    let mut compact = String::with_capacity(raw.get().len());
    let mut rest = raw.get();
    let mut depth = 0_usize;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => string_len(rest),
            '-' | '0'..='9' => number_len(rest)?,
            _ => first.len_utf8(),
        };
        match first {
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            _ => {}
        }
        if depth > DEPTH_MAX {
            return None;
        }
        if !first.is_ascii_whitespace() {
            compact.push_str(&rest[..length]);
        }
        rest = &rest[length..];
    }
    Some(compact)
}

/// The length of the string that `text` begins with, in bytes, its quotes included.
pub(crate) fn string_len(text: &str) -> usize {
    let mut escaped = false;
    for (index, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return index + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of the number that `text` begins with, if it is no integer beyond 64 bits.
fn number_len(text: &str) -> Option<usize> {
    let end = text.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')).unwrap_or(text.len());
    let number = &text[..end];
    let integer = !number.contains(['.', 'e', 'E']);
    (!integer || number.parse::<i64>().is_ok()).then_some(end)
}

/// The members of an object, the last of each name. `None` if the text is no object.
pub(crate) fn members(text: &str) -> Option<BTreeMap<String, &RawValue>> {
    serde_json::from_str(text).ok()
}

/// The elements of an array. `None` if the text is no array.
pub(crate) fn elements(text: &str) -> Option<Vec<&RawValue>> {
    serde_json::from_str(text).ok()
}

/// A text as JSON.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compacting() {
        let cases = [
            (" { \"a b\" : [ 1 , 2.50, \"x \\\" y\" ] }\n", Some("{\"a b\":[1,2.50,\"x \\\" y\"]}")),
            ("{}", Some("{}")),
            ("[]", None),
            ("\"x\"", None),
            ("{\"a\":}", None),
            ("{\"a\":9223372036854775808}", None),
            ("{\"a\":-9223372036854775808}", Some("{\"a\":-9223372036854775808}")),
            ("{\"a\":1e400}", Some("{\"a\":1e400}")),
        ];
        for (text, expected) in cases {
            assert_eq!(compact_object(text).as_deref(), expected, "{text}");
        }
        let nested = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        assert!(compact_object(&nested(1000)).is_some());
        assert!(compact_object(&nested(1001)).is_none());
    }
}
