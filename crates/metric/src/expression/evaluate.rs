//! What an expression is worth.

use super::function::{Function, is_true};
use super::{Expression, Operator, TimeSeries, Value};
use crate::Window;

/// Periods that a series without gaps may have.
const SLOTS_MAX: i64 = 100_800;

/// What an expression can look at.
pub(crate) trait Environment {
    /// The value of another query. It is there: the ids were checked.
    fn value(&self, id: &str) -> Result<Value, String>;

    /// The series of all metrics whose ids hold this text.
    fn metrics(&self, part: &str) -> Vec<TimeSeries>;

    /// The stretch of time, in periods of what the expression looks at.
    fn window(&self) -> Window;
}

/// Evaluates; the error says what cannot be done.
pub(crate) fn evaluate(expression: &Expression, around: &dyn Environment) -> Result<Value, String> {
    match expression {
        Expression::Number(value) => Ok(Value::Scalar(*value)),
        Expression::Id(id) => around.value(id),
        Expression::Text(_) | Expression::Word(_) => Err("a text stands where a value is wanted".into()),
        Expression::Negative(inner) => Ok(map(evaluate(inner, around)?, &|value| Some(-value))),
        Expression::Binary(operator, left, right) => {
            binary(*operator, evaluate(left, around)?, evaluate(right, around)?)
        }
        Expression::Call(function, arguments) => call(*function, arguments, around),
    }
}

fn map(value: Value, change: &dyn Fn(f64) -> Option<f64>) -> Value {
    let of_series = |series: TimeSeries| -> TimeSeries {
        series.into_iter().filter_map(|(secs, value)| Some((secs, change(value)?))).collect()
    };
    match value {
        Value::Scalar(value) => change(value).map_or(Value::Series(TimeSeries::new()), Value::Scalar),
        Value::Series(series) => Value::Series(of_series(series)),
        Value::Array(all) => Value::Array(all.into_iter().map(of_series).collect()),
    }
}

fn binary(operator: Operator, left: Value, right: Value) -> Result<Value, String> {
    Ok(match (left, right) {
        (Value::Scalar(left), right) => map(right, &|right| operator.apply(left, right)),
        (left, Value::Scalar(right)) => map(left, &|left| operator.apply(left, right)),
        (Value::Series(left), Value::Series(right)) => Value::Series(both(operator, &left, &right)),
        (Value::Series(left), Value::Array(all)) => {
            Value::Array(all.iter().map(|right| both(operator, &left, right)).collect())
        }
        (Value::Array(all), Value::Series(right)) => {
            Value::Array(all.iter().map(|left| both(operator, left, &right)).collect())
        }
        (Value::Array(_), Value::Array(_)) => return Err("two arrays cannot be put together".into()),
    })
}

/// Where one of them has no value there is none.
fn both(operator: Operator, left: &TimeSeries, right: &TimeSeries) -> TimeSeries {
    let joined = left.iter().filter_map(|(secs, left)| Some((*secs, operator.apply(*left, *right.get(secs)?)?)));
    joined.collect()
}

fn call(function: Function, arguments: &[Expression], around: &dyn Environment) -> Result<Value, String> {
    let argument = |place: usize| match arguments.get(place) {
        Some(argument) => evaluate(argument, around),
        None => Err("an argument is missing".into()),
    };
    match function {
        Function::Abs => Ok(map(argument(0)?, &|value| Some(value.abs()))),
        Function::Ceil => Ok(map(argument(0)?, &|value| Some(value.ceil()))),
        Function::Floor => Ok(map(argument(0)?, &|value| Some(value.floor()))),
        Function::Avg | Function::Max | Function::Min | Function::Sum => Ok(gather(function, argument(0)?)),
        Function::Diff | Function::DiffTime | Function::Rate | Function::RunningSum => {
            let of_series = |series: &TimeSeries| steps(function, series);
            match argument(0)? {
                Value::Scalar(_) => Err(format!("{} is of time series", function.name())),
                Value::Series(series) => Ok(Value::Series(of_series(&series))),
                Value::Array(all) => Ok(Value::Array(all.iter().map(of_series).collect())),
            }
        }
        Function::Fill => fill(argument(0)?, arguments.get(1), around),
        Function::First | Function::Last => match argument(0)? {
            Value::Array(all) => {
                let one = if function == Function::First { all.first() } else { all.last() };
                Ok(Value::Series(one.cloned().unwrap_or_default()))
            }
            _ => Err(format!("{} is of an array of time series", function.name())),
        },
        Function::If => {
            let otherwise = arguments.get(2).map(|other| evaluate(other, around)).transpose()?;
            choose(argument(0)?, argument(1)?, otherwise)
        }
        Function::MetricCount => match argument(0)? {
            Value::Array(all) => Ok(Value::Scalar(count(all.len()))),
            _ => Err("METRIC_COUNT is of an array of time series".into()),
        },
        Function::Metrics => {
            let part = match arguments.first() {
                Some(Expression::Text(part)) => part.as_str(),
                _ => "",
            };
            Ok(Value::Array(around.metrics(part)))
        }
        Function::Period => {
            argument(0)?;
            Ok(Value::Scalar(number(around.window().period)))
        }
        Function::TimeSeries => match argument(0)? {
            Value::Scalar(value) => Ok(Value::Series(slots(around)?.into_iter().map(|secs| (secs, value)).collect())),
            _ => Err("TIME_SERIES is of a number".into()),
        },
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds of these centuries are exact")]
fn number(secs: i64) -> f64 {
    secs as f64
}

#[expect(clippy::cast_precision_loss, reason = "counts of points are exact")]
fn count(values: usize) -> f64 {
    values as f64
}

/// The beginnings of all periods.
fn slots(around: &dyn Environment) -> Result<Vec<i64>, String> {
    let window = around.window();
    if window.count() > SLOTS_MAX {
        return Err(format!("it has more than {SLOTS_MAX} data points"));
    }
    Ok((0..window.count()).map(|n| window.start + n * window.period).collect())
}

/// Of one series a number, of several a series.
fn gather(function: Function, value: Value) -> Value {
    let of_all = |values: &mut dyn Iterator<Item = f64>| -> Option<f64> {
        let values: Vec<f64> = values.collect();
        let (sum, all) = (values.iter().sum::<f64>(), count(values.len()));
        match function {
            _ if values.is_empty() => None,
            Function::Avg => Some(sum / all),
            Function::Max => values.into_iter().reduce(f64::max),
            Function::Min => values.into_iter().reduce(f64::min),
            _ => Some(sum),
        }
    };
    match value {
        Value::Scalar(value) => Value::Scalar(value),
        Value::Series(series) => {
            of_all(&mut series.into_values()).map_or(Value::Series(TimeSeries::new()), Value::Scalar)
        }
        Value::Array(all) => {
            let mut moments: Vec<i64> = all.iter().flat_map(|series| series.keys().copied()).collect();
            moments.sort_unstable();
            moments.dedup();
            let at = |secs: i64| of_all(&mut all.iter().filter_map(|series| series.get(&secs).copied()));
            Value::Series(moments.into_iter().filter_map(|secs| Some((secs, at(secs)?))).collect())
        }
    }
}

/// From each value and the one before it.
fn steps(function: Function, series: &TimeSeries) -> TimeSeries {
    if function == Function::RunningSum {
        let mut sum = 0.0;
        let added = series.iter().map(|(secs, value)| {
            sum += value;
            (*secs, sum)
        });
        return added.collect();
    }
    let pairs = series.iter().zip(series.iter().skip(1));
    pairs
        .map(|((before, old), (secs, new))| {
            let passed = number(secs - before);
            let value = match function {
                Function::Rate => (new - old) / passed,
                Function::DiffTime => passed,
                _ => new - old,
            };
            (*secs, value)
        })
        .collect()
}

fn fill(value: Value, with: Option<&Expression>, around: &dyn Environment) -> Result<Value, String> {
    let slots = slots(around)?;
    let filler = match with {
        Some(Expression::Word(word)) if word == "REPEAT" => Filler::Repeat,
        Some(Expression::Word(_)) => Filler::Linear,
        Some(other) => match evaluate(other, around)? {
            Value::Scalar(value) => Filler::Value(value),
            _ => return Err("FILL fills with a number, REPEAT or LINEAR".into()),
        },
        None => return Err("an argument is missing".into()),
    };
    match value {
        Value::Scalar(_) => Err("FILL is of time series".into()),
        Value::Series(series) => Ok(Value::Series(filled(&series, &slots, &filler))),
        Value::Array(all) => Ok(Value::Array(all.iter().map(|series| filled(series, &slots, &filler)).collect())),
    }
}

enum Filler {
    Value(f64),
    Repeat,
    Linear,
}

fn filled(series: &TimeSeries, slots: &[i64], filler: &Filler) -> TimeSeries {
    let value_at = |secs: i64| {
        if let Some(value) = series.get(&secs) {
            return Some(*value);
        }
        let before = || series.range(..secs).next_back();
        match filler {
            Filler::Value(value) => Some(*value),
            Filler::Repeat => before().map(|(_, value)| *value),
            Filler::Linear => {
                let ((earlier, old), (later, new)) = (before()?, series.range(secs..).next()?);
                Some(old + (new - old) * number(secs - earlier) / number(later - earlier))
            }
        }
    };
    slots.iter().filter_map(|secs| Some((*secs, value_at(*secs)?))).collect()
}

/// `IF`: by one number, or period by period.
fn choose(condition: Value, then: Value, otherwise: Option<Value>) -> Result<Value, String> {
    let conditions = match condition {
        Value::Scalar(value) if is_true(value) => return Ok(then),
        Value::Scalar(_) => return Ok(otherwise.unwrap_or(Value::Series(TimeSeries::new()))),
        Value::Series(series) => series,
        Value::Array(_) => return Err("the condition of IF is no array".into()),
    };
    let at = |value: &Value, secs: i64| match value {
        Value::Scalar(value) => Ok(Some(*value)),
        Value::Series(series) => Ok(series.get(&secs).copied()),
        Value::Array(_) => Err("IF does not choose between arrays".to_owned()),
    };
    let mut chosen = TimeSeries::new();
    for (secs, condition) in conditions {
        let value = match (is_true(condition), &otherwise) {
            (true, _) => at(&then, secs)?,
            (false, Some(otherwise)) => at(otherwise, secs)?,
            (false, None) => None,
        };
        if let Some(value) = value {
            chosen.insert(secs, value);
        }
    }
    Ok(Value::Series(chosen))
}
