//! What one value must be.

use std::net::IpAddr;

use event_pattern::{CaseForms, FieldCondition, Test, Value as Scalar};

use crate::address::{self, Literals};
use crate::dialect::{Dialect, Is, Kind, Value};
use crate::error::Refusal;
use crate::lexical::regex_forms;

/// Whether a value that is no array, or an element of one, matches a test of the condition.
pub(crate) fn leaf(dialect: &dyn Dialect, value: &Value, condition: FieldCondition<'_>) -> Result<String, Refusal> {
    if value.kind == Kind::Flag {
        return flag(dialect, value, condition);
    }
    let tests: Vec<Test<'_>> = condition.tests().collect();
    any(dialect, value, &tests)
}

/// Two values are all that there are: each is asked of the pattern now.
fn flag(dialect: &dyn Dialect, value: &Value, condition: FieldCondition<'_>) -> Result<String, Refusal> {
    let answers = [true, false].map(|flag| condition.matches(Scalar::Bool(flag)));
    Ok(match answers {
        [true, true] => dialect.is_there(value),
        [true, false] => dialect.one_of(&value.expression, &["true"])?,
        [false, true] => dialect.one_of(&value.expression, &["false"])?,
        [false, false] => dialect.truth(false).to_owned(),
    })
}

fn any(dialect: &dyn Dialect, value: &Value, tests: &[Test<'_>]) -> Result<String, Refusal> {
    let mut parts = Vec::new();
    let exact: Vec<&str> =
        tests.iter().filter_map(|test| if let Test::Text(exact) = test { Some(*exact) } else { None }).collect();
    if !exact.is_empty() && may_be_text(value) {
        parts.push(dialect.one_of(&dialect.text(value)?, &exact)?);
    }
    for test in tests {
        parts.extend(one(dialect, value, test)?);
    }
    Ok(dialect.or(&parts))
}

fn may_be_text(value: &Value) -> bool {
    matches!(value.kind, Kind::Json | Kind::Text)
}

/// Whether the value is there, and no object.
pub(crate) fn scalar(dialect: &dyn Dialect, value: &Value) -> Result<String, Refusal> {
    match value.kind {
        Kind::Json => dialect.is(value, Is::Scalar),
        Kind::Text | Kind::Flag => Ok(dialect.is_there(value)),
        Kind::Rows | Kind::Row => Ok(dialect.truth(false).to_owned()),
    }
}

/// One test; nothing if no value of this kind passes it.
fn one(dialect: &dyn Dialect, value: &Value, test: &Test<'_>) -> Result<Option<String>, Refusal> {
    let json = value.kind == Kind::Json;
    Ok(match test {
        // All of them are asked in one list.
        Test::Text(_) => None,
        Test::NumberText(literal) => {
            return Err(Refusal::new(format!("the number {literal}, which a double does not hold exactly")));
        }
        Test::Number(number) => numeric(dialect, value, Some((*number, true)), Some((*number, true)))?,
        Test::Numeric { bottom, top } => numeric(dialect, value, *bottom, *top)?,
        Test::Null if value.kind == Kind::Text => {
            return Err(Refusal::new("null in a column of texts, where it is the same as nothing"));
        }
        Test::True | Test::False | Test::Null if !json => None,
        Test::True => Some(dialect.is(value, Is::True)?),
        Test::False => Some(dialect.is(value, Is::False)?),
        Test::Null => Some(dialect.is(value, Is::Null)?),
        Test::Exists => Some(scalar(dialect, value)?),
        Test::AnythingBut(refused) => {
            let refused = any(dialect, value, refused)?;
            Some(dialect.and(&[scalar(dialect, value)?, dialect.not(&refused)]))
        }
        test if may_be_text(value) => Some(of_text(dialect, &dialect.text(value)?, test)?),
        _ => None,
    })
}

fn of_text(dialect: &dyn Dialect, subject: &str, test: &Test<'_>) -> Result<String, Refusal> {
    let folded = |forms: &Option<CaseForms>, before: &str, after: &str| match forms {
        Some(forms) => dialect.full_match(subject, &format!("{before}{}{after}", regex_forms(forms))),
        None => Ok(dialect.truth(false).to_owned()),
    };
    match test {
        Test::Prefix(prefix) => dialect.like(subject, &[prefix, ""]),
        Test::Suffix(suffix) => dialect.like(subject, &["", suffix]),
        Test::Wildcard(pieces) => match pieces.as_slice() {
            [whole] => dialect.one_of(subject, &[whole]),
            pieces => dialect.like(subject, &pieces.iter().map(AsRef::as_ref).collect::<Vec<_>>()),
        },
        Test::EqualsIgnoreCase(forms) => folded(forms, "", ""),
        Test::PrefixIgnoreCase(forms) => folded(forms, "", ".*"),
        Test::SuffixIgnoreCase(forms) => folded(forms, ".*", ""),
        Test::Address(address) => addresses(dialect, subject, *address),
        Test::Cidr { first, mask_bits } => literals(dialect, subject, &address::block(*first, *mask_bits)),
        other => Err(Refusal::new(format!("a test that is not known here: {other:?}"))),
    }
}

/// CloudTrail writes IPv4 addresses as four decimal numbers; an index may find that one first.
fn addresses(dialect: &dyn Dialect, text: &str, address: IpAddr) -> Result<String, Refusal> {
    let literals = address::exact(address);
    match (address, literals.any.as_slice()) {
        (IpAddr::V4(four), [_, mapped]) => {
            let parts = [dialect.one_of(text, &[&four.to_string()])?, dialect.full_match(text, mapped)?];
            Ok(dialect.or(&parts))
        }
        _ => self::literals(dialect, text, &literals),
    }
}

fn literals(dialect: &dyn Dialect, text: &str, literals: &Literals) -> Result<String, Refusal> {
    let any: Vec<String> =
        literals.any.iter().map(|regex| dialect.full_match(text, regex)).collect::<Result<_, _>>()?;
    let any = dialect.or(&any);
    match &literals.none {
        None => Ok(any),
        Some(none) => Ok(dialect.and(&[any, dialect.not(&dialect.full_match(text, none)?)])),
    }
}

/// A number between two ends, each with whether it belongs to the span. Literals of which it is not certain that they are
/// comparable end the query, if their double is in the span.
fn numeric(
    dialect: &dyn Dialect,
    value: &Value,
    bottom: Option<(f64, bool)>,
    top: Option<(f64, bool)>,
) -> Result<Option<String>, Refusal> {
    if value.kind != Kind::Json {
        return Ok(None);
    }
    let number = dialect.number(value)?;
    let double = dialect.double(&number);
    let mut span = Vec::new();
    if bottom.is_some() && bottom == top {
        span.extend(bottom.map(|(end, _)| format!("{double} = {}", dialect.double_literal(end))));
    } else {
        let end = |(end, closed): (f64, bool), sign: &str| {
            format!("{double} {sign}{} {}", if closed { "=" } else { "" }, dialect.double_literal(end))
        };
        span.extend(bottom.map(|bottom| end(bottom, ">")));
        span.extend(top.map(|top| end(top, "<")));
    }
    let (span, comparable) = (span.join(" AND "), dialect.comparable(&number));
    Ok(Some(format!("CASE WHEN {span} THEN {comparable} ELSE FALSE END")))
}
