//! Where the records of an array, or the documents of a sequence, begin and end.

use std::ops::Range;

use crate::blocks::{BLOCK, CHUNK, Carry, Masks, classify};

/// Finds objects that stand at one depth, in text that comes in pieces. It looks at brackets and quotes only: whether what it
/// finds is JSON is not its question.
#[derive(Debug, Clone)]
pub(crate) struct Splitter {
    carry: Carry,
    /// Where objects are looked for: 0 is outside of everything.
    base: u32,
    depth: u32,
    /// Where the object began that has not ended, from the beginning of the text that is at hand.
    start: Option<usize>,
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
        Self { carry: Carry::default(), base, depth: base, start: None }
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
        self.depth > self.base
    }

    /// So many bytes at the beginning of the text are gone, and none of them is of an object that has not ended.
    pub fn forget(&mut self, bytes: usize) {
        self.start = self.start.map(|start| start - bytes);
    }

    /// Goes on at `from`, and tells of each object that ends. Unless this is the `last` of the text, a few bytes at its end are
    /// left for the next time.
    pub fn run(&mut self, text: &[u8], from: usize, last: bool, mut object: impl FnMut(Range<usize>)) -> Stop {
        let (blocks, rest) = text[from..].as_chunks::<BLOCK>();
        let mut masks = [Masks::default(); CHUNK];
        for (chunk, group) in blocks.chunks(CHUNK).enumerate() {
            classify(group, &mut masks);
            for (index, (block, masks)) in group.iter().zip(&masks).enumerate() {
                let at = from + (chunk * CHUNK + index) * BLOCK;
                if let Some(stop) = self.block(block, masks, at, &mut object) {
                    return stop;
                }
            }
        }
        let at = text.len() - rest.len();
        if !last || rest.is_empty() {
            return Stop::End(at);
        }
        let mut padded = [b' '; BLOCK];
        padded[..rest.len()].copy_from_slice(rest);
        classify(&[padded], &mut masks);
        self.block(&padded, &masks[0], at, &mut object).unwrap_or(Stop::End(text.len()))
    }

    #[inline]
    fn block(
        &mut self,
        block: &[u8; BLOCK],
        masks: &Masks,
        at: usize,
        object: &mut impl FnMut(Range<usize>),
    ) -> Option<Stop> {
        let brackets = self.carry.brackets(masks);
        // Nearly all blocks are within an object, and do not end it.
        if self.depth > self.base + brackets.close.count_ones() {
            self.depth += brackets.open.count_ones();
            self.depth -= brackets.close.count_ones();
            return None;
        }
        let mut bits = brackets.open | brackets.close;
        while bits != 0 {
            let bit = bits.trailing_zeros() as usize;
            bits &= bits - 1;
            if brackets.open >> bit & 1 == 1 {
                if self.depth == self.base && block[bit] == b'{' {
                    self.start = Some(at + bit);
                }
                self.depth += 1;
                continue;
            }
            if self.depth == self.base {
                return Some(Stop::Closed(at + bit + 1));
            }
            self.depth -= 1;
            if self.depth == self.base
                && let Some(start) = self.start.take()
            {
                object(start..at + bit + 1);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn whole(text: &[u8], base: u32) -> (Vec<Range<usize>>, Stop) {
        let (mut splitter, mut found) = (Splitter::new(base), Vec::new());
        let stop = splitter.run(text, 0, true, |range| found.push(range));
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
                let stop = splitter.run(&at_hand, done, last, |range| found.push(range.start + gone..range.end + gone));
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
}
