//! Patterns and events of a small alphabet: against the second matcher of the tests, and many rules against one at a time.

#![no_main]

#[path = "../../tests/oracle/mod.rs"]
mod oracle;

use arbitrary::{Result, Unstructured};
use event_pattern::{Explanation, Matcher, Pattern, PatternErrorKind};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};

const NAMES: [&str; 10] = ["a", "b", "c", "l", "z", "a.b", "b.c", "a.b.c", "", "é\"\\"];
const TEXTS: [&str; 22] = [
    "",
    "x",
    "y",
    "xy",
    "yx",
    "X",
    "Y",
    "a",
    "b",
    "ab",
    "aab",
    "a*b",
    "\\",
    "\"",
    "é",
    "5",
    "10.0.0.1",
    "010.0.0.1",
    "10.0.0.255",
    "::1",
    "0:0:0:0:0:0:0:1",
    "::ffff:a00:1",
];
const NUMBERS: [&str; 18] = [
    "0",
    "-0",
    "1",
    "1.0",
    "10e-1",
    "5",
    "-2.5",
    "300",
    "3e2",
    "0.1",
    "9007199254740992",
    "9007199254740993",
    "1e400",
    "1e-400",
    "5e-324",
    "4.9e-324",
    "0.30000000000000004",
    "0.300000000000000041",
];
const WILDCARDS: [&str; 13] =
    ["*", "x*", "*y", "a*b", "*a*", "a\\*b", "x", "*x*y*", "*a*b", "", "*\\\\", "*ab*a*b", "x*x"];
const BLOCKS: [&str; 8] =
    ["10.0.0.0/8", "10.0.0.1/31", "0.0.0.0/0", "10.0.0.128/25", "::/0", "::/1", "::1/127", "::ffff:a00:0/30"];

fuzz_target!(|bytes: &[u8]| {
    // Bytes that run out end the description of the case, and leave none.
    let _ = run(&mut Unstructured::new(bytes));
});

fn run(from: &mut Unstructured<'_>) -> Result<()> {
    let patterns = list(from, 1, 8, |from| object(from, 3, true))?;
    let events = list(from, 1, 3, |from| object(from, 4, false))?;
    let copies = if rarely(from, 8)? { 16 } else { 1 };
    let mut rules = Vec::new();
    for pattern in patterns {
        let text = pattern.to_string();
        match Pattern::compile(&text) {
            Ok(compiled) => rules.push((pattern, compiled)),
            Err(error) => assert_eq!(error.kind(), PatternErrorKind::TooComplex, "{text}: {error}"),
        }
    }
    for event in &events {
        for (pattern, compiled) in &rules {
            agrees_with_the_oracle(pattern, compiled, event);
        }
    }
    let mut matcher = Matcher::new();
    for key in 0..rules.len() * copies {
        matcher.add(key, rules[key % rules.len()].1.clone());
    }
    compare(&matcher, &events);
    for _ in 0..from.int_in_range(0..=2)? {
        for key in 0..rules.len() * copies {
            match from.int_in_range(0..=3)? {
                0 => drop(matcher.add(key, rules[key / copies].1.clone())),
                1 => {}
                _ => drop(matcher.remove(&key)),
            }
        }
        compare(&matcher, &events);
    }
    Ok(())
}

fn agrees_with_the_oracle(pattern: &Value, compiled: &Pattern, event: &Value) {
    let expected = oracle::matches(pattern, event);
    let (text, pretty) = (event.to_string(), serde_json::to_string_pretty(event).expect("json"));
    assert_eq!(compiled.matches_strict(text.as_bytes()), Ok(expected), "{pattern} {text}");
    assert_eq!(compiled.matches(pretty.as_bytes()), Ok(expected), "{pattern} {pretty}");
    let explained = compiled.explain(text.as_bytes()).expect("an event");
    assert_eq!(matches!(explained, Explanation::Match(_)), expected, "{pattern} {text}: {explained}");
}

fn compare(matcher: &Matcher<usize>, events: &[Value]) {
    let mut found = Vec::new();
    for event in events {
        let text = event.to_string();
        matcher.matches(text.as_bytes(), &mut found).expect("an event");
        let alone = matcher.iter().filter(|(_, pattern)| pattern.matches(text.as_bytes()) == Ok(true));
        let alone: Vec<usize> = alone.map(|(&key, _)| key).collect();
        assert_eq!(found, alone, "{text} {:?}", matcher.iter().map(|(_, rule)| rule.source()).collect::<Vec<_>>());
    }
}

/// Once in `times`. When the bytes have run out it is not, so that a short input is a small case.
fn rarely(from: &mut Unstructured<'_>, times: u8) -> Result<bool> {
    Ok(from.int_in_range(1..=times)? == times)
}

fn list<T>(
    from: &mut Unstructured<'_>,
    least: usize,
    most: usize,
    mut one: impl FnMut(&mut Unstructured<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    (0..from.int_in_range(least..=most)?).map(|_| one(from)).collect()
}

/// A pattern or an event, nested `depth` deep at most.
fn object(from: &mut Unstructured<'_>, depth: usize, pattern: bool) -> Result<Value> {
    let mut fields = Map::new();
    for _ in 0..from.int_in_range(1..=4)? {
        if pattern && depth > 0 && rarely(from, 8)? {
            let branches = list(from, 2, 3, |from| object(from, depth - 1, true))?;
            fields.insert("$or".to_owned(), Value::Array(branches));
            continue;
        }
        let name = (*from.choose(&NAMES)?).to_owned();
        let nested = depth > 0 && rarely(from, 3)?;
        let value = match (pattern, nested) {
            (_, true) => object(from, depth - 1, pattern)?,
            (true, false) => Value::Array(list(from, 1, 3, operator)?),
            (false, false) => value(from, depth)?,
        };
        fields.insert(name, value);
    }
    Ok(Value::Object(fields))
}

/// A scalar of an event, or an array.
fn value(from: &mut Unstructured<'_>, depth: usize) -> Result<Value> {
    if depth == 0 || !rarely(from, 2)? {
        return scalar(from);
    }
    let element = |from: &mut Unstructured<'_>| match from.int_in_range(0..=2)? {
        0 => object(from, depth - 1, false),
        _ => value(from, depth - 1),
    };
    Ok(Value::Array(list(from, 0, 3, element)?))
}

fn scalar(from: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match from.int_in_range(0..=7)? {
        0..=3 => text(from)?,
        4 | 5 => number(from)?,
        6 => Value::Bool(from.arbitrary()?),
        _ => Value::Null,
    })
}

fn text(from: &mut Unstructured<'_>) -> Result<Value> {
    let pieces =
        if rarely(from, 6)? { list(from, 2, 4, |from| from.choose(&TEXTS))? } else { vec![from.choose(&TEXTS)?] };
    let text: String = pieces.into_iter().copied().collect();
    // Events are read in blocks of 64 bytes: some texts begin or end in another.
    Ok(Value::String(if rarely(from, 16)? { text.repeat(from.int_in_range(2..=70)?) } else { text }))
}

fn number(from: &mut Unstructured<'_>) -> Result<Value> {
    let literal = if rarely(from, 4)? {
        let digits: String = list(from, 1, 19, |from| from.int_in_range(0..=9_u8))?.iter().map(u8::to_string).collect();
        let sign = if from.arbitrary()? { "-" } else { "" };
        format!("{sign}{}.{digits}e{}", from.int_in_range(0..=9)?, from.int_in_range(-330..=310)?)
    } else {
        (*from.choose(&NUMBERS)?).to_owned()
    };
    Ok(serde_json::from_str(&literal).expect("a number"))
}

/// One whose literal is the shortest form of a double, as `numeric` and `anything-but` want it.
fn plain_number(from: &mut Unstructured<'_>) -> Result<Value> {
    Ok(serde_json::from_str(from.choose(&NUMBERS[..10])?).expect("a number"))
}

fn operator(from: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match from.int_in_range(0..=15)? {
        0..=3 => scalar(from)?,
        4 => json!({"prefix": text(from)?}),
        5 => json!({"suffix": text(from)?}),
        6 => json!({"equals-ignore-case": text(from)?}),
        7 => json!({"prefix": {"equals-ignore-case": text(from)?}}),
        8 => json!({"suffix": {"equals-ignore-case": text(from)?}}),
        9 => json!({"wildcard": from.choose(&WILDCARDS)?}),
        10 => json!({"numeric": range(from)?}),
        11 => json!({"cidr": from.choose(&BLOCKS)?}),
        12 | 13 => json!({"anything-but": refused(from)?}),
        14 => json!({"exists": from.arbitrary::<bool>()?}),
        _ => json!({"exactly": text(from)?}),
    })
}

fn range(from: &mut Unstructured<'_>) -> Result<Value> {
    if rarely(from, 3)? {
        let (bottom, top) = (from.choose(&[">", ">="])?, from.choose(&["<", "<="])?);
        let ends = from.choose(&[("0", "1"), ("-2.5", "-0"), ("0.1", "3e2"), ("1", "1.5")])?;
        return Ok(serde_json::from_str(&format!("[\"{bottom}\",{},\"{top}\",{}]", ends.0, ends.1)).expect("a range"));
    }
    Ok(json!([from.choose(&["=", "<", "<=", ">", ">="])?, plain_number(from)?]))
}

fn refused(from: &mut Unstructured<'_>) -> Result<Value> {
    let shape = |from: &mut Unstructured<'_>| -> Result<Value> {
        let text = text(from)?;
        Ok(if text == "" { "x".into() } else { text })
    };
    Ok(match from.int_in_range(0..=7)? {
        0 => text(from)?,
        1 => plain_number(from)?,
        2 => Value::Array(list(from, 1, 3, text)?),
        3 => Value::Array(list(from, 1, 3, plain_number)?),
        4 => json!({"prefix": list(from, 0, 2, shape)?}),
        5 => json!({"suffix": shape(from)?}),
        6 => json!({"equals-ignore-case": list(from, 1, 2, text)?}),
        _ => json!({"wildcard": list(from, 1, 2, |from| Ok(Value::from(*from.choose(&WILDCARDS)?)))?}),
    })
}
