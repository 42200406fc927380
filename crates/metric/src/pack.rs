//! How points are written down.
//!
//! A point is how long after the one before it begins (a varint of steps) and its numbers: one where all values are 1 or there
//! is only one value, else four. A number is a byte that says how it is written, and the shortest of these, without the zeros at
//! its end: the bytes of its `f64` from the sign on, or those of the whole number that it is a thousandth or a millionth of,
//! or is itself, from the lowest on. Most of what is measured is such a number. Counters and gauges take three or four bytes a
//! point, the worst takes 37.

use crate::tier::{BlockId, Points};
use crate::{SeriesId, Statistics, Tier};

/// All values are 1: their count follows.
const ONES: u8 = 0x10;
/// One value: it follows.
const SINGLE: u8 = 0x20;
/// Count, sum, least and greatest follow.
const GENERAL: u8 = 0x30;
const FORM: u8 = 0x30;
const LENGTH: u8 = 0x0f;
/// By the two bits of a number's first byte that say it: what a whole number is divided by. Zero stands for an `f64`.
const SCALES: [f64; 4] = [0.0, 1.0, 1e3, 1e6];
const SCALE_SHIFT: u32 = 6;

/// Bytes that are not what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damaged;

/// A change of a series' points, until it is in its block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Delta {
    /// Of which series.
    pub series: SeriesId,
    /// How fine.
    pub tier: Tier,
    /// The point's beginning, in seconds since the epoch.
    pub secs: i64,
    /// What came.
    pub values: Statistics,
}

/// The bytes of deltas.
pub fn encode_deltas<'d>(deltas: impl IntoIterator<Item = &'d Delta>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for delta in deltas {
        put_varint(&mut bytes, delta.series.0);
        bytes.push(delta.tier.code());
        put_varint(&mut bytes, delta.secs.div_euclid(delta.tier.step_s()).unsigned_abs());
        put_values(&mut bytes, delta.values);
    }
    bytes
}

/// What [`encode_deltas`] wrote.
pub fn decode_deltas(bytes: &[u8]) -> Result<Vec<Delta>, Damaged> {
    let mut rest = bytes;
    let mut deltas = Vec::new();
    while !rest.is_empty() {
        let series = SeriesId(take_varint(&mut rest)?);
        let tier = Tier::of_code(take(&mut rest, 1)?[0]).ok_or(Damaged)?;
        let steps = i64::try_from(take_varint(&mut rest)?).map_err(|_| Damaged)?;
        let secs = steps.checked_mul(tier.step_s()).ok_or(Damaged)?;
        deltas.push(Delta { series, tier, secs, values: take_values(&mut rest)? });
    }
    Ok(deltas)
}

/// The bytes of a block.
pub fn encode_block(block: BlockId, points: &Points) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut next = block.start;
    for (secs, values) in points {
        put_varint(&mut bytes, ((secs - next) / block.tier.step_s()).unsigned_abs());
        put_values(&mut bytes, *values);
        next = secs + block.tier.step_s();
    }
    bytes
}

/// What [`encode_block`] wrote.
pub fn decode_block(block: BlockId, bytes: &[u8]) -> Result<Points, Damaged> {
    let mut rest = bytes;
    let mut points = Points::new();
    let mut next = block.start;
    while !rest.is_empty() {
        let gap = i64::try_from(take_varint(&mut rest)?).map_err(|_| Damaged)?;
        let secs = gap.checked_mul(block.tier.step_s()).and_then(|gap| gap.checked_add(next)).ok_or(Damaged)?;
        if secs >= block.start + block.tier.block_s() {
            return Err(Damaged);
        }
        points.insert(secs, take_values(&mut rest)?);
        next = secs + block.tier.step_s();
    }
    Ok(points)
}

fn put_values(bytes: &mut Vec<u8>, values: Statistics) {
    let Statistics { count, sum, min, max } = values;
    let same = |a: f64, b: f64| a.to_bits() == b.to_bits();
    if same(sum, count) && same(min, 1.0) && same(max, 1.0) {
        put_number(bytes, ONES, count);
    } else if same(count, 1.0) && same(min, sum) && same(max, sum) {
        put_number(bytes, SINGLE, sum);
    } else {
        put_number(bytes, GENERAL, count);
        for value in [sum, min, max] {
            put_number(bytes, 0, value);
        }
    }
}

fn take_values(rest: &mut &[u8]) -> Result<Statistics, Damaged> {
    let (form, first) = take_number(rest)?;
    let mut next = || take_number(rest).map(|(_, value)| value);
    match form {
        ONES => Ok(Statistics { count: first, sum: first, min: 1.0, max: 1.0 }),
        SINGLE => Ok(Statistics::one(first)),
        GENERAL => Ok(Statistics { count: first, sum: next()?, min: next()?, max: next()? }),
        _ => Err(Damaged),
    }
}

fn put_number(bytes: &mut Vec<u8>, form: u8, value: f64) {
    let (mut shortest, mut scaled) = (trimmed(value.to_be_bytes()), 0);
    for (code, scale) in (0_u8..).zip(SCALES).skip(1) {
        let Some(whole) = whole(value, scale) else { continue };
        let other = trimmed(whole.to_le_bytes());
        if other.1 < shortest.1 {
            (shortest, scaled) = (other, code);
        }
    }
    let (all, length) = shortest;
    bytes.push(scaled << SCALE_SHIFT | form | length);
    bytes.extend_from_slice(&all[..length.into()]);
}

/// Bytes, and how many there are before the zeros at the end.
fn trimmed(bytes: [u8; 8]) -> ([u8; 8], u8) {
    let length = (0_u8..).zip(bytes).filter(|(_, byte)| *byte != 0).last().map_or(0, |(place, _)| place + 1);
    (bytes, length)
}

/// The whole number that gives exactly this value when it is divided by `scale`, with its sign in the lowest bit.
fn whole(value: f64, scale: f64) -> Option<u64> {
    // Greater ones do not stand for themselves in an `f64`, and the cast keeps to the bounds.
    const MAX: u64 = 1 << f64::MANTISSA_DIGITS;
    #[expect(clippy::cast_possible_truncation, reason = "it is checked that the number is the same")]
    let whole = (value * scale).round() as i64;
    let zigzag = ((whole << 1) ^ (whole >> 63)).cast_unsigned();
    (whole.unsigned_abs() < MAX && divided(zigzag, scale).to_bits() == value.to_bits()).then_some(zigzag)
}

/// What [`whole`] made a number of.
#[expect(clippy::cast_precision_loss, reason = "whole numbers of 53 bits")]
fn divided(zigzag: u64, scale: f64) -> f64 {
    let whole = (zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed();
    whole as f64 / scale
}

fn take_number(rest: &mut &[u8]) -> Result<(u8, f64), Damaged> {
    let head = take(rest, 1)?[0];
    let length = usize::from(head & LENGTH);
    let mut all = [0; 8];
    all.get_mut(..length).ok_or(Damaged)?.copy_from_slice(take(rest, length)?);
    let value = match usize::from(head >> SCALE_SHIFT) {
        0 => f64::from_be_bytes(all),
        scaled => divided(u64::from_le_bytes(all), SCALES[scaled]),
    };
    Ok((head & FORM, value))
}

fn take<'b>(rest: &mut &'b [u8], count: usize) -> Result<&'b [u8], Damaged> {
    let (taken, left) = rest.split_at_checked(count).ok_or(Damaged)?;
    *rest = left;
    Ok(taken)
}

/// LEB128: seven bits a byte, the lowest first.
fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push((value & 0x7f) as u8);
}

fn take_varint(rest: &mut &[u8]) -> Result<u64, Damaged> {
    let mut value = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let byte = take(rest, 1)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Damaged)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number() -> impl Strategy<Value = f64> {
        let fraction = (any::<i32>(), prop::sample::select(vec![10.0, 1e3, 1e6, 1e9, 7.0]));
        prop_oneof![
            Just(1.0),
            Just(0.0),
            Just(-0.0),
            (0..1000_u32).prop_map(f64::from),
            fraction.prop_map(|(whole, by)| f64::from(whole) / by),
            (any::<i32>(), 0..40_i32).prop_map(|(whole, power)| f64::from(whole) * 2.0_f64.powi(power)),
            any::<f64>(),
        ]
    }

    fn values() -> impl Strategy<Value = Statistics> {
        let general = (number(), number(), number(), number());
        prop_oneof![
            number().prop_map(Statistics::one),
            number().prop_map(|count| Statistics::repeated(1.0, count)),
            general.prop_map(|(count, sum, min, max)| Statistics { count, sum, min, max }),
        ]
    }

    fn bits(values: &Statistics) -> [u64; 4] {
        [values.count, values.sum, values.min, values.max].map(f64::to_bits)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(steps in proptest::collection::btree_map(0..60_i64, values(), 0..60), hour in 0..1_000_000_i64) {
            let block = BlockId { series: SeriesId(7), tier: Tier::Minute, start: hour * 3600 };
            let points: Points = steps.iter().map(|(step, values)| (block.start + step * 60, *values)).collect();
            let read = decode_block(block, &encode_block(block, &points)).unwrap();
            let shown = |points: &Points| points.iter().map(|(secs, values)| (*secs, bits(values))).collect::<Vec<_>>();
            prop_assert_eq!(shown(&read), shown(&points));
            let deltas: Vec<_> = points
                .iter()
                .map(|(secs, values)| Delta { series: SeriesId(u64::MAX), tier: Tier::Minute, secs: *secs, values: *values })
                .collect();
            let read = decode_deltas(&encode_deltas(&deltas)).unwrap();
            let shown = |deltas: &[Delta]| deltas.iter().map(|one| (one.series, one.tier, one.secs, bits(&one.values))).collect::<Vec<_>>();
            prop_assert_eq!(shown(&read), shown(&deltas));
        }

        #[test]
        fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode_block(BlockId { series: SeriesId(7), tier: Tier::Minute, start: 0 }, &bytes);
            let _ = decode_deltas(&bytes);
        }
    }

    #[test]
    fn numbers_are_as_short_as_they_can_be() {
        let length = |value| {
            let mut bytes = Vec::new();
            put_number(&mut bytes, 0, value);
            bytes.len()
        };
        assert_eq!([0.0, 1.0, -64.0, 127.0, 5_000.0, 0.5, 12.345, -0.001].map(length), [1, 2, 2, 2, 3, 3, 3, 2]);
        assert_eq!([2.0_f64.powi(300), 0.1 + 0.2, f64::NAN, 1.0 / 3.0].map(length), [3, 9, 3, 9]);
        assert_eq!([f64::NEG_INFINITY, f64::INFINITY, -1e30].map(length), [3, 3, 9]);
    }

    /// Blocks of earlier versions have no other numbers than these.
    #[test]
    fn numbers_that_are_all_f64_are_read() {
        let block = BlockId { series: SeriesId(7), tier: Tier::Minute, start: 0 };
        let bytes =
            [2, 0x13, 0x40, 0xb3, 0x88, 0, 0x22, 0x3f, 0xf0, 0, 0x32, 0x40, 0x08, 2, 0x40, 0x18, 0, 2, 0x40, 0x10];
        let last = Statistics { count: 3.0, sum: 6.0, min: 0.0, max: 4.0 };
        let points = [(120, Statistics::repeated(1.0, 5_000.0)), (180, Statistics::one(1.0)), (240, last)];
        assert_eq!(decode_block(block, &bytes), Ok(Points::from(points)));
    }

    /// 15 days of minutes, 48 more of five minutes, 392 more of hours, for 1,000 series, in less than 1 GiB.
    #[test]
    fn fifteen_months_of_a_thousand_series_fit_into_a_gibibyte() {
        // Many values a minute, none of them round: the worst that a program would measure.
        let latencies = |n: i64| {
            let spread = f64::from(i32::try_from(n % 977).unwrap());
            Statistics {
                count: 500.0 + spread,
                sum: 71.3 * spread + 0.1,
                min: 0.013 + spread / 7.0,
                max: 91.7 + spread / 3.0,
            }
        };
        let bytes_of = |tier: Tier, values: &dyn Fn(i64) -> Statistics| {
            let block = BlockId { series: SeriesId(1), tier, start: 0 };
            let count = tier.block_s() / tier.step_s();
            encode_block(block, &(0..count).map(|n| (n * tier.step_s(), values(n))).collect()).len()
        };
        let of_series = |values: &dyn Fn(i64) -> Statistics| {
            15 * 24 * bytes_of(Tier::Minute, values)
                + 48 * bytes_of(Tier::FiveMinutes, values)
                + 392 * bytes_of(Tier::Hour, values) / 30
        };
        let counters = of_series(&|n| Statistics::repeated(1.0, f64::from(i32::try_from(n).unwrap() % 200)));
        let gauges = of_series(&|n| Statistics::one(f64::from(i32::try_from(n).unwrap() % 200)));
        let worst = of_series(&latencies);
        assert!(counters < 300 << 10 && gauges < 300 << 10, "{counters} {gauges}");
        // Of the mixture that a server has, where a tenth are latencies, and keys and indexes besides.
        assert!((counters + gauges) * 450 + worst * 100 < (1 << 30) / 2, "{worst}");
    }
}
