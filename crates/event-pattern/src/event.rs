//! One pass over an event's bytes that keeps what patterns name and skips the rest.
//!
//! The bytes are looked at in blocks of 64, each once, for quotes and brackets ([`blocks`]); the walk goes from one to the
//! next, compares keys with the names that patterns mention ([`Names`]), and steps over the values that nobody asks for
//! without looking into them. Nothing recurses: nesting costs a small frame for an array or object on the way to a field,
//! and a count for one that is skipped.
//!
//! Read loosely, an event is checked where it was walked. Read strictly, each block is held to the whole grammar as it goes
//! by ([`grammar`]). Either way a mistake only stops the reading; where it is, and what, is found out afterwards by
//! [`diagnose`], byte by byte.

mod blocks;
mod diagnose;
mod grammar;
mod masks;
mod scalar;

use crate::error::EventError;
use crate::fields::{Fields, NONE, OUTSIDE};
use crate::lexer::unescape;
use crate::names::{Names, NextKey, NodeId, ROOT};
use crate::operator::Kind;
use blocks::{Blocks, Broken};
use masks::{BLOCK, CHUNK};
use scalar::{ends_scalar, literal, number};

/// The longest event that is read, 256 MiB: positions are 32 bits wide, and unescaped text is never longer than its source.
pub const MAX_EVENT_BYTES: usize = 1 << 28;

/// An object or array whose values are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    node: NodeId,
    element: u32,
    /// The array's number; [`NONE`] is an object.
    array: u32,
    /// Its first entry was read.
    populated: bool,
}

/// How much of an event is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// What patterns mention.
    Loose,
    /// All of it.
    Strict,
}

/// Reads the fields of `names` from `event`.
pub(crate) fn read(
    event: &[u8],
    names: &Names,
    reading: Reading,
    fields: &mut Fields,
    frames: &mut Vec<Frame>,
) -> Result<(), EventError> {
    check_length(event)?;
    let room = (fields, frames);
    let read = match reading {
        Reading::Loose => read_loosely(event, names, room),
        Reading::Strict => Reader::<true, false>::new(event, names, room, CHUNK, 0).event(),
    };
    read.map_err(|Broken| mistake(event))
}

/// Where what is read is put, and where a reader is on the way.
type Room<'r> = (&'r mut Fields, &'r mut Vec<Frame>);

fn read_loosely(event: &[u8], names: &Names, room: Room<'_>) -> Result<(), Broken> {
    // An event that was cut short is read up to there.
    let is_whole = names.end_alike() && event.trim_ascii_end().last() == Some(&b'}');
    match if is_whole { names.next_last(event) } else { NextKey::Anywhere } {
        NextKey::Anywhere => Reader::<false, false>::new(event, names, room, CHUNK, 0).event(),
        NextKey::At(at) => Reader::<false, true>::new(event, names, room, at / BLOCK + 2, at).event(),
        NextKey::Nowhere if event.trim_ascii_start().first() == Some(&b'{') => Ok(()),
        NextKey::Nowhere => Err(Broken),
    }
}

/// Whether an event is one JSON object in UTF-8 (RFC 8259), all of it: the check that strict matching makes, without
/// patterns.
///
/// # Errors
/// [`EventError::Syntax`] with the place of the first mistake, or [`EventError::TooLong`].
///
/// ```
/// use event_pattern::validate;
/// assert!(validate(br#"{"detail": {"size": 3}}"#).is_ok());
/// assert_eq!(validate(br#"{"detail": {"size": 03}}"#).unwrap_err().offset(), Some(22));
/// ```
pub fn validate(event: &[u8]) -> Result<(), EventError> {
    check_length(event)?;
    let starts = event.trim_ascii_start().first() == Some(&b'{');
    if starts && Blocks::<true>::new(event, CHUNK).finish().is_ok() { Ok(()) } else { Err(mistake(event)) }
}

fn check_length(event: &[u8]) -> Result<(), EventError> {
    if event.len() > MAX_EVENT_BYTES { Err(EventError::TooLong { bytes: event.len() }) } else { Ok(()) }
}

#[cold]
fn mistake(event: &[u8]) -> EventError {
    // The walk and the diagnosis know the same grammar, which fuzzing holds them to.
    let (offset, expected) = diagnose::diagnose(event).unwrap_or((0, "an event that can be read"));
    EventError::Syntax { offset, expected }
}

/// With `JUMP` it knows where the next key is that a name ends in.
struct Reader<'r, const STRICT: bool, const JUMP: bool> {
    event: &'r [u8],
    /// The next byte; a quote or bracket there is the next that `blocks` finds.
    at: usize,
    blocks: Blocks<'r, STRICT>,
    names: &'r Names,
    fields: &'r mut Fields,
    frames: &'r mut Vec<Frame>,
    /// So often it may still be asked where the next key is that a name ends in.
    asks: u8,
    /// No key before this place is one.
    next_key: usize,
}

/// So often it is asked, where all names end alike, where the next such key is. Where there is one again and again, asking
/// only costs time.
const ASKS_MAX: u8 = 4;

/// Where the bytes of a text are.
struct Text {
    copied: bool,
    start: usize,
    end: usize,
}

impl<'r, const STRICT: bool, const JUMP: bool> Reader<'r, STRICT, JUMP> {
    /// `next_key` and `asks` matter with `JUMP` only.
    fn new(event: &'r [u8], names: &'r Names, (fields, frames): Room<'r>, ahead: usize, next_key: usize) -> Self {
        frames.clear();
        let blocks = Blocks::new(event, ahead);
        Self { event, at: 0, blocks, names, fields, frames, asks: ASKS_MAX, next_key }
    }

    fn event(mut self) -> Result<(), Broken> {
        self.skip_space();
        if self.peek() != Some(b'{') {
            return Err(Broken);
        }
        self.open(ROOT, OUTSIDE, NONE)?;
        while let Some(&frame) = self.frames.last() {
            if frame.array == NONE { self.object(frame)? } else { self.array(frame)? }
        }
        self.skip_space();
        if self.at < self.event.len() {
            return Err(Broken);
        }
        if STRICT { self.blocks.finish() } else { Ok(()) }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.event.get(self.at).copied()
    }

    #[inline]
    fn skip_space(&mut self) {
        self.at = skip_space(self.event, self.at);
    }

    /// Goes on from an entry: `false` if `close` ends what is innermost, otherwise the next entry starts here.
    #[inline]
    fn goes_on(&mut self, close: u8) -> Result<bool, Broken> {
        self.skip_space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.skip_space();
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.leave()?;
                Ok(false)
            }
            _ => Err(Broken),
        }
    }

    /// Ends what is innermost at its closing bracket.
    fn leave(&mut self) -> Result<(), Broken> {
        self.blocks.next()?;
        self.at += 1;
        self.frames.pop();
        Ok(())
    }

    /// Goes into the object or array at hand.
    fn open(&mut self, node: NodeId, element: u32, array: u32) -> Result<(), Broken> {
        self.blocks.next()?;
        self.at += 1;
        self.skip_space();
        self.frames.push(Frame { node, element, array, populated: false });
        if self.peek() == Some(if array == NONE { b'}' } else { b']' }) { self.leave() } else { Ok(()) }
    }

    /// Starts or goes on with the innermost object or array: `false` if it is over.
    fn resume(&mut self, frame: Frame, close: u8) -> Result<bool, Broken> {
        if frame.populated {
            if self.is_over() {
                self.stop();
                return Ok(false);
            }
            return self.goes_on(close);
        }
        if let Some(top) = self.frames.last_mut() {
            top.populated = true;
        }
        Ok(true)
    }

    /// Whether the rest certainly holds no value that patterns mention. Asked behind a value.
    fn is_over(&mut self) -> bool {
        if STRICT {
            return false;
        }
        let rest = &self.event[self.at..];
        if self.frames.len() == 1 && self.names.are_certainly_not_in(rest) {
            return true;
        }
        // Of an array that a name leads to, further values come without a key.
        if !JUMP || self.asks == 0 || self.at < self.next_key || self.frames.iter().any(|frame| frame.array != NONE) {
            return false;
        }
        self.asks -= 1;
        match self.names.next_last(rest) {
            NextKey::Nowhere => return true,
            NextKey::At(next) => self.next_key = self.at + next,
            NextKey::Anywhere => self.asks = 0,
        }
        false
    }

    /// Leaves the rest of the event unread: the answer is certain.
    fn stop(&mut self) {
        self.at = self.event.len();
        self.frames.clear();
    }

    /// Entries of an object until it ends or one of its values is gone into.
    fn object(&mut self, frame: Frame) -> Result<(), Broken> {
        let depth = self.frames.len();
        let mut more = self.resume(frame, b'}')?;
        while more {
            let Some(node) = self.next_mentioned(frame.node)? else { return self.leave() };
            self.value(node, frame)?;
            if JUMP && self.frames.len() == depth && self.is_over() {
                self.stop();
                return Ok(());
            }
            more = self.frames.len() == depth && self.goes_on(b'}')?;
        }
        Ok(())
    }

    /// From the start of an entry to the value of the next one that patterns mention; `None` at the end of the object.
    ///
    /// Most of an event goes by here. The place in the event is kept in local variables, which stay in registers.
    fn next_mentioned(&mut self, node: NodeId) -> Result<Option<NodeId>, Broken> {
        let event = self.event;
        if JUMP && self.next_key > self.at {
            self.jump();
        }
        let (mut at, mut cursor) = (self.at, self.blocks.cursor);
        loop {
            if event.get(at) != Some(&b'"') {
                return Err(Broken);
            }
            self.blocks.next_from(&mut cursor)?;
            let (start, end) = (at + 1, self.blocks.next_from(&mut cursor)?);
            let child = if self.blocks.backslashes || self.blocks.controls {
                self.odd_key(node, start, end)?
            } else {
                self.names.walk(node, event, start, end)
            };
            at = skip_space(event, end + 1);
            if event.get(at) != Some(&b':') {
                return Err(Broken);
            }
            at = skip_space(event, at + 1);
            if child.is_some() {
                (self.at, self.blocks.cursor) = (at, cursor);
                return Ok(child);
            }
            match event.get(at) {
                Some(b'"') => {
                    self.blocks.next_from(&mut cursor)?;
                    at = self.blocks.next_from(&mut cursor)? + 1;
                }
                Some(b'{' | b'[') => {
                    self.blocks.next_from(&mut cursor)?;
                    self.blocks.cursor = cursor;
                    at = self.blocks.close()? + 1;
                    cursor = self.blocks.cursor;
                }
                _ => at = skip_scalar(event, at)?,
            }
            at = skip_space(event, at);
            match event.get(at) {
                Some(b',') => at = skip_space(event, at + 1),
                Some(b'}') => {
                    (self.at, self.blocks.cursor) = (at, cursor);
                    return Ok(None);
                }
                _ => return Err(Broken),
            }
        }
    }

    /// From the start of an entry to that of the next one whose key a name may end in, if all before are plain: without
    /// brackets they are of this object, and their values are no objects or arrays that a name leads through.
    fn jump(&mut self) {
        let Some(quote) = self.next_key.checked_sub(1) else { return };
        let before = self.event[self.at..quote].trim_ascii_end().last();
        if before == Some(&b',') && self.blocks.skip_to(quote) {
            self.at = quote;
        }
    }

    /// Elements of an array until it ends or one of them is gone into.
    fn array(&mut self, frame: Frame) -> Result<(), Broken> {
        let depth = self.frames.len();
        let mut more = self.resume(frame, b']')?;
        while more {
            self.value(frame.node, frame)?;
            more = self.frames.len() == depth && self.goes_on(b']')?;
        }
        Ok(())
    }

    /// A key of an event in which texts have escapes: this may be one of them.
    #[cold]
    fn odd_key(&mut self, node: NodeId, start: usize, end: usize) -> Result<Option<NodeId>, Broken> {
        let mark = self.fields.text.len();
        let text = self.unescaped(start, end)?;
        let source = if text.copied { &self.fields.text } else { self.event };
        let next = self.names.walk(node, source, text.start, text.end);
        self.fields.text.truncate(mark);
        Ok(next)
    }

    /// Goes behind the text at hand; where it starts and ends, without its quotes.
    #[inline]
    fn quotes(&mut self) -> Result<(usize, usize), Broken> {
        self.blocks.next()?;
        let end = self.blocks.next()?;
        let start = self.at + 1;
        self.at = end + 1;
        Ok((start, end))
    }

    /// A value at a node that patterns mention, in the object or array `around`.
    fn value(&mut self, node: NodeId, around: Frame) -> Result<(), Broken> {
        let array = match self.peek() {
            Some(b'{') if self.names.goes_on(node) => NONE,
            Some(b'{') => {
                self.blocks.next()?;
                self.at = self.blocks.close()? + 1;
                return Ok(());
            }
            Some(b'[') => self.fields.open_array(),
            _ => return self.scalar(node, around.element),
        };
        let element = match around.array {
            NONE => around.element,
            outer => self.fields.open_element(around.element, outer),
        };
        self.open(node, element, array)
    }

    fn scalar(&mut self, node: NodeId, element: u32) -> Result<(), Broken> {
        let start = self.at;
        let (kind, text) = match self.peek() {
            Some(b'"') => {
                let (start, end) = self.quotes()?;
                (Kind::Text, self.text(start, end)?)
            }
            Some(b'-' | b'0'..=b'9') => {
                self.at = number(self.event, start).map_err(|_| Broken)?;
                (Kind::Number, Text { copied: false, start, end: self.at })
            }
            Some(_) => {
                let (kind, end) = literal(self.event, start).ok_or(Broken)?;
                self.at = end;
                (kind, Text { copied: false, start, end })
            }
            None => return Err(Broken),
        };
        if let Some(field) = self.names.field(node) {
            self.fields.add(field, element, kind, text.copied, text.start, text.end);
        }
        Ok(())
    }

    /// The text between two quotes.
    #[inline]
    fn text(&mut self, start: usize, end: usize) -> Result<Text, Broken> {
        if !(self.blocks.backslashes || self.blocks.controls || self.blocks.high) {
            return Ok(Text { copied: false, start, end });
        }
        let text = self.unescaped(start, end)?;
        let source = if text.copied { &self.fields.text } else { self.event };
        std::str::from_utf8(&source[text.start..text.end]).map_err(|_| Broken)?;
        Ok(text)
    }

    /// The text between two quotes, without escape sequences, as bytes.
    fn unescaped(&mut self, start: usize, end: usize) -> Result<Text, Broken> {
        let raw = &self.event[start..end];
        if self.blocks.controls && raw.iter().any(|&byte| byte < b' ') {
            return Err(Broken);
        }
        let Some(mut escape) = memchr::memchr(b'\\', raw) else { return Ok(Text { copied: false, start, end }) };
        let copy = self.fields.text.len();
        let mut from = 0;
        loop {
            self.fields.text.extend_from_slice(&raw[from..escape]);
            let (character, length) = unescape(&raw[escape + 1..]).ok_or(Broken)?;
            self.fields.text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            from = escape + 1 + length;
            match memchr::memchr(b'\\', &raw[from..]) {
                Some(more) => escape = from + more,
                None => break,
            }
        }
        self.fields.text.extend_from_slice(&raw[from..]);
        Ok(Text { copied: true, start: copy, end: self.fields.text.len() })
    }
}

/// The first place from `at` that is no white space.
#[inline(always)]
#[allow(clippy::inline_always, reason = "nearly always there is none, or one blank")]
fn skip_space(event: &[u8], mut at: usize) -> usize {
    while event.get(at).is_some_and(|&byte| byte <= b' ') && matches!(event[at], b' ' | b'\n' | b'\r' | b'\t') {
        at += 1;
    }
    at
}

/// The end of the number or literal at `at`, whatever it is.
fn skip_scalar(event: &[u8], at: usize) -> Result<usize, Broken> {
    let rest = event.get(at..).unwrap_or_default();
    match rest.iter().position(|&byte| ends_scalar(byte)) {
        Some(length @ 1..) => Ok(at + length),
        _ => Err(Broken),
    }
}
