//! Numbers that may be compared by value.

use std::fmt::Write as _;
use std::hash::{Hash, Hasher};

/// Significant decimal digits that every double keeps, so that a literal within them needs no closer look.
const SAFE_DIGITS: usize = 15;
/// Powers of ten well inside the range of normal doubles.
const SAFE_EXPONENT: i64 = 290;
/// No shortest decimal form of a double has more digits.
const MAX_SHORTEST_DIGITS: usize = 17;
/// Exponents are cut here: far outside what a double can hold, far inside `i64`.
const EXPONENT_BOUND: i64 = 1_000_000_000_000;

/// A number whose shortest decimal form as a double is exactly its literal, so that comparing doubles is exact.
///
/// 300, 300.0 and 3e2 are the same number, and so are 0 and -0. 9007199254740993, 1e400 and fractions of twenty digits
/// are not comparable.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Comparable(f64);

impl Comparable {
    /// The number.
    pub(crate) fn value(self) -> f64 {
        self.0
    }

    /// Reads a JSON number; `None` where it is not comparable.
    pub(crate) fn parse(literal: &[u8]) -> Option<Self> {
        let value = nearest(literal);
        if !value.is_finite() {
            return None;
        }
        if literal.len() > SAFE_DIGITS && is_printed_so(value, literal) {
            return Some(Self(value));
        }
        let decimal = Decimal::parse(literal)?;
        if decimal.len == 0 {
            return Some(Self(0.0));
        }
        let plain = decimal.len <= SAFE_DIGITS && decimal.exponent.abs() < SAFE_EXPONENT;
        (plain || decimal == Decimal::shortest(value)? || decimal == Decimal::two_digits(value)?).then_some(Self(value))
    }
}

/// The double nearest to a JSON number; infinite beyond all doubles. Zero has one sign.
pub(crate) fn nearest(literal: &[u8]) -> f64 {
    // Adding zero leaves all numbers but -0 as they are.
    fast_float2::parse::<f64, _>(literal).unwrap_or(f64::NAN) + 0.0
}

/// Whether the shortest form of a double, without exponent, is this literal: so are most numbers of many digits.
fn is_printed_so(value: f64, literal: &[u8]) -> bool {
    let mut text = Buffer { bytes: [0; 32], len: 0 };
    write!(text, "{value}").is_ok() && text.bytes[..text.len] == *literal
}

/// A number that sorts as doubles do.
pub(crate) fn order_key(number: f64) -> u64 {
    let bits = number.to_bits();
    if number.is_sign_negative() { !bits } else { bits | 1 << 63 }
}

// Never NaN, and zero has one sign: equality of bits is equality of numbers.
impl PartialEq for Comparable {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Comparable {}

impl Hash for Comparable {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

impl PartialOrd for Comparable {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        self.0.partial_cmp(&other.0)
    }
}

/// ±0.D₁D₂… × 10^exponent without zeros at either end; no digits is zero.
#[derive(PartialEq, Eq, Debug)]
struct Decimal {
    negative: bool,
    digits: [u8; MAX_SHORTEST_DIGITS],
    len: usize,
    exponent: i64,
}

impl Decimal {
    /// `None` where there are more digits than any shortest form has.
    fn parse(literal: &[u8]) -> Option<Self> {
        let (negative, rest) = match literal {
            [b'-', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let mut decimal = Self { negative, digits: [0; MAX_SHORTEST_DIGITS], len: 0, exponent: 0 };
        let mut zeros = 0_usize;
        let mut fraction = false;
        for (at, &byte) in rest.iter().enumerate() {
            match byte {
                b'.' => fraction = true,
                b'e' | b'E' => {
                    decimal.exponent += exponent(&rest[at + 1..]);
                    break;
                }
                digit => decimal.push(digit, &mut zeros, fraction)?,
            }
        }
        Some(decimal)
    }

    fn push(&mut self, digit: u8, zeros: &mut usize, fraction: bool) -> Option<()> {
        let leading = self.len == 0;
        if digit == b'0' {
            *zeros += usize::from(!leading);
        } else {
            let len = self.len + *zeros + 1;
            if len > MAX_SHORTEST_DIGITS {
                return None;
            }
            self.digits[self.len..len - 1].fill(b'0');
            self.digits[len - 1] = digit;
            self.len = len;
            *zeros = 0;
        }
        // The point stands before the first digit that counts.
        self.exponent += match (leading && digit == b'0', fraction) {
            (true, true) => -1,
            (false, false) => 1,
            _ => 0,
        };
        Some(())
    }

    /// The shortest digits that read back as `value`.
    fn shortest(value: f64) -> Option<Self> {
        let mut text = Buffer { bytes: [0; 32], len: 0 };
        write!(text, "{value:e}").ok()?;
        Self::parse(&text.bytes[..text.len])
    }

    /// `value` in two digits, where one would do: the engine never prints fewer. It makes a difference for the smallest
    /// subnormals only, 4.9e-324 being also 5e-324.
    fn two_digits(value: f64) -> Option<Self> {
        let mut text = Buffer { bytes: [0; 32], len: 0 };
        write!(text, "{value:.1e}").ok()?;
        let reads_back = std::str::from_utf8(&text.bytes[..text.len]).ok()?.parse() == Ok(value);
        if reads_back { Self::parse(&text.bytes[..text.len]) } else { Self::shortest(value) }
    }
}

fn exponent(text: &[u8]) -> i64 {
    let (negative, digits) = match text {
        [sign @ (b'-' | b'+'), digits @ ..] => (*sign == b'-', digits),
        digits => (false, digits),
    };
    let size = digits.iter().fold(0_i64, |size, digit| (size * 10 + i64::from(digit - b'0')).min(EXPONENT_BOUND));
    if negative { -size } else { size }
}

/// Room for any double in scientific form: 17 digits, point, sign, exponent.
struct Buffer {
    bytes: [u8; 32],
    len: usize,
}

impl std::fmt::Write for Buffer {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.len + text.len();
        self.bytes.get_mut(self.len..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Comparable;

    #[test]
    fn equal_numbers_in_other_forms() {
        let same =
            [("300", "300.0"), ("300", "3e2"), ("0", "-0"), ("0", "0.000e9"), ("1e-7", "0.0000001"), ("120", "1.2E+2")];
        for (left, right) in same {
            let (left, right) = (Comparable::parse(left.as_bytes()), Comparable::parse(right.as_bytes()));
            assert!(left.is_some());
            assert_eq!(left, right);
        }
        assert_ne!(Comparable::parse(b"1"), Comparable::parse(b"-1"));
    }

    #[test]
    fn what_a_double_does_not_hold_exactly_is_not_comparable() {
        let cases: [(&str, bool); 16] = [
            ("4.9e-324", true),
            ("4.94e-324", false),
            ("9007199254740992", true),
            ("9007199254740993", false),
            ("1e400", false),
            ("-1e400", false),
            ("1e-400", false),
            ("0e999999999999999999999", true),
            ("1e999999999999999999999", false),
            ("0.1000000000000000055511151231257827", false),
            ("0.1", true),
            ("0.30000000000000004", true),
            ("0.300000000000000040", true),
            ("1.7976931348623157e308", true),
            ("18446744073709551615", false),
            ("123456789012345678901234567890", false),
        ];
        for (literal, comparable) in cases {
            assert_eq!(Comparable::parse(literal.as_bytes()).is_some(), comparable, "{literal}");
        }
    }
}
