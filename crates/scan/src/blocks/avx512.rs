//! 64 bytes together, and the words of bits of a whole chunk together.

use std::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_alignr_epi64, _mm512_andnot_si512, _mm512_clmulepi64_epi128,
    _mm512_cmpeq_epi8_mask, _mm512_cmple_epi64_mask, _mm512_mask_xor_epi64, _mm512_min_epu8, _mm512_movepi64_mask,
    _mm512_or_si512, _mm512_popcnt_epi64, _mm512_set1_epi8, _mm512_set1_epi64, _mm512_setzero_si512, _mm512_sub_epi64,
    _mm512_testn_epi8_mask, _mm512_unpacklo_epi64, _mm512_xor_si512,
};

use bytemuck::must_cast;

use super::{BLOCK, BLOCKS, Bits, CHUNK, CHUNKS, Carry, Chunk, Classes};
use crate::literal::Pair;

/// Whether the processor can.
pub(super) fn is_there() -> bool {
    std::arch::is_x86_feature_detected!("avx512f")
        && std::arch::is_x86_feature_detected!("avx512bw")
        && std::arch::is_x86_feature_detected!("avx512dq")
        && std::arch::is_x86_feature_detected!("avx512vpopcntdq")
        && std::arch::is_x86_feature_detected!("vpclmulqdq")
}

/// Only where it [`is_there`].
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vpopcntdq,vpclmulqdq")]
pub(super) fn look(
    chunks: &[[u8; CHUNK]],
    next: &[[u8; CHUNK]],
    pair: Pair,
    carry: &mut Carry,
    out: &mut [Chunk; CHUNKS],
) {
    // First the one, then the other: what was just written as eight words cannot be read as one at once.
    let mut classes: [Classes; CHUNKS] = std::array::from_fn(|_| Classes::default());
    for ((bytes, next), classes) in chunks.iter().zip(next).zip(&mut classes) {
        classify(bytes, next, pair, classes);
    }
    for ((bytes, classes), out) in chunks.iter().zip(&mut classes).zip(out) {
        resolve(bytes, classes, carry, out);
    }
}

/// Comparisons have one port of the processor for themselves, others go by another: marks are made without any.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn classify(bytes: &[u8; CHUNK], next: &[u8; CHUNK], pair: Pair, classes: &mut Classes) {
    let (first, second) = (splat(pair.first), splat(pair.second));
    let (case, backslash) = (splat(0x20), splat(b'\\'));
    // A byte of it is 0 where there was a mark.
    let mut unmarked = splat(0xff);
    let (blocks, next_blocks) = (bytes.as_chunks::<BLOCK>().0, next.as_chunks::<BLOCK>().0);
    for (index, (block, next)) in blocks.iter().zip(next_blocks).enumerate() {
        let (block, next) = (must_cast(*block), must_cast(*next));
        let folded = _mm512_or_si512(block, case);
        classes.quote[index] = equal(block, b'"');
        (classes.open[index], classes.close[index]) = (equal(folded, b'{'), equal(folded, b'}'));
        let no_pair = _mm512_or_si512(_mm512_xor_si512(block, first), _mm512_xor_si512(next, second));
        unmarked = _mm512_min_epu8(unmarked, _mm512_min_epu8(no_pair, _mm512_xor_si512(block, backslash)));
    }
    classes.is_marked = _mm512_testn_epi8_mask(unmarked, unmarked) != 0;
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512vpopcntdq,vpclmulqdq")]
fn resolve(bytes: &[u8; CHUNK], classes: &mut Classes, carry: &mut Carry, out: &mut Chunk) {
    out.is_marked = classes.is_marked;
    if classes.is_marked || carry.escaped != 0 {
        carry.unescape(bytes, &mut classes.quote);
    }
    let in_text = in_text(&classes.quote, &mut carry.in_text);
    let open = _mm512_andnot_si512(in_text, must_cast(classes.open));
    let close = _mm512_andnot_si512(in_text, must_cast(classes.close));
    let (opens, closes) = (_mm512_popcnt_epi64(open), _mm512_popcnt_epi64(close));
    let change = _mm512_sub_epi64(opens, closes);
    let upto = sums(change);
    let before = _mm512_add_epi64(_mm512_set1_epi64(carry.depth), _mm512_sub_epi64(upto, change));
    out.low = _mm512_cmple_epi64_mask(before, closes);
    (out.open, out.close, out.depth) = (must_cast(open), must_cast(close), must_cast(before));
    let [.., all]: [i64; BLOCKS] = must_cast(upto);
    carry.depth += all;
}

/// Each word and those before it together.
#[inline]
#[target_feature(enable = "avx512f")]
fn sums(words: __m512i) -> __m512i {
    let zero = _mm512_setzero_si512();
    let two = _mm512_add_epi64(words, _mm512_alignr_epi64::<7>(words, zero));
    let four = _mm512_add_epi64(two, _mm512_alignr_epi64::<6>(two, zero));
    _mm512_add_epi64(four, _mm512_alignr_epi64::<4>(four, zero))
}

/// The bits that have an odd number of quotes at or below them, in all words so far.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,vpclmulqdq")]
fn in_text(quote: &Bits, carry: &mut u64) -> __m512i {
    let (quote, ones): (__m512i, _) = (must_cast(*quote), _mm512_set1_epi64(-1));
    // The parity within a word is a product without carries by a word of ones; every other word at a time.
    let (even, odd) = (_mm512_clmulepi64_epi128::<0x00>(quote, ones), _mm512_clmulepi64_epi128::<0x01>(quote, ones));
    let parity = _mm512_unpacklo_epi64(even, odd);
    // Whether so many words, each of these, have an odd number of quotes together.
    let mut upto = _mm512_movepi64_mask(parity);
    upto ^= upto << 1;
    upto ^= upto << 2;
    upto ^= upto << 4;
    let in_text = *carry & 1 == 1;
    let before = if in_text { !(upto << 1) } else { upto << 1 };
    *carry ^= 0_u64.wrapping_sub(u64::from(upto >> 7));
    _mm512_mask_xor_epi64(parity, before, parity, ones)
}

#[inline]
#[target_feature(enable = "avx512bw")]
fn equal(bytes: __m512i, byte: u8) -> u64 {
    _mm512_cmpeq_epi8_mask(bytes, splat(byte))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn splat(byte: u8) -> __m512i {
    _mm512_set1_epi8(byte.cast_signed())
}
