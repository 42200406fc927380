//! Numbers in ranges and addresses in blocks.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::Waiting;
use crate::address::Cidr;
use crate::hash::FastMap;

/// Closed ranges of 64-bit keys.
///
/// An interval tree over the bits of the keys: a range stands at the smallest block of keys that share their first bits and
/// that holds it. Its ends lie in different halves of that block, so a key in the lower half is in all ranges of the block
/// that start at or below it, a key in the upper half in all that end at or above it. Finding looks up one block for each
/// length in use (65 at most) and otherwise only what is found.
#[derive(Clone, Debug, Default)]
pub(super) struct Ranges {
    blocks: FastMap<(u32, u64), Block>,
    /// Bit `n`: some block has `n` bits in common.
    lengths: u128,
}

#[derive(Clone, Debug, Default)]
struct Block {
    by_bottom: BTreeMap<u64, Waiting>,
    by_top: BTreeMap<u64, Waiting>,
}

fn bits(mut lengths: u128) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        let length = (lengths != 0).then(|| lengths.trailing_zeros())?;
        lengths &= lengths - 1;
        Some(length)
    })
}

fn block_of(length: u32, key: u64) -> (u32, u64) {
    (length, key.checked_shr(64 - length).unwrap_or(0))
}

impl Ranges {
    pub(super) fn is_empty(&self) -> bool {
        self.lengths == 0
    }

    /// How many wait for this range or one that starts together with it.
    pub(super) fn crowd(&self, bottom: u64, top: u64) -> usize {
        let block = self.blocks.get(&block_of((bottom ^ top).leading_zeros(), bottom));
        block.and_then(|block| block.by_bottom.get(&bottom)).map_or(0, Vec::len)
    }

    pub(super) fn add(&mut self, bottom: u64, top: u64, sub: u32) {
        let length = (bottom ^ top).leading_zeros();
        let block = self.blocks.entry(block_of(length, bottom)).or_default();
        block.by_bottom.entry(bottom).or_default().push(sub);
        block.by_top.entry(top).or_default().push(sub);
        self.lengths |= 1 << length;
    }

    pub(super) fn remove(&mut self, bottom: u64, top: u64, sub: u32) {
        let Some(block) = self.blocks.get_mut(&block_of((bottom ^ top).leading_zeros(), bottom)) else { return };
        for (side, key) in [(&mut block.by_bottom, bottom), (&mut block.by_top, top)] {
            if let Some(waiting) = side.get_mut(&key) {
                super::take_out(waiting, sub);
                if waiting.is_empty() {
                    side.remove(&key);
                }
            }
        }
    }

    pub(super) fn find(&self, key: u64, found: &mut impl FnMut(&Waiting)) {
        for length in bits(self.lengths) {
            let Some(block) = self.blocks.get(&block_of(length, key)) else { continue };
            let upper = 63_u32.checked_sub(length).is_some_and(|bit| key >> bit & 1 == 1);
            if upper {
                block.by_top.range(key..).for_each(|(_, waiting)| found(waiting));
            } else {
                block.by_bottom.range(..=key).for_each(|(_, waiting)| found(waiting));
            }
        }
    }
}

/// Blocks of addresses, by what their addresses have in common.
#[derive(Clone, Debug, Default)]
pub(super) struct Networks {
    waiting: FastMap<(bool, u32, u128), Waiting>,
    /// Bit `n`: some block of IPv4, of IPv6, has `n` mask bits.
    lengths: [u128; 2],
}

/// A family, 1 for IPv6, its width in bits, and the address as a number.
fn number(address: IpAddr) -> (usize, u32, u128) {
    match address {
        IpAddr::V4(address) => (0, 32, address.to_bits().into()),
        IpAddr::V6(address) => (1, 128, address.to_bits()),
    }
}

impl Networks {
    fn key(address: IpAddr, length: u32) -> (bool, u32, u128) {
        let (family, width, bits) = number(address);
        (family == 1, length, bits.checked_shr(width - length).unwrap_or(0))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn get(&self, block: &Cidr) -> Option<&Waiting> {
        self.waiting.get(&Self::key(block.first(), block.mask_bits()))
    }

    pub(super) fn waiting(&mut self, block: &Cidr) -> &mut Waiting {
        self.lengths[number(block.first()).0] |= 1 << block.mask_bits();
        self.waiting.entry(Self::key(block.first(), block.mask_bits())).or_default()
    }

    pub(super) fn find(&self, address: IpAddr, found: &mut impl FnMut(&Waiting)) {
        let (family, ..) = number(address);
        for length in bits(self.lengths[family]) {
            if let Some(waiting) = self.waiting.get(&Self::key(address, length)) {
                found(waiting);
            }
        }
        // Without mask bits a block holds the other family too.
        if self.lengths[1 - family] & 1 == 1
            && let Some(waiting) = self.waiting.get(&(family == 0, 0, 0))
        {
            found(waiting);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_the_ranges_around_a_key(
            ranges in prop::collection::vec((prop_oneof![0..40_u64, any::<u64>()], prop_oneof![0..40_u64, any::<u64>()]), 0..30),
            removed in prop::collection::vec(any::<bool>(), 30),
            keys in prop::collection::vec(prop_oneof![0..50_u64, any::<u64>(), Just(u64::MAX)], 1..10),
        ) {
            let ranges: Vec<_> = ranges.into_iter().map(|(one, other)| (one.min(other), one.max(other))).collect();
            let mut tree = Ranges::default();
            for (sub, &(bottom, top)) in (0..).zip(&ranges) {
                tree.add(bottom, top, sub);
            }
            for ((sub, &(bottom, top)), _) in (0..).zip(&ranges).zip(&removed).filter(|(_, removed)| **removed) {
                tree.remove(bottom, top, sub);
            }
            for key in keys.into_iter().chain(ranges.iter().flat_map(|&(bottom, top)| [bottom, top, top.wrapping_add(1)])) {
                let mut found: Vec<u32> = Vec::new();
                tree.find(key, &mut |waiting| found.extend(waiting));
                found.sort_unstable();
                let expected: Vec<u32> = (0..).zip(&ranges).zip(&removed)
                    .filter(|((_, (bottom, top)), removed)| !**removed && (*bottom..=*top).contains(&key))
                    .map(|((sub, _), _)| sub)
                    .collect();
                prop_assert_eq!(found, expected);
            }
        }
    }
}
