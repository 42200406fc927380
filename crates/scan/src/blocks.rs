//! JSON by chunks of 512 bytes: which of them open or close something, outside of texts.
//!
//! How the bytes are looked at depends on the processor: 64 together where there is AVX-512, 32 with AVX2, elsewhere 16. What
//! is found is the same.

use crate::literal::Pair;

/// Bytes that make one word of bits.
pub(crate) const BLOCK: usize = 64;
/// Words of a chunk.
pub(crate) const BLOCKS: usize = 8;
/// Bytes whose words of bits are looked at together.
pub(crate) const CHUNK: usize = BLOCK * BLOCKS;
/// Chunks that are looked at in one go, at most.
pub(crate) const CHUNKS: usize = 8;

/// One bit for each byte of a chunk; the lowest bit of the first word is the first byte.
pub(crate) type Bits = [u64; BLOCKS];

/// What is in a chunk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// `{` and `[` that are not in texts.
    pub open: Bits,
    /// `}` and `]` that are not in texts.
    pub close: Bits,
    /// How deep the text is before each block.
    pub depth: [i64; BLOCKS],
    /// One bit for each block in which the depth may come down to 0, or is 0 before it.
    pub low: u8,
    /// There is a backslash or the pair that is looked for, anywhere.
    pub is_marked: bool,
}

/// How the bytes before a chunk ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Carry {
    /// All bits if within a text.
    in_text: u64,
    /// 1 if the next byte is escaped.
    escaped: u64,
    /// Brackets that were opened and not closed.
    pub depth: i64,
}

/// The bytes of a chunk by class, wherever they stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Classes {
    quote: Bits,
    open: Bits,
    close: Bits,
    is_marked: bool,
}

/// A way to look at chunks, which this processor has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look(Way);

#[derive(Debug, Clone, Copy)]
enum Way {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Narrow,
}

impl Look {
    /// The best that there is.
    pub fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if avx512::is_there() {
                return Self(Way::Avx512);
            }
            if avx2::is_there() {
                return Self(Way::Avx2);
            }
        }
        Self(Way::Narrow)
    }

    /// Looks at chunks. `next` has the same text, but for its first byte, and one more: for the second bytes of pairs. Of both there
    /// are as many as have a place for what is found, or less.
    #[inline]
    pub fn at(
        self,
        chunks: &[[u8; CHUNK]],
        next: &[[u8; CHUNK]],
        pair: Pair,
        carry: &mut Carry,
        out: &mut [Chunk; CHUNKS],
    ) {
        #[allow(unsafe_code, reason = "calls to functions with other processor features have no safe form")]
        match self.0 {
            // SAFETY: of both it is so that the one thing asked of callers is a processor with the features that are named
            // there. A `Look` of this way is made only where `is_there` has found them all. There is no other unsafe code in
            // them, and they take and return ordinary values.
            #[cfg(target_arch = "x86_64")]
            Way::Avx512 => unsafe { avx512::look(chunks, next, pair, carry, out) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Way::Avx2 => unsafe { avx2::look(chunks, next, pair, carry, out) },
            Way::Narrow => narrow::look(chunks, next, pair, carry, out),
        }
    }
}

impl Carry {
    /// Takes the quotes out that stand behind a backslash which is not itself escaped.
    fn unescape(&mut self, bytes: &[u8; CHUNK], quote: &mut Bits) {
        let mut backslash = Bits::default();
        for at in memchr::memchr_iter(b'\\', bytes) {
            backslash[at / BLOCK] |= 1 << (at % BLOCK);
        }
        for (quote, backslash) in quote.iter_mut().zip(backslash) {
            *quote &= !self.escaped(backslash);
        }
    }

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

    /// The step from classes to brackets, word by word.
    #[allow(clippy::inline_always, reason = "where it is called, more of the processor may be used")]
    #[inline(always)]
    fn resolve(&mut self, bytes: &[u8; CHUNK], classes: &mut Classes, parity: impl Fn(u64) -> u64, out: &mut Chunk) {
        out.is_marked = classes.is_marked;
        if classes.is_marked || self.escaped != 0 {
            self.unescape(bytes, &mut classes.quote);
        }
        out.low = 0;
        for index in 0..BLOCKS {
            let in_text = parity(classes.quote[index]) ^ self.in_text;
            // The last bit, spread over all.
            self.in_text = 0_u64.wrapping_sub(in_text >> 63);
            let (open, close) = (classes.open[index] & !in_text, classes.close[index] & !in_text);
            (out.open[index], out.close[index], out.depth[index]) = (open, close, self.depth);
            let (opens, closes) = (i64::from(open.count_ones()), i64::from(close.count_ones()));
            out.low |= u8::from(self.depth <= closes) << index;
            self.depth += opens - closes;
        }
    }
}

mod narrow {
    use wide::u8x16;

    use super::{BLOCK, CHUNK, CHUNKS, Carry, Chunk, Classes};
    use crate::literal::Pair;

    pub(super) fn look(
        chunks: &[[u8; CHUNK]],
        next: &[[u8; CHUNK]],
        pair: Pair,
        carry: &mut Carry,
        out: &mut [Chunk; CHUNKS],
    ) {
        for ((bytes, next), out) in chunks.iter().zip(next).zip(out) {
            carry.resolve(bytes, &mut classify(bytes, next, pair), parity, out);
        }
    }

    fn classify(bytes: &[u8; CHUNK], next: &[u8; CHUNK], pair: Pair) -> Classes {
        let mut classes = Classes::default();
        let mut marked = u8x16::splat(0);
        let (blocks, next_blocks) = (bytes.as_chunks::<BLOCK>().0, next.as_chunks::<BLOCK>().0);
        for (index, (block, next)) in blocks.iter().zip(next_blocks).enumerate() {
            let quarters = block.as_chunks::<16>().0;
            let bits = |byte: u8, fold: u8| {
                quarters.iter().rev().fold(0, |bits: u64, quarter| {
                    let found = (u8x16::new(*quarter) | u8x16::splat(fold)).simd_eq(u8x16::splat(byte));
                    bits << 16 | u64::from(found.to_bitmask())
                })
            };
            classes.quote[index] = bits(b'"', 0);
            (classes.open[index], classes.close[index]) = (bits(b'{', 0x20), bits(b'}', 0x20));
            for (quarter, next) in quarters.iter().zip(next.as_chunks::<16>().0) {
                let (quarter, next) = (u8x16::new(*quarter), u8x16::new(*next));
                let is_pair = quarter.simd_eq(u8x16::splat(pair.first)) & next.simd_eq(u8x16::splat(pair.second));
                marked |= is_pair | quarter.simd_eq(u8x16::splat(b'\\'));
            }
        }
        classes.is_marked = marked.to_bitmask() != 0;
        classes
    }

    /// The bits of `word` that have an odd number of bits at or below them.
    fn parity(mut word: u64) -> u64 {
        for shift in [1, 2, 4, 8, 16, 32] {
            word ^= word << shift;
        }
        word
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PAIR: Pair = Pair { first: b'a', second: b'x' };

    /// Byte by byte: brackets, and which chunks are marked.
    fn naive(text: &[u8]) -> (Vec<(usize, bool)>, Vec<bool>) {
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
        let chunks = text.chunks(CHUNK).enumerate();
        let is_marked = |(index, chunk): (usize, &[u8])| {
            let more = &text[index * CHUNK..text.len().min(index * CHUNK + CHUNK + 1)];
            chunk.contains(&b'\\') || more.windows(2).any(|pair| pair == b"ax")
        };
        (found, chunks.map(is_marked).collect())
    }

    fn found(look: Look, text: &[u8]) -> (Vec<(usize, bool)>, Vec<bool>) {
        let mut padded = text.to_vec();
        padded.resize(text.len().next_multiple_of(CHUNK) + 1, b' ');
        let (mut carry, mut found, mut marked) = (Carry::default(), Vec::new(), Vec::new());
        let mut chunks: [Chunk; CHUNKS] = std::array::from_fn(|_| Chunk::default());
        let (all, next) = (padded.as_chunks::<CHUNK>().0, padded[1..].as_chunks::<CHUNK>().0);
        // All at once, or one at a time.
        let parts = std::iter::once(0..all.len() / 2).chain((all.len() / 2..all.len()).map(|index| index..index + 1));
        for part in parts {
            let mut depth = carry.depth;
            look.at(&all[part.clone()], &next[part.clone()], PAIR, &mut carry, &mut chunks);
            for (index, chunk) in part.zip(&chunks) {
                marked.push(chunk.is_marked);
                for block in 0..BLOCKS {
                    let (open, close) = (chunk.open[block], chunk.close[block]);
                    let closes = i64::from(close.count_ones());
                    assert_eq!((chunk.depth[block], chunk.low >> block & 1 == 1), (depth, depth <= closes));
                    depth += i64::from(open.count_ones()) - closes;
                    let places = (0..BLOCK).filter(|bit| (open | close) >> bit & 1 == 1);
                    found.extend(places.map(|bit| (index * CHUNK + block * BLOCK + bit, open >> bit & 1 == 1)));
                }
            }
            assert_eq!(carry.depth, depth);
        }
        (found, marked)
    }

    fn all() -> Vec<Look> {
        #[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut, reason = "there is one way"))]
        let mut all = vec![Look(Way::Narrow)];
        #[cfg(target_arch = "x86_64")]
        {
            all.extend(avx2::is_there().then_some(Look(Way::Avx2)));
            all.extend(avx512::is_there().then_some(Look(Way::Avx512)));
        }
        all
    }

    proptest! {
        #[test]
        fn as_byte_by_byte(
            text in prop::collection::vec(prop::sample::select(&b"{}[]\"\"\\\\ax\x00\xff|;"[..]), 0..2600),
            plain in prop::collection::vec(prop::sample::select(&b"{{}[]\"ay"[..]), 0..2600),
            place in 0..2600_usize,
        ) {
            let mut rare = plain;
            if place + 1 < rare.len() {
                rare[place..place + 2].copy_from_slice(b"ax");
            }
            for look in all() {
                prop_assert_eq!(found(look, &text), naive(&text));
                prop_assert_eq!(found(look, &rare), naive(&rare));
            }
        }
    }
}
