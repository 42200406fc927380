//! JSON by blocks of 64 bytes: which of them open or close something, outside of texts.
//!
//! On `x86_64` with AVX2 32 bytes are looked at together, elsewhere 16.

/// Bytes that make one word of bits.
pub(crate) const BLOCK: usize = 64;
/// Blocks that are looked at in one go.
pub(crate) const CHUNK: usize = 8;

/// The bytes of one block by class; the lowest bit is the first byte.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Masks {
    quote: u64,
    /// The [`parity`] of the quotes.
    parity: u64,
    backslash: u64,
    open: u64,
    close: u64,
}

/// Whether the bytes before a block ended within a text, or behind a backslash.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Carry {
    /// All bits if within a text.
    in_text: u64,
    /// 1 if the next byte is escaped.
    escaped: u64,
}

/// The brackets of one block that are not in texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Brackets {
    /// `{` and `[`
    pub open: u64,
    /// `}` and `]`
    pub close: u64,
}

impl Carry {
    /// The brackets of the next block.
    #[inline]
    pub fn brackets(&mut self, masks: &Masks) -> Brackets {
        let escaped = self.escaped(masks.backslash);
        let quotes = masks.quote & !escaped;
        let odd = if quotes == masks.quote { masks.parity } else { parity(quotes) };
        let in_text = odd ^ self.in_text;
        // The last bit, spread over all.
        self.in_text = 0_u64.wrapping_sub(in_text >> 63);
        Brackets { open: masks.open & !in_text, close: masks.close & !in_text }
    }

    /// The bytes that stand behind a backslash which is not itself escaped.
    #[inline]
    fn escaped(&mut self, backslashes: u64) -> u64 {
        if backslashes == 0 {
            return std::mem::take(&mut self.escaped);
        }
        let (mut escaped, mut rest, mut next) = (self.escaped, backslashes & !self.escaped, 0);
        // Few blocks have any, and those few have few.
        while rest != 0 {
            let bit = rest & rest.wrapping_neg();
            let behind = bit << 1;
            if behind == 0 {
                next = 1;
            }
            escaped |= behind;
            rest &= !(bit | behind);
        }
        self.escaped = next;
        escaped
    }
}

/// The bits of `word` that have an odd number of bits at or below them.
#[inline]
fn parity(mut word: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        word ^= word << shift;
    }
    word
}

/// The classes of the bytes of up to [`CHUNK`] blocks.
#[inline]
pub(crate) fn classify(blocks: &[[u8; BLOCK]], out: &mut [Masks; CHUNK]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("pclmulqdq") {
        // SAFETY: the one thing that `avx2::classify` asks of its callers is a processor with AVX2 and PCLMULQDQ, which were
        // just found to be there. It has no other unsafe code, and takes and returns ordinary values.
        #[allow(unsafe_code, reason = "calls to functions with other processor features have no safe form")]
        return unsafe { avx2::classify(blocks, out) };
    }
    narrow::classify(blocks, out);
}

mod narrow {
    use wide::u8x16;

    use super::{BLOCK, CHUNK, Masks, parity};

    pub(super) fn classify(blocks: &[[u8; BLOCK]], out: &mut [Masks; CHUNK]) {
        for (block, masks) in blocks.iter().zip(out) {
            let (quarters, _) = block.as_chunks::<16>();
            let bits = |byte: u8, fold: u8| {
                quarters.iter().rev().fold(0, |bits: u64, quarter| {
                    let found = (u8x16::new(*quarter) | u8x16::splat(fold)).simd_eq(u8x16::splat(byte));
                    bits << 16 | u64::from(found.to_bitmask())
                })
            };
            let quote = bits(b'"', 0);
            let (open, close) = (bits(b'{', 0x20), bits(b'}', 0x20));
            *masks = Masks { quote, parity: parity(quote), backslash: bits(b'\\', 0), open, close };
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_set_epi64x, _mm_set1_epi8, _mm256_cmpeq_epi8,
        _mm256_movemask_epi8, _mm256_or_si256, _mm256_set_epi64x, _mm256_set1_epi8,
    };

    use super::{BLOCK, CHUNK, Masks};

    #[inline]
    #[target_feature(enable = "avx2")]
    fn load(half: &[u8]) -> __m256i {
        let word = |at: usize| {
            let mut eight = [0; 8];
            eight.copy_from_slice(&half[at..at + 8]);
            i64::from_le_bytes(eight)
        };
        _mm256_set_epi64x(word(24), word(16), word(8), word(0))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn equal(bytes: (__m256i, __m256i), byte: u8) -> u64 {
        let wanted = _mm256_set1_epi8(byte.cast_signed());
        let half = |bytes| u64::from(_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, wanted)).cast_unsigned());
        half(bytes.0) | half(bytes.1) << 32
    }

    /// The parity is a product without carries by a word of ones.
    #[target_feature(enable = "avx2,pclmulqdq")]
    pub(super) fn classify(blocks: &[[u8; BLOCK]], out: &mut [Masks; CHUNK]) {
        let case = _mm256_set1_epi8(0x20);
        for (block, masks) in blocks.iter().zip(out) {
            let bytes = (load(&block[..32]), load(&block[32..]));
            let folded = (_mm256_or_si256(bytes.0, case), _mm256_or_si256(bytes.1, case));
            masks.quote = equal(bytes, b'"');
            masks.backslash = equal(bytes, b'\\');
            (masks.open, masks.close) = (equal(folded, b'{'), equal(folded, b'}'));
            let product = _mm_clmulepi64_si128::<0>(_mm_set_epi64x(0, masks.quote.cast_signed()), _mm_set1_epi8(-1));
            masks.parity = _mm_cvtsi128_si64(product).cast_unsigned();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Byte by byte.
    fn naive(text: &[u8]) -> Vec<(usize, bool)> {
        let (mut in_text, mut escaped, mut found) = (false, false, Vec::new());
        for (at, byte) in text.iter().enumerate() {
            // A backslash outside of texts is no JSON; what it does there must only be the same.
            let behind_backslash = std::mem::take(&mut escaped);
            match byte {
                b'\\' => escaped = !behind_backslash,
                b'"' if !behind_backslash => in_text = !in_text,
                b'{' | b'[' if !in_text => found.push((at, true)),
                b'}' | b']' if !in_text => found.push((at, false)),
                _ => {}
            }
        }
        found
    }

    proptest! {
        #[test]
        fn as_byte_by_byte(text in prop::collection::vec(prop::sample::select(&b"{}[]\"\\\\ax\x00\xff|;"[..]), 0..400)) {
            let mut padded = text.clone();
            padded.resize(text.len().next_multiple_of(BLOCK), b' ');
            let (mut carry, mut found) = (Carry::default(), Vec::new());
            for (index, block) in padded.as_chunks::<BLOCK>().0.iter().enumerate() {
                let (mut masks, mut narrow) = ([Masks::default(); CHUNK], [Masks::default(); CHUNK]);
                classify(&[*block], &mut masks);
                narrow::classify(&[*block], &mut narrow);
                prop_assert_eq!(masks, narrow);
                let brackets = carry.brackets(&masks[0]);
                for bit in 0..BLOCK {
                    if (brackets.open | brackets.close) >> bit & 1 == 1 {
                        found.push((index * BLOCK + bit, brackets.open >> bit & 1 == 1));
                    }
                }
            }
            prop_assert_eq!(found, naive(&text));
        }
    }
}
