//! The elements of S3's answers.

use quick_xml::Reader;
use quick_xml::events::Event;

/// Elements in elements: no answer that is read here has more.
const DEPTH_MAX: usize = 16;

/// An element: its name, its text and what is in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// The outermost element of a document.
    pub fn parse(document: &str) -> Option<Self> {
        let mut reader = Reader::from_str(document);
        let mut open: Vec<Self> = Vec::new();
        loop {
            let closed = match reader.read_event().ok()? {
                Event::Start(start) if open.len() < DEPTH_MAX => {
                    open.push(Self::named(start.local_name().as_ref()));
                    continue;
                }
                Event::Start(_) | Event::Eof => return None,
                Event::Empty(start) => Self::named(start.local_name().as_ref()),
                Event::End(_) => open.pop()?,
                Event::Text(text) => {
                    if let Some(open) = open.last_mut() {
                        open.text.push_str(&text.xml10_content());
                    }
                    continue;
                }
                Event::GeneralRef(entity) => {
                    let of_number = entity.resolve_char_ref().ok()?;
                    let of_name = || match entity.xml10_content().as_ref() {
                        "amp" => Some('&'),
                        "lt" => Some('<'),
                        "gt" => Some('>'),
                        "quot" => Some('"'),
                        "apos" => Some('\''),
                        _ => None,
                    };
                    open.last_mut()?.text.push(of_number.or_else(of_name)?);
                    continue;
                }
                _ => continue,
            };
            match open.last_mut() {
                Some(parent) => parent.children.push(closed),
                None => return Some(closed),
            }
        }
    }

    fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Every element of this name in it.
    pub fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first of this name.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first of this name.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).map(|child| child.text.as_str())
    }

    /// The names and texts of what is in it.
    pub fn leaves(&self) -> impl Iterator<Item = (&str, &str)> {
        self.children.iter().map(|child| (child.name.as_str(), child.text.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::Element;

    #[test]
    fn elements_and_their_texts() {
        let text = "<?xml version=\"1.0\"?>\n<A xmlns=\"x\"><B><C>1 &lt; 2&#33;</C></B><B/></A>";
        let read = Element::parse(text).unwrap_or_default();
        assert_eq!(read.all("B").count(), 2);
        assert_eq!(read.get("B").and_then(|b| b.text("C")), Some("1 < 2!"));
        assert_eq!(Element::parse("<A><B></A>"), None);
        assert_eq!(Element::parse(&"<A>".repeat(100)), None);
    }
}
