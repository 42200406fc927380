//! A second matcher, written from the rules alone: slow, small, with nothing shared. It knows the two cases of ASCII only.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::{Number, Value};

/// The array elements that a value stands in: (number of the array, index).
type Place = Vec<(usize, usize)>;
/// Values by name. `BTreeMap` sorts names by UTF-8, which is the order of UTF-16 for all names used in tests.
type Flat = BTreeMap<String, Vec<(Value, Place)>>;
type Rule = BTreeMap<String, Vec<Value>>;

pub fn matches(pattern: &Value, event: &Value) -> bool {
    let mut rules = vec![Rule::new()];
    collect_rules(pattern, &[], &mut rules);
    let mut flat = Flat::new();
    flatten(event, &[], &[], &mut 0, &mut flat);
    rules.iter().any(|rule| {
        let fields: Vec<_> = rule.iter().collect();
        search(&fields, &flat, &[])
    })
}

/// A pattern's names joined by points; names before the last that are together empty leave no point, unlike in events.
fn full_name(path: &[&str]) -> String {
    let (last, before) = path.split_last().expect("a name");
    let before = before.join(".");
    if before.is_empty() { (*last).to_owned() } else { before + "." + last }
}

fn collect_rules(pattern: &Value, path: &[&str], rules: &mut Vec<Rule>) {
    for (key, value) in pattern.as_object().expect("an object") {
        let below = [path, &[key]].concat();
        match value {
            Value::Array(branches) if key == "$or" => {
                let before = std::mem::take(rules);
                for branch in branches {
                    let mut forked = before.clone();
                    collect_rules(branch, path, &mut forked);
                    rules.append(&mut forked);
                }
            }
            Value::Array(leaf) => rules.iter_mut().for_each(|rule| drop(rule.insert(full_name(&below), leaf.clone()))),
            object => collect_rules(object, &below, rules),
        }
    }
}

fn flatten(value: &Value, path: &[&str], place: &[(usize, usize)], arrays: &mut usize, flat: &mut Flat) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                flatten(value, &[path, &[key]].concat(), place, arrays, flat);
            }
        }
        Value::Array(elements) => {
            let array = *arrays;
            *arrays += 1;
            for (index, element) in elements.iter().enumerate() {
                let inside = if element.is_object() || element.is_array() { &[(array, index)][..] } else { &[] };
                flatten(element, path, &[place, inside].concat(), arrays, flat);
            }
        }
        scalar => flat.entry(path.join(".")).or_default().push((scalar.clone(), place.to_vec())),
    }
}

fn together(place: &Place, chosen: &[(usize, usize)]) -> bool {
    place.iter().all(|(array, index)| chosen.iter().all(|(other, at)| array != other || index == at))
}

fn search(fields: &[(&String, &Vec<Value>)], flat: &Flat, chosen: &[(usize, usize)]) -> bool {
    let Some(((name, asked), rest)) = fields.split_first() else { return true };
    let mut fitting = flat.get(*name).into_iter().flatten().filter(|(_, place)| together(place, chosen)).peekable();
    let absent = asked.iter().any(|ask| ask.get("exists") == Some(&Value::Bool(false)));
    if fitting.peek().is_none() {
        return absent && search(rest, flat, chosen);
    }
    fitting.any(|(value, place)| {
        let chosen: Vec<_> = chosen.iter().chain(place).copied().collect();
        asked.iter().any(|ask| one(ask, value)) && search(rest, flat, &chosen)
    })
}

fn one(ask: &Value, value: &Value) -> bool {
    let Some((operator, argument)) = ask.as_object().and_then(|ask| ask.iter().next()) else {
        return match (ask, value) {
            (Value::String(text), Value::String(value)) if address(text).is_some() => address(text) == address(value),
            _ => same(ask, value),
        };
    };
    let texts = value.as_str().zip(argument.as_str());
    match operator.as_str() {
        "exists" => argument == &Value::Bool(true),
        "exactly" => argument == value,
        "cidr" => texts.is_some_and(|(value, block)| in_block(block, value)),
        "anything-but" => !refused(argument, value),
        "numeric" => comparable(value).is_some_and(|value| numeric(argument.as_array().expect("a list"), value)),
        "equals-ignore-case" => texts.is_some_and(|(value, text)| value.eq_ignore_ascii_case(text)),
        "wildcard" => texts.is_some_and(|(value, text)| glob(text.as_bytes(), value.as_bytes())),
        "prefix" => affix(argument, value, |value, text| value.starts_with(text)),
        "suffix" => affix(argument, value, |value, text| value.ends_with(text)),
        other => panic!("no {other} in the oracle"),
    }
}

fn affix(argument: &Value, value: &Value, fits: impl Fn(&str, &str) -> bool) -> bool {
    let Some(value) = value.as_str() else { return false };
    match argument.get("equals-ignore-case") {
        Some(text) => fits(&value.to_ascii_lowercase(), &text.as_str().expect("a text").to_ascii_lowercase()),
        None => fits(value, argument.as_str().expect("a text")),
    }
}

fn refused(argument: &Value, value: &Value) -> bool {
    match argument {
        Value::Array(list) => list.iter().any(|ask| refused(ask, value)),
        Value::Object(shape) => {
            let (operator, argument) = shape.iter().next().expect("one key");
            let list = argument.as_array().cloned().unwrap_or_else(|| vec![argument.clone()]);
            list.iter().any(|text| one(&serde_json::json!({ operator: text }), value))
        }
        scalar => same(scalar, value),
    }
}

/// Equal as they are, addresses being texts.
fn same(ask: &Value, value: &Value) -> bool {
    let equal = comparable(ask).zip(comparable(value)).is_some_and(|(ask, value)| (ask - value).abs() == 0.0);
    equal || ask == value
}

/// A number whose shortest decimal form, in at least one digit or two, is its literal.
fn comparable(value: &Value) -> Option<f64> {
    let literal = value.as_number().map(Number::to_string)?;
    let value: f64 = literal.parse().ok().filter(|value: &f64| value.is_finite())?;
    let forms = [format!("{value:e}"), format!("{value:.1e}")];
    forms.iter().any(|form| form.parse() == Ok(value) && decimal(form) == decimal(&literal)).then_some(value)
}

/// Sign, digits without zeros at the ends, and the power of ten before the first of them.
fn decimal(literal: &str) -> (bool, String, isize) {
    let (mantissa, exponent) = literal.split_once(['e', 'E']).unwrap_or((literal, "0"));
    let mantissa = mantissa.trim_start_matches('-');
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0');
    if digits.is_empty() {
        return (false, String::new(), 0);
    }
    let point = exponent.parse::<isize>().expect("small") + (whole.len() + digits.len()).cast_signed()
        - all.len().cast_signed();
    (literal.starts_with('-'), digits.trim_end_matches('0').to_owned(), point)
}

/// Whether it is IPv6, and its bits from the left.
fn address(text: &str) -> Option<(bool, u128)> {
    let mixed = text.contains(':') && text.contains('.');
    match text.parse::<IpAddr>().ok().filter(|_| !mixed)?.to_canonical() {
        IpAddr::V4(address) => Some((false, u128::from(address.to_bits()) << 96)),
        IpAddr::V6(address) => Some((true, address.to_bits())),
    }
}

fn in_block(block: &str, value: &str) -> bool {
    let (first, bits) = block.split_once('/').expect("a block");
    let (bits, (v6, first)) = (bits.parse::<u32>().expect("bits"), address(first).expect("an address"));
    address(value).is_some_and(|(also, value)| bits == 0 || (v6 == also && (first ^ value).leading_zeros() >= bits))
}

fn numeric(terms: &[Value], value: f64) -> bool {
    terms.chunks(2).all(|term| {
        let bound = term[1].as_f64().expect("a number");
        match term[0].as_str().expect("an operator") {
            "=" => (value - bound).abs() == 0.0,
            "<" => value < bound,
            "<=" => value <= bound,
            ">" => value > bound,
            _ => value >= bound,
        }
    })
}

fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([b'*', rest @ ..], _) if glob(rest, text) => true,
        ([b'*', ..], [_, text @ ..]) => glob(pattern, text),
        ([b'\\', byte, pattern @ ..] | [byte, pattern @ ..], [first, text @ ..]) => {
            byte == first && glob(pattern, text)
        }
        _ => false,
    }
}
