//! A second matcher, written from the rules alone: slow, small, with nothing shared.

use std::collections::BTreeMap;

use serde_json::Value;

/// The array elements that a value stands in: (number of the array, index).
type Place = Vec<(usize, usize)>;
/// Values by name. `BTreeMap` sorts names by UTF-8, which is the order of UTF-16 for all names used in tests.
type Flat = BTreeMap<String, Vec<(Value, Place)>>;
type Rule = BTreeMap<String, Vec<Value>>;

pub fn matches(pattern: &Value, event: &Value) -> bool {
    let mut rules = vec![Rule::new()];
    collect_rules(pattern, "", &mut rules);
    let mut flat = Flat::new();
    flatten(event, "", &mut Vec::new(), &mut 0, &mut flat);
    rules.iter().any(|rule| {
        let fields: Vec<_> = rule.iter().collect();
        search(&fields, &flat, &[])
    })
}

fn join(base: &str, step: &str) -> String {
    if base.is_empty() { step.to_owned() } else { format!("{base}.{step}") }
}

fn collect_rules(pattern: &Value, base: &str, rules: &mut Vec<Rule>) {
    for (key, value) in pattern.as_object().expect("an object") {
        match value {
            Value::Array(branches) if key == "$or" => {
                let before = std::mem::take(rules);
                for branch in branches {
                    let mut forked = before.clone();
                    collect_rules(branch, base, &mut forked);
                    rules.append(&mut forked);
                }
            }
            Value::Array(leaf) => {
                for rule in rules.iter_mut() {
                    rule.insert(join(base, key), leaf.clone());
                }
            }
            object => collect_rules(object, &join(base, key), rules),
        }
    }
}

fn flatten(value: &Value, name: &str, place: &mut Place, arrays: &mut usize, flat: &mut Flat) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                flatten(value, &join(name, key), place, arrays, flat);
            }
        }
        Value::Array(elements) => {
            let array = *arrays;
            *arrays += 1;
            for (index, element) in elements.iter().enumerate() {
                let nested = element.is_object() || element.is_array();
                if nested {
                    place.push((array, index));
                }
                flatten(element, name, place, arrays, flat);
                if nested {
                    place.pop();
                }
            }
        }
        scalar => flat.entry(name.to_owned()).or_default().push((scalar.clone(), place.clone())),
    }
}

fn together(place: &Place, chosen: &[(usize, usize)]) -> bool {
    place.iter().all(|(array, index)| chosen.iter().all(|(other, at)| array != other || index == at))
}

fn search(fields: &[(&String, &Vec<Value>)], flat: &Flat, chosen: &[(usize, usize)]) -> bool {
    let Some(((name, asked), rest)) = fields.split_first() else { return true };
    let none = Vec::new();
    let mut fitting = flat.get(*name).unwrap_or(&none).iter().filter(|(_, place)| together(place, chosen)).peekable();
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
            (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
            _ => ask == value,
        };
    };
    let texts = value.as_str().zip(argument.as_str());
    match operator.as_str() {
        "exists" => argument == &Value::Bool(true),
        "anything-but" => !refused(argument, value),
        "numeric" => value.as_f64().is_some_and(|value| numeric(argument.as_array().expect("a list"), value)),
        "equals-ignore-case" => texts.is_some_and(|(value, text)| fold(value) == fold(text)),
        "wildcard" => texts.is_some_and(|(value, text)| glob(text.as_bytes(), value.as_bytes())),
        "prefix" => affix(argument, value, |value, text| value.starts_with(text)),
        "suffix" => affix(argument, value, |value, text| value.ends_with(text)),
        other => panic!("no {other} in the oracle"),
    }
}

fn affix(argument: &Value, value: &Value, fits: impl Fn(&str, &str) -> bool) -> bool {
    let Some(value) = value.as_str() else { return false };
    match argument.get("equals-ignore-case") {
        Some(text) => fits(&fold(value), &fold(text.as_str().expect("a text"))),
        None => fits(value, argument.as_str().expect("a text")),
    }
}

/// Tests use ASCII where case counts.
fn fold(text: &str) -> String {
    text.to_ascii_lowercase()
}

fn refused(argument: &Value, value: &Value) -> bool {
    match argument {
        Value::Array(list) => list.iter().any(|ask| refused(ask, value)),
        Value::Object(shape) => {
            let (operator, argument) = shape.iter().next().expect("one key");
            let list = argument.as_array().cloned().unwrap_or_else(|| vec![argument.clone()]);
            list.iter().any(|text| one(&serde_json::json!({ operator: text }), value))
        }
        scalar => one(scalar, value),
    }
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
