//! Finding the end of a text, eight bytes at a time.
//!
//! Texts in events are short: a call to a vector search costs more than it saves.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Sets the high bit of each byte of `word` that is `byte`. Bytes above the first that is may be set wrongly.
fn equal(word: u64, byte: u8) -> u64 {
    let word = word ^ (ONES * u64::from(byte));
    word.wrapping_sub(ONES) & !word & HIGH
}

/// As [`equal`], for control characters.
fn control(word: u64) -> u64 {
    word.wrapping_sub(ONES * 0x20) & !word & HIGH
}

fn find(bytes: &[u8], from: usize, word: impl Fn(u64) -> u64, byte: impl Fn(u8) -> bool) -> Option<usize> {
    let mut at = from;
    while let Some(eight) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let hits = word(u64::from_le_bytes(*eight));
        if hits != 0 {
            return Some(at + (hits.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    bytes.get(at..)?.iter().position(|&last| byte(last)).map(|more| at + more)
}

/// The next quote or backslash at or behind `from`.
pub(crate) fn find_end(bytes: &[u8], from: usize) -> Option<usize> {
    find(bytes, from, |word| equal(word, b'"') | equal(word, b'\\'), |byte| byte == b'"' || byte == b'\\')
}

/// The next quote, backslash or control character at or behind `from`.
pub(crate) fn find_special(bytes: &[u8], from: usize) -> Option<usize> {
    find(
        bytes,
        from,
        |word| equal(word, b'"') | equal(word, b'\\') | control(word),
        |byte| byte == b'"' || byte == b'\\' || byte < b' ',
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_each_byte_at_each_place() {
        for byte in 0..=u8::MAX {
            for place in 0..20 {
                for filler in [b'a', b'!', b'#', 0x7f, 0xff, b']'] {
                    let mut bytes = [filler; 21];
                    bytes[place] = byte;
                    let end = byte == b'"' || byte == b'\\';
                    assert_eq!(find_end(&bytes, 0), end.then_some(place), "{byte} {filler}");
                    assert_eq!(find_special(&bytes, 0), (end || byte < b' ').then_some(place), "{byte} {filler}");
                    assert_eq!(find_end(&bytes, place + 1), None);
                }
            }
        }
        assert_eq!(find_end(b"x", 2), None);
    }
}
