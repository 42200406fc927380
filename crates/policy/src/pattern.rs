//! Patterns with `*` (any run of characters) and `?` (one character).
//!
//! A pattern is the pieces between its stars. The first piece is compared with the beginning of a text, the last with its end,
//! and each one between is taken where it first occurs behind the one before: nothing is ever taken back, so that a match is one
//! pass over the text. A piece without `?` is found by `str::find` (two-way search, linear). One with `?` is found by running
//! all its positions at once in the bits of a word ("shift-and"), which is why it has at most [`PIECE_CHARS_MAX`] characters.

/// Characters of a piece that has a `?` in it and stands between two stars.
const PIECE_CHARS_MAX: usize = 128;

/// A text with wildcards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    head: String,
    middle: Vec<Piece>,
    /// Behind the last star; `None` if there is no star.
    tail: Option<String>,
}

/// What stands between two stars.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    /// The positions at which a character may stand, by character; those of `?` belong to every character.
    Bits {
        by_char: Vec<(char, u128)>,
        any: u128,
        last: u128,
    },
}

impl Pattern {
    /// `None` if a piece with `?` is longer than can be searched for.
    pub fn new(text: &str) -> Option<Self> {
        let mut pieces = text.split('*');
        let head = pieces.next().unwrap_or_default().to_owned();
        let mut rest: Vec<&str> = pieces.collect();
        let tail = rest.pop().map(str::to_owned);
        let middle = rest.into_iter().filter(|piece| !piece.is_empty()).map(Piece::new).collect::<Option<_>>()?;
        Some(Self { head, middle, tail })
    }

    /// Is there a wildcard in it?
    pub fn is_fixed(&self) -> bool {
        self.tail.is_none() && !self.head.contains('?')
    }

    /// Does the whole text match?
    pub fn matches(&self, text: &str) -> bool {
        let Some(mut rest) = strip_head(text, &self.head) else { return false };
        let Some(tail) = &self.tail else { return rest.is_empty() };
        let Some(inner) = strip_tail(rest, tail) else { return false };
        rest = inner;
        for piece in &self.middle {
            match piece.end_of_first(rest) {
                Some(end) => rest = &rest[end..],
                None => return false,
            }
        }
        true
    }
}

fn strip_head<'t>(text: &'t str, head: &str) -> Option<&'t str> {
    let mut rest = text.chars();
    for wanted in head.chars() {
        let found = rest.next()?;
        if wanted != '?' && wanted != found {
            return None;
        }
    }
    Some(rest.as_str())
}

fn strip_tail<'t>(text: &'t str, tail: &str) -> Option<&'t str> {
    let mut rest = text.chars();
    for wanted in tail.chars().rev() {
        let found = rest.next_back()?;
        if wanted != '?' && wanted != found {
            return None;
        }
    }
    Some(rest.as_str())
}

impl Piece {
    fn new(text: &str) -> Option<Self> {
        if !text.contains('?') {
            return Some(Self::Literal(text.to_owned()));
        }
        let length = text.chars().count();
        if length > PIECE_CHARS_MAX {
            return None;
        }
        let (mut by_char, mut any) = (std::collections::BTreeMap::new(), 0_u128);
        for (position, wanted) in text.chars().enumerate() {
            let bit = 1 << position;
            if wanted == '?' {
                any |= bit;
            } else {
                *by_char.entry(wanted).or_insert(0) |= bit;
            }
        }
        Some(Self::Bits { by_char: by_char.into_iter().collect(), any, last: 1 << (length - 1) })
    }

    /// Where the first occurrence ends.
    fn end_of_first(&self, text: &str) -> Option<usize> {
        match self {
            Self::Literal(piece) => text.find(piece.as_str()).map(|start| start + piece.len()),
            Self::Bits { by_char, any, last } => {
                let mut reached = 0_u128;
                for (start, found) in text.char_indices() {
                    let here = by_char.binary_search_by_key(&found, |(wanted, _)| *wanted);
                    let here = here.map_or(0, |index| by_char[index].1) | any;
                    reached = ((reached << 1) | 1) & here;
                    if reached & last != 0 {
                        return Some(start + found.len_utf8());
                    }
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn stars_and_question_marks() {
        let cases = [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "a/b", true),
            ("a*b", "ab", true),
            ("a*b", "aXbYb", true),
            ("a*b", "abc", false),
            ("ab*ba", "aba", false),
            ("?", "é", true),
            ("?", "", false),
            ("a?c*", "abc", true),
            ("*a?c*", "xxabacabcx", true),
            ("*a?c", "aac", true),
            ("*b?d*e?*", "abcdef", true),
            ("*b?d*e?*", "abcde", false),
            ("a**b", "ab", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(Pattern::new(pattern).unwrap().matches(text), expected, "{pattern} {text}");
        }
        assert!(Pattern::new(&format!("*{}*", "?".repeat(128))).is_some_and(|p| p.matches(&"x".repeat(128))));
        assert!(Pattern::new(&format!("*{}*", "?".repeat(129))).is_none());
        assert!(Pattern::new(&"?".repeat(500)).is_some_and(|p| p.matches(&"x".repeat(500))));
    }

    /// By the definition, with backtracking.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            (['*', rest @ ..], _) => naive(rest, text) || (!text.is_empty() && naive(pattern, &text[1..])),
            (['?', rest @ ..], [_, after @ ..]) => naive(rest, after),
            ([wanted, rest @ ..], [found, after @ ..]) => wanted == found && naive(rest, after),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn as_by_the_definition(pattern in "[abé?*]{0,9}", text in "[abé]{0,12}") {
            let expected = naive(&pattern.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>());
            prop_assert_eq!(Pattern::new(&pattern).unwrap().matches(&text), expected);
        }
    }
}
