//! Texts that a record must hold if a pattern is to match it, and where it may hold them.
//!
//! Where a JSON text equals `SigV2`, its bytes hold `SigV2`, or an escape that spells one of these letters (RFC 8259, section 7:
//! any character may be escaped). So whatever holds neither need not be looked at. Other escapes, which nearly half of all
//! files hold, cost nothing.

use std::ops::Range;

use event_pattern::{FieldCondition, Pattern, Test};
use memchr::memmem::{self, Finder};

/// Shorter texts are everywhere.
const LEN_MIN: usize = 3;
/// More texts than these are found no faster than by matching every record.
const COUNT_MAX: usize = 8;

/// Choices between literals are not free: each is looked for at the beginning of every file.
const CHOICE_MAX: usize = 4;

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
}

/// Two bytes, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair {
    pub first: u8,
    pub second: u8,
}

/// What is looked for while the records of a file are found: the literal, if there is one alone, and escapes that spell a letter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Needle<'q> {
    choice: &'q [Literals],
    /// The rarest of them.
    literals: Option<&'q Literals>,
    /// A pair of the literal, and where in it it stands.
    pair: Pair,
    offset: usize,
}

/// In no text, and no number: it is not UTF-8.
const NO_PAIR: Pair = Pair { first: 0xff, second: 0xff };
/// Enough of a text to see what is rare in it.
const SAMPLE_LEN: usize = 16 << 10;
/// What stands in a text as often as this is in every other record, and not worth being looked for.
const RARE_PER_BYTES: usize = 4096;

impl<'q> Needle<'q> {
    /// Looks for nothing yet.
    pub fn new(choice: &'q [Literals]) -> Self {
        Self { choice, literals: None, pair: NO_PAIR, offset: 0 }
    }

    /// Chooses what is rarest at the beginning of this text, if anything is rare.
    pub fn tune(&mut self, text: &[u8]) {
        let sample = &text[..text.len().min(SAMPLE_LEN)];
        let counted = self.choice.iter().map(|literals| (literals.count_in(sample), literals));
        let rarest = counted.min_by_key(|(count, _)| *count);
        self.literals =
            rarest.filter(|(count, _)| *count <= 1 + sample.len() / RARE_PER_BYTES).map(|(_, literals)| literals);
        let Some(literal) = self.literals.and_then(Literals::single) else { return };
        let pairs = literal.windows(2).enumerate().rev();
        let rarest = pairs.min_by_key(|(_, pair)| memmem::find_iter(sample, *pair).count());
        if let Some((index, pair)) = rarest {
            (self.pair, self.offset) = (Pair { first: pair[0], second: pair[1] }, index);
        }
    }

    /// Whether anything is looked for: if not, every record may be wanted.
    pub fn is_choosy(&self) -> bool {
        self.literals.is_some()
    }

    /// The literals that [`Self::hits`] does not find, because they are several.
    pub fn several(&self) -> Option<&'q Literals> {
        self.literals.filter(|literals| literals.single().is_none())
    }

    /// The two bytes to look for.
    pub fn pair(&self) -> Pair {
        self.pair
    }

    /// Where from `from` on, before `end`, the literal stands, or an escape that spells a letter of one, or where they may stand
    /// when more text is at hand.
    pub fn hits(&self, text: &[u8], from: usize, end: usize) -> impl Iterator<Item = usize> {
        let end = end.min(text.len());
        let pairs = memchr::memchr_iter(self.pair.first, &text[from..end]).map(move |at| from + at);
        let backslashes = memchr::memchr_iter(b'\\', &text[from..end]).map(move |at| from + at);
        let literals = pairs.filter(|at| self.stands_at(text, *at));
        literals.chain(backslashes.filter(|at| self.literals.is_some_and(|literals| literals.is_spelled_at(text, *at))))
    }

    /// Whether the literal stands where the first byte of the pair was found.
    fn stands_at(&self, text: &[u8], first: usize) -> bool {
        let literal = self.literals.and_then(Literals::single).unwrap_or_default();
        let start = first.checked_sub(self.offset);
        start.is_some_and(|start| literal.starts_with(&text[start..text.len().min(start + literal.len())]))
    }
}

/// Where in a text a literal may stand, as far as it was asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hits {
    /// The next place of each literal.
    next: Vec<Option<usize>>,
}

impl Literals {
    /// Of patterns, for JSON: one or the other will do. None if some pattern requires none.
    pub fn of(patterns: &[Pattern]) -> Vec<Self> {
        // What is beside `detail` does not stand in a record as it is.
        let is_usable = |field: &str| field.starts_with("detail.");
        let fields = patterns.first().into_iter().flat_map(required_fields).map(|field| field.name().to_owned());
        let of_a_field =
            fields.filter(|name| is_usable(name)).filter_map(|name| Self::collect(patterns, |other| other == name));
        let mut all: Vec<_> = Self::collect(patterns, is_usable).into_iter().chain(of_a_field).collect();
        all.sort_unstable();
        all.dedup();
        all.truncate(CHOICE_MAX);
        all.iter().map(|texts| Self::new(texts)).collect()
    }

    /// The same for the lines of access logs, which have no escapes.
    pub fn of_lines(patterns: &[Pattern]) -> Option<Self> {
        Self::collect(patterns, |field| IN_ACCESS_LOG.contains(&field)).map(|texts| Self::new(&texts))
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

    fn new(texts: &[String]) -> Self {
        let mut letters = [false; 256];
        texts.iter().flat_map(|text| text.bytes()).for_each(|byte| letters[usize::from(byte)] = true);
        Self { finders: texts.iter().map(|text| Finder::new(text.as_bytes()).into_owned()).collect(), letters }
    }

    /// The literal, if there is one alone.
    pub fn single(&self) -> Option<&[u8]> {
        let [finder] = &self.finders[..] else { return None };
        Some(finder.needle())
    }

    fn count_in(&self, text: &[u8]) -> usize {
        self.finders.iter().map(|finder| finder.find_iter(text).count()).sum()
    }

    fn is_spelled_at(&self, text: &[u8], backslash: usize) -> bool {
        let escape = &text[backslash..text.len().min(backslash + 6)];
        let (head, digits) = escape.split_at(escape.len().min(4));
        if !b"\\u00".starts_with(head) {
            return false;
        }
        let digit = |index: usize| digits.get(index).map(|digit| char::from(*digit).to_digit(16));
        match (digit(0), digit(1)) {
            (Some(Some(high)), Some(Some(low))) => self.letters[(high * 16 + low) as usize],
            // At the end of what is at hand it may yet become one.
            (high, low) => high != Some(None) && low != Some(None),
        }
    }
}

impl Hits {
    /// Begins anew with a text.
    pub fn begin(&mut self, literals: &Literals, text: &[u8]) {
        self.next.clear();
        self.next.extend(literals.finders.iter().map(|finder| finder.find(text)));
    }

    /// The first of them.
    pub fn first(&self) -> Option<usize> {
        self.next.iter().flatten().min().copied()
    }

    /// Goes on to those from this place on. False if there is nothing left.
    pub fn skip_to(&mut self, literals: &Literals, text: &[u8], from: usize) -> bool {
        for (finder, next) in literals.finders.iter().zip(&mut self.next) {
            if next.is_some_and(|at| at < from) {
                *next = finder.find(&text[from..]).map(|at| from + at);
            }
        }
        from < text.len()
    }

    /// Whether one begins in this range of the text, which begins where the last range ended, or after it.
    pub fn any_in(&mut self, literals: &Literals, text: &[u8], range: &Range<usize>) -> bool {
        self.skip_to(literals, text, range.start);
        self.first().is_some_and(|at| at < range.end)
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
    fn the_literal_and_escapes_that_can_spell_a_letter_of_it() {
        let literals = Literals::new(&["SigV2".to_owned()]);
        let choice = [Literals::new(&["SigV4".to_owned()]), literals];
        let mut needle = Needle::new(&choice);
        needle.tune(br#""SignatureVersion":"SigV4","key":"Vg""#);
        assert_eq!(needle.pair(), Pair { first: b'V', second: b'2' });
        for (text, hits) in [
            ("SigV2", vec![3]),
            ("SigV4SigV2", vec![8]),
            ("XigV2", vec![]),
            ("V2", vec![]),
            ("SigV", vec![3]),
            (r"\u0053igV2", vec![0]),
            (r"-\u0056", vec![1]),
            (r"\u003c", vec![]),
            (r"\u2028", vec![]),
            (r"\n00", vec![]),
            (r"\", vec![0]),
            (r"\u00", vec![0]),
            (r"\u005", vec![0]),
            (r"\u00z", vec![]),
            (r"\u00zz", vec![]),
            (r"\u004z", vec![]),
        ] {
            assert_eq!(needle.hits(text.as_bytes(), 0, 99).collect::<Vec<_>>(), hits, "{text}");
        }
        assert_eq!(Needle::new(&[]).hits(br"\u0053", 0, 99).count(), 0);
    }
}
