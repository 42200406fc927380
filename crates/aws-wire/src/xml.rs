//! The Query protocol's answers.

pub(crate) mod shape;

use aws_api::{Service, ServiceInfo};
use quick_xml::Writer;
use quick_xml::escape::partial_escape;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};
use serde::Serialize;

use crate::names;
use crate::refusal::Outgoing;

use shape::{Shape, Unwritable};

/// The result element of an operation; nothing for an operation that has no output.
pub(crate) fn result<T: Serialize>(service: Service, op: &str, output: &T) -> Result<Vec<u8>, Unwritable> {
    let shape = output.serialize(shape::ToShape)?;
    if shape == Shape::Nothing || (service == Service::Sqs && !names::has_result(op)) {
        return Ok(Vec::new());
    }
    let mut xml = Xml::new();
    let flattened = (service == Service::Sqs).then_some(op);
    xml.value(&format!("{op}Result"), &shape, flattened);
    Ok(xml.0.into_inner())
}

/// The whole answer around a result element.
pub(crate) fn success(service: &ServiceInfo, op: &str, result: Vec<u8>, request_id: &str) -> Vec<u8> {
    let mut xml = Xml::document(service);
    xml.within_namespace(&format!("{op}Response"), service.query_namespace, |xml| {
        xml.0.get_mut().extend(result);
        xml.within("ResponseMetadata", |xml| xml.text("RequestId", request_id));
    });
    xml.0.into_inner()
}

/// The whole answer that refuses a request.
pub(crate) fn error(service: &ServiceInfo, error: &Outgoing<'_>, request_id: &str) -> Vec<u8> {
    let mut xml = Xml::document(service);
    xml.within_namespace("ErrorResponse", service.query_namespace, |xml| {
        xml.within("Error", |xml| {
            xml.text("Type", error.fault);
            xml.text("Code", &error.code);
            xml.text("Message", &error.message);
            if service.service == Service::Sqs {
                xml.event(Event::Empty(BytesStart::new("Detail")));
            }
        });
        xml.text("RequestId", request_id);
    });
    xml.0.into_inner()
}

struct Xml(Writer<Vec<u8>>);

impl Xml {
    fn new() -> Self {
        Self(Writer::new(Vec::new()))
    }

    /// SQS begins with a declaration, the others do not.
    fn document(service: &ServiceInfo) -> Self {
        let declaration: &[u8] = if service.service == Service::Sqs { b"<?xml version=\"1.0\"?>" } else { b"" };
        Self(Writer::new(declaration.to_vec()))
    }

    fn event(&mut self, event: Event<'_>) {
        // Writing to a Vec cannot fail.
        let _ = self.0.write_event(event);
    }

    fn within(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.event(Event::Start(BytesStart::new(name)));
        content(self);
        self.event(Event::End(BytesEnd::new(name)));
    }

    fn within_namespace(&mut self, name: &str, namespace: &str, content: impl FnOnce(&mut Self)) {
        let mut start = BytesStart::new(name);
        start.push_attribute(("xmlns", namespace));
        self.event(Event::Start(start));
        content(self);
        self.event(Event::End(BytesEnd::new(name)));
    }

    fn text(&mut self, name: &str, text: &str) {
        if text.is_empty() {
            return self.event(Event::Empty(BytesStart::new(name)));
        }
        self.within(name, |xml| xml.event(Event::Text(BytesText::from_escaped(escaped(text)))));
    }

    /// A member. `flattened` is the operation where lists and maps have no element of their own (SQS).
    fn value(&mut self, name: &str, shape: &Shape, flattened: Option<&str>) {
        match shape {
            Shape::Nothing => {}
            Shape::Text(_) | Shape::Bool(_) | Shape::Int(_) | Shape::Float(_) | Shape::Moment(_) => {
                self.text(name, &shape.text().unwrap_or_default());
            }
            Shape::Struct(members) if members.is_empty() => self.event(Event::Empty(BytesStart::new(name))),
            Shape::Struct(members) => self.within(name, |xml| {
                for (member, shape) in members {
                    xml.value(member, shape, flattened);
                }
            }),
            Shape::List(_) | Shape::Map(_) if flattened.is_some() => {
                self.flattened(name, shape, flattened.unwrap_or_default());
            }
            Shape::List(values) if values.is_empty() => self.event(Event::Empty(BytesStart::new(name))),
            Shape::List(values) => self.within(name, |xml| {
                for value in values {
                    xml.value("member", value, None);
                }
            }),
            Shape::Map(entries) if entries.is_empty() => self.event(Event::Empty(BytesStart::new(name))),
            Shape::Map(entries) => self.within(name, |xml| {
                for entry in entries {
                    xml.entry("entry", ("key", "value"), entry, None);
                }
            }),
        }
    }

    fn flattened(&mut self, member: &str, shape: &Shape, op: &str) {
        let element = names::element(op, member);
        match shape {
            Shape::List(values) => {
                for value in values {
                    self.value(element, value, Some(op));
                }
            }
            Shape::Map(entries) => {
                for entry in entries {
                    self.entry(element, names::entry(member), entry, Some(op));
                }
            }
            other => self.value(member, other, Some(op)),
        }
    }

    fn entry(&mut self, element: &str, parts: (&str, &str), (name, value): &(String, Shape), flattened: Option<&str>) {
        self.within(element, |xml| {
            xml.text(parts.0, name);
            xml.value(parts.1, value, flattened);
        });
    }
}

/// Text of an element as AWS writes it: quotation marks are escaped too, and a carriage return, which a parser would turn
/// into a line feed. Characters that XML 1.0 cannot hold in any form become U+FFFD.
fn escaped(text: &str) -> String {
    let allowed =
        |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    let held: String = text.chars().map(|c| if allowed(c) { c } else { char::REPLACEMENT_CHARACTER }).collect();
    let mut escaped = String::with_capacity(held.len() + held.len() / 8);
    // The library's own form of a carriage return is another than AWS's.
    for (position, part) in held.split('\r').enumerate() {
        if position > 0 {
            escaped.push_str("&#xD;");
        }
        escaped.push_str(&partial_escape(part).replace('"', "&quot;"));
    }
    escaped
}

#[cfg(test)]
mod tests;
