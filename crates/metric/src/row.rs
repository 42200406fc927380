//! Keys of the rows that metrics are kept in.
//!
//! | key | value |
//! |---|---|
//! | `s`, series 8 | the series and when it last had data, JSON |
//! | `d`, number 8 | deltas that are in no block yet ([`encode_deltas`](crate::encode_deltas)) |
//! | `b`, series 8, tier 1, start in seconds 8 | a block ([`encode_block`](crate::encode_block)) |
//! | `a` | the moment in seconds for which blocks were last moved from tier to tier, 8 |
//! | `h`, alarm's key, NUL, moment in ms 8, number 2 | an item of its history, JSON |
//!
//! The last are [`Item`](crate::Item)'s. Numbers are big-endian.

use std::ops::Range;

use crate::tier::BlockId;
use crate::{SeriesId, Tier};

const SERIES: u8 = b's';
const DELTAS: u8 = b'd';
const BLOCK: u8 = b'b';
const AGED: &[u8] = b"a";
const BLOCK_KEY_LEN: usize = 18;

/// The key of a series' row.
pub fn series_key(id: SeriesId) -> Vec<u8> {
    [&[SERIES], &id.0.to_be_bytes()[..]].concat()
}

/// The series of a key.
pub fn read_series_key(key: &[u8]) -> Option<SeriesId> {
    numbered(SERIES, key).map(SeriesId)
}

/// Keys of all series.
pub fn series_range() -> Range<Vec<u8>> {
    vec![SERIES]..vec![SERIES + 1]
}

/// The key of deltas.
pub fn deltas_key(number: u64) -> Vec<u8> {
    [&[DELTAS], &number.to_be_bytes()[..]].concat()
}

/// The number of a key of deltas.
pub fn read_deltas_key(key: &[u8]) -> Option<u64> {
    numbered(DELTAS, key)
}

/// Keys of all deltas.
pub fn deltas_range() -> Range<Vec<u8>> {
    vec![DELTAS]..vec![DELTAS + 1]
}

fn numbered(kind: u8, key: &[u8]) -> Option<u64> {
    let number = key.strip_prefix(&[kind])?.try_into().ok()?;
    Some(u64::from_be_bytes(number))
}

/// The key of a block.
pub fn block_key(block: BlockId) -> Vec<u8> {
    let (series, start) = (block.series.0.to_be_bytes(), block.start.to_be_bytes());
    [&[BLOCK], &series[..], &[block.tier.code()], &start[..]].concat()
}

/// The block of a key.
pub fn read_block_key(key: &[u8]) -> Option<BlockId> {
    if key.len() != BLOCK_KEY_LEN || key[0] != BLOCK {
        return None;
    }
    let series = SeriesId(u64::from_be_bytes(key[1..9].try_into().ok()?));
    let start = i64::from_be_bytes(key[10..].try_into().ok()?);
    Some(BlockId { series, tier: Tier::of_code(key[9])?, start })
}

/// Keys of the blocks of a series that may have points from `from` to before `to`, in seconds.
pub fn blocks_range(series: SeriesId, tier: Tier, from: i64, to: i64) -> Range<Vec<u8>> {
    block_key(BlockId::of(series, tier, from))..block_key(BlockId { series, tier, start: to })
}

/// Keys of the blocks of a series whose time is over now, and was not at `before` if there was such a moment.
///
/// Without it a walk goes over all that were ever deleted, as long as the engine has not forgotten them.
pub fn old_blocks_range(series: SeriesId, tier: Tier, before_secs: Option<i64>, now_secs: i64) -> Range<Vec<u8>> {
    let end = tier.over_before(now_secs).max(0);
    let start = before_secs.map_or(0, |before| tier.over_before(before)).clamp(0, end);
    block_key(BlockId { series, tier, start })..block_key(BlockId { series, tier, start: end })
}

/// The key of the moment for which blocks were last moved.
pub fn aged_key() -> Vec<u8> {
    AGED.to_vec()
}

/// The row of that moment.
pub fn aged_row(secs: i64) -> Vec<u8> {
    secs.to_be_bytes().to_vec()
}

/// What [`aged_row`] wrote.
pub fn read_aged_row(row: &[u8]) -> Option<i64> {
    Some(i64::from_be_bytes(row.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_back_and_stand_in_the_order_of_time() {
        let block = BlockId { series: SeriesId(258), tier: Tier::FiveMinutes, start: 86_400 };
        assert_eq!(read_block_key(&block_key(block)), Some(block));
        assert_eq!(read_series_key(&series_key(SeriesId(9))), Some(SeriesId(9)));
        assert_eq!(read_deltas_key(&deltas_key(9)), Some(9));
        assert_eq!((read_deltas_key(&series_key(SeriesId(9))), read_block_key(b"b")), (None, None));
        let range = blocks_range(SeriesId(258), Tier::FiveMinutes, 100_000, 200_000);
        let holds = |start| range.contains(&block_key(BlockId { start, ..block }));
        assert!(holds(86_400) && holds(172_800) && !holds(259_200) && !holds(0));
        let now = 15 * 86_400 + 3600;
        let holds = |before, start| {
            let old = old_blocks_range(SeriesId(258), Tier::Minute, before, now);
            old.contains(&block_key(BlockId { tier: Tier::Minute, start, ..block }))
        };
        assert!(holds(None, 0) && Tier::Minute.is_over(0, now));
        assert!(!holds(None, 3600) && !Tier::Minute.is_over(3600, now));
        assert!(holds(Some(now - 1), 0) && !holds(Some(now), 0) && !holds(Some(now + 7200), 0));
        assert_eq!(read_aged_row(&aged_row(now)), Some(now));
    }
}
