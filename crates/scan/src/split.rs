//! Where the records of an array, or the documents of a sequence, begin and end.

use std::ops::Range;

use crate::blocks::{BLOCK, CHUNK, CHUNKS, Carry, Chunk, Look};
use crate::literal::Needle;

/// Finds objects that stand at one depth, in text that comes in pieces, and whether they may hold what is looked for. It looks
/// at brackets and quotes only: whether what it finds is JSON is not its question.
#[derive(Debug, Clone)]
pub(crate) struct Splitter {
    look: Look,
    carry: Carry,
    /// Where objects are looked for: 0 is outside of everything.
    base: u32,
    /// Where the object began that has not ended, from the beginning of the text that is at hand.
    start: Option<usize>,
    /// Where something stands that is looked for, in order: in the chunk at hand, and the last before it.
    hits: Vec<usize>,
}

/// Why a splitter stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// At the end of the text, or before the few bytes there that are left for the next time.
    End(usize),
    /// Behind the bracket that closes what the objects stand in, which is at this place; of a sequence, behind a bracket that
    /// closes nothing.
    Closed(usize),
}

impl Splitter {
    /// For the objects of an array, or of a sequence if `base` is 0. The text begins within it.
    pub fn new(base: u32) -> Self {
        Self { look: Look::best(), carry: Carry::default(), base, start: None, hits: Vec::new() }
    }

    /// The depth at which it looks.
    pub fn base(&self) -> u32 {
        self.base
    }

    /// The beginning of the object that has not ended.
    pub fn open(&self) -> Option<usize> {
        self.start
    }

    /// Whether something has not ended at the end of the text.
    pub fn is_within(&self) -> bool {
        self.carry.depth > 0
    }

    /// So many bytes at the beginning of the text are gone, and none of them is of an object that has not ended.
    pub fn forget(&mut self, bytes: usize) {
        self.start = self.start.map(|start| start - bytes);
        self.hits.retain(|hit| *hit >= bytes);
        self.hits.iter_mut().for_each(|hit| *hit -= bytes);
    }

    /// Goes on at `from`, and tells of each object that ends, and whether something stands in it that is looked for, or may do
    /// so. Unless this is the `last` of the text, less than a chunk at its end is left for the next time.
    pub fn run(
        &mut self,
        text: &[u8],
        from: usize,
        last: bool,
        needle: &Needle<'_>,
        mut object: impl FnMut(Range<usize>, bool),
    ) -> Stop {
        let mut found: [Chunk; CHUNKS] = std::array::from_fn(|_| Chunk::default());
        let (mut at, whole) = (from, text[from..].as_chunks::<CHUNK>().0);
        // The last chunk is no whole one if nothing is behind it.
        let next = text.get(from + 1..).unwrap_or_default().as_chunks::<CHUNK>().0;
        for (group, next) in whole[..next.len()].chunks(CHUNKS).zip(next.chunks(CHUNKS)) {
            self.look.at(group, next, needle.pair(), &mut self.carry, &mut found);
            for chunk in found.iter().take(group.len()) {
                if let Some(stop) = self.chunk(text, at, chunk, needle, &mut object) {
                    return stop;
                }
                at += CHUNK;
            }
        }
        let rest = &text[at..];
        if !last || rest.is_empty() {
            return Stop::End(at);
        }
        let mut padded = [b' '; CHUNK + 1];
        padded[..rest.len()].copy_from_slice(rest);
        let (bytes, next) = (padded.as_chunks::<CHUNK>().0, padded[1..].as_chunks::<CHUNK>().0);
        self.look.at(bytes, next, needle.pair(), &mut self.carry, &mut found);
        self.chunk(text, at, &found[0], needle, &mut object).unwrap_or(Stop::End(text.len()))
    }

    #[inline]
    fn chunk(
        &mut self,
        text: &[u8],
        at: usize,
        chunk: &Chunk,
        needle: &Needle<'_>,
        object: &mut impl FnMut(Range<usize>, bool),
    ) -> Option<Stop> {
        if chunk.is_marked {
            // Of those before the chunk the last is enough: if any is in the object that goes on, it is.
            self.hits.drain(..self.hits.len().saturating_sub(1));
            self.hits.extend(needle.hits(text, at, at + CHUNK));
            self.hits.sort_unstable();
        }
        // Most blocks are within an object, and do not end it.
        ones(chunk.low.into()).find_map(|index| self.block(text, at + index * BLOCK, chunk, index, object))
    }

    #[inline]
    fn block(
        &mut self,
        text: &[u8],
        at: usize,
        chunk: &Chunk,
        index: usize,
        object: &mut impl FnMut(Range<usize>, bool),
    ) -> Option<Stop> {
        let (open, close, mut depth) = (chunk.open[index], chunk.close[index], chunk.depth[index]);
        for place in ones(open | close) {
            if open >> place & 1 == 1 {
                if depth == 0 && text[at + place] == b'{' {
                    self.start = Some(at + place);
                }
                depth += 1;
                continue;
            }
            if depth == 0 {
                return Some(Stop::Closed(at + place + 1));
            }
            depth -= 1;
            if depth == 0
                && let Some(start) = self.start.take()
            {
                let range = start..at + place + 1;
                let is_hit = self.hits.iter().any(|hit| range.contains(hit));
                object(range, is_hit);
            }
        }
        None
    }
}

/// The places of the bits that are set.
fn ones(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (word != 0).then_some(word.trailing_zeros() as usize)?;
        word &= word - 1;
        Some(bit)
    })
}

#[cfg(test)]
mod tests {
    use event_pattern::Pattern;
    use proptest::prelude::*;

    use super::*;
    use crate::literal::Literals;

    fn whole(text: &[u8], base: u32) -> (Vec<Range<usize>>, Stop) {
        let (mut splitter, mut found) = (Splitter::new(base), Vec::new());
        let stop = splitter.run(text, 0, true, &Needle::new(&[]), |range, _| found.push(range));
        (found, stop)
    }

    /// Byte by byte.
    fn naive(text: &[u8], base: u32) -> (Vec<Range<usize>>, Stop) {
        let (mut in_text, mut escaped, mut depth, mut start) = (false, false, base, None);
        let mut found = Vec::new();
        for (at, byte) in text.iter().enumerate() {
            let behind_backslash = std::mem::take(&mut escaped);
            match byte {
                b'\\' => escaped = !behind_backslash,
                b'"' if !behind_backslash => in_text = !in_text,
                b'{' | b'[' if !in_text => {
                    if depth == base && *byte == b'{' {
                        start = Some(at);
                    }
                    depth += 1;
                }
                b'}' | b']' if !in_text => {
                    if depth == base {
                        return (found, Stop::Closed(at + 1));
                    }
                    depth -= 1;
                    if depth == base
                        && let Some(start) = start.take()
                    {
                        found.push(start..at + 1);
                    }
                }
                _ => {}
            }
        }
        (found, Stop::End(text.len()))
    }

    #[test]
    fn records_of_an_array() {
        let text = br#"{"a":"]}\"{"},{"b":[{"c":{}}]} , 5,[{"d":1}],{}]}"#;
        let (found, stop) = whole(text, 2);
        let found: Vec<_> = found.into_iter().map(|range| std::str::from_utf8(&text[range]).unwrap()).collect();
        assert_eq!(found, [r#"{"a":"]}\"{"}"#, r#"{"b":[{"c":{}}]}"#, "{}"]);
        assert_eq!(stop, Stop::Closed(text.len() - 1));
    }

    proptest! {
        #[test]
        fn as_byte_by_byte(
            text in prop::collection::vec(prop::sample::select(&b"{{{}}}[]\"\"\\ax,"[..]), 0..500),
            base in 0..3_u32,
            pieces in prop::collection::vec(1..150_usize, 1..9),
        ) {
            let expected = naive(&text, base);
            prop_assert_eq!(&whole(&text, base), &expected);
            // The same in pieces, of which what is done with is forgotten.
            let (mut splitter, mut found) = (Splitter::new(base), Vec::new());
            let (mut at_hand, mut gone, mut done, mut fed) = (Vec::new(), 0, 0, 0);
            let mut pieces = pieces.iter().cycle();
            let stop = loop {
                let end = text.len().min(fed + pieces.next().unwrap());
                at_hand.extend_from_slice(&text[fed..end]);
                fed = end;
                let last = fed == text.len();
                let stop = splitter.run(&at_hand, done, last, &Needle::new(&[]), |range, _| {
                    found.push(range.start + gone..range.end + gone);
                });
                match stop {
                    Stop::Closed(at) => break Stop::Closed(at + gone),
                    Stop::End(at) if last => break Stop::End(at + gone),
                    Stop::End(at) => done = at,
                }
                let keep = splitter.open().unwrap_or(done);
                at_hand.drain(..keep);
                splitter.forget(keep);
                (gone, done) = (gone + keep, done - keep);
            };
            prop_assert_eq!((found, stop), expected);
        }
    }

    proptest! {
        #[test]
        fn literals_are_found_in_their_objects(
            text in prop::collection::vec(prop::sample::select(&b"{}{}[]\"axaxa,bcdefghij"[..]), 0..4000),
            pieces in prop::collection::vec(1..1500_usize, 1..9),
        ) {
            let pattern = Pattern::compile(r#"{"detail":{"k":["axa"]}}"#).unwrap();
            let choice = Literals::of(&[pattern]);
            let mut needle = Needle::new(&choice);
            needle.tune(b"");
            let holds = |object: &[u8]| object.windows(3).any(|letters| letters == b"axa");
            let (mut splitter, mut whole) = (Splitter::new(0), Vec::new());
            splitter.run(&text, 0, true, &needle, |range, is_hit| whole.push((range, is_hit)));
            for (range, is_hit) in &whole {
                prop_assert_eq!(*is_hit, holds(&text[range.clone()]), "{:?}", range);
            }
            // In pieces, of which the end of one may look like the beginning of a literal.
            let (mut splitter, mut at_hand, mut gone, mut done, mut fed) = (Splitter::new(0), Vec::new(), 0, 0, 0);
            let mut found = 0;
            for piece in pieces.iter().cycle() {
                let end = text.len().min(fed + piece);
                at_hand.extend_from_slice(&text[fed..end]);
                fed = end;
                let stop = splitter.run(&at_hand, done, fed == text.len(), &needle, |range, is_hit| {
                    let (place, should) = &whole[found];
                    assert_eq!(range.start + gone..range.end + gone, *place);
                    assert!(is_hit || !should, "{place:?} is lost");
                    found += 1;
                });
                let Stop::End(at) = stop else { break };
                if fed == text.len() {
                    break;
                }
                let keep = splitter.open().unwrap_or(at);
                splitter.forget(keep);
                at_hand.drain(..keep);
                gone += keep;
                done = at - keep;
            }
            prop_assert_eq!(found, whole.len());
        }
    }
}
