//! Text that matches whatever its letters' case.

/// A pattern in which each character stands for its lower and its upper case form (locale root, as Unicode maps single
/// characters), and for nothing else. The match has a direction: the pattern `straße` matches `STRASSE`, the pattern
/// `STRASSE` does not match `straße`. The engine folds UTF-16 units one by one, so a character beyond U+FFFF falls into two
/// units that stand for no character: it matches nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Folded {
    units: Box<[Unit]>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Unit {
    Ascii { lower: u8, upper: u8 },
    Other(Box<Forms>),
    Nothing,
}

/// The forms of a character that is not ASCII.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Forms {
    lower: Box<str>,
    upper: Box<str>,
}

impl Forms {
    fn have_ascii(&self) -> bool {
        self.lower.bytes().chain(self.upper.bytes()).any(|byte| byte.is_ascii())
    }
}

impl Unit {
    fn new(character: char) -> Self {
        if let Ok(byte) = u8::try_from(character)
            && byte.is_ascii()
        {
            return Self::Ascii { lower: byte.to_ascii_lowercase(), upper: byte.to_ascii_uppercase() };
        }
        if character.len_utf16() > 1 {
            return Self::Nothing;
        }
        Self::Other(Box::new(Forms {
            lower: character.to_lowercase().collect::<String>().into(),
            upper: character.to_uppercase().collect::<String>().into(),
        }))
    }

    // The two forms of a character differ in their first and in their last character (a test looks at all of them),
    // so at most one of them fits, from either end.

    fn strip_front<'a>(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        match self {
            Self::Ascii { lower, upper } => {
                text.split_first().filter(|(first, _)| *first == lower || *first == upper).map(|(_, rest)| rest)
            }
            Self::Other(forms) => {
                text.strip_prefix(forms.lower.as_bytes()).or_else(|| text.strip_prefix(forms.upper.as_bytes()))
            }
            Self::Nothing => None,
        }
    }

    fn strip_back<'a>(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        match self {
            Self::Ascii { lower, upper } => {
                text.split_last().filter(|(last, _)| *last == lower || *last == upper).map(|(_, rest)| rest)
            }
            Self::Other(forms) => {
                text.strip_suffix(forms.lower.as_bytes()).or_else(|| text.strip_suffix(forms.upper.as_bytes()))
            }
            Self::Nothing => None,
        }
    }
}

impl Folded {
    pub(crate) fn new(pattern: &str) -> Self {
        Self { units: pattern.chars().map(Unit::new).collect() }
    }

    /// What [`canonical`] makes of every text that matches, or of the part that does; `None` if that is not always the same.
    pub(crate) fn canonical(&self) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(self.units.len());
        for unit in &self.units {
            match unit {
                Unit::Ascii { lower, .. } => out.push(*lower),
                // A form with ASCII in it, as SS of ß and k of the Kelvin sign.
                Unit::Other(forms) if forms.have_ascii() => return None,
                Unit::Other(_) => {}
                Unit::Nothing => return None,
            }
        }
        Some(out)
    }

    /// The two forms of each character; `None` if it matches nothing.
    pub(crate) fn forms(&self) -> Option<Vec<(String, String)>> {
        let forms = |unit: &Unit| match unit {
            Unit::Ascii { lower, upper } => Some((char::from(*lower).into(), char::from(*upper).into())),
            Unit::Other(forms) => Some((forms.lower.to_string(), forms.upper.to_string())),
            Unit::Nothing => None,
        };
        self.units.iter().map(forms).collect()
    }

    pub(crate) fn equals(&self, text: &[u8]) -> bool {
        self.units.iter().try_fold(text, |text, unit| unit.strip_front(text)).is_some_and(<[u8]>::is_empty)
    }

    pub(crate) fn starts(&self, text: &[u8]) -> bool {
        self.units.iter().try_fold(text, |text, unit| unit.strip_front(text)).is_some()
    }

    pub(crate) fn ends(&self, text: &[u8]) -> bool {
        self.units.iter().rev().try_fold(text, |text, unit| unit.strip_back(text)).is_some()
    }
}

/// Leaves in `out` the ASCII characters of `text` in lower case, and nothing else: texts that match a [`Folded`] with a
/// canonical form have this form in common with it.
pub(crate) fn canonical(text: &[u8], out: &mut Vec<u8>) {
    out.clear();
    if text.is_ascii() {
        out.extend_from_slice(text);
    } else {
        out.extend(text.iter().filter(|byte| byte.is_ascii()));
    }
    out.make_ascii_lowercase();
}

#[cfg(test)]
mod tests {
    use super::Folded;

    #[test]
    fn folds_one_way() {
        let cases = [
            ("straße", "STRASSE", true),
            ("STRASSE", "straße", false),
            ("\u{212A}", "k", true),
            ("k", "\u{212A}", false),
            ("σ", "Σ", true),
            ("σ", "ς", false),
            ("aws", "AwS", true),
            ("aws", "AwSx", false),
            ("", "", true),
            ("a😀", "a😀", false),
        ];
        for (pattern, text, matches) in cases {
            assert_eq!(Folded::new(pattern).equals(text.as_bytes()), matches, "{pattern} {text}");
        }
        assert!(Folded::new("ße").ends("STRASSE".as_bytes()));
        assert!(Folded::new("stra").starts("STRASSE".as_bytes()));
    }

    #[test]
    fn forms_of_a_character_differ_at_both_ends() {
        for character in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            let lower: String = character.to_lowercase().collect();
            let upper: String = character.to_uppercase().collect();
            if lower != upper {
                assert_ne!(lower.chars().next(), upper.chars().next(), "{character}");
                assert_ne!(lower.chars().last(), upper.chars().last(), "{character}");
            }
        }
    }
}
