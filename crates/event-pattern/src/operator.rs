//! What a pattern may ask of one value.

use std::net::IpAddr;

use crate::address::{self, Cidr};
use crate::fold::Folded;
use crate::number::Comparable;
use crate::wildcard::Wildcard;

/// The kinds of scalar that an event holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
}

impl<'e> Scalar<'e> {
    pub(crate) fn text(&self) -> Option<&'e [u8]> {
        (self.kind == Kind::Text).then_some(self.bytes)
    }

    pub(crate) fn number(&self) -> Option<Comparable> {
        if self.kind == Kind::Number { Comparable::parse(self.bytes) } else { None }
    }

    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.text().and_then(address::parse)
    }
}

/// A span of comparable numbers; an end is the number and whether it belongs to the span.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Range {
    pub(crate) bottom: Option<(Comparable, bool)>,
    pub(crate) top: Option<(Comparable, bool)>,
}

impl Range {
    fn contains(&self, number: Comparable) -> bool {
        let above = self.bottom.is_none_or(|(bottom, closed)| number > bottom || (closed && number == bottom));
        above && self.top.is_none_or(|(top, closed)| number < top || (closed && number == top))
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
    AnythingBut(Box<[Operator]>),
}

impl Operator {
    pub(crate) fn matches(&self, value: Scalar<'_>) -> bool {
        match self {
            Self::Text(text) => value.text().is_some_and(|value| value == text.as_bytes()),
            Self::Address(address) => value.address() == Some(*address),
            Self::Number(number) => value.number() == Some(*number),
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
            Self::Numeric(range) => value.number().is_some_and(|number| range.contains(number)),
            Self::Cidr(block) => value.address().is_some_and(|address| block.contains(address)),
            Self::Exists => true,
            Self::AnythingBut(refused) => !refused.iter().any(|operator| operator.matches(value)),
        }
    }
}
