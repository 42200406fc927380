//! Match expressions: the objects inside a leaf array.

use super::Compiler;
use crate::address::{self, Cidr};
use crate::error::PatternError;
use crate::fold::Folded;
use crate::lexer::Token;
use crate::number::Comparable;
use crate::operator::{Operator, Range};
use crate::wildcard::Wildcard;

const ONE_KEY: &str = "Only one key allowed in match expression";
const TOO_MANY: &str = "Too many elements in numeric expression";
const IGNORE_CASE: &str = "equals-ignore-case";

pub(super) fn exact_text(text: &str) -> Operator {
    match address::parse(text.as_bytes()) {
        Some(address) => Operator::Address(address),
        None => Operator::Text(text.into()),
    }
}

pub(super) fn exact_number(literal: &str) -> Operator {
    match Comparable::parse(literal.as_bytes()) {
        Some(number) => Operator::Number(number),
        None => Operator::NumberText(literal.into()),
    }
}

/// What `anything-but` refuses, by the name inside its object.
#[derive(Clone, Copy, PartialEq)]
enum Refusal {
    Prefix,
    Suffix,
    IgnoreCase,
    Wildcard,
}

impl Refusal {
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "prefix" => Some(Self::Prefix),
            "suffix" => Some(Self::Suffix),
            IGNORE_CASE => Some(Self::IgnoreCase),
            "wildcard" => Some(Self::Wildcard),
            _ => None,
        }
    }

    fn not_a_text(self) -> &'static str {
        match self {
            Self::Prefix | Self::Suffix => "prefix/suffix match pattern must be a string",
            Self::IgnoreCase => {
                "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."
            }
            Self::Wildcard => "wildcard match pattern must be a string",
        }
    }

    fn operator(self, text: &str) -> Result<Operator, String> {
        Ok(match self {
            Self::Prefix => Operator::Prefix(text.into()),
            Self::Suffix => Operator::Suffix(text.into()),
            Self::IgnoreCase => Operator::EqualsIgnoreCase(Folded::new(text)),
            Self::Wildcard => Operator::Wildcard(Wildcard::parse(text)?),
        })
    }
}

impl Compiler<'_> {
    /// A match expression whose opening brace was read; `None` is `{"exists": false}`.
    pub(super) fn expression(&mut self) -> Result<Option<Operator>, PatternError> {
        let Token::Name(name) = self.token()? else {
            return Err(self.invalid("Match expression name not found"));
        };
        Ok(Some(match name.as_str() {
            "exactly" if self.options.exactly => Operator::Text(self.only_text("exact")?.into()),
            "prefix" => self.affix("prefix", "Prefix", Operator::Prefix, Operator::PrefixIgnoreCase)?,
            "suffix" => self.affix("suffix", "Suffix", Operator::Suffix, Operator::SuffixIgnoreCase)?,
            IGNORE_CASE => Operator::EqualsIgnoreCase(Folded::new(&self.only_text(IGNORE_CASE)?)),
            "wildcard" => self.wildcard()?,
            "numeric" => self.numeric()?,
            // The engine's message says "prefix" here.
            "cidr" => self.cidr()?,
            "exists" => return self.exists(),
            "anything-but" => self.anything_but()?,
            _ => return Err(self.invalid(format!("Unrecognized match type {name}"))),
        }))
    }

    fn end_object(&mut self, otherwise: &str) -> Result<(), PatternError> {
        if self.token()? == Token::EndObject { Ok(()) } else { Err(self.invalid(otherwise)) }
    }

    fn required_text(&mut self, operator: &str) -> Result<String, PatternError> {
        if self.token()? != Token::Text {
            return Err(self.invalid(format!("{operator} match pattern must be a string")));
        }
        self.lexer.text()
    }

    /// A text and the end of the object.
    fn only_text(&mut self, operator: &str) -> Result<String, PatternError> {
        let text = self.required_text(operator)?;
        self.end_object(ONE_KEY)?;
        Ok(text)
    }

    fn affix(
        &mut self,
        operator: &str,
        title: &str,
        plain: fn(Box<str>) -> Operator,
        folded: fn(Folded) -> Operator,
    ) -> Result<Operator, PatternError> {
        match self.token()? {
            Token::Text => {
                let text = self.lexer.text()?;
                self.end_object(ONE_KEY)?;
                Ok(plain(text.into()))
            }
            Token::StartObject => {
                let Token::Name(name) = self.token()? else {
                    return Err(self.invalid(format!("{title} expression name not found")));
                };
                if name != IGNORE_CASE {
                    return Err(self.invalid(format!("Unsupported {operator} pattern: {name}")));
                }
                let text = self.only_text(IGNORE_CASE)?;
                self.end_object(ONE_KEY)?;
                Ok(folded(Folded::new(&text)))
            }
            _ => Err(self.invalid(format!("{operator} match pattern must be a string"))),
        }
    }

    fn wildcard(&mut self) -> Result<Operator, PatternError> {
        let text = self.required_text("wildcard")?;
        let wildcard = Wildcard::parse(&text).map_err(|message| self.invalid(message))?;
        self.end_object(ONE_KEY)?;
        Ok(Operator::Wildcard(wildcard))
    }

    fn cidr(&mut self) -> Result<Operator, PatternError> {
        let text = self.required_text("prefix")?;
        let block = Cidr::parse(&text).map_err(|message| self.invalid(message))?;
        self.end_object(ONE_KEY)?;
        Ok(Operator::Cidr(block))
    }

    fn exists(&mut self) -> Result<Option<Operator>, PatternError> {
        let operator = match self.token()? {
            Token::True => Some(Operator::Exists),
            Token::False => None,
            _ => return Err(self.invalid("exists match pattern must be either true or false.")),
        };
        self.end_object(ONE_KEY)?;
        Ok(operator)
    }

    fn comparable(&self, literal: &str) -> Result<Comparable, PatternError> {
        Comparable::parse(literal.as_bytes()).ok_or_else(|| self.invalid(format!("Cannot compare number : {literal}")))
    }

    fn numeric(&mut self) -> Result<Operator, PatternError> {
        if self.token()? != Token::StartArray {
            return Err(self.invalid("Value of numeric must be an array."));
        }
        let token = self.token()?;
        if token != Token::Text {
            let token = self.token_text(token)?;
            return Err(self.invalid(format!("Invalid member in numeric match: {token}")));
        }
        let operator = self.lexer.text()?;
        let token = self.token()?;
        let range = match operator.as_str() {
            "=" | "<" | "<=" => self.single(&operator, token)?,
            ">" | ">=" => self.bottom(&operator, token)?,
            _ => return Err(self.invalid(format!("Unrecognized numeric range operator: {operator}"))),
        };
        self.end_object(TOO_MANY)?;
        Ok(range)
    }

    fn operand(&self, operator: &str, token: Token) -> Result<String, PatternError> {
        let name = if operator == "=" { "equals" } else { operator };
        match token {
            Token::Number(literal) => Ok(literal),
            _ => Err(self.invalid(format!("Value of {name} must be numeric"))),
        }
    }

    /// `=`, `<` and `<=`: one number and no more.
    fn single(&mut self, operator: &str, token: Token) -> Result<Operator, PatternError> {
        let literal = self.operand(operator, token)?;
        if self.token()? != Token::EndArray {
            return Err(self.invalid(TOO_MANY));
        }
        let number = self.comparable(&literal)?;
        Ok(match operator {
            "=" => Operator::Number(number),
            _ => Operator::Numeric(Range { bottom: None, top: Some((number, operator == "<=")) }),
        })
    }

    /// `>` and `>=`: one number, and perhaps a top.
    fn bottom(&mut self, operator: &str, token: Token) -> Result<Operator, PatternError> {
        let literal = self.operand(operator, token)?;
        let closed = operator == ">=";
        let token = self.token()?;
        if token == Token::EndArray {
            let bottom = self.comparable(&literal)?;
            return Ok(Operator::Numeric(Range { bottom: Some((bottom, closed)), top: None }));
        }
        let (top_closed, top) = self.top(token)?;
        let bottom = self.comparable(&literal)?;
        let top = self.comparable(&top)?;
        if bottom >= top {
            return Err(self.invalid("Bottom must be less than top"));
        }
        Ok(Operator::Numeric(Range { bottom: Some((bottom, closed)), top: Some((top, top_closed)) }))
    }

    fn top(&mut self, token: Token) -> Result<(bool, String), PatternError> {
        if token != Token::Text {
            let token = self.token_text(token)?;
            return Err(self.invalid(format!("Bad value in numeric range: {token}")));
        }
        let operator = self.lexer.text()?;
        if operator != "<" && operator != "<=" {
            return Err(self.invalid(format!("Bad numeric range operator: {operator}")));
        }
        let token = self.token()?;
        let literal = self.operand(&operator, token)?;
        if self.token()? != Token::EndArray {
            return Err(self.invalid("Too many terms in numeric range expression"));
        }
        Ok((operator == "<=", literal))
    }

    /// A token as it stands in a message.
    fn token_text(&mut self, token: Token) -> Result<String, PatternError> {
        Ok(match token {
            Token::StartObject => "{".to_owned(),
            Token::EndObject => "}".to_owned(),
            Token::StartArray => "[".to_owned(),
            Token::EndArray => "]".to_owned(),
            Token::Text => self.lexer.text()?,
            Token::Name(text) | Token::Number(text) => text,
            Token::True => "true".to_owned(),
            Token::False => "false".to_owned(),
            Token::Null => "null".to_owned(),
        })
    }

    fn anything_but(&mut self) -> Result<Operator, PatternError> {
        let mut token = self.token()?;
        let mut refusal = None;
        if token == Token::StartObject {
            let Token::Name(name) = self.token()? else {
                return Err(self.invalid("Anything-But expression name not found"));
            };
            refusal = Refusal::from_name(&name);
            if refusal.is_none() {
                return Err(self.invalid(format!("Unsupported anything-but pattern: {name}")));
            }
            token = self.token()?;
        }
        if !matches!(token, Token::StartArray | Token::Text | Token::Number(_)) {
            return Err(self.invalid("Value of anything-but must be an array or single string/number value."));
        }
        let refused = match refusal {
            Some(refusal) => self.refused_shapes(refusal, token)?,
            None => self.refused_values(token)?,
        };
        self.end_object(TOO_MANY)?;
        if refusal.is_some() {
            self.end_object(TOO_MANY)?;
        }
        Ok(Operator::AnythingBut(refused.into()))
    }

    /// Texts or numbers that `anything-but` refuses, compared as they are: addresses are text here.
    fn refused_values(&mut self, first: Token) -> Result<Vec<Operator>, PatternError> {
        let list = first == Token::StartArray;
        let mut token = if list { self.token()? } else { first };
        let (mut texts, mut numbers) = (Vec::new(), Vec::new());
        loop {
            match token {
                Token::EndArray if list => break,
                Token::Text => texts.push(Operator::Text(self.lexer.text()?.into())),
                Token::Number(literal) => numbers.push(Operator::Number(self.comparable(&literal)?)),
                _ => return Err(self.invalid("Inside anything but list, start|null|boolean is not supported.")),
            }
            if !list {
                break;
            }
            token = self.token()?;
        }
        if texts.is_empty() == numbers.is_empty() {
            let message =
                "Inside anything but list, either all values are number or string, mixed type is not supported";
            return Err(self.invalid(message));
        }
        texts.append(&mut numbers);
        Ok(texts)
    }

    fn refused_shapes(&mut self, refusal: Refusal, first: Token) -> Result<Vec<Operator>, PatternError> {
        let list = first == Token::StartArray;
        let mut token = if list { self.token()? } else { first };
        let mut texts = Vec::new();
        while token != Token::EndArray {
            if token != Token::Text {
                return Err(self.invalid(refusal.not_a_text()));
            }
            let text = self.lexer.text()?;
            if text.is_empty() && matches!(refusal, Refusal::Prefix | Refusal::Suffix) {
                return Err(self.invalid("Null prefix/suffix not allowed"));
            }
            texts.push(text);
            if !list {
                break;
            }
            token = self.token()?;
        }
        // An empty list refuses nothing.
        texts.iter().map(|text| refusal.operator(text).map_err(|message| self.invalid(message))).collect()
    }
}
