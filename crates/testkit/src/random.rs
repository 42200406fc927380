//! Numbers that a seed repeats.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// `SplitMix64`: enough for choosing moments and sizes, and the same in every build.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.number() % end
    }

    /// One of two.
    pub fn coin(&mut self) -> bool {
        self.number() & 1 == 1
    }

    /// A span of milliseconds from `from` up to `to`.
    pub fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from))
    }

    /// Bytes that do not compress.
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        let words = (0..len.div_ceil(8)).flat_map(|_| self.number().to_le_bytes());
        words.take(len).collect()
    }
}

/// `SIGTRAIL_CRASH_SEED`, or a new one. It is printed, so that a failure can be tried again; moments of the kill repeat with
/// it, what the process has done by then only roughly.
pub fn seed() -> u64 {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
    let seed = crate::number_from_env("SIGTRAIL_CRASH_SEED", u64::from(nanos));
    println!("SIGTRAIL_CRASH_SEED={seed}");
    seed
}
