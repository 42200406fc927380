//! Expressions over three small series.

use proptest::prelude::*;

use super::*;
use crate::Window;

struct Three;

fn series(values: &[Option<f64>]) -> TimeSeries {
    (0..).zip(values).filter_map(|(n, value)| Some((n * 60, (*value)?))).collect()
}

impl Environment for Three {
    fn value(&self, id: &str) -> Result<Value, String> {
        Ok(Value::Series(match id {
            "m1" => series(&[Some(1.0), Some(2.0), None, Some(8.0)]),
            "m2" => series(&[Some(4.0), None, Some(5.0), Some(2.0)]),
            _ => series(&[Some(0.0); 4]),
        }))
    }

    fn metrics(&self, part: &str) -> Vec<TimeSeries> {
        let named = ["m1", "m2"].into_iter().filter(|id| id.contains(part));
        named
            .filter_map(|id| match self.value(id) {
                Ok(Value::Series(series)) => Some(series),
                _ => None,
            })
            .collect()
    }

    fn window(&self) -> Window {
        Window { start: 0, end: 240, period: 60 }
    }
}

fn value(text: &str) -> Result<Value, String> {
    evaluate(&parse(text)?, &Three)
}

#[test]
fn values() {
    let number = |value: f64| Value::Scalar(value);
    let points = |values: &[Option<f64>]| Value::Series(series(values));
    let rows = [
        ("2 + 3 * 4 ^ 2 / 8 - -1", number(9.0)),
        ("2 ^ 3 ^ 2", number(512.0)),
        ("-2 ^ 2", number(-4.0)),
        ("(1 + 2) * 3 >= 9 AND 0 || 1", number(1.0)),
        ("1.5e1 + .5", number(15.5)),
        ("m1 * 2", points(&[Some(2.0), Some(4.0), None, Some(16.0)])),
        ("m1 + m2", points(&[Some(5.0), None, None, Some(10.0)])),
        ("m1 / m3", points(&[])),
        ("m1 > 1", points(&[Some(0.0), Some(1.0), None, Some(1.0)])),
        ("SUM(METRICS())", points(&[Some(5.0), Some(2.0), Some(5.0), Some(10.0)])),
        ("AVG(METRICS(\"m\"))", points(&[Some(2.5), Some(2.0), Some(5.0), Some(5.0)])),
        ("max(METRICS('1'))", points(&[Some(1.0), Some(2.0), None, Some(8.0)])),
        ("MIN(m1) + MAX(m1) + SUM(m1)", number(20.0)),
        ("METRIC_COUNT(METRICS())", number(2.0)),
        ("FILL(m1, 0)", points(&[Some(1.0), Some(2.0), Some(0.0), Some(8.0)])),
        ("FILL(m1, REPEAT)", points(&[Some(1.0), Some(2.0), Some(2.0), Some(8.0)])),
        ("FILL(m1, LINEAR)", points(&[Some(1.0), Some(2.0), Some(5.0), Some(8.0)])),
        ("DIFF(m1)", points(&[None, Some(1.0), None, Some(6.0)])),
        ("RATE(m1) * PERIOD(m1)", points(&[None, Some(1.0), None, Some(3.0)])),
        ("RUNNING_SUM(m1)", points(&[Some(1.0), Some(3.0), None, Some(11.0)])),
        ("IF(m1 > 1, m1, m2)", points(&[Some(4.0), Some(2.0), None, Some(8.0)])),
        ("IF(m1 > 1, 7)", points(&[None, Some(7.0), None, Some(7.0)])),
        ("IF(1, m1, m2)", points(&[Some(1.0), Some(2.0), None, Some(8.0)])),
        ("ABS(0 - m1) - CEIL(0.5) - FLOOR(0.5)", points(&[Some(0.0), Some(1.0), None, Some(7.0)])),
        ("FIRST(METRICS())", points(&[Some(1.0), Some(2.0), None, Some(8.0)])),
        ("TIME_SERIES(3)", points(&[Some(3.0); 4])),
    ];
    for (text, expected) in rows {
        assert_eq!(value(text), Ok(expected), "{text}");
    }
}

#[test]
fn what_cannot_be_read_or_done() {
    let rows = [
        ("", "it ends too early"),
        ("m1 +", "it ends too early"),
        ("(m1", "a parenthesis is not closed"),
        ("m1 m2", "something follows its end"),
        ("SEARCH('{AWS/SQS}', 'Sum', 300)", "the function SEARCH is not supported"),
        ("ANOMALY_DETECTION_BAND(m1)", "the function ANOMALY_DETECTION_BAND is not supported"),
        ("SUM(m1, m2)", "SUM does not take 2 arguments"),
        ("SUM(\"m1\")", "SUM does not take such an argument"),
        ("M1", "M1 is not known"),
        ("m1 % 2", "'%' is not known here"),
        ("METRICS() + METRICS()", "two arrays cannot be put together"),
        ("\"m1", "a text has no end"),
        ("1.2.3", "1.2.3 is no number"),
    ];
    for (text, expected) in rows {
        assert_eq!(value(text), Err(expected.into()), "{text}");
    }
    assert!(
        value(&"(".repeat(2000)).is_err() && value(&"-".repeat(2000)).is_err() && value(&"1^".repeat(1000)).is_err()
    );
}

proptest! {
    /// Whatever comes: a value or a reason.
    #[test]
    fn no_text_breaks_it(text in "([a-z0-9 ()+*/^<>=,.\"-]|SUM|IF|FILL|METRICS|m1|m2){0,40}") {
        let _ = value(&text);
    }

    /// Numbers as the language this is written in has them.
    #[test]
    fn sums_and_products(a in -1e3..1e3_f64, b in -1e3..1e3_f64, c in -1e3..1e3_f64) {
        let text = format!("({a}) + ({b}) * ({c}) - ({a}) * 2");
        prop_assert_eq!(value(&text), Ok(Value::Scalar(a + b * c - a * 2.0)));
    }
}
