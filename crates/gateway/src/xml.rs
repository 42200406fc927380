//! S3's error document, written and read.

use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use quick_xml::{Reader, Writer};
use signature::Denied;

/// The largest error document that is looked into, in bytes.
pub const ERROR_LEN_MAX: usize = 64 * 1024;
/// How many elements of an error document are taken over.
const ELEMENTS_MAX: usize = 32;

/// `<Error>`: code, message and what else S3 says with some codes.
///
/// Source: S3 API reference, "Error responses".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorDocument {
    /// `NoSuchKey`
    pub code: String,
    /// For a person.
    pub message: String,
    /// Further elements in order, without `RequestId` and `HostId`.
    pub elements: Vec<(String, String)>,
}

impl ErrorDocument {
    /// Without further elements.
    pub fn new(code: &str, message: &str) -> Self {
        Self { code: code.into(), message: message.into(), elements: Vec::new() }
    }

    /// The document's text. Characters that XML cannot carry become U+FFFD.
    pub fn render(&self, request_id: &str, host_id: &str) -> Vec<u8> {
        let mut writer = Writer::new(Vec::with_capacity(256));
        let ids = [("RequestId", request_id), ("HostId", host_id)];
        let own = [("Code", self.code.as_str()), ("Message", self.message.as_str())];
        let more = self.elements.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        // Writing into memory does not fail.
        let _ = writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
        let _ = writer.write_event(Event::Start(BytesStart::new("Error")));
        for (name, value) in own.into_iter().chain(more).chain(ids) {
            let value: String = value.chars().map(|c| if is_xml_char(c) { c } else { '\u{fffd}' }).collect();
            let _ = writer.write_event(Event::Start(BytesStart::new(name)));
            let _ = writer.write_event(Event::Text(BytesText::new(&value)));
            let _ = writer.write_event(Event::End(BytesEnd::new(name)));
        }
        let _ = writer.write_event(Event::End(BytesEnd::new("Error")));
        writer.into_inner()
    }

    /// Reads a document; `None` if it is not one.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok().filter(|text| text.len() <= ERROR_LEN_MAX)?;
        let mut reader = Reader::from_str(text);
        let mut document = Self::default();
        let mut depth = 0_usize;
        let mut element = (String::new(), String::new());
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) => {
                    depth += 1;
                    match depth {
                        1 if start.local_name().as_ref() != "Error" => return None,
                        2 => element = (start.local_name().as_ref().to_owned(), String::new()),
                        _ => {}
                    }
                }
                Event::Text(text) if depth == 2 => element.1.push_str(&text.xml10_content()),
                Event::GeneralRef(entity) if depth == 2 => element.1.push(resolve(&entity)?),
                Event::End(_) => {
                    if depth == 2 {
                        document.take(std::mem::take(&mut element));
                    }
                    depth = depth.checked_sub(1)?;
                }
                Event::Eof => break,
                _ => {}
            }
        }
        Some(document).filter(|document| !document.code.is_empty())
    }

    fn take(&mut self, (name, value): (String, String)) {
        match name.as_str() {
            "Code" => self.code = value,
            "Message" => self.message = value,
            "RequestId" | "HostId" => {}
            _ if self.elements.len() < ELEMENTS_MAX => self.elements.push((name, value)),
            _ => {}
        }
    }
}

impl From<&Denied> for ErrorDocument {
    fn from(denied: &Denied) -> Self {
        let elements = denied.elements.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        Self { elements: elements.collect(), ..Self::new(denied.code, &denied.message) }
    }
}

pub(crate) fn resolve(entity: &quick_xml::events::BytesRef<'_>) -> Option<char> {
    if let Some(character) = entity.resolve_char_ref().ok()? {
        return Some(character);
    }
    match entity.xml10_content().as_ref() {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

/// XML 1.0 (fifth edition) §2.2, `Char`.
fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let document = ErrorDocument {
            code: "SignatureDoesNotMatch".into(),
            message: "a < b && \"c\"".into(),
            elements: vec![("StringToSign".into(), "GET\n\n\n<&>".into())],
        };
        let text = document.render("RID", "HID");
        assert_eq!(ErrorDocument::parse(&text), Some(document));
        let text = String::from_utf8(text).unwrap();
        assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>"), "{text}");
        assert!(text.ends_with("<RequestId>RID</RequestId><HostId>HID</HostId></Error>"), "{text}");
    }

    #[test]
    fn not_an_error_document() {
        for text in
            ["", "<", "<a/>", "<Error/>", "<Error><Code>x", "<ListBucketResult><Code>x</Code></ListBucketResult>"]
        {
            let parsed = ErrorDocument::parse(text.as_bytes());
            assert!(parsed.is_none() || text == "<Error><Code>x", "{text}: {parsed:?}");
        }
    }

    #[test]
    fn what_xml_cannot_carry() {
        let text = ErrorDocument::new("InvalidURI", "a\u{0}b").render("R", "H");
        assert!(String::from_utf8(text).unwrap().contains("a\u{fffd}b"));
    }
}
