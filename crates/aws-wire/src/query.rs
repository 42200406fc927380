//! The Query protocol's parameters: a flat list of names and values that spells a tree.
//!
//! `PublishBatchRequestEntries.member.1.Id=a`: the parts of a name between dots are members, positions in lists, and entries
//! of maps. Which of them a part is, only the shape knows, so the tree is read by the shape's own `Deserialize`.

mod node;

use std::collections::BTreeMap;

use percent_encoding::percent_decode;

use crate::error::{DecodeError, shown};

pub(crate) use node::{Node, Style};

/// Parameters of one request. The largest that has a use: ten messages with ten attributes of three parameters each.
pub const PARAMETERS_MAX: usize = 2_000;

/// The longest name of a parameter, in bytes, decoded.
pub const KEY_LEN_MAX: usize = 512;

/// Parts of one name: `PublishBatchRequestEntries.member.1.MessageAttributes.entry.1.Value.DataType` has eight.
pub const PARTS_MAX: usize = 12;

/// Parameters that are about the request, not the operation: the protocol's, and those of the signature in query or form.
/// Whoever verified the signature has read them.
const ABOUT_THE_REQUEST: [&str; 8] = [
    "Version",
    "AWSAccessKeyId",
    "Signature",
    "SignatureMethod",
    "SignatureVersion",
    "Timestamp",
    "Expires",
    "SecurityToken",
];

/// A part of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Parameter {
    Leaf(String),
    Branch(Branch),
}

pub(crate) type Branch = BTreeMap<String, Parameter>;

/// All parameters of a request.
pub(crate) struct Parameters(Branch);

impl Parameters {
    /// Reads the parameters of the URL and of the form, and the value of `Action`.
    pub(crate) fn parse(query: &[u8], form: &[u8]) -> Result<(Self, Option<String>), DecodeError> {
        let (mut tree, mut action) = (Branch::new(), None);
        let pairs = query.split(|b| *b == b'&').chain(form.split(|b| *b == b'&')).filter(|pair| !pair.is_empty());
        for (position, pair) in pairs.enumerate() {
            if position >= PARAMETERS_MAX {
                return Err(malformed(format!("More than {PARAMETERS_MAX} parameters.")));
            }
            let mut halves = pair.splitn(2, |b| *b == b'=');
            let mut half = || text(halves.next().unwrap_or_default());
            let (name, value) = (half()?, half()?);
            if name == "Action" {
                set_once(&mut action, value)?;
            } else if !about_the_request(&name) {
                insert(&mut tree, &name, value)?;
            }
        }
        Ok((Self(tree), action))
    }

    /// Sets a parameter that is not there.
    pub(crate) fn default(&mut self, name: &str, value: &str) {
        self.0.entry(name.to_owned()).or_insert_with(|| Parameter::Leaf(value.to_owned()));
    }
}

fn about_the_request(name: &str) -> bool {
    ABOUT_THE_REQUEST.contains(&name) || name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("X-Amz-"))
}

fn set_once(action: &mut Option<String>, value: String) -> Result<(), DecodeError> {
    match action {
        Some(before) if *before != value => Err(malformed("The parameter Action is there twice.".into())),
        _ => {
            *action = Some(value);
            Ok(())
        }
    }
}

fn insert(tree: &mut Branch, name: &str, value: String) -> Result<(), DecodeError> {
    if name.len() > KEY_LEN_MAX || name.split('.').count() > PARTS_MAX {
        return Err(malformed(format!("The name of a parameter is too long: {}", shown(name))));
    }
    let clash = || malformed(format!("The parameter {} is there twice, or both with and without parts.", shown(name)));
    let mut at = tree;
    let (path, last) = name.rsplit_once('.').map_or((None, name), |(path, last)| (Some(path), last));
    for part in path.into_iter().flat_map(|path| path.split('.')) {
        let next = at.entry(part.to_owned()).or_insert_with(|| Parameter::Branch(Branch::new()));
        at = match next {
            Parameter::Branch(branch) => branch,
            Parameter::Leaf(_) => return Err(clash()),
        };
    }
    match at.get(last) {
        None => {
            at.insert(last.to_owned(), Parameter::Leaf(value));
            Ok(())
        }
        // Some clients send a parameter in the URL and in the form.
        Some(Parameter::Leaf(before)) if *before == value => Ok(()),
        Some(_) => Err(clash()),
    }
}

/// Decodes one half of a pair (WHATWG URL, "application/x-www-form-urlencoded parsing"), but takes no broken UTF-8.
fn text(encoded: &[u8]) -> Result<String, DecodeError> {
    let spaced: Vec<u8> = encoded.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
    let decoded = percent_decode(&spaced).decode_utf8().map_err(|_| malformed("A parameter is not UTF-8.".into()))?;
    Ok(decoded.into_owned())
}

fn malformed(message: String) -> DecodeError {
    DecodeError::Malformed(message)
}

#[cfg(test)]
mod tests;
