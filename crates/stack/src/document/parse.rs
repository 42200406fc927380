//! From text to tree.

use std::fmt::Write as _;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::node::{Kind, Member, Node, Position};
use crate::problem::Problem;

/// So deep may lists and maps be nested.
pub const DEPTH_MAX: usize = 100;

/// Reads a template.
///
/// # Errors
/// What is wrong with the text as YAML or JSON. A text that begins with a brace is judged as JSON.
pub fn parse(text: &str) -> Result<Node, Problem> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let is_json = text.trim_start().starts_with('{');
    if is_json {
        check_json(text)?;
    }
    let text = if is_json { with_whole_characters(text) } else { text.into() };
    let mut builder = Builder::default();
    for event in Parser::new_from_str(&text) {
        let (event, span) = event.map_err(|error| {
            let at = Position { line: error.marker().line(), column: error.marker().col() + 1 };
            Problem::format(at, format!("YAML not well-formed: {}.", error.info()))
        })?;
        builder.take(event, position(span))?;
    }
    builder.root.ok_or_else(|| Problem::format(Position { line: 1, column: 1 }, "the template is empty."))
}

fn check_json(text: &str) -> Result<(), Problem> {
    let checked = serde_json::from_str::<serde::de::IgnoredAny>(text);
    checked.map(|_| ()).map_err(|error| {
        let at = Position { line: error.line(), column: error.column() };
        Problem::format(at, "JSON not well-formed.")
    })
}

/// JSON writes characters beyond `\uffff` as two escapes, which YAML does not know; it has one longer one.
fn with_whole_characters(json: &str) -> std::borrow::Cow<'_, str> {
    if !json.contains("\\u") {
        return json.into();
    }
    let (mut out, mut rest) = (String::with_capacity(json.len()), json);
    while let Some(place) = rest.find('\\') {
        out.push_str(&rest[..place]);
        rest = &rest[place..];
        let escape = |text: &str| u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok();
        let pair = escape(rest).zip(rest.get(6..).and_then(escape));
        let whole = pair.and_then(|(high, low)| char::decode_utf16([high, low]).next()?.ok());
        if let Some(c) = whole.filter(|c| u32::from(*c) > 0xffff) {
            // Writing to a text cannot fail.
            let _ = write!(out, "\\U{:08x}", u32::from(c));
            rest = &rest[12..];
        } else {
            let len = rest.chars().take(2).map(char::len_utf8).sum();
            out.push_str(&rest[..len]);
            rest = &rest[len..];
        }
    }
    out.push_str(rest);
    out.into()
}

fn position(span: Span) -> Position {
    Position { line: span.start.line(), column: span.start.col() + 1 }
}

/// A list or a map whose end has not come.
struct Open {
    at: Position,
    /// The function that its tag stands for.
    function: Option<String>,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map(Vec<Member>, Option<(String, Position)>),
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<Node>,
    documents: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, at: Position) -> Result<(), Problem> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(Problem::format(at, "the text holds more than one YAML document."));
                }
                Ok(())
            }
            Event::Alias(_) => Err(Problem::format(at, "YAML aliases are not supported in templates.")),
            Event::Scalar(text, style, _, tag) => {
                let function = function_of(tag.as_deref(), at)?;
                let kind = match &function {
                    Function::Text => Kind::Text(text.into_owned()),
                    _ if style == ScalarStyle::Plain => plain(&text),
                    _ => Kind::Text(text.into_owned()),
                };
                self.push(call(function.into_name(), Node { at, kind }))
            }
            Event::SequenceStart(_, tag) => self.begin(at, tag.as_deref(), Content::List(Vec::new())),
            Event::MappingStart(_, tag) => self.begin(at, tag.as_deref(), Content::Map(Vec::new(), None)),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
        }
    }

    fn begin(&mut self, at: Position, tag: Option<&Tag>, content: Content) -> Result<(), Problem> {
        if self.open.len() >= DEPTH_MAX {
            return Err(Problem::format(at, format!("lists and maps are nested deeper than {DEPTH_MAX}.")));
        }
        let function = function_of(tag, at)?.into_name();
        self.open.push(Open { at, function, content });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Problem> {
        let Some(Open { at, function, content }) = self.open.pop() else { return Ok(()) };
        let kind = match content {
            Content::List(values) => Kind::List(values),
            Content::Map(members, _) => Kind::Map(members),
        };
        self.push(call(function, Node { at, kind }))
    }

    fn push(&mut self, node: Node) -> Result<(), Problem> {
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::List(values)) => values.push(node),
            Some(Content::Map(members, name @ None)) => {
                let Some(text) = node.text() else {
                    return Err(Problem::format(node.at, "the name of a member is a text."));
                };
                if text == "<<" {
                    return Err(Problem::format(node.at, "YAML merges (<<) are not supported in templates."));
                }
                if members.iter().any(|member| member.name == text) {
                    return Err(Problem::format(node.at, format!("the member {text} is there twice.")));
                }
                *name = Some((text.to_owned(), node.at));
            }
            Some(Content::Map(members, name)) => {
                if let Some((name, at)) = name.take() {
                    members.push(Member { name, at, value: node });
                }
            }
        }
        Ok(())
    }
}

/// What a tag says of its value.
enum Function {
    /// Nothing.
    None,
    /// `!!str`: a text, however it looks.
    Text,
    /// The name of an intrinsic function.
    Named(String),
}

impl Function {
    fn into_name(self) -> Option<String> {
        match self {
            Self::Named(name) => Some(name),
            Self::None | Self::Text => None,
        }
    }
}

/// "Intrinsic function reference": `!Ref` and `!Condition` stand for themselves, all others for `Fn::…`.
fn function_of(tag: Option<&Tag>, at: Position) -> Result<Function, Problem> {
    let Some(tag) = tag else { return Ok(Function::None) };
    if tag.is_yaml_core_schema() {
        return match tag.suffix.as_str() {
            "str" => Ok(Function::Text),
            "map" | "seq" | "int" | "bool" | "float" | "null" => Ok(Function::None),
            other => Err(Problem::format(at, format!("the YAML tag !!{other} is not supported in templates."))),
        };
    }
    match (tag.handle.as_str(), tag.suffix.as_str()) {
        ("!", "") => Ok(Function::Text),
        ("!", name @ ("Ref" | "Condition")) => Ok(Function::Named(name.to_owned())),
        ("!", name) => Ok(Function::Named(format!("Fn::{name}"))),
        (handle, suffix) => Err(Problem::format(at, format!("the YAML tag {handle}{suffix} is not supported."))),
    }
}

fn call(function: Option<String>, argument: Node) -> Node {
    match function {
        None => argument,
        Some(name) => {
            let at = argument.at;
            Node { at, kind: Kind::Map(vec![Member { name, at, value: argument }]) }
        }
    }
}

/// A scalar without quotes, after YAML's core schema. Digits after a zero are an account or a phone number, not octal.
fn plain(text: &str) -> Kind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Kind::Null,
        "true" | "True" | "TRUE" => return Kind::Bool(true),
        "false" | "False" | "FALSE" => return Kind::Bool(false),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit())
        && !(digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0."))
        && digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'-' | b'+'))
        && digits.parse::<f64>().is_ok_and(f64::is_finite);
    if is_number { Kind::Number(text.to_owned()) } else { Kind::Text(text.to_owned()) }
}
