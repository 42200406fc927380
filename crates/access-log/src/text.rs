//! Texts of clients, as a record may show them.

use std::borrow::Cow;

use memchr::memchr_iter;
use percent_encoding::percent_decode;

/// `userAgent`, `errorCode`: bytes (CloudTrail user guide, "CloudTrail record contents").
pub(crate) const TEXT_LEN_MAX: usize = 1024;
/// A value of `requestParameters` and an ARN: bytes. CloudTrail bounds only all of them together; a key has at most 1024.
pub(crate) const VALUE_LEN_MAX: usize = 4096;

/// What carries somebody's proof of identity, by the end of its name: also `X-Amz-Signature`, `X-Amz-Security-Token`.
const SECRETS: [&[u8]; 2] = [b"signature", b"security-token"];

/// As UTF-8, what is none replaced; without signatures; not longer than `len_max` bytes.
pub(crate) fn shown(column: &[u8], len_max: usize) -> Cow<'_, str> {
    cut(without_secrets(String::from_utf8_lossy(column)), len_max)
}

/// The key, which S3 encodes twice: `%2520` is a blank. A character that is not encoded stands for itself.
pub(crate) fn decoded_key(column: &[u8]) -> Cow<'_, str> {
    let once: Cow<'_, [u8]> = percent_decode(column).into();
    match once {
        Cow::Borrowed(plain) => shown(plain, VALUE_LEN_MAX),
        Cow::Owned(once) => {
            let twice: Cow<'_, [u8]> = percent_decode(&once).into();
            Cow::Owned(shown(&twice, VALUE_LEN_MAX).into_owned())
        }
    }
}

/// Not longer than `len_max` bytes, cut at a character.
pub(crate) fn cut(text: Cow<'_, str>, len_max: usize) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[..text.floor_char_boundary(len_max)]),
        Cow::Owned(mut text) => {
            text.truncate(text.floor_char_boundary(len_max));
            Cow::Owned(text)
        }
    }
}

/// With the value of each secret hidden. A client that encodes a presigned URL once more asks for a key that has its
/// signature in it.
fn without_secrets(text: Cow<'_, str>) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    if !memchr_iter(b'=', bytes).any(|at| names_secret(&bytes[..at])) {
        return text;
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(at) = memchr_iter(b'=', rest.as_bytes()).find(|&at| names_secret(&rest.as_bytes()[..at])) {
        let value = &rest[at + 1..];
        let end = value.find(['&', ' ', ',', ';', '"', '\'']).unwrap_or(value.len());
        shown.push_str(&rest[..=at]);
        shown.push_str(record::HIDDEN);
        rest = &value[end..];
    }
    shown.push_str(rest);
    Cow::Owned(shown)
}

fn names_secret(before: &[u8]) -> bool {
    SECRETS.iter().any(|name| {
        before.len().checked_sub(name.len()).is_some_and(|start| before[start..].eq_ignore_ascii_case(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_decoded_twice() {
        for (column, key) in [
            ("reports/q4.pdf", "reports/q4.pdf"),
            ("a%2520b", "a b"),
            ("a%20b", "a b"),
            ("a+b", "a+b"),
            ("100%2525", "100%"),
            ("100%", "100%"),
            ("%25C3%25BC", "ü"),
            ("%C3%BC", "ü"),
            ("%FF", "\u{fffd}"),
            ("a%252520b", "a%20b"),
        ] {
            assert_eq!(decoded_key(column.as_bytes()), key, "{column}");
        }
    }

    #[test]
    fn no_signature_is_shown() {
        for (column, text) in [
            (
                "f%3FAWSAccessKeyId%3DAKIA%26Signature%3DabC%252B%26Expires%3D1",
                "f?AWSAccessKeyId=AKIA&Signature=…&Expires=1",
            ),
            ("f?X-Amz-Signature=abc&x-amz-security-TOKEN=def", "f?X-Amz-Signature=…&x-amz-security-TOKEN=…"),
            ("signature=", "signature=…"),
            ("a=b", "a=b"),
        ] {
            assert_eq!(decoded_key(column.as_bytes()).replace(record::HIDDEN, "…"), text, "{column}");
        }
    }

    #[test]
    fn cut_at_a_character() {
        assert_eq!(shown("aü".as_bytes(), 2), "a");
        assert_eq!(shown(b"\xffb", 3), "\u{fffd}");
    }
}
