//! An event as a stream of blocks: where its quotes and brackets are, and, if asked, whether it keeps the grammar.

use super::grammar::{self, Grammar};
use super::masks::{BLOCK, CHUNK, Flags, GrammarMasks, Masks, classify, parity};

/// The event is not JSON; where and why is found out by [`diagnose`](super::diagnose).
#[derive(Debug, PartialEq)]
pub(super) struct Broken;

/// A place in a block.
#[derive(Clone, Copy)]
pub(super) struct Cursor {
    /// Quotes and brackets of the block that are still ahead.
    ahead: u64,
    /// Where the block starts.
    start: usize,
}

/// The quotes and brackets of an event that do not stand in a text or behind a backslash, in order.
///
/// With `STRICT` every block is also held to the grammar when it is reached.
pub(super) struct Blocks<'e, const STRICT: bool> {
    event: &'e [u8],
    /// Where the current chunk starts.
    base: usize,
    /// Where the next chunk starts.
    next: usize,
    /// How many blocks it has at most.
    ahead: usize,
    /// The current block of the chunk, and how many there are.
    index: usize,
    count: usize,
    pub(super) cursor: Cursor,
    /// The same of all blocks of the chunk, and which are brackets.
    marks: [u64; CHUNK],
    brackets: [u64; CHUNK],
    /// Which quotes open a text.
    opening: [u64; CHUNK],
    inside: u64,
    escape: u64,
    grammar: Grammar,
    /// A backslash was seen so far.
    pub(super) backslashes: bool,
    /// A control character was seen so far, in a text or not.
    pub(super) controls: bool,
    /// A byte that is not ASCII was seen so far.
    pub(super) high: bool,
}

/// Bytes that stand behind a backslash that counts; `carry` is 1 if the first byte of the next block does.
#[inline]
fn escaped(backslash: u64, carry: &mut u64) -> u64 {
    const ODD: u64 = 0xAAAA_AAAA_AAAA_AAAA;
    if backslash == 0 {
        return std::mem::take(carry);
    }
    // A run of backslashes that starts at an even place ends with one that counts if it ends at an even place too.
    // Subtracting the starts from the runs finds the ends of all runs at once, as in Langdale and Lemire, "Parsing
    // Gigabytes of JSON per Second" (2019).
    let starts = backslash & !*carry;
    let may_be_escaped = starts << 1;
    let codes = (may_be_escaped | ODD).wrapping_sub(starts) ^ ODD;
    let behind = codes ^ (backslash | *carry);
    *carry = (codes & backslash) >> 63;
    behind
}

impl<'e, const STRICT: bool> Blocks<'e, STRICT> {
    /// The first chunk has `ahead` blocks: less than others where the reader may well not want all of the event.
    pub(super) fn new(event: &'e [u8], ahead: usize) -> Self {
        Self {
            event,
            ahead: ahead.clamp(1, CHUNK),
            base: 0,
            next: 0,
            index: 0,
            count: 0,
            cursor: Cursor { ahead: 0, start: 0 },
            marks: [0; CHUNK],
            brackets: [0; CHUNK],
            opening: [0; CHUNK],
            inside: 0,
            escape: 0,
            grammar: Grammar::new(),
            backslashes: false,
            controls: false,
            high: false,
        }
    }

    /// Goes to the next chunk.
    #[inline(never)]
    fn refill(&mut self) -> Result<(), Broken> {
        let mut masks = [Masks::default(); CHUNK];
        if STRICT {
            let mut grammar = [GrammarMasks::default(); CHUNK];
            self.classify(&mut masks, &mut grammar)?;
            for index in 0..self.count {
                self.look_at(index, masks[index], grammar[index])?;
            }
        } else {
            self.classify(&mut masks, &mut [])?;
            for (index, &masks) in masks[..self.count].iter().enumerate() {
                self.look_at(index, masks, GrammarMasks::default())?;
            }
        }
        self.cursor = Cursor { ahead: self.marks[0], start: self.base };
        Ok(())
    }

    /// Finds the classes of the next chunk's bytes; behind the event's last byte are blanks.
    fn classify(&mut self, masks: &mut [Masks; CHUNK], grammar: &mut [GrammarMasks]) -> Result<(), Broken> {
        let (blocks, rest) = self.event.get(self.next..).unwrap_or_default().as_chunks::<BLOCK>();
        let ahead = self.ahead;
        self.ahead = (2 * ahead).min(CHUNK);
        let mut count = blocks.len().min(ahead);
        let mut flags = classify(&blocks[..count], masks, grammar);
        if count < ahead && !rest.is_empty() {
            let mut last = [b' '; BLOCK];
            last[..rest.len()].copy_from_slice(rest);
            let more = classify(&[last], &mut masks[count..], grammar.get_mut(count..).unwrap_or_default());
            flags = Flags { control: flags.control | more.control, high: flags.high | more.high };
            count += 1;
        }
        if count == 0 {
            return Err(Broken);
        }
        (self.base, self.index, self.count) = (self.next, 0, count);
        self.next += count * BLOCK;
        self.controls |= flags.control;
        self.high |= flags.high;
        Ok(())
    }

    #[inline]
    fn look_at(&mut self, index: usize, masks: Masks, grammar: GrammarMasks) -> Result<(), Broken> {
        let escaped = escaped(masks.backslash, &mut self.escape);
        let quote = masks.quote & !escaped;
        // From the opening quote up to, not including, the closing one.
        let inside = if quote == masks.quote { masks.parity } else { parity(quote) } ^ self.inside;
        self.inside = 0_u64.wrapping_sub(inside >> 63);
        let outside = !(inside | quote);
        self.backslashes |= masks.backslash != 0;
        self.brackets[index] = masks.brackets & outside;
        self.marks[index] = quote | self.brackets[index];
        self.opening[index] = quote & inside;
        if STRICT {
            let GrammarMasks { open, comma, colon, space, control } = grammar;
            if control & inside != 0 {
                return Err(Broken);
            }
            let open = open & outside;
            self.grammar.check(
                self.event,
                self.base + index * BLOCK,
                &grammar::Block {
                    quote,
                    inside,
                    open,
                    close: self.brackets[index] & !open,
                    comma: comma & outside,
                    colon: colon & outside,
                    space: space & outside,
                    escapes: masks.backslash & !escaped,
                },
            )?;
        }
        Ok(())
    }

    /// Goes to the next block.
    #[inline]
    fn advance(&mut self) -> Result<(), Broken> {
        self.index += 1;
        if self.index >= self.count {
            return self.refill();
        }
        self.cursor = Cursor { ahead: self.marks[self.index], start: self.base + self.index * BLOCK };
        Ok(())
    }

    /// Where the next quote or bracket is; an event that ends before is broken.
    #[inline]
    pub(super) fn next(&mut self) -> Result<usize, Broken> {
        let mut cursor = self.cursor;
        let at = self.next_from(&mut cursor);
        self.cursor = cursor;
        at
    }

    /// As [`Blocks::next`], with a cursor that the caller holds, in registers, and puts back.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "a tenth of the time is saved")]
    pub(super) fn next_from(&mut self, cursor: &mut Cursor) -> Result<usize, Broken> {
        while cursor.ahead == 0 {
            self.advance()?;
            *cursor = self.cursor;
        }
        let at = cursor.start + cursor.ahead.trailing_zeros() as usize;
        cursor.ahead &= cursor.ahead - 1;
        Ok(at)
    }

    /// Goes to the quote at `at`, if it opens a text and there are no brackets before it. If not, or if the chunk ends before,
    /// nothing changes.
    pub(super) fn skip_to(&mut self, at: usize) -> bool {
        let Some(offset) = at.checked_sub(self.base) else { return false };
        let (index, bit) = (offset / BLOCK, 1 << (offset % BLOCK));
        if index < self.index || index >= self.count || self.opening[index] & bit == 0 {
            return false;
        }
        let mut brackets = self.cursor.ahead & self.brackets[self.index];
        if index > self.index {
            for between in &self.brackets[self.index + 1..index] {
                brackets |= between;
            }
            if brackets != 0 {
                return false;
            }
            brackets = self.brackets[index];
        }
        if brackets & (bit - 1) != 0 {
            return false;
        }
        self.index = index;
        self.cursor = Cursor { ahead: self.marks[index] & !(bit - 1), start: self.base + index * BLOCK };
        true
    }

    /// Where the bracket is that closes the one that [`Blocks::next`] returned last.
    pub(super) fn close(&mut self) -> Result<usize, Broken> {
        let mut depth = 1_usize;
        loop {
            let mut brackets = self.cursor.ahead & self.brackets[self.index];
            while brackets != 0 {
                let at = self.cursor.start + brackets.trailing_zeros() as usize;
                if matches!(self.event[at], b'{' | b'[') {
                    depth += 1;
                } else {
                    depth -= 1;
                }
                if depth == 0 {
                    // What lies before it is not ahead any more.
                    self.cursor.ahead &= !(brackets ^ (brackets - 1));
                    return Ok(at);
                }
                brackets &= brackets - 1;
            }
            self.advance()?;
        }
    }

    /// Holds the rest of the event to the grammar.
    pub(super) fn finish(&mut self) -> Result<(), Broken> {
        while self.next < self.event.len() {
            self.refill()?;
        }
        if STRICT && (self.inside != 0 || (self.high && std::str::from_utf8(self.event).is_err())) {
            return Err(Broken);
        }
        if STRICT { self.grammar.end() } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(event: &[u8]) -> Vec<usize> {
        let (mut inside, mut escape) = (false, false);
        let mut found = Vec::new();
        for (at, &byte) in event.iter().enumerate() {
            // Outside of texts a backslash is a mistake, and what stands behind it does not matter.
            let escaped = std::mem::take(&mut escape);
            match byte {
                b'\\' => escape = !escaped,
                b'"' if escaped => {}
                b'"' => {
                    inside = !inside;
                    found.push(at);
                }
                b'{' | b'[' | b'}' | b']' if !inside => found.push(at),
                _ => {}
            }
        }
        found
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { cases: 5_000, failure_persistence: None, ..Default::default() })]

        #[test]
        fn quotes_and_brackets_are_found(event in "[\"\\\\{}\\[\\]a ]{0,300}") {
            let event = event.as_bytes();
            let mut blocks = Blocks::<false>::new(event, event.len() % 11);
            let found: Vec<usize> = std::iter::from_fn(|| blocks.next().ok()).collect();
            proptest::prop_assert_eq!(found, naive(event));
        }
    }
}
