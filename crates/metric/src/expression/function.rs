//! The functions that are known.

use super::{Expression, Operator};

macro_rules! functions {
    ($($name:ident = $text:literal($min:literal..=$max:literal),)*) => {
        /// A function, by its name in expressions.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Function {
            $($name,)*
        }

        impl Function {
            /// By its name, written in either case.
            pub(crate) fn parse(name: &str) -> Option<Self> {
                match name.to_ascii_uppercase().as_str() {
                    $($text => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// Its name.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// How many arguments it takes.
            pub(crate) fn arity(self) -> std::ops::RangeInclusive<usize> {
                match self {
                    $(Self::$name => $min..=$max,)*
                }
            }
        }
    };
}

functions! {
    Abs = "ABS"(1..=1),
    Avg = "AVG"(1..=1),
    Ceil = "CEIL"(1..=1),
    Diff = "DIFF"(1..=1),
    DiffTime = "DIFF_TIME"(1..=1),
    Fill = "FILL"(2..=2),
    First = "FIRST"(1..=1),
    Floor = "FLOOR"(1..=1),
    If = "IF"(2..=3),
    Last = "LAST"(1..=1),
    Max = "MAX"(1..=1),
    MetricCount = "METRIC_COUNT"(1..=1),
    Metrics = "METRICS"(0..=1),
    Min = "MIN"(1..=1),
    Period = "PERIOD"(1..=1),
    Rate = "RATE"(1..=1),
    RunningSum = "RUNNING_SUM"(1..=1),
    Sum = "SUM"(1..=1),
    TimeSeries = "TIME_SERIES"(1..=1),
}

impl Function {
    /// Whether an argument of this form may stand at this place.
    pub(crate) fn takes(self, place: usize, argument: &Expression) -> bool {
        match argument {
            Expression::Text(_) => self == Self::Metrics,
            Expression::Word(_) => self == Self::Fill && place == 1,
            Expression::Id(_) => self != Self::Metrics,
            _ => !matches!(self, Self::Metrics | Self::Period),
        }
    }
}

impl Operator {
    /// Two numbers; `None` where there is no result, as in a division by zero.
    pub(crate) fn apply(self, left: f64, right: f64) -> Option<f64> {
        let truth = |holds: bool| if holds { 1.0 } else { 0.0 };
        let value = match self {
            Self::Plus => left + right,
            Self::Minus => left - right,
            Self::Times => left * right,
            Self::Divide => left / right,
            Self::Power => left.powf(right),
            Self::Less => truth(left < right),
            Self::LessOrEqual => truth(left <= right),
            Self::Greater => truth(left > right),
            Self::GreaterOrEqual => truth(left >= right),
            // As AWS's, to the last bit.
            Self::Equal => truth(left.total_cmp(&right).is_eq() || (left - right).abs() <= 0.0),
            Self::NotEqual => truth((left - right).abs() > 0.0),
            Self::And => truth(is_true(left) && is_true(right)),
            Self::Or => truth(is_true(left) || is_true(right)),
        };
        value.is_finite().then_some(value)
    }
}

/// "Any value other than 0 is true."
pub(crate) fn is_true(value: f64) -> bool {
    value.abs() > 0.0
}
