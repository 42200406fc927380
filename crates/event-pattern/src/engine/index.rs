//! The sub-rules that wait at one field, found by the values that would satisfy them.
//!
//! What is found is verified by the operators themselves, so the index may name too many sub-rules, never too few.

use std::borrow::Cow;
use std::net::IpAddr;

use super::grams::{Gram, Grams, grams_of};
use super::ranges::{Networks, Ranges};
use super::trie::Trie;
use super::{SubId, Waiting, take_out};
use crate::address::Cidr;
use crate::fields::Parses;
use crate::fold::{Folded, canonical};
use crate::hash::FastMap;
use crate::number::{Comparable, order_key};
use crate::operator::{Kind, Operator, Scalar};
use crate::wildcard::Wildcard;

type ByText = FastMap<Box<[u8]>, Waiting>;

/// Middle pieces of a wildcard that are considered to wait at.
const MAX_PIECES: usize = 4;

#[derive(Clone, Debug, Default)]
pub(super) struct FieldIndex {
    /// Entries in all of the tables; nothing to find at zero.
    entries: usize,
    /// What the conditions on this field, waited at or not, compare.
    pub(super) parses: Parses,
    texts: ByText,
    addresses: FastMap<IpAddr, Waiting>,
    numbers: FastMap<u64, Waiting>,
    number_texts: ByText,
    literals: [Waiting; 3],
    prefixes: Trie<false>,
    suffixes: Trie<true>,
    folded: FoldedIndex,
    grams: Grams,
    has_grams: bool,
    ranges: Ranges,
    networks: Networks,
    any: Waiting,
}

/// Texts without regard to case, by their canonical form.
#[derive(Clone, Debug, Default)]
struct FoldedIndex {
    used: bool,
    /// One bit for each ASCII character that a text has to begin with; most values are turned away by that.
    firsts: u128,
    texts: ByText,
    prefixes: Trie<false>,
    suffixes: Trie<true>,
}

/// Where a sub-rule can wait for values that satisfy an operator.
#[derive(Clone, Debug)]
enum Place<'o> {
    Text(&'o [u8]),
    Address(IpAddr),
    Number(u64),
    NumberText(&'o [u8]),
    Literal(usize),
    Prefix(&'o [u8]),
    Suffix(&'o [u8]),
    Folded(Cow<'o, [u8]>),
    FoldedPrefix(Cow<'o, [u8]>),
    FoldedSuffix(Cow<'o, [u8]>),
    Gram(Gram),
    Range(u64, u64),
    Network(&'o Cidr),
    Any,
}

impl Place<'_> {
    /// How likely a value comes by here: lower is better to wait at.
    fn weight(&self) -> usize {
        match self {
            Self::Text(_) | Self::Address(_) | Self::Number(_) | Self::NumberText(_) | Self::Folded(_) => 1,
            Self::Prefix(text) | Self::Suffix(text) => affix_weight(text),
            Self::FoldedPrefix(text) | Self::FoldedSuffix(text) => affix_weight(text),
            Self::Gram(gram) => 128 >> (2 * gram.size().min(3)),
            Self::Literal(_) | Self::Network(_) => 16,
            Self::Range(..) => 32,
            Self::Any => 512,
        }
    }
}

fn affix_weight(text: &[u8]) -> usize {
    match text.len() {
        0 => 512,
        1 => 16,
        2 => 8,
        3 => 4,
        _ => 2,
    }
}

/// The places where an operator can be waited for; one of them is enough.
fn places(operator: &Operator) -> Vec<Place<'_>> {
    let folded = |folded: &Folded, place: fn(Cow<'static, [u8]>) -> Place<'static>| {
        folded.canonical().map_or(Place::Any, |text| place(text.into()))
    };
    vec![match operator {
        Operator::Text(text) => Place::Text(text.as_bytes()),
        Operator::Address(address) => Place::Address(*address),
        Operator::Number(number) => Place::Number(order_key(number.value())),
        Operator::NumberText(text) => Place::NumberText(text.as_bytes()),
        Operator::True => Place::Literal(0),
        Operator::False => Place::Literal(1),
        Operator::Null => Place::Literal(2),
        Operator::Prefix(text) => Place::Prefix(text.as_bytes()),
        Operator::Suffix(text) => Place::Suffix(text.as_bytes()),
        Operator::EqualsIgnoreCase(text) => folded(text, Place::Folded),
        Operator::PrefixIgnoreCase(text) => folded(text, Place::FoldedPrefix),
        Operator::SuffixIgnoreCase(text) => folded(text, Place::FoldedSuffix),
        Operator::Wildcard(wildcard) => return wildcard_places(wildcard),
        Operator::Numeric(range) => {
            let key = |(number, closed): (Comparable, bool), outward: i64| {
                let key = order_key(number.value());
                if closed { key } else { key.wrapping_sub(outward.cast_unsigned()) }
            };
            Place::Range(range.bottom.map_or(0, |end| key(end, -1)), range.top.map_or(u64::MAX, |end| key(end, 1)))
        }
        Operator::Cidr(block) => Place::Network(block),
        Operator::AnythingBut(_) | Operator::Exists => Place::Any,
    }]
}

fn wildcard_places(wildcard: &Wildcard) -> Vec<Place<'_>> {
    if wildcard.is_plain() {
        return vec![Place::Text(wildcard.head())];
    }
    let mut places = vec![Place::Prefix(wildcard.head()), Place::Suffix(wildcard.tail())];
    places.extend(wildcard.middle().take(MAX_PIECES).flat_map(grams_of).map(Place::Gram));
    places
}

impl FoldedIndex {
    /// Something is about to wait at a place.
    fn expect(&mut self, place: &Place<'_>) {
        self.firsts |= match place {
            Place::Folded(text) | Place::FoldedPrefix(text) => text.first().map_or(u128::MAX, |&first| 1 << first),
            Place::FoldedSuffix(_) => u128::MAX,
            _ => return,
        };
        self.used = true;
    }

    /// Whether something may wait for a text: one that begins with ASCII has a canonical form that begins so.
    fn may_have(&self, text: &[u8]) -> bool {
        let first = text.first().filter(|first| first.is_ascii());
        self.used && first.is_none_or(|first| self.firsts >> first.to_ascii_lowercase() & 1 == 1)
    }
}

impl FieldIndex {
    pub(super) fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// What waiting at this field for `operators` would cost, given who waits there already and how many sub-rules ask
    /// the same.
    pub(super) fn cost(&self, operators: &[Operator], asked: usize) -> usize {
        let costs = operators.iter().map(|operator| {
            let (place, cost) = self.cheapest(operator);
            cost.max(place.weight().saturating_mul(asked))
        });
        costs.fold(0, usize::saturating_add)
    }

    /// The best place for an operator, and what it costs.
    fn cheapest<'o>(&self, operator: &'o Operator) -> (Place<'o>, usize) {
        let priced = places(operator).into_iter().map(|place| {
            let cost = place.weight().saturating_mul(1 + self.crowd(&place));
            (place, cost)
        });
        priced.min_by_key(|(_, cost)| *cost).unwrap_or((Place::Any, usize::MAX))
    }

    fn crowd(&self, place: &Place<'_>) -> usize {
        let waiting = match place {
            Place::Text(text) => self.texts.get(*text),
            Place::Address(address) => self.addresses.get(address),
            Place::Number(key) => self.numbers.get(key),
            Place::NumberText(text) => self.number_texts.get(*text),
            Place::Literal(which) => Some(&self.literals[*which]),
            Place::Prefix(text) => self.prefixes.get(text),
            Place::Suffix(text) => self.suffixes.get(text),
            Place::Folded(text) => self.folded.texts.get(&**text),
            Place::FoldedPrefix(text) => self.folded.prefixes.get(text),
            Place::FoldedSuffix(text) => self.folded.suffixes.get(text),
            Place::Gram(gram) => self.grams.get(*gram),
            Place::Network(block) => self.networks.get(block),
            Place::Range(bottom, top) => return self.ranges.crowd(*bottom, *top),
            Place::Any => Some(&self.any),
        };
        waiting.map_or(0, Vec::len)
    }

    pub(super) fn add(&mut self, sub: SubId, operators: &[Operator]) {
        for operator in operators {
            let place = self.cheapest(operator).0;
            self.entries += 1;
            self.has_grams |= matches!(place, Place::Gram(_));
            self.folded.expect(&place);
            match place {
                Place::Range(bottom, top) => self.ranges.add(bottom, top, sub),
                place => self.waiting(&place).push(sub),
            }
        }
    }

    /// The list of a place that is not a range.
    fn waiting(&mut self, place: &Place<'_>) -> &mut Waiting {
        match place {
            Place::Text(text) => self.texts.entry((*text).into()).or_default(),
            Place::Address(address) => self.addresses.entry(*address).or_default(),
            Place::Number(key) => self.numbers.entry(*key).or_default(),
            Place::NumberText(text) => self.number_texts.entry((*text).into()).or_default(),
            Place::Literal(which) => &mut self.literals[*which],
            Place::Prefix(text) => self.prefixes.waiting(text),
            Place::Suffix(text) => self.suffixes.waiting(text),
            Place::Folded(text) => self.folded.texts.entry((**text).into()).or_default(),
            Place::FoldedPrefix(text) => self.folded.prefixes.waiting(text),
            Place::FoldedSuffix(text) => self.folded.suffixes.waiting(text),
            Place::Gram(gram) => self.grams.waiting(*gram),
            Place::Network(block) => self.networks.waiting(block),
            Place::Range(..) | Place::Any => &mut self.any,
        }
    }

    /// Takes a sub-rule out; emptied lists stay until the engine is built anew.
    pub(super) fn remove(&mut self, sub: SubId, operators: &[Operator]) {
        for operator in operators {
            // Which of its places an operator took depended on who was there.
            for place in places(operator) {
                if let Place::Range(bottom, top) = place {
                    self.ranges.remove(bottom, top, sub);
                } else if self.crowd(&place) == 0 || !take_out(self.waiting(&place), sub) {
                    continue;
                }
                self.entries -= 1;
                break;
            }
        }
    }

    /// Calls `found` with the lists of sub-rules that wait for a value like this one, some more than once, and some that
    /// wait for a similar one. `buffer` is scratch space.
    pub(super) fn find(&self, value: Scalar<'_>, buffer: &mut Vec<u8>, found: &mut impl FnMut(&Waiting)) {
        found(&self.any);
        match value.kind {
            Kind::Text => self.find_text(value, buffer, found),
            Kind::Number => self.find_number(value, found),
            Kind::True => found(&self.literals[0]),
            Kind::False => found(&self.literals[1]),
            Kind::Null => found(&self.literals[2]),
        }
    }

    fn find_number(&self, value: Scalar<'_>, found: &mut impl FnMut(&Waiting)) {
        if !self.number_texts.is_empty()
            && let Some(waiting) = self.number_texts.get(value.bytes)
        {
            found(waiting);
        }
        if self.numbers.is_empty() && self.ranges.is_empty() {
            return;
        }
        let Some(number) = value.number() else { return };
        let key = order_key(number);
        if let Some(waiting) = self.numbers.get(&key) {
            found(waiting);
        }
        self.ranges.find(key, found);
    }

    fn find_text(&self, value: Scalar<'_>, buffer: &mut Vec<u8>, found: &mut impl FnMut(&Waiting)) {
        let text = value.bytes;
        if !self.texts.is_empty()
            && let Some(waiting) = self.texts.get(text)
        {
            found(waiting);
        }
        if !(self.addresses.is_empty() && self.networks.is_empty())
            && let Some(address) = value.address()
        {
            self.addresses.get(&address).into_iter().for_each(&mut *found);
            self.networks.find(address, found);
        }
        self.prefixes.find(text, found);
        self.suffixes.find(text, found);
        if self.has_grams {
            self.grams.find(text, found);
        }
        if self.folded.may_have(text) {
            canonical(text, buffer);
            self.folded.texts.get(buffer.as_slice()).into_iter().for_each(&mut *found);
            self.folded.prefixes.find(buffer, found);
            self.folded.suffixes.find(buffer, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Pattern;
    use crate::address;
    use crate::number::nearest;
    use crate::operator::Parsed;

    const TEXTS: [&str; 20] = [
        "",
        "a",
        "A",
        "ab",
        "abc",
        "aBcab",
        "straße",
        "STRASSE",
        "\u{212A}",
        "k",
        "K",
        "ς",
        "Σ",
        "é",
        "É",
        "xéY",
        "XÉy",
        "10.0.0.1",
        "::1",
        "0:0:0:0:0:0:0:1",
    ];
    const NUMBERS: [&str; 6] = ["0", "-0", "1.0", "1e0", "-7", "9007199254740993"];

    fn operator() -> impl Strategy<Value = String> {
        let text = || prop::sample::select(&TEXTS[..]);
        let number = || prop::sample::select(&NUMBERS[..5]);
        let many = prop::collection::vec(text(), 9..12);
        prop_oneof![
            text().prop_map(|text| format!("\"{text}\"")),
            prop::sample::select(&NUMBERS[..]).prop_map(str::to_owned),
            prop::sample::select(vec!["true", "false", "null", r#"{"exists":true}"#]).prop_map(str::to_owned),
            (prop::sample::select(vec!["prefix", "suffix", "equals-ignore-case"]), text())
                .prop_map(|(name, text)| format!("{{\"{name}\":\"{text}\"}}")),
            (prop::sample::select(vec!["prefix", "suffix"]), text())
                .prop_map(|(name, text)| format!("{{\"{name}\":{{\"equals-ignore-case\":\"{text}\"}}}}")),
            "[abck]{0,2}(\\*[abcé]{1,5}){0,2}\\*?".prop_map(|text| format!("{{\"wildcard\":\"{text}\"}}")),
            (prop::sample::select(vec!["<", "<=", ">", ">=", "="]), number())
                .prop_map(|(sign, number)| format!("{{\"numeric\":[\"{sign}\",{number}]}}")),
            prop::sample::select(vec!["10.0.0.0/8", "0.0.0.0/0", "::/0", "::/64", "10.0.0.1/31"])
                .prop_map(|block| format!("{{\"cidr\":\"{block}\"}}")),
            text().prop_map(|text| format!("{{\"anything-but\":{{\"suffix\":\"{text}b\"}}}}")),
            many.prop_map(|texts| format!("{{\"anything-but\":{texts:?}}}")),
        ]
    }

    fn scalar(value: &str) -> Scalar<'_> {
        let (kind, parsed) = match value {
            "true" => (Kind::True, Parsed::No),
            "null" => (Kind::Null, Parsed::No),
            number if NUMBERS.contains(&number) => (Kind::Number, Parsed::Number(nearest(number.as_bytes()))),
            text => (Kind::Text, address::parse(text.as_bytes()).map_or(Parsed::No, Parsed::Address)),
        };
        Scalar { kind, bytes: value.as_bytes(), parsed }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_a_value_satisfies_is_found(
            operators in prop::collection::vec(operator(), 1..40),
            removed in prop::collection::vec(any::<bool>(), 40),
        ) {
            let patterns: Vec<Pattern> = operators.iter()
                .map(|operator| Pattern::compile(&format!("{{\"a\":[{operator}]}}")).expect("valid"))
                .collect();
            let asked = |at: usize| &patterns[at].subs()[0][0].operators;
            let mut index = FieldIndex::default();
            for (sub, at) in (0..).zip(0..patterns.len()) {
                index.add(sub, &asked(at).operators);
            }
            for (sub, at) in (0..).zip(0..patterns.len()).filter(|(_, at)| removed[*at]) {
                index.remove(sub, &asked(at).operators);
            }
            let mut buffer = Vec::new();
            for value in TEXTS.iter().chain(&NUMBERS).chain(&["true", "null"]).map(|value| scalar(value)) {
                let mut found: Vec<SubId> = Vec::new();
                index.find(value, &mut buffer, &mut |waiting| found.extend(waiting));
                for (sub, at) in (0..).zip(0..patterns.len()) {
                    prop_assert!(!removed[at] || !found.contains(&sub), "{} is gone", operators[at]);
                    let satisfied = !removed[at] && asked(at).matches(value);
                    prop_assert!(!satisfied || found.contains(&sub), "{} misses {value:?}", operators[at]);
                }
            }
        }
    }
}
