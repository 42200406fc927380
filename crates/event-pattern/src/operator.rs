//! What a pattern may ask of one value.

use std::hash::{Hash, Hasher};
use std::net::IpAddr;

use crate::address::Cidr;
use crate::fold::Folded;
use crate::hash::FastSet;
use crate::number::Comparable;
use crate::wildcard::Wildcard;

/// The kinds of scalar that an event holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Text,
    Number,
    True,
    False,
    Null,
}

/// One value of an event: a text without quotes and escapes, or the literal as written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scalar<'e> {
    pub(crate) kind: Kind,
    pub(crate) bytes: &'e [u8],
    /// What was made of it, where patterns ask for that on its field.
    pub(crate) parsed: Parsed,
}

/// A value as a number or an address.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Parsed {
    /// Neither, or nobody asked.
    No,
    /// The double nearest to a number.
    Number(f64),
    /// The address that a text is a literal of.
    Address(IpAddr),
}

impl<'e> Scalar<'e> {
    pub(crate) fn text(&self) -> Option<&'e [u8]> {
        (self.kind == Kind::Text).then_some(self.bytes)
    }

    /// The double nearest to a number.
    pub(crate) fn number(&self) -> Option<f64> {
        if let Parsed::Number(number) = self.parsed { Some(number) } else { None }
    }

    /// The address that a text is a literal of.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        if let Parsed::Address(address) = self.parsed { Some(address) } else { None }
    }

    /// Whether this is a comparable number of whose double `asked` holds. Whether it is comparable takes longest to find
    /// out, and is asked last.
    fn compares(&self, asked: impl FnOnce(f64) -> bool) -> bool {
        self.number().is_some_and(asked) && Comparable::parse(self.bytes).is_some()
    }
}

/// A span of comparable numbers; an end is the number and whether it belongs to the span.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Range {
    pub(crate) bottom: Option<(Comparable, bool)>,
    pub(crate) top: Option<(Comparable, bool)>,
}

impl Range {
    fn contains(&self, number: f64) -> bool {
        let above =
            |(end, closed): (Comparable, bool)| if closed { number >= end.value() } else { number > end.value() };
        let below =
            |(end, closed): (Comparable, bool)| if closed { number <= end.value() } else { number < end.value() };
        self.bottom.is_none_or(above) && self.top.is_none_or(below)
    }
}

/// One element of a pattern's leaf array, except `{"exists": false}`, which asks something of the path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Operator {
    Text(Box<str>),
    Address(IpAddr),
    Number(Comparable),
    /// A number that is not comparable, as written.
    NumberText(Box<str>),
    True,
    False,
    Null,
    Prefix(Box<str>),
    Suffix(Box<str>),
    EqualsIgnoreCase(Folded),
    PrefixIgnoreCase(Folded),
    SuffixIgnoreCase(Folded),
    Wildcard(Wildcard),
    Numeric(Range),
    Cidr(Cidr),
    Exists,
    AnythingBut(AnyOf),
}

impl Operator {
    pub(crate) fn matches(&self, value: Scalar<'_>) -> bool {
        match self {
            Self::Text(text) => value.text().is_some_and(|value| value == text.as_bytes()),
            Self::Address(address) => value.address() == Some(*address),
            Self::Number(number) => value.compares(|value| value.to_bits() == number.value().to_bits()),
            Self::NumberText(text) => value.kind == Kind::Number && value.bytes == text.as_bytes(),
            Self::True => value.kind == Kind::True,
            Self::False => value.kind == Kind::False,
            Self::Null => value.kind == Kind::Null,
            Self::Prefix(prefix) => value.text().is_some_and(|text| text.starts_with(prefix.as_bytes())),
            Self::Suffix(suffix) => value.text().is_some_and(|text| text.ends_with(suffix.as_bytes())),
            Self::EqualsIgnoreCase(folded) => value.text().is_some_and(|text| folded.equals(text)),
            Self::PrefixIgnoreCase(folded) => value.text().is_some_and(|text| folded.starts(text)),
            Self::SuffixIgnoreCase(folded) => value.text().is_some_and(|text| folded.ends(text)),
            Self::Wildcard(wildcard) => value.text().is_some_and(|text| wildcard.matches(text)),
            Self::Numeric(range) => value.compares(|number| range.contains(number)),
            Self::Cidr(block) => value.address().is_some_and(|address| block.contains(address)),
            Self::Exists => true,
            Self::AnythingBut(refused) => !refused.matches(value),
        }
    }
    /// Whether it compares numbers by value.
    pub(crate) fn is_numeric(&self) -> bool {
        match self {
            Self::Number(_) | Self::Numeric(_) => true,
            Self::AnythingBut(refused) => refused.any(Self::is_numeric),
            _ => false,
        }
    }

    /// Whether it compares addresses.
    pub(crate) fn is_address(&self) -> bool {
        matches!(self, Self::Address(_) | Self::Cidr(_))
    }
}

/// Up to here a look at each operator is faster than a table.
const MAX_LISTED: usize = 8;

/// Several operators of which one must match. Exact values in a long list are found in a table, so that a list of a
/// thousand costs no more than one of ten.
#[derive(Clone, Debug)]
pub(crate) struct AnyOf {
    pub(crate) operators: Box<[Operator]>,
    long: Option<Box<Long>>,
}

#[derive(Clone, Debug)]
struct Long {
    texts: FastSet<Box<[u8]>>,
    numbers: FastSet<u64>,
    others: Box<[Operator]>,
}

impl AnyOf {
    pub(crate) fn matches(&self, value: Scalar<'_>) -> bool {
        match &self.long {
            None => self.operators.iter().any(|operator| operator.matches(value)),
            Some(long) => long.matches(value),
        }
    }

    /// Whether something holds of one of the operators.
    pub(crate) fn any(&self, holds: fn(&Operator) -> bool) -> bool {
        self.operators.iter().any(holds)
    }
}

impl Long {
    fn matches(&self, value: Scalar<'_>) -> bool {
        let listed = match value.kind {
            Kind::Text => self.texts.contains(value.bytes),
            Kind::Number => value.compares(|number| self.numbers.contains(&number.to_bits())),
            Kind::True | Kind::False | Kind::Null => false,
        };
        listed || self.others.iter().any(|operator| operator.matches(value))
    }
}

impl From<Vec<Operator>> for AnyOf {
    fn from(operators: Vec<Operator>) -> Self {
        let mut long = Long { texts: FastSet::default(), numbers: FastSet::default(), others: Box::default() };
        let mut others = Vec::new();
        if operators.len() > MAX_LISTED {
            for operator in &operators {
                match operator {
                    Operator::Text(text) => drop(long.texts.insert(text.as_bytes().into())),
                    Operator::Number(number) => drop(long.numbers.insert(number.value().to_bits())),
                    other => others.push(other.clone()),
                }
            }
            long.others = others.into();
        }
        let tabled = !(long.texts.is_empty() && long.numbers.is_empty());
        Self { operators: operators.into(), long: tabled.then(|| Box::new(long)) }
    }
}

impl PartialEq for AnyOf {
    fn eq(&self, other: &Self) -> bool {
        self.operators == other.operators
    }
}

impl Eq for AnyOf {}

impl Hash for AnyOf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.operators.hash(state);
    }
}
