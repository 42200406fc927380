//! Texts that a record must hold if a pattern is to match it, and where it may hold them.
//!
//! Where a JSON text equals `SigV2`, its bytes hold `SigV2`, or an escape that spells one of these letters (RFC 8259, section 7:
//! any character may be escaped). So whatever holds neither need not be looked at. Other escapes, which nearly half of all
//! files hold, cost nothing.

use std::ops::Range;

use event_pattern::{FieldCondition, Pattern, Test};
use memchr::memmem::Finder;

/// Shorter texts are everywhere.
const LEN_MIN: usize = 3;
/// More texts than these are found no faster than by matching every record.
const COUNT_MAX: usize = 8;

/// Fields that say much the same in all records.
const COMMON: [&str; 9] = [
    "detail.awsRegion",
    "detail.eventCategory",
    "detail.eventName",
    "detail.eventSource",
    "detail.eventType",
    "detail.eventVersion",
    "detail.managementEvent",
    "detail.readOnly",
    "detail.recipientAccountId",
];

/// The fields whose texts stand in an access log as they are ([`access_log`]).
const IN_ACCESS_LOG: [&str; 3] = [
    "detail.additionalEventData.SignatureVersion",
    "detail.additionalEventData.AuthenticationMethod",
    "detail.requestParameters.bucketName",
];

/// Texts of which at least one is in every record that matches.
#[derive(Debug, Clone)]
pub(crate) struct Literals {
    finders: Vec<Finder<'static>>,
    /// Every byte of the texts.
    letters: [bool; 256],
    escapes: Option<Finder<'static>>,
}

/// Where in a text a literal may stand, as far as it was asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hits {
    /// The next place of each literal, and of an escape.
    next: Vec<Option<usize>>,
}

impl Literals {
    /// Of patterns, for JSON. `None` if some pattern requires none.
    pub fn of(patterns: &[Pattern]) -> Option<Self> {
        // What is beside `detail` does not stand in a record as it is.
        Self::collect(patterns, |field| field.starts_with("detail.")).map(|texts| Self::new(&texts, true))
    }

    /// The same for the lines of access logs, which have no escapes.
    pub fn of_lines(patterns: &[Pattern]) -> Option<Self> {
        Self::collect(patterns, |field| IN_ACCESS_LOG.contains(&field)).map(|texts| Self::new(&texts, false))
    }

    fn collect(patterns: &[Pattern], usable: impl Fn(&str) -> bool) -> Option<Vec<String>> {
        let mut texts = Vec::new();
        for pattern in patterns {
            let fields = required_fields(pattern).filter(|field| usable(field.name()));
            // A field that is not common, and whose shortest text is longest.
            let best = fields
                .filter_map(|field| Some((field.name(), texts_of(field)?)))
                .max_by_key(|(name, texts)| (!COMMON.contains(name), texts.iter().map(String::len).min()));
            texts.extend(best?.1);
        }
        texts.sort_unstable();
        texts.dedup();
        (texts.len() <= COUNT_MAX && !texts.is_empty()).then_some(texts)
    }

    fn new(texts: &[String], escapes: bool) -> Self {
        let mut letters = [false; 256];
        texts.iter().flat_map(|text| text.bytes()).for_each(|byte| letters[usize::from(byte)] = true);
        Self {
            finders: texts.iter().map(|text| Finder::new(text.as_bytes()).into_owned()).collect(),
            letters,
            escapes: escapes.then(|| Finder::new(b"\\u00")),
        }
    }

    fn find(&self, index: usize, text: &[u8], from: usize) -> Option<usize> {
        match self.finders.get(index) {
            Some(finder) => finder.find(&text[from..]).map(|at| from + at),
            None => self.find_escape(text, from),
        }
    }

    /// An escape that spells one of the letters.
    fn find_escape(&self, text: &[u8], mut from: usize) -> Option<usize> {
        let finder = self.escapes.as_ref()?;
        while let Some(at) = finder.find(&text[from..]).map(|at| from + at) {
            let digit = |index: usize| text.get(index).and_then(|byte| char::from(*byte).to_digit(16));
            let spelled = digit(at + 4).zip(digit(at + 5)).map(|(high, low)| (high * 16 + low) as usize);
            // At the end of what is at hand it may yet become one.
            if at + 6 > text.len() || spelled.is_some_and(|byte| self.letters[byte]) {
                return Some(at);
            }
            from = at + 4;
        }
        None
    }
}

impl Hits {
    /// Begins anew with a text.
    pub fn begin(&mut self, literals: &Literals, text: &[u8]) {
        self.next.clear();
        self.next.extend((0..=literals.finders.len()).map(|index| literals.find(index, text, 0)));
    }

    /// The first of them.
    pub fn first(&self) -> Option<usize> {
        self.next.iter().flatten().min().copied()
    }

    /// Goes on to those from this place on. False if there is nothing left.
    pub fn skip_to(&mut self, literals: &Literals, text: &[u8], from: usize) -> bool {
        for (index, next) in self.next.iter_mut().enumerate() {
            if next.is_some_and(|at| at < from) {
                *next = literals.find(index, text, from);
            }
        }
        from < text.len()
    }

    /// Whether one begins in this range of the text, which begins where the last range ended, or after it.
    pub fn any_in(&mut self, literals: &Literals, text: &[u8], range: &Range<usize>) -> bool {
        let mut any = false;
        for (index, next) in self.next.iter_mut().enumerate() {
            if next.is_some_and(|at| at < range.start) {
                *next = literals.find(index, text, range.start);
            }
            any |= next.is_some_and(|at| at < range.end);
        }
        any
    }
}

/// The fields of which a pattern asks the same whichever of its alternatives holds.
fn required_fields(pattern: &Pattern) -> impl Iterator<Item = FieldCondition<'_>> {
    let fields = pattern.combinations().next().into_iter().flat_map(|first| first.conditions(pattern));
    fields.filter(|field| {
        let is_same = |other: FieldCondition<'_>| other.name() == field.name() && other.source() == field.source();
        pattern.combinations().all(|combination| combination.conditions(pattern).any(is_same))
    })
}

/// Texts of which one is in every value that the field may have. `None` where there are none, or too short or too many ones.
fn texts_of(field: FieldCondition<'_>) -> Option<Vec<String>> {
    if field.may_be_absent() {
        return None;
    }
    let texts: Vec<String> = field.tests().map(|test| required(&test)).collect::<Option<_>>()?;
    let is_of_use = !texts.is_empty() && texts.len() <= COUNT_MAX && texts.iter().all(|text| text.len() >= LEN_MIN);
    is_of_use.then_some(texts)
}

/// What a text must hold to be matched by this test.
fn required(test: &Test<'_>) -> Option<String> {
    let longest = match test {
        Test::Text(whole) | Test::Prefix(whole) | Test::Suffix(whole) => longest_run(whole),
        Test::Wildcard(pieces) => pieces.iter().map(|piece| longest_run(piece)).max_by_key(|run| run.len())?,
        // An address, for one, is matched however it is written.
        _ => return None,
    };
    Some(longest.to_owned())
}

/// Without whatever JSON may, or must, escape by more than `\u`.
fn longest_run(text: &str) -> &str {
    let runs = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || " ._:=+,@()-".contains(letter)));
    runs.max_by_key(|run| run.len()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn compiled(pattern: &Value) -> [Pattern; 1] {
        [Pattern::compile(&pattern.to_string()).unwrap()]
    }

    fn texts(pattern: &Value) -> Option<Vec<String>> {
        Literals::collect(&compiled(pattern), |field| field.starts_with("detail."))
    }

    #[test]
    fn the_rarest_field() {
        let sigv2 = json!({"source": ["aws.s3"], "detail": {"eventSource": ["s3.amazonaws.com"], "additionalEventData": {"SignatureVersion": ["SigV2"]}}});
        assert_eq!(texts(&sigv2), Some(vec!["SigV2".to_owned()]));
        assert!(Literals::of_lines(&compiled(&sigv2)).is_some());
        let cases = [
            (json!({"detail": {"userAgent": [{"wildcard": "*aws-sdk-java/1.*"}]}}), Some(vec!["aws-sdk-java"])),
            (json!({"detail": {"a": [{"prefix": "abc\u{e9}defg"}, "hij"]}}), Some(vec!["defg", "hij"])),
            (json!({"detail": {"a": ["x\"yz"]}}), None),
            (json!({"detail": {"a": [{"exists": true}]}}), None),
            (json!({"detail": {"a": ["abc", 1]}}), None),
            (json!({"detail": {"a": [{"anything-but": "abcd"}]}}), None),
            (json!({"detail": {"a": [{"prefix": {"equals-ignore-case": "abcd"}}]}}), None),
            (json!({"detail": {"$or": [{"a": ["abcd"]}, {"b": ["efgh"]}]}}), None),
            (json!({"source": ["aws.s3"]}), None),
            (json!({"detail": {"a": ["2001:db8::1"]}}), None),
            (json!({"detail": {"a": ["abcd", {"exists": false}]}}), None),
            (json!({"detail": {"c": ["ijkl"], "$or": [{"a": ["abcdef"]}, {"b": ["efghij"]}]}}), Some(vec!["ijkl"])),
        ];
        for (pattern, expected) in cases {
            let expected = expected.map(|texts| texts.into_iter().map(ToOwned::to_owned).collect::<Vec<_>>());
            assert_eq!(texts(&pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn escapes_that_can_spell_a_letter() {
        let literals = Literals::new(&["SigV2".to_owned()], true);
        for (text, found) in [
            (r#""SigV2""#, true),
            (r#""\u0053igV2""#, true),
            (r#""Sig\u00562""#, true),
            (r#""\u003c\u003e\u0026\u2028""#, false),
            (r#""SigV4""#, false),
            (r#""\u00"#, true),
            (r#""\u00zz""#, false),
        ] {
            let mut hits = Hits::default();
            hits.begin(&literals, text.as_bytes());
            assert_eq!(hits.any_in(&literals, text.as_bytes(), &(0..text.len())), found, "{text}");
        }
    }
}
