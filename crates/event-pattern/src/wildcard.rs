//! The `wildcard` operator: `*` is any run of characters.

use memchr::memmem;

/// A wildcard pattern as the texts between its stars.
///
/// Matching takes the ends first and then each middle text where it first occurs: linear in the text for each piece,
/// with nothing to take back, however hostile the pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Wildcard {
    /// Before the first star, or everything where there is none.
    head: Box<[u8]>,
    middle: Box<[Box<[u8]>]>,
    /// After the last star.
    tail: Option<Box<[u8]>>,
}

impl Wildcard {
    /// Reads a wildcard text; the error is the engine's message, whose positions count bytes from the opening quote.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = vec![Vec::new()];
        let mut bytes = text.bytes().enumerate().peekable();
        while let Some((at, byte)) = bytes.next() {
            let next = bytes.peek().map(|&(_, next)| next);
            match (byte, next) {
                (b'*', Some(b'*')) => return Err(format!("Consecutive wildcard characters at pos {}", at + 1)),
                (b'*', _) => pieces.push(Vec::new()),
                (b'\\', Some(escaped @ (b'*' | b'\\'))) => {
                    push(&mut pieces, escaped);
                    bytes.next();
                }
                (b'\\', _) => return Err(format!("Invalid escape character at pos {}", at + 1)),
                (plain, _) => push(&mut pieces, plain),
            }
        }
        let mut pieces = pieces.into_iter().map(Vec::into_boxed_slice);
        let head = pieces.next().unwrap_or_default();
        let tail = pieces.next_back();
        Ok(Self { head, middle: pieces.collect(), tail })
    }

    /// What every matching text starts with.
    pub(crate) fn head(&self) -> &[u8] {
        &self.head
    }

    /// Whether there is no star, so that only the head itself matches.
    pub(crate) fn is_plain(&self) -> bool {
        self.tail.is_none()
    }

    /// What every matching text holds between head and tail.
    pub(crate) fn middle(&self) -> impl Iterator<Item = &[u8]> {
        self.middle.iter().map(|piece| &**piece)
    }

    /// The texts between its stars; one where there is no star.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(self.head()).chain(self.middle()).chain(self.tail.as_deref())
    }

    /// What every matching text ends with.
    pub(crate) fn tail(&self) -> &[u8] {
        self.tail.as_ref().unwrap_or(&self.head)
    }

    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        let Some(tail) = &self.tail else {
            return *text == *self.head;
        };
        let Some(mut rest) = text.strip_prefix(&*self.head).and_then(|rest| rest.strip_suffix(&**tail)) else {
            return false;
        };
        for piece in &self.middle {
            match memmem::find(rest, piece) {
                Some(at) => rest = &rest[at + piece.len()..],
                None => return false,
            }
        }
        true
    }
}

fn push(pieces: &mut [Vec<u8>], byte: u8) {
    if let Some(piece) = pieces.last_mut() {
        piece.push(byte);
    }
}

#[cfg(test)]
mod tests {
    use super::Wildcard;

    /// By the definition: a star takes nothing, or one byte and stays.
    fn naive(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            ([b'*', rest @ ..], _) if naive(rest, text) => true,
            ([b'*', ..], [_, text @ ..]) => naive(pattern, text),
            ([b'\\', escaped, pattern @ ..], [byte, text @ ..]) => escaped == byte && naive(pattern, text),
            ([plain, pattern @ ..], [byte, text @ ..]) => plain == byte && naive(pattern, text),
            _ => false,
        }
    }

    fn words(alphabet: &[&str], longest: usize) -> Vec<String> {
        let mut all = vec![String::new()];
        let mut last = all.clone();
        for _ in 0..longest {
            last = last.iter().flat_map(|word| alphabet.iter().map(move |unit| format!("{word}{unit}"))).collect();
            all.extend(last.iter().cloned());
        }
        all
    }

    #[test]
    fn agrees_with_the_definition_on_all_small_cases() {
        let texts = words(&["a", "b", "*"], 6);
        let mut valid = 0;
        for pattern in words(&["a", "b", "*", "\\*"], 5) {
            let consecutive = pattern.replace("\\*", "_").contains("**");
            let compiled = Wildcard::parse(&pattern);
            assert_eq!(compiled.is_err(), consecutive, "{pattern}");
            let Ok(compiled) = compiled else { continue };
            valid += 1;
            for text in &texts {
                assert_eq!(
                    compiled.matches(text.as_bytes()),
                    naive(pattern.as_bytes(), text.as_bytes()),
                    "{pattern} {text}"
                );
            }
        }
        assert!(valid > 800, "{valid}");
    }

    #[test]
    fn hostile_patterns_stay_linear() {
        let pattern = "*a".repeat(2_000) + "*b";
        let text = "a".repeat(1_000_000);
        assert!(!Wildcard::parse(&pattern).expect("valid").matches(text.as_bytes()));
    }

    #[test]
    fn messages() {
        let cases = [
            ("a**b", "Consecutive wildcard characters at pos 2"),
            ("é**", "Consecutive wildcard characters at pos 3"),
            ("a\\x", "Invalid escape character at pos 2"),
            ("\\", "Invalid escape character at pos 1"),
        ];
        for (pattern, message) in cases {
            assert_eq!(Wildcard::parse(pattern).expect_err("invalid"), message);
        }
    }
}
