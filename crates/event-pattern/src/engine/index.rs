//! The sub-rules that wait at one field, found by the values that would satisfy them.

use std::net::IpAddr;

use super::SubId;
use crate::hash::FastMap;
use crate::number::Comparable;
use crate::operator::{Kind, Operator, Scalar};

type Waiting = Vec<SubId>;
type ByText = FastMap<Box<[u8]>, Waiting>;

#[derive(Clone, Debug, Default)]
pub(super) struct FieldIndex {
    /// Entries in all of the tables; nothing to find at zero.
    entries: usize,
    texts: ByText,
    addresses: FastMap<IpAddr, Waiting>,
    numbers: FastMap<Comparable, Waiting>,
    number_texts: ByText,
    literals: [Waiting; 3],
    prefixes: ByLength,
    suffixes: ByLength,
    any: Waiting,
    /// Operators that have to be tried, each once for all the sub-rules that have it.
    tried: Vec<(Operator, Waiting)>,
    tried_at: FastMap<Operator, usize>,
}

/// Tables of texts of one length each: a prefix is looked up once for each length there is.
#[derive(Clone, Debug, Default)]
struct ByLength {
    tables: Vec<(usize, ByText)>,
}

impl ByLength {
    fn waiting(&mut self, text: &[u8]) -> &mut Waiting {
        let at = match self.tables.binary_search_by_key(&text.len(), |(length, _)| *length) {
            Ok(at) => at,
            Err(at) => {
                self.tables.insert(at, (text.len(), FastMap::default()));
                at
            }
        };
        self.tables[at].1.entry(text.into()).or_default()
    }

    fn get(&self, text: &[u8]) -> Option<&Waiting> {
        let at = self.tables.binary_search_by_key(&text.len(), |(length, _)| *length).ok()?;
        self.tables[at].1.get(text)
    }
}

/// How likely an operator is to be satisfied, and how dear it is to find: lower is better to wait at.
fn weight(operator: &Operator) -> usize {
    match operator {
        Operator::Text(_) | Operator::Address(_) | Operator::Number(_) | Operator::NumberText(_) => 1,
        Operator::Prefix(_) | Operator::Suffix(_) => 4,
        Operator::True | Operator::False | Operator::Null => 8,
        Operator::Wildcard(wildcard) if !(wildcard.head().is_empty() && wildcard.tail().is_empty()) => 8,
        Operator::EqualsIgnoreCase(_) => 16,
        Operator::PrefixIgnoreCase(_) | Operator::SuffixIgnoreCase(_) | Operator::Cidr(_) => 32,
        Operator::Wildcard(_) | Operator::Numeric(_) => 64,
        Operator::AnythingBut(_) => 256,
        Operator::Exists => 512,
    }
}

impl FieldIndex {
    pub(super) fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// What waiting at this field for `operators` would cost, given who waits there already.
    pub(super) fn cost(&self, operators: &[Operator]) -> usize {
        operators.iter().map(|operator| weight(operator) * (1 + self.crowd(operator))).sum()
    }

    fn crowd(&self, operator: &Operator) -> usize {
        let waiting = match operator {
            Operator::Text(text) => self.texts.get(text.as_bytes()),
            Operator::Address(address) => self.addresses.get(address),
            Operator::Number(number) => self.numbers.get(number),
            Operator::NumberText(text) => self.number_texts.get(text.as_bytes()),
            Operator::True => Some(&self.literals[0]),
            Operator::False => Some(&self.literals[1]),
            Operator::Null => Some(&self.literals[2]),
            Operator::Prefix(text) => self.prefixes.get(text.as_bytes()),
            Operator::Suffix(text) => self.suffixes.get(text.as_bytes()),
            Operator::Wildcard(wildcard) if !wildcard.head().is_empty() => self.prefixes.get(wildcard.head()),
            Operator::Wildcard(wildcard) if !wildcard.tail().is_empty() => self.suffixes.get(wildcard.tail()),
            Operator::Exists => Some(&self.any),
            tried => self.tried_at.get(tried).map(|&at| &self.tried[at].1),
        };
        waiting.map_or(0, Vec::len)
    }

    fn waiting(&mut self, operator: &Operator) -> &mut Waiting {
        match operator {
            Operator::Text(text) => self.texts.entry(text.as_bytes().into()).or_default(),
            Operator::Address(address) => self.addresses.entry(*address).or_default(),
            Operator::Number(number) => self.numbers.entry(*number).or_default(),
            Operator::NumberText(text) => self.number_texts.entry(text.as_bytes().into()).or_default(),
            Operator::True => &mut self.literals[0],
            Operator::False => &mut self.literals[1],
            Operator::Null => &mut self.literals[2],
            Operator::Prefix(text) => self.prefixes.waiting(text.as_bytes()),
            Operator::Suffix(text) => self.suffixes.waiting(text.as_bytes()),
            // Whether all of the wildcard matches is looked at with the sub-rule's other conditions.
            Operator::Wildcard(wildcard) if !wildcard.head().is_empty() => self.prefixes.waiting(wildcard.head()),
            Operator::Wildcard(wildcard) if !wildcard.tail().is_empty() => self.suffixes.waiting(wildcard.tail()),
            Operator::Exists => &mut self.any,
            tried => {
                let at = *self.tried_at.entry(tried.clone()).or_insert(self.tried.len());
                if at == self.tried.len() {
                    self.tried.push((tried.clone(), Waiting::new()));
                }
                &mut self.tried[at].1
            }
        }
    }

    pub(super) fn add(&mut self, sub: SubId, operators: &[Operator]) {
        for operator in operators {
            self.waiting(operator).push(sub);
            self.entries += 1;
        }
    }

    /// Takes a sub-rule out; emptied entries stay until the engine is built anew.
    pub(super) fn remove(&mut self, sub: SubId, operators: &[Operator]) {
        for operator in operators {
            let waiting = self.waiting(operator);
            if let Some(at) = waiting.iter().position(|&other| other == sub) {
                waiting.swap_remove(at);
                self.entries -= 1;
            }
        }
    }

    /// Calls `found` with each sub-rule that waits for a value like this one, some more than once, and some that wait for
    /// a similar one.
    pub(super) fn find(&self, value: Scalar<'_>, found: &mut impl FnMut(SubId)) {
        let mut each = |waiting: Option<&Waiting>| waiting.into_iter().flatten().copied().for_each(&mut *found);
        each(Some(&self.any));
        match value.kind {
            Kind::Text => self.find_text(value, &mut each),
            Kind::Number => {
                if !self.number_texts.is_empty() {
                    each(self.number_texts.get(value.bytes));
                }
                if !self.numbers.is_empty() {
                    each(value.number().and_then(|number| self.numbers.get(&number)));
                }
            }
            Kind::True => each(Some(&self.literals[0])),
            Kind::False => each(Some(&self.literals[1])),
            Kind::Null => each(Some(&self.literals[2])),
        }
        for (operator, waiting) in &self.tried {
            if !waiting.is_empty() && operator.matches(value) {
                each(Some(waiting));
            }
        }
    }

    fn find_text(&self, value: Scalar<'_>, each: &mut impl FnMut(Option<&Waiting>)) {
        let text = value.bytes;
        if !self.texts.is_empty() {
            each(self.texts.get(text));
        }
        if !self.addresses.is_empty() {
            each(value.address().and_then(|address| self.addresses.get(&address)));
        }
        for (length, table) in &self.prefixes.tables {
            let Some(start) = text.get(..*length) else { break };
            each(table.get(start));
        }
        for (length, table) in &self.suffixes.tables {
            let Some(at) = text.len().checked_sub(*length) else { break };
            each(table.get(&text[at..]));
        }
    }
}
