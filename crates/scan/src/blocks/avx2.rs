//! 32 bytes together.

use std::arch::x86_64::{
    __m256i, _mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_set_epi64x, _mm_set1_epi8, _mm256_and_si256,
    _mm256_cmpeq_epi8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8, _mm256_setzero_si256,
    _mm256_testz_si256,
};

use bytemuck::must_cast;

use super::{BLOCK, CHUNK, CHUNKS, Carry, Chunk, Classes};
use crate::literal::Pair;

/// Whether the processor can.
pub(super) fn is_there() -> bool {
    std::arch::is_x86_feature_detected!("avx2")
        && std::arch::is_x86_feature_detected!("pclmulqdq")
        && std::arch::is_x86_feature_detected!("popcnt")
}

/// Only where it [`is_there`].
#[target_feature(enable = "avx2,pclmulqdq,popcnt")]
pub(super) fn look(
    chunks: &[[u8; CHUNK]],
    next: &[[u8; CHUNK]],
    pair: Pair,
    carry: &mut Carry,
    out: &mut [Chunk; CHUNKS],
) {
    for ((bytes, next), out) in chunks.iter().zip(next).zip(out) {
        carry.resolve(bytes, &mut classify(bytes, next, pair), |word| parity(word), out);
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn classify(bytes: &[u8; CHUNK], next: &[u8; CHUNK], pair: Pair) -> Classes {
    let mut classes = Classes::default();
    let (first, second) = (splat(pair.first), splat(pair.second));
    let (case, backslash) = (splat(0x20), splat(b'\\'));
    let mut marked = _mm256_setzero_si256();
    let (blocks, next_blocks) = (bytes.as_chunks::<BLOCK>().0, next.as_chunks::<BLOCK>().0);
    for (index, (block, next)) in blocks.iter().zip(next_blocks).enumerate() {
        let (halves, next): ([__m256i; 2], [__m256i; 2]) = (must_cast(*block), must_cast(*next));
        classes.quote[index] = equal(halves, b'"');
        let folded = halves.map(|half| _mm256_or_si256(half, case));
        (classes.open[index], classes.close[index]) = (equal(folded, b'{'), equal(folded, b'}'));
        for (half, next) in halves.into_iter().zip(next) {
            let is_pair = _mm256_and_si256(_mm256_cmpeq_epi8(half, first), _mm256_cmpeq_epi8(next, second));
            marked = _mm256_or_si256(marked, _mm256_or_si256(is_pair, _mm256_cmpeq_epi8(half, backslash)));
        }
    }
    classes.is_marked = _mm256_testz_si256(marked, marked) == 0;
    classes
}

/// The bits of `word` that have an odd number of bits at or below them: a product without carries by a word of ones.
#[inline]
#[target_feature(enable = "pclmulqdq")]
fn parity(word: u64) -> u64 {
    let product = _mm_clmulepi64_si128::<0>(_mm_set_epi64x(0, word.cast_signed()), _mm_set1_epi8(-1));
    _mm_cvtsi128_si64(product).cast_unsigned()
}

#[inline]
#[target_feature(enable = "avx2")]
fn equal([low, high]: [__m256i; 2], byte: u8) -> u64 {
    let wanted = splat(byte);
    let half = |bytes| u64::from(_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, wanted)).cast_unsigned());
    half(low) | half(high) << 32
}

#[inline]
#[target_feature(enable = "avx2")]
fn splat(byte: u8) -> __m256i {
    _mm256_set1_epi8(byte.cast_signed())
}
