//! Numbers and literals of JSON (RFC 8259, sections 3 and 6).

use crate::operator::Kind;

/// A mistake: the place, and what should have stood there.
pub(super) type Mistake = (usize, &'static str);

fn digits(event: &[u8], from: usize) -> Result<usize, Mistake> {
    let mut at = from;
    while event.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    if at == from { Err((at, "a digit")) } else { Ok(at) }
}

/// The end of the number that starts at `at`.
pub(super) fn number(event: &[u8], at: usize) -> Result<usize, Mistake> {
    let start = if event.get(at) == Some(&b'-') { at + 1 } else { at };
    let mut end = digits(event, start)?;
    if event[start] == b'0' && end > start + 1 {
        return Err((end, "no zero before other digits"));
    }
    if event.get(end) == Some(&b'.') {
        end = digits(event, end + 1)?;
    }
    if matches!(event.get(end), Some(b'e' | b'E')) {
        end += 1;
        if matches!(event.get(end), Some(b'+' | b'-')) {
            end += 1;
        }
        end = digits(event, end)?;
    }
    Ok(end)
}

/// The literal that starts at `at`, and its end.
pub(super) fn literal(event: &[u8], at: usize) -> Option<(Kind, usize)> {
    let rest = &event[at..];
    let words: [(&[u8], Kind); 3] = [(b"true", Kind::True), (b"false", Kind::False), (b"null", Kind::Null)];
    words.into_iter().find(|(word, _)| rest.starts_with(word)).map(|(word, kind)| (kind, at + word.len()))
}

/// Whether a number or literal is over before this byte.
pub(super) fn ends_scalar(byte: u8) -> bool {
    matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t' | b'"' | b'{' | b'[' | b':')
}
