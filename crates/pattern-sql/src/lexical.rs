//! Words of other languages: comments, names, regular expressions.

use std::fmt::Write as _;

use crate::error::Refusal;

/// A pattern's text as lines of a comment that nothing in it can end. What is not printable ASCII is escaped as JSON does it.
///
/// `${` is where `spark-sql` replaces variables, in comments too; a backslash at a line's end joins lines there.
pub(crate) fn comment(start: &str, text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let mut clean = String::new();
        let mut characters = line.trim_end().chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '$' if characters.peek() == Some(&'{') => clean.push_str("\\u0024"),
                ' '..='~' => clean.push(character),
                _ => {
                    for unit in character.encode_utf16(&mut [0; 2]) {
                        let _ = write!(clean, "\\u{unit:04x}");
                    }
                }
            }
        }
        let end = if clean.ends_with('\\') { " " } else { "" };
        let _ = writeln!(out, "{start}   {clean}{end}");
    }
    out
}

/// A member's name as one step of a JSON path, `["name"]`. The engines do not agree how to write quotes and control characters
/// there.
pub(crate) fn path_step(name: &str) -> Result<String, Refusal> {
    let plain = |character: char| character.is_alphanumeric() || "_-:/@ +=,".contains(character);
    match name.chars().find(|&character| !plain(character)) {
        Some(odd) => Err(Refusal::new(format!("a field whose name holds {odd:?}"))),
        None if name.is_empty() => Err(Refusal::new("a field without a name")),
        None => Ok(format!("[\"{name}\"]")),
    }
}

/// The `LIKE` pattern of a wildcard's pieces, with `!` as its escape character.
pub(crate) fn like(pieces: &[impl AsRef<str>]) -> String {
    let mut out = String::new();
    for (at, piece) in pieces.iter().enumerate() {
        if at > 0 {
            out.push('%');
        }
        for character in piece.as_ref().chars() {
            if matches!(character, '%' | '_' | '!') {
                out.push('!');
            }
            out.push(character);
        }
    }
    out
}

/// A text as a regular expression that matches nothing else. Only letters, digits and what is not ASCII stand for themselves.
pub(crate) fn regex_text(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        if character.is_ascii_alphanumeric() || !character.is_ascii() {
            out.push(character);
        } else {
            let _ = write!(out, "\\x{:02x}", u32::from(character));
        }
    }
    out
}

/// The regular expression of a wildcard's pieces; `.` has to match line ends, too.
pub(crate) fn regex_pieces(pieces: &[impl AsRef<str>]) -> String {
    pieces.iter().map(|piece| regex_text(piece.as_ref())).collect::<Vec<_>>().join(".*")
}

/// The regular expression of characters that each have two forms.
pub(crate) fn regex_forms(forms: &[(String, String)]) -> String {
    let mut out = String::new();
    for (lower, upper) in forms {
        if lower == upper {
            out.push_str(&regex_text(lower));
        } else {
            let _ = write!(out, "(?:{}|{})", regex_text(lower), regex_text(upper));
        }
    }
    out
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02X}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_cannot_end() {
        let text = "{\"a\": [\"\u{2028}é\u{1f980}\"],\r\n\"b\\\n*/ ${env:HOME} $or\u{0}";
        let expected =
            "--   {\"a\": [\"\\u2028\\u00e9\\ud83e\\udd80\"],\n--   \"b\\ \n--   */ \\u0024{env:HOME} $or\\u0000\n";
        assert_eq!(comment("--", text), expected);
    }

    #[test]
    fn words() {
        assert_eq!(like(&["a%", "_!"]), "a!%%!_!!");
        assert_eq!(regex_text("a.'/é"), "a\\x2e\\x27\\x2fé");
        assert_eq!(regex_forms(&[("ß".into(), "SS".into()), ("1".into(), "1".into())]), "(?:ß|SS)1");
        assert_eq!(path_step("x-amz-id-2").unwrap(), "[\"x-amz-id-2\"]");
        for odd in ["", "a\"b", "a\\b", "a'b", "a\n", "$"] {
            assert!(path_step(odd).is_err(), "{odd}");
        }
    }
}
