//! What a compiled pattern asks, to be read: for whoever says the same in another language.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::compile::Condition;
use crate::operator::{Kind, Operator, Parsed, Scalar};
use crate::pattern::{Pattern, Value, scalar};
use crate::{address, number};

/// One combination of `$or` branches: an event matches a pattern if it satisfies all conditions of one of them.
#[derive(Clone, Copy, Debug)]
pub struct Combination<'p> {
    conditions: &'p [std::sync::Arc<Condition>],
}

/// All that a combination asks of one field.
#[derive(Clone, Copy, Debug)]
pub struct FieldCondition<'p> {
    condition: &'p Condition,
    pattern: &'p str,
}

/// What a value may be, one element of a leaf array. A value of another kind does not match, but for [`Test::Exists`] and
/// [`Test::AnythingBut`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Test<'p> {
    /// This text.
    Text(&'p str),
    /// A text that is a literal of this address, however it is written; `::ffff:10.0.0.1` is an IPv4 address.
    Address(IpAddr),
    /// A comparable number that equals this double: one whose shortest decimal form is its literal's value.
    Number(f64),
    /// The number written just so; it is not comparable.
    NumberText(&'p str),
    /// True.
    True,
    /// False.
    False,
    /// Null.
    Null,
    /// A text that starts so.
    Prefix(&'p str),
    /// A text that ends so.
    Suffix(&'p str),
    /// A text of these characters, each in one of two forms; `None` is matched by nothing.
    EqualsIgnoreCase(Option<CaseForms>),
    /// A text that starts with these.
    PrefixIgnoreCase(Option<CaseForms>),
    /// A text that ends with these.
    SuffixIgnoreCase(Option<CaseForms>),
    /// A text of these pieces with anything between them; one piece is the whole text.
    Wildcard(Vec<Cow<'p, str>>),
    /// A comparable number between two ends, each with whether it belongs to the span.
    Numeric {
        /// The lower end.
        bottom: Option<(f64, bool)>,
        /// The upper end.
        top: Option<(f64, bool)>,
    },
    /// A text that is a literal of an address with the first `mask_bits` bits of `first`. Without mask bits it is any address of
    /// both families, otherwise one of the same.
    Cidr {
        /// The first address.
        first: IpAddr,
        /// Bits in common.
        mask_bits: u32,
    },
    /// Any value.
    Exists,
    /// Any value that matches none of these.
    AnythingBut(Vec<Test<'p>>),
}

/// Characters in their lower and their upper case form.
pub type CaseForms = Vec<(String, String)>;

impl Pattern {
    /// What the pattern asks: its combinations of `$or` branches, at least one.
    ///
    /// ```
    /// use event_pattern::{Pattern, Test};
    /// let pattern = Pattern::compile(r#"{"detail": {"size": [{"numeric": [">", 3]}, null]}}"#)?;
    /// let combination = pattern.combinations().next().unwrap();
    /// let condition = combination.conditions(&pattern).next().unwrap();
    /// assert_eq!(condition.name(), "detail.size");
    /// let numeric = Test::Numeric { bottom: Some((3.0, false)), top: None };
    /// assert_eq!(condition.tests().collect::<Vec<_>>(), [numeric, Test::Null]);
    /// # Ok::<_, event_pattern::PatternError>(())
    /// ```
    pub fn combinations(&self) -> impl Iterator<Item = Combination<'_>> + Clone {
        self.subs().iter().map(|conditions| Combination { conditions })
    }
}

impl<'p> Combination<'p> {
    /// Its conditions, sorted by name as the engine sorts them: that order decides what `{"exists": false}` sees.
    pub fn conditions(self, pattern: &'p Pattern) -> impl Iterator<Item = FieldCondition<'p>> + Clone {
        let pattern = pattern.source();
        self.conditions.iter().map(move |condition| FieldCondition { condition, pattern })
    }
}

impl<'p> FieldCondition<'p> {
    /// The names on the way to the field, joined with `.`.
    pub fn name(self) -> &'p str {
        &self.condition.name
    }

    /// The leaf array, as the pattern writes it.
    pub fn source(self) -> &'p str {
        self.pattern.get(self.condition.source.clone()).unwrap_or_default()
    }

    /// Whether it holds, too, if the field does not exist: `{"exists": false}` is among the tests.
    pub fn may_be_absent(self) -> bool {
        self.condition.absent
    }

    /// What its values may be; one of them must match one of these. There is none if the field may only be absent.
    pub fn tests(self) -> impl Iterator<Item = Test<'p>> + Clone {
        self.condition.operators.operators.iter().map(test)
    }

    /// Whether a value matches one of the tests.
    pub fn matches(self, value: Value<'_>) -> bool {
        let (kind, text) = scalar(value);
        let parsed = match kind {
            Kind::Number => Parsed::Number(number::nearest(text.as_bytes())),
            Kind::Text => address::parse(text.as_bytes()).map_or(Parsed::No, Parsed::Address),
            _ => Parsed::No,
        };
        self.condition.operators.matches(Scalar { kind, bytes: text.as_bytes(), parsed })
    }
}

fn test(operator: &Operator) -> Test<'_> {
    match operator {
        Operator::Text(text) => Test::Text(text),
        Operator::Address(address) => Test::Address(*address),
        Operator::Number(number) => Test::Number(number.value()),
        Operator::NumberText(text) => Test::NumberText(text),
        Operator::True => Test::True,
        Operator::False => Test::False,
        Operator::Null => Test::Null,
        Operator::Prefix(text) => Test::Prefix(text),
        Operator::Suffix(text) => Test::Suffix(text),
        Operator::EqualsIgnoreCase(folded) => Test::EqualsIgnoreCase(folded.forms()),
        Operator::PrefixIgnoreCase(folded) => Test::PrefixIgnoreCase(folded.forms()),
        Operator::SuffixIgnoreCase(folded) => Test::SuffixIgnoreCase(folded.forms()),
        Operator::Wildcard(wildcard) => Test::Wildcard(wildcard.pieces().map(String::from_utf8_lossy).collect()),
        Operator::Numeric(range) => Test::Numeric {
            bottom: range.bottom.map(|(number, closed)| (number.value(), closed)),
            top: range.top.map(|(number, closed)| (number.value(), closed)),
        },
        Operator::Cidr(block) => Test::Cidr { first: block.first(), mask_bits: block.mask_bits() },
        Operator::Exists => Test::Exists,
        Operator::AnythingBut(refused) => Test::AnythingBut(refused.operators.iter().map(test).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tests_of(leaf: &str) -> Vec<String> {
        let pattern = Pattern::compile(&format!("{{\"a\":{leaf}}}")).expect("valid");
        let combination = pattern.combinations().next().expect("one");
        combination.conditions(&pattern).flat_map(FieldCondition::tests).map(|test| format!("{test:?}")).collect()
    }

    #[test]
    fn every_operator_is_seen() {
        let cases = [
            (r#"["x"]"#, r#"Text("x")"#),
            (r#"["::1"]"#, "Address(::1)"),
            ("[300.0]", "Number(300.0)"),
            ("[1e400]", r#"NumberText("1e400")"#),
            ("[true]", "True"),
            (r#"[{"exists":true}]"#, "Exists"),
            (r#"[{"prefix":"p"}]"#, r#"Prefix("p")"#),
            (r#"[{"suffix":{"equals-ignore-case":"ß"}}]"#, r#"SuffixIgnoreCase(Some([("ß", "SS")]))"#),
            (r#"[{"equals-ignore-case":"a😀"}]"#, "EqualsIgnoreCase(None)"),
            (r#"[{"wildcard":"a*\\**"}]"#, r#"Wildcard(["a", "*", ""])"#),
            (r#"[{"wildcard":"a"}]"#, r#"Wildcard(["a"])"#),
            (r#"[{"numeric":["<=",5]}]"#, "Numeric { bottom: None, top: Some((5.0, true)) }"),
            (r#"[{"cidr":"10.0.0.9/8"}]"#, "Cidr { first: 10.0.0.0, mask_bits: 8 }"),
            (r#"[{"anything-but":[1,2]}]"#, "AnythingBut([Number(1.0), Number(2.0)])"),
        ];
        for (leaf, expected) in cases {
            assert_eq!(tests_of(leaf), [expected], "{leaf}");
        }
        assert!(tests_of(r#"[{"exists":false}]"#).is_empty());
    }

    #[test]
    fn combinations_and_values() {
        let pattern = Pattern::compile(r#"{"c":[{"exists":false}],"$or":[{"b":["x"]},{"a":[1, "10.0.0.1"]}]}"#);
        let pattern = pattern.expect("valid");
        let names: Vec<Vec<&str>> = pattern
            .combinations()
            .map(|combination| combination.conditions(&pattern).map(FieldCondition::name).collect())
            .collect();
        assert_eq!(names, [["b", "c"], ["a", "c"]]);
        let combination = pattern.combinations().nth(1).expect("two");
        let conditions: Vec<_> = combination.conditions(&pattern).collect();
        assert_eq!((conditions[0].source(), conditions[0].may_be_absent()), (r#"[1, "10.0.0.1"]"#, false));
        assert!(conditions[1].may_be_absent() && !conditions[1].matches(Value::Null));
        for (value, matches) in [
            (Value::Number("1.0"), true),
            (Value::String("1"), false),
            (Value::String("::ffff:a00:1"), true),
            (Value::Bool(true), false),
        ] {
            assert_eq!(conditions[0].matches(value), matches, "{value:?}");
        }
    }
}
