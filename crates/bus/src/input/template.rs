//! Input templates: text with `<name>` where a part of the event is to stand.
//!
//! A template that begins with `{` or `[` is JSON: outside of its strings a part stands as JSON, and the result must be
//! JSON. Any other template is text, such as one or more lines in quotes. Inside quotes a part stands as text; what has
//! quotes of its own, an object or a list, loses them. What is not in the event is the empty text.

use aws_api::Timestamp;
use serde_json::value::RawValue;

use super::path::JsonPath;
use crate::buses::RuleEntry;
use crate::json;
use crate::route::{Arrival, InvocationError};

/// What a placeholder stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Path(JsonPath),
    RuleArn,
    RuleName,
    IngestionTime,
    /// The event without its detail.
    Event,
    /// The event.
    EventJson,
}

/// How a placeholder's value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// As JSON.
    Json,
    /// Within a JSON string.
    InString,
    /// In text that is not JSON.
    InText,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Value(Source, Place),
}

/// A template, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    pieces: Vec<Piece>,
    is_json: bool,
}

impl Template {
    /// Takes a template apart; the error is a placeholder that stands for nothing.
    pub fn parse(text: &str, paths: &[(&str, JsonPath)]) -> Result<Self, String> {
        let text = text.trim();
        let is_json = text.starts_with(['{', '[']);
        // One placeholder and nothing else is a JSON value too.
        let alone = text.starts_with('<') && text.find('>') == Some(text.len() - 1);
        let outside = if is_json || alone { Place::Json } else { Place::InText };
        let mut pieces = Vec::new();
        let mut in_string = false;
        let mut rest = text;
        while let Some((literal, name, after)) = next_placeholder(rest) {
            in_string = ends_in_string(literal, in_string);
            pieces.push(Piece::Literal(literal.to_owned()));
            let place = if in_string { Place::InString } else { outside };
            pieces.push(Piece::Value(source(name, paths)?, place));
            rest = after;
        }
        pieces.push(Piece::Literal(rest.to_owned()));
        Ok(Self { pieces, is_json })
    }

    /// The text for an event.
    pub fn render(&self, rule: &RuleEntry, arrival: &Arrival<'_>, event: &str) -> Result<String, InvocationError> {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Value(source, place) => {
                    write_value(&mut text, source.value(rule, arrival.ingested, event)?.as_deref(), *place);
                }
            }
        }
        if self.is_json && serde_json::from_str::<&RawValue>(&text).is_err() {
            return Err(InvocationError::NotJson);
        }
        Ok(text)
    }
}

/// The text before the next placeholder, its name, and the text after it.
fn next_placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let (literal, rest) = text.split_once('<')?;
    let (name, after) = rest.split_once('>')?;
    Some((literal, name, after))
}

/// Whether the end of a literal is within quotes.
fn ends_in_string(literal: &str, mut in_string: bool) -> bool {
    let mut escaped = false;
    for byte in literal.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            _ => {}
        }
    }
    in_string
}

fn source(name: &str, paths: &[(&str, JsonPath)]) -> Result<Source, String> {
    Ok(match name {
        "aws.events.rule-arn" => Source::RuleArn,
        "aws.events.rule-name" => Source::RuleName,
        "aws.events.event.ingestion-time" => Source::IngestionTime,
        "aws.events.event" => Source::Event,
        "aws.events.event.json" => Source::EventJson,
        _ => match paths.iter().find(|(key, _)| *key == name) {
            Some((_, path)) => Source::Path(path.clone()),
            None => return Err(name.to_owned()),
        },
    })
}

impl Source {
    /// The value as JSON text; `None` if the event has none.
    fn value(&self, rule: &RuleEntry, ingested: Timestamp, event: &str) -> Result<Option<String>, InvocationError> {
        Ok(Some(match self {
            Self::Path(path) => return Ok(path.find(event).map(str::to_owned)),
            Self::RuleArn => json::quoted(&rule.arn),
            Self::RuleName => json::quoted(&rule.rule.name),
            Self::IngestionTime => json::quoted(&ingested.to_rfc3339_seconds()),
            Self::Event => without_detail(event).ok_or(InvocationError::Event)?,
            Self::EventJson => event.to_owned(),
        }))
    }
}

/// The event without `detail`, and with `detailType` for `detail-type`.
fn without_detail(event: &str) -> Option<String> {
    let order = ["version", "id", "detail-type", "source", "account", "time", "region", "resources"];
    let found = json::members(event)?;
    let members: serde_json::Map<String, serde_json::Value> = order
        .into_iter()
        .filter_map(|name| {
            let value = serde_json::from_str(found.get(name)?.get()).ok()?;
            Some((if name == "detail-type" { "detailType" } else { name }.to_owned(), value))
        })
        .collect();
    serde_json::to_string(&members).ok()
}

fn write_value(text: &mut String, value: Option<&str>, place: Place) {
    match (place, value) {
        (Place::Json, None) => text.push_str("\"\""),
        (Place::InString | Place::InText, None) => {}
        (Place::Json, Some(value)) => text.push_str(value),
        (Place::InString, Some(value)) if value.starts_with('"') => text.push_str(&value[1..value.len() - 1]),
        (Place::InText, Some(value)) if value.starts_with('"') => match serde_json::from_str::<String>(value) {
            Ok(plain) => text.push_str(&plain),
            Err(_) => text.push_str(&value[1..value.len() - 1]),
        },
        (Place::InString | Place::InText, Some(value)) => push_unquoted(text, value),
    }
}

/// An object or a list without white space between its tokens and without any quotes, also those within its texts. Numbers
/// and literals as they are.
fn push_unquoted(text: &mut String, value: &str) {
    let mut rest = value;
    while let Some(first) = rest.chars().next() {
        let length = if first == '"' { json::string_len(rest) } else { first.len_utf8() };
        if first == '"' {
            text.push_str(&rest[1..length - 1].replace("\\\"", ""));
        } else if !first.is_ascii_whitespace() {
            text.push(first);
        }
        rest = &rest[length..];
    }
}
