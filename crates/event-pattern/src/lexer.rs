//! Tokens of a pattern's JSON text, with the place where the engine would say that reading stopped.
//!
//! The engine behind `EventBridge` reads JSON with a streaming parser whose "current location" runs ahead in two ways:
//! after a field name the first token of its value has been read too, and of a text only the opening quote. The columns
//! in error messages follow from that, so the same is done here.

use crate::error::{PatternError, PatternErrorKind};

/// Objects and arrays within each other in a pattern. The engine has no such bound; the service's limit on the length
/// of a pattern keeps patterns far below it.
pub(crate) const MAX_PATTERN_DEPTH: usize = 512;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    StartObject,
    EndObject,
    StartArray,
    EndArray,
    Name(String),
    /// A text, which [`Lexer::text`] reads.
    Text,
    /// A number as written.
    Number(String),
    True,
    False,
    Null,
}

#[derive(Clone, Copy, PartialEq)]
enum Container {
    Object,
    Array,
}

pub(crate) struct Lexer<'p> {
    source: &'p str,
    position: usize,
    stack: Vec<(Container, bool)>,
    /// The value of the name returned last, already read.
    pending: Option<Token>,
    /// The opening quote of a text was read, the text not yet.
    inside_text: bool,
    started: bool,
}

impl<'p> Lexer<'p> {
    pub(crate) fn new(source: &'p str) -> Self {
        Self { source, position: 0, stack: Vec::new(), pending: None, inside_text: false, started: false }
    }

    /// Bytes read so far.
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    /// The error `message` at the place where reading stands.
    pub(crate) fn error(&self, kind: PatternErrorKind, message: impl Into<String>) -> PatternError {
        let (mut line, mut start) = (1, 0);
        let bytes = self.source.as_bytes();
        for (at, &byte) in bytes[..self.position].iter().enumerate() {
            // \r\n is one line end, counted at its \n.
            if byte == b'\n' || (byte == b'\r' && bytes.get(at + 1) != Some(&b'\n')) {
                line += 1;
                start = at + 1;
            }
        }
        let column = self.source[start..self.position].encode_utf16().count() + 1;
        PatternError { kind, message: message.into(), line, column }
    }

    fn syntax(&self, message: impl Into<String>) -> PatternError {
        self.error(PatternErrorKind::Syntax, message)
    }

    fn peek(&self) -> Option<u8> {
        self.source.as_bytes().get(self.position).copied()
    }

    /// The next token; `None` at the end of a text that holds no value.
    pub(crate) fn next(&mut self) -> Result<Option<Token>, PatternError> {
        if let Some(token) = self.pending.take() {
            return Ok(Some(token));
        }
        if self.inside_text {
            self.text()?;
        }
        self.skip_space();
        let Some(&(container, populated)) = self.stack.last() else {
            return self.root();
        };
        let Some(byte) = self.peek() else {
            return Err(self.syntax("Unexpected end-of-input"));
        };
        if matches!(byte, b']' | b'}') {
            return self.close(byte, container).map(Some);
        }
        if populated {
            self.comma(byte)?;
        }
        if let Some(top) = self.stack.last_mut() {
            top.1 = true;
        }
        match container {
            Container::Array => self.value().map(Some),
            Container::Object => self.name().map(Some),
        }
    }

    fn root(&mut self) -> Result<Option<Token>, PatternError> {
        if self.started || self.peek().is_none() {
            return Ok(None);
        }
        self.started = true;
        self.value().map(Some)
    }

    fn close(&mut self, byte: u8, container: Container) -> Result<Token, PatternError> {
        self.position += 1;
        self.stack.pop();
        match (byte, container) {
            (b']', Container::Array) => Ok(Token::EndArray),
            (b'}', Container::Object) => Ok(Token::EndObject),
            (_, Container::Array) => Err(self.syntax("Unexpected close marker '}': expected ']'")),
            (_, Container::Object) => Err(self.syntax("Unexpected close marker ']': expected '}'")),
        }
    }

    fn comma(&mut self, byte: u8) -> Result<(), PatternError> {
        if byte != b',' {
            return Err(self.unexpected("was expecting comma to separate entries"));
        }
        self.position += 1;
        self.skip_space();
        Ok(())
    }

    /// A name, its colon and the first token of its value.
    fn name(&mut self) -> Result<Token, PatternError> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("was expecting double-quote to start field name"));
        }
        self.position += 1;
        let name = self.text()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.unexpected("was expecting a colon to separate field name and value"));
        }
        self.position += 1;
        self.skip_space();
        self.pending = Some(self.value()?);
        Ok(Token::Name(name))
    }

    fn value(&mut self) -> Result<Token, PatternError> {
        match self.peek() {
            Some(b'{') => self.open(Container::Object, Token::StartObject),
            Some(b'[') => self.open(Container::Array, Token::StartArray),
            Some(b'"') => {
                self.position += 1;
                self.inside_text = true;
                Ok(Token::Text)
            }
            Some(b't') => self.literal("true", Token::True),
            Some(b'f') => self.literal("false", Token::False),
            Some(b'n') => self.literal("null", Token::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.unexpected("expected a valid value")),
        }
    }

    fn open(&mut self, container: Container, token: Token) -> Result<Token, PatternError> {
        self.position += 1;
        if self.stack.len() == MAX_PATTERN_DEPTH {
            let message = format!("Pattern is nested deeper than {MAX_PATTERN_DEPTH} levels");
            return Err(self.error(PatternErrorKind::Limit, message));
        }
        self.stack.push((container, false));
        Ok(token)
    }

    fn literal(&mut self, word: &str, token: Token) -> Result<Token, PatternError> {
        let end = self.position + word.len();
        let follows = self.source.as_bytes().get(end);
        if !self.source[self.position..].starts_with(word) || follows.is_some_and(u8::is_ascii_alphanumeric) {
            return Err(self.unexpected("expected a valid value"));
        }
        self.position = end;
        Ok(token)
    }

    fn number(&mut self) -> Result<Token, PatternError> {
        let start = self.position;
        if self.peek() == Some(b'-') {
            self.position += 1;
        }
        let leading_zero = self.peek() == Some(b'0');
        let digits = self.digits("expected digit (0-9) to follow minus sign")?;
        if leading_zero && digits > 1 {
            return Err(self.syntax("Invalid numeric value: Leading zeroes not allowed"));
        }
        if self.peek() == Some(b'.') {
            self.position += 1;
            self.digits("Decimal point not followed by a digit")?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.position += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.position += 1;
            }
            self.digits("Exponent indicator not followed by a digit")?;
        }
        Ok(Token::Number(self.source[start..self.position].to_owned()))
    }

    fn digits(&mut self, expected: &str) -> Result<usize, PatternError> {
        let start = self.position;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.position += 1;
        }
        if self.position == start {
            return Err(self.unexpected(expected));
        }
        Ok(self.position - start)
    }

    /// The rest of a text whose opening quote was read.
    pub(crate) fn text(&mut self) -> Result<String, PatternError> {
        self.inside_text = false;
        let mut text = String::new();
        loop {
            let start = self.position;
            while self.peek().is_some_and(|byte| byte != b'"' && byte != b'\\' && byte >= b' ') {
                self.position += 1;
            }
            text.push_str(&self.source[start..self.position]);
            let Some(byte) = self.peek() else {
                return Err(self.syntax("Unexpected end-of-input: was expecting closing quote for a string value"));
            };
            self.position += 1;
            match byte {
                b'"' => return Ok(text),
                b'\\' => text.push(self.escape()?),
                _ => return Err(self.syntax("Illegal unquoted character: has to be escaped using backslash")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, PatternError> {
        let Some((character, length)) = unescape(&self.source.as_bytes()[self.position..]) else {
            return Err(self.syntax("Unrecognized character escape"));
        };
        self.position += length;
        Ok(character)
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.position += 1;
        }
    }

    fn unexpected(&mut self, expected: &str) -> PatternError {
        let Some(character) = self.source[self.position..].chars().next() else {
            return self.syntax(format!("Unexpected end-of-input: {expected}"));
        };
        self.position += character.len_utf8();
        self.syntax(format!("Unexpected character ('{character}' (code {})): {expected}", u32::from(character)))
    }
}

/// Reads what follows a backslash: the character and the bytes it took. Half of a surrogate pair stands for no
/// character and becomes U+FFFD.
pub(crate) fn unescape(bytes: &[u8]) -> Option<(char, usize)> {
    let plain = match bytes.first()? {
        byte @ (b'"' | b'\\' | b'/') => char::from(*byte),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode(&bytes[1..]).map(|(character, length)| (character, length + 1)),
        _ => return None,
    };
    Some((plain, 1))
}

fn unicode(bytes: &[u8]) -> Option<(char, usize)> {
    let first = hex4(bytes)?;
    if let Some(character) = char::from_u32(first) {
        return Some((character, 4));
    }
    let second = bytes[4..].strip_prefix(b"\\u").and_then(hex4);
    let pair = match second {
        Some(low @ 0xDC00..=0xDFFF) if first < 0xDC00 => {
            char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (low - 0xDC00))
        }
        _ => None,
    };
    Some(pair.map_or((char::REPLACEMENT_CHARACTER, 4), |character| (character, 10)))
}

fn hex4(bytes: &[u8]) -> Option<u32> {
    bytes.get(..4)?.iter().try_fold(0, |value, &byte| Some(value * 16 + char::from(byte).to_digit(16)?))
}
