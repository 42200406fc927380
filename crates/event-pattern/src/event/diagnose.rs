//! Where and why an event is not JSON: byte by byte, for the rare event of which it is known that it is broken.

use super::scalar::{Mistake, literal, number};
use crate::lexer::unescape;

struct Checker<'e> {
    event: &'e [u8],
    at: usize,
    /// The brackets that are open; `true` is an object.
    open: Vec<bool>,
}

/// The first mistake of an event, which is one object in UTF-8.
pub(super) fn diagnose(event: &[u8]) -> Option<Mistake> {
    Checker { event, at: 0, open: Vec::new() }.check().err()
}

impl Checker<'_> {
    fn peek(&self) -> Option<u8> {
        self.event.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), Mistake> {
        if self.peek() != Some(byte) {
            return Err((self.at, expected));
        }
        self.at += 1;
        Ok(())
    }

    fn check(mut self) -> Result<(), Mistake> {
        self.skip_space();
        if self.peek() != Some(b'{') {
            return Err((self.at, "an object"));
        }
        self.value()?;
        let mut populated = false;
        while let Some(&object) = self.open.last() {
            populated = self.entry(object, populated)?;
        }
        self.skip_space();
        if self.at < self.event.len() { Err((self.at, "the end of the event")) } else { Ok(()) }
    }

    /// The next entry of the innermost bracket, or its end; the answer is whether the bracket that is innermost then has
    /// entries.
    fn entry(&mut self, object: bool, populated: bool) -> Result<bool, Mistake> {
        self.skip_space();
        if self.peek() == Some(if object { b'}' } else { b']' }) {
            self.at += 1;
            self.open.pop();
            return Ok(true);
        }
        if populated {
            self.expect(b',', "a comma or the end")?;
            self.skip_space();
        }
        if object {
            self.expect(b'"', "a field name")?;
            self.text()?;
            self.skip_space();
            self.expect(b':', "a colon")?;
            self.skip_space();
        }
        let depth = self.open.len();
        self.value()?;
        Ok(self.open.len() == depth)
    }

    /// A value, or the start of an object or array.
    fn value(&mut self) -> Result<(), Mistake> {
        match self.peek() {
            Some(bracket @ (b'{' | b'[')) => {
                self.open.push(bracket == b'{');
                self.at += 1;
            }
            Some(b'"') => {
                self.at += 1;
                self.text()?;
            }
            Some(b'-' | b'0'..=b'9') => self.at = number(self.event, self.at)?,
            Some(_) => self.at = literal(self.event, self.at).ok_or((self.at, "a value"))?.1,
            None => return Err((self.at, "a value")),
        }
        Ok(())
    }

    /// The rest of a text whose opening quote was read.
    fn text(&mut self) -> Result<(), Mistake> {
        let start = self.at;
        loop {
            match self.peek() {
                None => return Err((self.at, "the end of a text")),
                Some(b'"') => break,
                Some(b'\\') => {
                    let rest = &self.event[self.at + 1..];
                    self.at += 1 + unescape(rest).ok_or((self.at + 1, "an escape sequence"))?.1;
                }
                Some(0..b' ') => return Err((self.at, "no control characters in a text")),
                Some(_) => self.at += 1,
            }
        }
        match std::str::from_utf8(&self.event[start..self.at]) {
            Ok(_) => {
                self.at += 1;
                Ok(())
            }
            Err(error) => Err((start + error.valid_up_to(), "text in UTF-8")),
        }
    }
}
