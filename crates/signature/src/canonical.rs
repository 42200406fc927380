//! The canonical request of Signature Version 4.

use crate::head::{QueryPair, RequestHead, trim};
use std::borrow::Cow;

/// How the query and the path go into the canonical request.
///
/// Clients sign either what they send or what they should have sent: with every byte but the unreserved ones escaped. S3 takes
/// both. Escapes that are there are never touched, so the case of their digits is signed too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
    AsSent,
    Escaped,
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

pub(crate) fn push_escape(out: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(char::from(DIGITS[usize::from(byte >> 4)]));
    out.push(char::from(DIGITS[usize::from(byte & 15)]));
}

/// AWS's `UriEncode`: everything but the unreserved bytes and `keep`.
pub(crate) fn uri_encode(bytes: &[u8], keep: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        if is_unreserved(*byte) || keep.contains(byte) {
            out.push(char::from(*byte));
        } else {
            push_escape(&mut out, *byte);
        }
    }
    out
}

/// Escapes what was sent bare and leaves the escapes as they are.
fn escape_bare<'a>(text: &'a str, keep: &[u8]) -> Cow<'a, str> {
    let bytes = text.as_bytes();
    let is_escape = |at: usize| {
        let digits = bytes.get(at + 1..at + 3);
        bytes[at] == b'%' && digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    let sound = |at: usize| is_unreserved(bytes[at]) || keep.contains(&bytes[at]) || is_escape(at);
    if (0..bytes.len()).all(sound) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len() + 16);
    for (at, byte) in bytes.iter().enumerate() {
        if sound(at) {
            out.push(char::from(*byte));
        } else {
            push_escape(&mut out, *byte);
        }
    }
    Cow::Owned(out)
}

/// The path of an S3 request: encoded once, nothing normalised.
pub(crate) fn s3_path(raw_path: &str, spelling: Spelling) -> Cow<'_, str> {
    let path = if raw_path.is_empty() { "/" } else { raw_path };
    match spelling {
        Spelling::AsSent => Cow::Borrowed(path),
        Spelling::Escaped => escape_bare(path, b"/"),
    }
}

/// The path of another service's request: encoded a second time.
///
/// AWS also removes dot segments and empty segments here. That is left out on purpose: a path that only verifies after it was
/// rewritten would be proven as one resource and served as another.
pub(crate) fn other_path(raw_path: &str) -> Cow<'_, str> {
    if raw_path.is_empty() { Cow::Borrowed("/") } else { Cow::Owned(uri_encode(raw_path.as_bytes(), b"/")) }
}

/// `name=value` pairs sorted by name, then value, without the signature itself.
pub(crate) fn query(pairs: &[QueryPair<'_>], spelling: Spelling) -> String {
    let spell = |text| match spelling {
        Spelling::AsSent => Cow::Borrowed(text),
        Spelling::Escaped => escape_query(text),
    };
    let mut parts: Vec<(Cow<'_, str>, Cow<'_, str>)> = pairs
        .iter()
        .filter(|pair| &*pair.name != b"X-Amz-Signature")
        .map(|pair| (spell(pair.raw_name), spell(pair.raw_value.unwrap_or_default())))
        .collect();
    parts.sort_unstable();
    let mut out = String::new();
    for (name, value) in parts {
        if !out.is_empty() {
            out.push('&');
        }
        out.push_str(&name);
        out.push('=');
        out.push_str(&value);
    }
    out
}

/// A bare `+` in a query is a blank to those who read it, and signed as one.
fn escape_query(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        Cow::Owned(escape_bare(&text.replace('+', "%20"), b"").into_owned())
    } else {
        escape_bare(text, b"")
    }
}

/// What goes into the canonical request besides the head's own parts.
pub(crate) struct CanonicalRequest<'a> {
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) signed_headers: &'a [String],
    pub(crate) payload_hash: &'a str,
}

impl CanonicalRequest<'_> {
    /// The bytes that are hashed, and whether every signed header is in the request.
    pub(crate) fn bytes(&self, head: &RequestHead<'_>) -> (Vec<u8>, bool) {
        let mut out = Vec::with_capacity(512);
        for line in [head.method, self.path, self.query] {
            out.extend_from_slice(line.as_bytes());
            out.push(b'\n');
        }
        let mut complete = true;
        for name in self.signed_headers {
            out.extend_from_slice(name.as_bytes());
            out.push(b':');
            complete &= push_header_values(&mut out, head, name);
            out.push(b'\n');
        }
        out.push(b'\n');
        out.extend_from_slice(self.signed_headers.join(";").as_bytes());
        out.push(b'\n');
        out.extend_from_slice(self.payload_hash.as_bytes());
        (out, complete)
    }
}

/// Joined with commas, trimmed, runs of blanks folded to one. False if there is no such header.
fn push_header_values(out: &mut Vec<u8>, head: &RequestHead<'_>, name: &str) -> bool {
    let mut first = true;
    for value in head.values(name) {
        if !first {
            out.push(b',');
        }
        first = false;
        let mut blank = false;
        for byte in trim(value) {
            let is_blank = matches!(byte, b' ' | b'\t');
            if !is_blank {
                out.push(*byte);
            } else if !blank {
                out.push(b' ');
            }
            blank = is_blank;
        }
    }
    !first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_only_what_is_bare() {
        assert_eq!(s3_path("/a(b)/%c3%A4+x", Spelling::Escaped), "/a%28b%29/%c3%A4%2Bx");
        assert_eq!(s3_path("/a%zz%", Spelling::Escaped), "/a%25zz%25");
        assert_eq!(s3_path("/ä", Spelling::Escaped), "/%C3%A4");
        assert_eq!(s3_path("/a(b)", Spelling::AsSent), "/a(b)");
        assert_eq!(s3_path("", Spelling::AsSent), "/");
        assert_eq!(other_path("/000000000000/q%20a"), "/000000000000/q%2520a");
        assert_eq!(escape_query("a+b/c%2F"), "a%20b%2Fc%2F");
    }
}
