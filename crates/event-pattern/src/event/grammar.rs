//! RFC 8259 for 64 bytes at a time: what may follow what, asked of all tokens of a block at once.
//!
//! A token is a bracket, a comma, a colon, a text or a scalar. Each token names the next one that may stand behind it and
//! the white space: a key (or the end of an empty object), a value (or the end of an empty array), a colon, or a comma or
//! closing bracket. Four words hold these expectations; adding them to the white space carries each across it, onto the
//! token that it meets (the addition of Cameron et al., "Parabix", as for runs in regular expressions). So the work for a
//! block is the same whatever it holds, but for brackets, scalars and escapes, which are looked at one by one.

use super::blocks::Broken;
use super::scalar::{ends_scalar, literal, number};
use crate::lexer::unescape;

/// The tokens of one block, outside of texts but for `quote`, `inside` and `escapes`.
pub(super) struct Block {
    pub(super) quote: u64,
    /// From each opening quote up to, not including, the closing one.
    pub(super) inside: u64,
    pub(super) open: u64,
    pub(super) close: u64,
    pub(super) comma: u64,
    pub(super) colon: u64,
    pub(super) space: u64,
    /// Backslashes that make an escape sequence.
    pub(super) escapes: u64,
}

/// What the tokens so far expect of the first of the next block: bit 0, or nothing.
#[derive(Debug, Default)]
struct Carry {
    key: u64,
    value: u64,
    colon: u64,
    end: u64,
    /// A key goes on.
    key_text: u64,
    /// A scalar goes on.
    scalar: u64,
}

#[derive(Debug)]
pub(super) struct Grammar {
    carry: Carry,
    open: Nesting,
    ended: bool,
}

/// The brackets that are open, one bit each, set for an object.
#[derive(Debug, Default)]
struct Nesting {
    /// The outermost 64.
    first: u64,
    more: Vec<u64>,
    depth: usize,
}

impl Nesting {
    fn push(&mut self, object: bool) {
        let bit = u64::from(object) << (self.depth % 64);
        let word = if self.depth < 64 {
            &mut self.first
        } else {
            let index = self.depth / 64 - 1;
            if index == self.more.len() {
                self.more.push(0);
            }
            &mut self.more[index]
        };
        *word = *word & !(1 << (self.depth % 64)) | bit;
        self.depth += 1;
    }

    /// Whether the innermost bracket is an object's; none is not.
    fn in_object(&self) -> bool {
        let Some(top) = self.depth.checked_sub(1) else { return false };
        let word = if top < 64 { self.first } else { self.more[top / 64 - 1] };
        word >> (top % 64) & 1 == 1
    }
}

/// Carries expectations across white space onto the tokens that they meet. `tokens` expect something behind them,
/// `behind` are places that already are behind a token.
#[inline]
fn meet(tokens: u64, behind: u64, space: u64, carry: &mut u64) -> u64 {
    let starts = (tokens << 1) | behind | *carry;
    let (sum, over) = starts.overflowing_add(space);
    *carry = (tokens >> 63) | u64::from(over);
    sum & !space
}

impl Grammar {
    pub(super) fn new() -> Self {
        // The event is one value.
        let carry = Carry { value: 1, ..Carry::default() };
        Self { carry, open: Nesting::default(), ended: false }
    }

    #[inline]
    pub(super) fn check(&mut self, event: &[u8], base: usize, block: &Block) -> Result<(), Broken> {
        let Block { quote, inside, open, close, comma, colon, space, escapes } = *block;
        if self.ended {
            return if space == u64::MAX { Ok(()) } else { Err(Broken) };
        }
        let opening = quote & inside;
        let closing = quote & !inside;
        let scalar = !(inside | quote | open | close | comma | colon | space);
        let scalar_start = scalar & !((scalar << 1) | self.carry.scalar);
        let scalar_end = ((scalar << 1) | self.carry.scalar) & !scalar;
        self.carry.scalar = scalar >> 63;
        let (objects, in_object) = self.brackets(event, base, block)?;

        let keys = meet(objects | (comma & in_object), 0, space, &mut self.carry.key);
        let values = meet((open & !objects) | (comma & !in_object) | colon, 0, space, &mut self.carry.value);
        // A closing bracket ends an empty object or array; one after a comma or colon was refused above.
        let mut wrong = keys & !(opening | close);
        wrong |= values & !(opening | scalar_start | open | close);

        // A key's opening quote added to its text ends up at its closing quote.
        let (sum, over) = (opening & keys).overflowing_add(inside);
        let (sum, over_again) = sum.overflowing_add(self.carry.key_text);
        self.carry.key_text = u64::from(over | over_again);
        let key_ends = sum & closing;
        wrong |= meet(key_ends, 0, space, &mut self.carry.colon) ^ colon;
        let ends = meet((closing & !key_ends) | close, scalar_end, space, &mut self.carry.end);
        wrong |= ends & !(comma | close);
        if wrong != 0 {
            return Err(Broken);
        }
        each_bit(scalar_start, |bit| scalar_ends(event, base + bit))?;
        each_bit(escapes & inside, |bit| unescape(&event[base + bit + 1..]).is_some())
    }

    /// Follows the brackets of a block: which open objects, and which bytes stand in an object rather than in an array.
    #[inline]
    fn brackets(&mut self, event: &[u8], base: usize, block: &Block) -> Result<(u64, u64), Broken> {
        let mut object = self.open.in_object();
        let mut in_object = 0_u64.wrapping_sub(u64::from(object));
        let mut objects = 0;
        let mut brackets = block.open | block.close;
        while brackets != 0 {
            let lowest = brackets & brackets.wrapping_neg();
            brackets ^= lowest;
            let at = base + lowest.trailing_zeros() as usize;
            let braces = matches!(event[at], b'{' | b'}');
            if block.open & lowest != 0 {
                self.open.push(braces);
                if braces {
                    objects |= lowest;
                }
            } else {
                if self.open.depth == 0 || braces != object || dangles(&event[..at]) {
                    return Err(Broken);
                }
                self.open.depth -= 1;
                if self.open.depth == 0 {
                    self.ended = true;
                    let behind = !(lowest | (lowest - 1));
                    return if behind & !block.space == 0 { Ok((objects, in_object)) } else { Err(Broken) };
                }
            }
            let before = std::mem::replace(&mut object, self.open.in_object());
            if before != object {
                in_object ^= !(lowest | (lowest - 1));
            }
        }
        Ok((objects, in_object))
    }

    /// Whether the event may end here.
    pub(super) fn end(&self) -> Result<(), Broken> {
        if self.ended { Ok(()) } else { Err(Broken) }
    }
}

fn each_bit(mut word: u64, mut holds: impl FnMut(usize) -> bool) -> Result<(), Broken> {
    while word != 0 {
        if !holds(word.trailing_zeros() as usize) {
            return Err(Broken);
        }
        word &= word - 1;
    }
    Ok(())
}

/// Whether what stands before a closing bracket still waits for something.
fn dangles(before: &[u8]) -> bool {
    matches!(before.trim_ascii_end().last(), Some(b',' | b':'))
}

/// Whether the scalar at `at` is one, as far as its bytes go.
fn scalar_ends(event: &[u8], at: usize) -> bool {
    let end = match event[at] {
        b'-' | b'0'..=b'9' => number(event, at).ok(),
        _ => literal(event, at).map(|(_, end)| end),
    };
    end.is_some_and(|end| event.get(end).is_none_or(|&byte| ends_scalar(byte)))
}
