//! Which of 64 bytes are of which class, as the bits of a word.

use wide::u8x16;

/// Bytes of an event that are looked at together.
pub(super) const BLOCK: usize = 64;

/// The bytes of one block by class; the lowest bit is the first byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Masks {
    pub(super) quote: u64,
    pub(super) backslash: u64,
    /// `{` and `[`.
    pub(super) open: u64,
    /// `}` and `]`.
    pub(super) close: u64,
    /// Below 0x20: white space too.
    pub(super) control: u64,
    /// Not ASCII.
    pub(super) high: u64,
}

/// The further classes that the grammar needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct GrammarMasks {
    pub(super) comma: u64,
    pub(super) colon: u64,
    pub(super) space: u64,
}

/// A block in four vectors. What every processor of an architecture has is enough: 16 bytes at a time.
struct Block([u8x16; BLOCK / 16]);

impl Block {
    #[inline]
    fn new(block: &[u8; BLOCK]) -> Self {
        let (quarters, _) = block.as_chunks::<16>();
        Self(std::array::from_fn(|index| u8x16::new(quarters[index])))
    }

    #[inline]
    fn bits(&self, class: impl Fn(u8x16) -> u8x16) -> u64 {
        self.0.iter().rev().fold(0, |bits, &quarter| bits << 16 | u64::from(class(quarter).to_bitmask()))
    }

    #[inline]
    fn equal(&self, byte: u8) -> u64 {
        self.bits(|bytes| bytes.simd_eq(u8x16::splat(byte)))
    }

    /// As [`Block::equal`], for `byte` and for `byte` without its bit 0x20.
    #[inline]
    fn equal_folded(&self, byte: u8) -> u64 {
        self.bits(|bytes| (bytes | u8x16::splat(0x20)).simd_eq(u8x16::splat(byte)))
    }

    #[inline]
    fn at_most(&self, byte: u8) -> u64 {
        self.bits(|bytes| bytes.min(u8x16::splat(byte)).simd_eq(bytes))
    }

    #[inline]
    fn high(&self) -> u64 {
        self.bits(|bytes| bytes)
    }
}

/// The classes of a block's bytes; those of the grammar only with `GRAMMAR`.
#[inline]
pub(super) fn classify<const GRAMMAR: bool>(block: &[u8; BLOCK]) -> (Masks, GrammarMasks) {
    let block = Block::new(block);
    let masks = Masks {
        quote: block.equal(b'"'),
        backslash: block.equal(b'\\'),
        open: block.equal_folded(b'{'),
        close: block.equal_folded(b'}'),
        control: block.at_most(0x1f),
        high: block.high(),
    };
    let grammar = if GRAMMAR {
        let space = block.equal(b' ') | block.equal(b'\n') | block.equal(b'\r') | block.equal(b'\t');
        GrammarMasks { comma: block.equal(b','), colon: block.equal(b':'), space }
    } else {
        GrammarMasks::default()
    };
    (masks, grammar)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(block: &[u8; BLOCK], class: impl Fn(u8) -> bool) -> u64 {
        block.iter().rev().fold(0, |bits, &byte| bits << 1 | u64::from(class(byte)))
    }

    #[test]
    fn every_byte_at_every_place() {
        for byte in 0..=u8::MAX {
            for place in 0..BLOCK {
                for filler in [b'a', b'"', b'\\', b'{', b']', 0, b'\n', 0xff] {
                    let mut block = [filler; BLOCK];
                    block[place] = byte;
                    let masks = Masks {
                        quote: naive(&block, |byte| byte == b'"'),
                        backslash: naive(&block, |byte| byte == b'\\'),
                        open: naive(&block, |byte| byte == b'{' || byte == b'['),
                        close: naive(&block, |byte| byte == b'}' || byte == b']'),
                        control: naive(&block, |byte| byte < 0x20),
                        high: naive(&block, |byte| byte > 0x7f),
                    };
                    let grammar = GrammarMasks {
                        comma: naive(&block, |byte| byte == b','),
                        colon: naive(&block, |byte| byte == b':'),
                        space: naive(&block, |byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')),
                    };
                    assert_eq!(classify::<true>(&block), (masks, grammar), "{byte} at {place} in {filler}");
                }
            }
        }
    }
}
