//! Which bytes of a block are of which class, as the bits of a word.
//!
//! On `x86_64` with AVX2, which nearly every processor since 2013 has, 32 bytes are looked at together, elsewhere 16.

/// Bytes of an event that make one word of bits.
pub(super) const BLOCK: usize = 64;
/// Blocks that are looked at in one go.
pub(super) const CHUNK: usize = 8;

/// The bytes of one block by class; the lowest bit is the first byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Masks {
    pub(super) quote: u64,
    /// The [`parity`] of the quotes.
    pub(super) parity: u64,
    pub(super) backslash: u64,
    /// `{`, `[`, `}` and `]`.
    pub(super) brackets: u64,
}

/// The further classes that the grammar needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct GrammarMasks {
    /// `{` and `[`.
    pub(super) open: u64,
    pub(super) comma: u64,
    pub(super) colon: u64,
    pub(super) space: u64,
    /// Below 0x20: white space too.
    pub(super) control: u64,
}

/// What is anywhere in some blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) control: bool,
    /// Bytes that are not ASCII.
    pub(super) high: bool,
}

/// The bits of `word` that have an odd number of bits at or below them.
pub(super) fn parity(mut word: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        word ^= word << shift;
    }
    word
}

/// The loop over blocks, for a `Block` type whose vectors have the processor's width.
macro_rules! classify_each {
    ($block:ident, $blocks:expr, $out:expr, $grammar:expr) => {{
        let mut odd = $block::nothing();
        let mut grammar = $grammar.iter_mut();
        for (bytes, masks) in $blocks.iter().zip($out.iter_mut()) {
            let block = $block::new(bytes);
            odd = odd.gather(block);
            masks.quote = block.equal(b'"');
            masks.parity = $block::parity(masks.quote);
            masks.backslash = block.equal(b'\\');
            masks.brackets = block.brackets();
            if let Some(grammar) = grammar.next() {
                *grammar = GrammarMasks {
                    open: block.equal_folded(b'{'),
                    comma: block.equal(b','),
                    colon: block.equal(b':'),
                    space: block.equal(b' ') | block.equal(b'\n') | block.equal(b'\r') | block.equal(b'\t'),
                    control: block.control(),
                };
            }
        }
        odd.flags()
    }};
}

mod narrow {
    use wide::u8x16;

    use super::{BLOCK, Flags, GrammarMasks, Masks};

    #[derive(Clone, Copy)]
    struct Block([u8x16; BLOCK / 16]);

    /// The least and the greatest byte so far, place by place.
    #[derive(Clone, Copy)]
    struct Odd(u8x16, u8x16);

    impl Block {
        fn nothing() -> Odd {
            Odd(u8x16::splat(b' '), u8x16::splat(0))
        }

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
        fn brackets(&self) -> u64 {
            self.bits(|bytes| {
                let folded = bytes | u8x16::splat(0x20);
                folded.simd_eq(u8x16::splat(b'{')) | folded.simd_eq(u8x16::splat(b'}'))
            })
        }

        fn parity(word: u64) -> u64 {
            super::parity(word)
        }

        #[inline]
        fn control(&self) -> u64 {
            self.bits(|bytes| bytes.min(u8x16::splat(0x1f)).simd_eq(bytes))
        }
    }

    impl Odd {
        #[inline]
        fn gather(self, block: Block) -> Self {
            let [a, b, c, d] = block.0;
            Self(self.0.min(a).min(b).min(c.min(d)), self.1 | a | b | (c | d))
        }

        fn flags(self) -> Flags {
            let control = self.0.min(u8x16::splat(0x1f)).simd_eq(self.0).to_bitmask() != 0;
            Flags { control, high: self.1.to_bitmask() != 0 }
        }
    }

    pub(super) fn classify(blocks: &[[u8; BLOCK]], out: &mut [Masks], grammar: &mut [GrammarMasks]) -> Flags {
        classify_each!(Block, blocks, out, grammar)
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_set_epi64x, _mm_set1_epi8, _mm256_cmpeq_epi8,
        _mm256_min_epu8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set_epi64x, _mm256_set1_epi8,
    };

    use super::{BLOCK, Flags, GrammarMasks, Masks};

    #[derive(Clone, Copy)]
    struct Block(__m256i, __m256i);

    /// As `narrow::Odd`.
    #[derive(Clone, Copy)]
    struct Odd(__m256i, __m256i);

    #[inline]
    #[target_feature(enable = "avx2")]
    fn splat(byte: u8) -> __m256i {
        _mm256_set1_epi8(byte.cast_signed())
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn load(half: &[u8; BLOCK], at: usize) -> __m256i {
        let word = |at: usize| {
            let mut eight = [0; 8];
            eight.copy_from_slice(&half[at..at + 8]);
            i64::from_le_bytes(eight)
        };
        _mm256_set_epi64x(word(at + 24), word(at + 16), word(at + 8), word(at))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn bits(low: __m256i, high: __m256i) -> u64 {
        let half = |bytes| u64::from(_mm256_movemask_epi8(bytes).cast_unsigned());
        half(low) | half(high) << 32
    }

    impl Block {
        #[inline]
        #[target_feature(enable = "avx2")]
        fn nothing() -> Odd {
            Odd(splat(b' '), splat(0))
        }

        #[inline]
        #[target_feature(enable = "avx2")]
        fn new(block: &[u8; BLOCK]) -> Self {
            Self(load(block, 0), load(block, 32))
        }

        #[inline]
        #[target_feature(enable = "avx2")]
        fn equal(&self, byte: u8) -> u64 {
            bits(_mm256_cmpeq_epi8(self.0, splat(byte)), _mm256_cmpeq_epi8(self.1, splat(byte)))
        }

        #[inline]
        #[target_feature(enable = "avx2")]
        fn folded(&self) -> Self {
            Self(_mm256_or_si256(self.0, splat(0x20)), _mm256_or_si256(self.1, splat(0x20)))
        }

        #[inline]
        #[target_feature(enable = "avx2")]
        fn equal_folded(&self, byte: u8) -> u64 {
            self.folded().equal(byte)
        }

        #[inline]
        #[target_feature(enable = "avx2")]
        fn brackets(&self) -> u64 {
            let either =
                |bytes| _mm256_or_si256(_mm256_cmpeq_epi8(bytes, splat(b'{')), _mm256_cmpeq_epi8(bytes, splat(b'}')));
            let folded = self.folded();
            bits(either(folded.0), either(folded.1))
        }

        /// A product without carries by a word of ones.
        #[inline]
        #[target_feature(enable = "avx2,pclmulqdq")]
        fn parity(word: u64) -> u64 {
            let product = _mm_clmulepi64_si128::<0>(_mm_set_epi64x(0, word.cast_signed()), _mm_set1_epi8(-1));
            _mm_cvtsi128_si64(product).cast_unsigned()
        }

        #[inline]
        #[target_feature(enable = "avx2")]
        fn control(&self) -> u64 {
            let below = |bytes| _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, splat(0x1f)), bytes);
            bits(below(self.0), below(self.1))
        }
    }

    impl Odd {
        #[inline]
        #[target_feature(enable = "avx2")]
        fn gather(self, block: Block) -> Self {
            Self(
                _mm256_min_epu8(self.0, _mm256_min_epu8(block.0, block.1)),
                _mm256_or_si256(self.1, _mm256_or_si256(block.0, block.1)),
            )
        }

        #[inline]
        #[target_feature(enable = "avx2")]
        fn flags(self) -> Flags {
            let control = Block(self.0, splat(b' ')).control() != 0;
            Flags { control, high: _mm256_movemask_epi8(self.1) != 0 }
        }
    }

    #[target_feature(enable = "avx2,pclmulqdq")]
    pub(super) fn classify(blocks: &[[u8; BLOCK]], out: &mut [Masks], grammar: &mut [GrammarMasks]) -> Flags {
        classify_each!(Block, blocks, out, grammar)
    }
}

/// The classes of the bytes of up to as many blocks as `out` has room for, and of the grammar as `grammar` has, which may be
/// none.
#[inline]
pub(super) fn classify(blocks: &[[u8; BLOCK]], out: &mut [Masks], grammar: &mut [GrammarMasks]) -> Flags {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("pclmulqdq") {
        // SAFETY: the one thing that `avx2::classify` asks of its callers is a processor with AVX2 and PCLMULQDQ, which were
        // just found to be there. It has no other unsafe code, and takes and returns ordinary values.
        #[allow(unsafe_code, reason = "calls to functions with other processor features have no safe form")]
        return unsafe { avx2::classify(blocks, out, grammar) };
    }
    narrow::classify(blocks, out, grammar)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(block: &[u8; BLOCK], class: impl Fn(u8) -> bool) -> u64 {
        block.iter().rev().fold(0, |bits, &byte| bits << 1 | u64::from(class(byte)))
    }

    fn expected(block: &[u8; BLOCK]) -> (Masks, GrammarMasks, Flags) {
        let grammar = GrammarMasks {
            open: naive(block, |byte| byte == b'{' || byte == b'['),
            comma: naive(block, |byte| byte == b','),
            colon: naive(block, |byte| byte == b':'),
            space: naive(block, |byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')),
            control: naive(block, |byte| byte < 0x20),
        };
        let masks = Masks {
            quote: naive(block, |byte| byte == b'"'),
            parity: parity(naive(block, |byte| byte == b'"')),
            backslash: naive(block, |byte| byte == b'\\'),
            brackets: naive(block, |byte| b"{}[]".contains(&byte)),
        };
        (masks, grammar, Flags { control: grammar.control != 0, high: naive(block, |byte| byte > 0x7f) != 0 })
    }

    #[test]
    fn every_byte_at_every_place() {
        for byte in 0..=u8::MAX {
            for place in 0..BLOCK {
                for filler in [b'a', b'"', b'\\', b'{', b']', 0, b'\n', 0xff] {
                    let mut block = [filler; BLOCK];
                    block[place] = byte;
                    let expected = expected(&block);
                    for classify in [classify, narrow::classify] {
                        let (mut masks, mut grammar) = ([Masks::default()], [GrammarMasks::default()]);
                        let flags = classify(&[block], &mut masks, &mut grammar);
                        assert_eq!((masks[0], grammar[0], flags), expected, "{byte} at {place} in {filler}");
                    }
                }
            }
        }
    }

    #[test]
    fn parity_counts_the_bits_below() {
        for word in [0, 1, 0b1011, u64::MAX, 0x8000_0000_0000_0001, 0x0123_4567_89ab_cdef] {
            let odd = (0..64).filter(|bit| (word & (u64::MAX >> (63 - bit))).count_ones() % 2 == 1);
            assert_eq!(parity(word), odd.fold(0, |bits, bit| bits | 1 << bit), "{word:x}");
        }
    }

    #[test]
    fn flags_are_of_all_blocks() {
        let plain = [b'a'; BLOCK];
        for odd in [b'\n', 0xff] {
            for place in 0..3 * BLOCK {
                let mut blocks = [plain; 3];
                blocks[place / BLOCK][place % BLOCK] = odd;
                for classify in [classify, narrow::classify] {
                    let flags = classify(&blocks, &mut [Masks::default(); 3], &mut []);
                    assert_eq!(flags, Flags { control: odd == b'\n', high: odd == 0xff });
                }
            }
        }
    }
}
