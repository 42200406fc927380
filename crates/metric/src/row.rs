//! Keys of the rows that metrics are kept in.
//!
//! | key | value |
//! |---|---|
//! | `s`, series 8 | the series and when it last had data, JSON |
//! | `d`, number 8 | deltas that are in no block yet ([`encode_deltas`](crate::encode_deltas)) |
//! | `b`, series 8, tier 1, start in seconds 8 | a block ([`encode_block`](crate::encode_block)) |
//! | `h`, alarm's key, NUL, moment in ms 8, number 2 | an item of its history, JSON |
//!
//! The last are [`Item`](crate::Item)'s. Numbers are big-endian.

use std::ops::Range;

use crate::tier::BlockId;
use crate::{SeriesId, Tier};

const SERIES: u8 = b's';
const DELTAS: u8 = b'd';
const BLOCK: u8 = b'b';
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

/// Keys of the blocks of a series whose time is over.
pub fn old_blocks_range(series: SeriesId, tier: Tier, now_secs: i64) -> Range<Vec<u8>> {
    let end = now_secs - tier.retention_s() - tier.block_s() + 1;
    block_key(BlockId { series, tier, start: 0 })..block_key(BlockId { series, tier, start: end.max(0) })
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
        let old = old_blocks_range(SeriesId(258), Tier::Minute, now);
        let holds = |start| old.contains(&block_key(BlockId { tier: Tier::Minute, start, ..block }));
        assert!(holds(0) && Tier::Minute.is_over(0, now));
        assert!(!holds(3600) && !Tier::Minute.is_over(3600, now));
    }
}
