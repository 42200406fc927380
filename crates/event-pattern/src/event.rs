//! One pass over an event's bytes that keeps what patterns name and skips the rest.
//!
//! What is skipped is read only as far as is needed to find its end. Nothing recurses: nesting costs a small frame for
//! an array or object on the way to a field, and a count for one that is skipped.

use crate::error::EventError;
use crate::fields::{Fields, NONE, OUTSIDE};
use crate::lexer::unescape;
use crate::names::{Names, NodeId, ROOT};
use crate::operator::Kind;
use crate::swar::{find_end, find_special};

/// The longest event that is read: positions are 32 bits wide, and unescaped text is never longer than its source.
pub const MAX_EVENT_BYTES: usize = 1 << 30;

/// An object or array whose values are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    node: NodeId,
    element: u32,
    /// The array's number; [`NONE`] is an object.
    array: u32,
    populated: bool,
}

/// Reads the fields of `names` from `event`.
pub(crate) fn read(
    event: &[u8],
    names: &Names,
    fields: &mut Fields,
    frames: &mut Vec<Frame>,
) -> Result<(), EventError> {
    if event.len() > MAX_EVENT_BYTES {
        return Err(EventError::TooLong { bytes: event.len() });
    }
    frames.clear();
    let mut reader = Reader { event, at: 0, names, fields, frames };
    reader.skip_space();
    reader.expect(b'{', "an object")?;
    reader.frames.push(Frame { node: ROOT, element: OUTSIDE, array: NONE, populated: false });
    while let Some(frame) = reader.frames.last().copied() {
        if frame.array == NONE { reader.object_entry(frame)? } else { reader.array_entry(frame)? }
    }
    reader.skip_space();
    if reader.at < event.len() { Err(reader.error("the end of the event")) } else { Ok(()) }
}

struct Reader<'r> {
    event: &'r [u8],
    at: usize,
    names: &'r Names,
    fields: &'r mut Fields,
    frames: &'r mut Vec<Frame>,
}

/// Where the bytes of a text are.
struct Text {
    copied: bool,
    start: usize,
    end: usize,
}

impl Reader<'_> {
    fn error(&self, expected: &'static str) -> EventError {
        EventError::Syntax { offset: self.at, expected }
    }

    fn peek(&self) -> Option<u8> {
        self.event.get(self.at).copied()
    }

    fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), EventError> {
        if self.peek() != Some(byte) {
            return Err(self.error(expected));
        }
        self.at += 1;
        Ok(())
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// Goes to the next entry of the innermost frame; `false` where `close` ended it.
    fn advance(&mut self, frame: Frame, close: u8) -> Result<bool, EventError> {
        self.skip_space();
        if self.peek() == Some(close) {
            self.at += 1;
            self.frames.pop();
            return Ok(false);
        }
        if frame.populated {
            self.expect(b',', "a comma or the end")?;
            self.skip_space();
        } else if let Some(top) = self.frames.last_mut() {
            top.populated = true;
        }
        Ok(true)
    }

    fn object_entry(&mut self, frame: Frame) -> Result<(), EventError> {
        if !self.advance(frame, b'}')? {
            return Ok(());
        }
        self.expect(b'"', "a field name")?;
        let mark = self.fields.text.len();
        let key = self.text()?;
        let source = if key.copied { &self.fields.text } else { self.event };
        let node = self.names.walk(frame.node, &source[key.start..key.end]);
        self.fields.text.truncate(mark);
        self.skip_space();
        self.expect(b':', "a colon")?;
        self.skip_space();
        match node {
            Some(node) => self.value(node, frame),
            None => self.skip_value(),
        }
    }

    fn array_entry(&mut self, frame: Frame) -> Result<(), EventError> {
        if self.advance(frame, b']')? { self.value(frame.node, frame) } else { Ok(()) }
    }

    /// A value at a node that patterns mention, in the object or array `around`.
    fn value(&mut self, node: NodeId, around: Frame) -> Result<(), EventError> {
        match self.peek() {
            Some(b'{') if self.names.goes_on(node) => {
                self.open(node, around, NONE);
                Ok(())
            }
            Some(b'[') => {
                let array = self.fields.open_array();
                self.open(node, around, array);
                Ok(())
            }
            Some(b'{') => self.skip_value(),
            _ => self.scalar(node, around.element),
        }
    }

    fn open(&mut self, node: NodeId, around: Frame, array: u32) {
        self.at += 1;
        let element = match around.array {
            NONE => around.element,
            outer => self.fields.open_element(around.element, outer),
        };
        self.frames.push(Frame { node, element, array, populated: false });
    }

    fn scalar(&mut self, node: NodeId, element: u32) -> Result<(), EventError> {
        let start = self.at;
        let (kind, text) = match self.peek() {
            Some(b'"') => {
                self.at += 1;
                let text = self.text()?;
                self.check_utf8(&text)?;
                (Kind::Text, text)
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                (Kind::Number, Text { copied: false, start, end: self.at })
            }
            Some(byte) => {
                let kind = self.literal(byte)?;
                (kind, Text { copied: false, start, end: self.at })
            }
            None => return Err(self.error("a value")),
        };
        if let Some(field) = self.names.field(node) {
            self.fields.add(field, element, kind, text.copied, text.start, text.end);
        }
        Ok(())
    }

    fn check_utf8(&mut self, text: &Text) -> Result<(), EventError> {
        let source = if text.copied { &self.fields.text } else { self.event };
        let bytes = &source[text.start..text.end];
        if bytes.is_ascii() || std::str::from_utf8(bytes).is_ok() { Ok(()) } else { Err(self.error("text in UTF-8")) }
    }

    /// The rest of a text whose opening quote was read.
    fn text(&mut self) -> Result<Text, EventError> {
        let start = self.at;
        match self.plain()? {
            b'"' => Ok(Text { copied: false, start, end: self.at - 1 }),
            _ => self.escaped(start),
        }
    }

    /// Goes behind the next quote or backslash and returns it.
    fn plain(&mut self) -> Result<u8, EventError> {
        let Some(at) = find_special(self.event, self.at) else {
            self.at = self.event.len();
            return Err(self.error("the end of a text"));
        };
        self.at = at;
        match self.event[at] {
            byte @ (b'"' | b'\\') => {
                self.at += 1;
                Ok(byte)
            }
            _ => Err(self.error("no control characters in a text")),
        }
    }

    fn escaped(&mut self, start: usize) -> Result<Text, EventError> {
        let copy = self.fields.text.len();
        let mut from = start;
        loop {
            // Behind a backslash.
            self.fields.text.extend_from_slice(&self.event[from..self.at - 1]);
            let Some((character, length)) = unescape(&self.event[self.at..]) else {
                return Err(self.error("an escape sequence"));
            };
            self.fields.text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            self.at += length;
            from = self.at;
            if self.plain()? == b'"' {
                self.fields.text.extend_from_slice(&self.event[from..self.at - 1]);
                return Ok(Text { copied: true, start: copy, end: self.fields.text.len() });
            }
        }
    }

    fn digits(&mut self) -> Result<usize, EventError> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { Err(self.error("a digit")) } else { Ok(self.at - start) }
    }

    fn number(&mut self) -> Result<(), EventError> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let leading_zero = self.peek() == Some(b'0');
        if self.digits()? > 1 && leading_zero {
            return Err(self.error("no zero before other digits"));
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn literal(&mut self, first: u8) -> Result<Kind, EventError> {
        let (word, kind): (&[u8], _) = match first {
            b't' => (b"true", Kind::True),
            b'f' => (b"false", Kind::False),
            b'n' => (b"null", Kind::Null),
            _ => return Err(self.error("a value")),
        };
        if !self.event[self.at..].starts_with(word) {
            return Err(self.error("a value"));
        }
        self.at += word.len();
        Ok(kind)
    }

    fn skip_value(&mut self) -> Result<(), EventError> {
        match self.peek() {
            Some(b'"') => {
                self.at += 1;
                self.skip_text()
            }
            Some(b'{' | b'[') => self.skip_container(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(byte) => self.literal(byte).map(drop),
            None => Err(self.error("a value")),
        }
    }

    /// Goes behind the end of a text whose opening quote was read.
    fn skip_text(&mut self) -> Result<(), EventError> {
        loop {
            let Some(at) = find_end(self.event, self.at) else {
                self.at = self.event.len();
                return Err(self.error("the end of a text"));
            };
            self.at = at + 1;
            if self.event[at] == b'"' {
                return Ok(());
            }
            // What a backslash escapes is neither a quote nor a backslash that counts.
            self.at += 1;
        }
    }

    fn skip_container(&mut self) -> Result<(), EventError> {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'"' => self.skip_text()?,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                _ => {}
            }
        }
        Err(self.error("the end of an object or array"))
    }
}
