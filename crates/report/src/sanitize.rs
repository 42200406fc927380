//! Strangers' text made safe to show: user agents, keys and ARNs are whatever a client sent.
//!
//! Control characters drive the terminal, bidirectional ones reorder what a line seems to say, and invisible ones make two
//! callers look like one. Each is replaced by its visible escape, `\n` or `\u{202e}`.

use std::borrow::Cow;

/// One line, whatever the text holds.
pub fn sanitize(text: &str) -> Cow<'_, str> {
    clean(text, |_| false)
}

/// The same for text of our own that may quote a stranger's: it keeps its line breaks.
pub fn sanitize_lines(text: &str) -> Cow<'_, str> {
    clean(text, |c| c == '\n')
}

/// Does it print nothing, or something else than itself? The standard library's tables know: Unicode's control, format,
/// separator, private and unassigned characters, and marks that need another character to stand on.
pub fn is_hidden(c: char) -> bool {
    let printable = c == ' ' || c.is_ascii_graphic();
    !printable && c.escape_debug().len() > 1
}

fn clean(text: &str, keep: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(|c| is_hidden(c) && !keep(c)) {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_hidden(c) && !keep(c) {
            cleaned.extend(c.escape_debug());
        } else {
            cleaned.push(c);
        }
    }
    Cow::Owned(cleaned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Unicode's `Bidi_Control`, the line and paragraph separators, and what has no width.
    const FORBIDDEN: [char; 24] = [
        '\u{61c}',
        '\u{200b}',
        '\u{200c}',
        '\u{200d}',
        '\u{200e}',
        '\u{200f}',
        '\u{2028}',
        '\u{2029}',
        '\u{202a}',
        '\u{202b}',
        '\u{202c}',
        '\u{202d}',
        '\u{202e}',
        '\u{2060}',
        '\u{2066}',
        '\u{2067}',
        '\u{2068}',
        '\u{2069}',
        '\u{ad}',
        '\u{feff}',
        '\u{e0041}',
        '\u{fe0f}',
        '\u{9b}',
        '\u{7f}',
    ];

    #[test]
    fn what_is_hidden_is_shown() {
        let cases = [
            ("", ""),
            (r#"Boto/2.49.0 Python/2.7 "quoted" \ 'x'"#, r#"Boto/2.49.0 Python/2.7 "quoted" \ 'x'"#),
            ("mächtig 東京 🦀", "mächtig 東京 🦀"),
            ("a\nb\r\tc\0", r"a\nb\r\tc\0"),
            ("\u{1b}[31mred", r"\u{1b}[31mred"),
            ("user\u{202e}toob", r"user\u{202e}toob"),
            ("c\u{9b}31m", r"c\u{9b}31m"),
            ("a\u{200b}b", r"a\u{200b}b"),
            ("e\u{301}", r"e\u{301}"),
        ];
        for (text, shown) in cases {
            assert_eq!(sanitize(text), shown);
        }
        assert_eq!(sanitize_lines("1\n2\u{1b}\r\n3"), "1\n2\\u{1b}\\r\n3");
    }

    fn text() -> impl Strategy<Value = String> {
        let odd = prop_oneof![
            proptest::sample::select(FORBIDDEN.as_slice()),
            prop::char::range('\0', '\u{a0}'),
            any::<char>()
        ];
        prop::collection::vec(odd, 0..40).prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn nothing_hidden_comes_out(text in text()) {
            let shown = sanitize(&text);
            prop_assert!(!shown.contains(|c: char| c.is_control() || FORBIDDEN.contains(&c)), "{shown:?}");
            prop_assert_eq!(sanitize(&shown), shown.clone());
            let lines = sanitize_lines(&text);
            prop_assert!(!lines.contains(|c: char| c != '\n' && (c.is_control() || FORBIDDEN.contains(&c))), "{lines:?}");
        }
    }
}
