//! Reads a shape from the tree of parameters.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, IntoDeserializer, Visitor};

use super::{Branch, Parameter, Parameters, malformed};
use crate::error::{DecodeError, shown};
use crate::names;

/// How lists and maps are spelled.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Style {
    /// `Tags.member.1.Key`, `Attributes.entry.1.key`.
    Wrapped,
    /// `Tag.1.Key`, `Attribute.1.Name`, with SQS's names for the members of the operation.
    Flattened(&'static str),
}

/// A part of the tree, to be read as whatever the shape asks for.
#[derive(Clone, Copy)]
pub(crate) struct Node<'p> {
    at: At<'p>,
    style: Style,
}

#[derive(Clone, Copy)]
enum At<'p> {
    Branch(&'p Branch),
    Leaf(&'p str),
}

impl<'p> Node<'p> {
    /// All parameters of a request.
    pub(crate) fn root(parameters: &'p Parameters, style: Style) -> Self {
        Self { at: At::Branch(&parameters.0), style }
    }

    fn below(self, parameter: &'p Parameter) -> Self {
        let at = match parameter {
            Parameter::Leaf(text) => At::Leaf(text),
            Parameter::Branch(branch) => At::Branch(branch),
        };
        Self { at, style: self.style }
    }

    fn text(self) -> Result<&'p str, DecodeError> {
        match self.at {
            At::Leaf(text) => Ok(text),
            At::Branch(branch) => {
                let part = branch.keys().next().map(|part| shown(part)).unwrap_or_default();
                Err(malformed(format!("A value was expected where the parameters have .{part}")))
            }
        }
    }

    fn parsed<T: std::str::FromStr>(self, kind: &str) -> Result<T, DecodeError> {
        self.text()?.parse().map_err(|_| malformed(format!("{kind} was expected as the value of a parameter.")))
    }

    /// The elements of a list, in the order of their numbers. `None` as a list is what an empty value spells.
    fn items(self, wrapper: &str) -> Result<Vec<Self>, DecodeError> {
        let branch = match self.at {
            At::Leaf("") => return Ok(Vec::new()),
            // An old way to spell a list of one: `AttributeName=All`.
            At::Leaf(_) => {
                return if matches!(self.style, Style::Flattened(_)) { Ok(vec![self]) } else { Err(no_list(wrapper)) };
            }
            At::Branch(branch) => branch,
        };
        let numbered = match self.style {
            Style::Flattened(_) => branch,
            Style::Wrapped => match branch.get(wrapper) {
                Some(Parameter::Branch(numbered)) if branch.len() == 1 => numbered,
                _ => return Err(no_list(wrapper)),
            },
        };
        let mut items = Vec::with_capacity(numbered.len());
        for (number, item) in numbered {
            let position = Some(number)
                .filter(|number| number.bytes().all(|b| b.is_ascii_digit()) && !number.starts_with('0'))
                .and_then(|number| number.parse::<u32>().ok())
                .ok_or_else(|| malformed(format!("A list has numbers from 1, not {}", shown(number))))?;
            items.push((position, self.below(item)));
        }
        items.sort_by_key(|(position, _)| *position);
        Ok(items.into_iter().map(|(_, item)| item).collect())
    }

    /// The entries of a map.
    fn entries(self) -> Result<Vec<(&'p str, Self)>, DecodeError> {
        // An old way to spell a map of one: `Attribute.Name=…&Attribute.Value=…`.
        if let (At::Branch(branch), Style::Flattened(_)) = (self.at, self.style)
            && branch.contains_key("Name")
        {
            return Ok(vec![self.entry()?]);
        }
        self.items("entry")?.into_iter().map(Node::entry).collect()
    }

    fn entry(self) -> Result<(&'p str, Self), DecodeError> {
        let At::Branch(branch) = self.at else {
            return Err(malformed("An entry of a map has a name and a value.".into()));
        };
        let (mut name, mut value) = (None, None);
        for (part, parameter) in branch {
            match part.as_str() {
                "key" | "Key" | "Name" if name.is_none() => name = Some(self.below(parameter).text()?),
                "value" | "Value" if value.is_none() => value = Some(self.below(parameter)),
                other => {
                    return Err(malformed(format!("An entry of a map has a name and a value, not {}", shown(other))));
                }
            }
        }
        name.zip(value).ok_or_else(|| malformed("An entry of a map has a name and a value.".into()))
    }
}

fn no_list(wrapper: &str) -> DecodeError {
    malformed(format!("A list or map is spelled with .{wrapper}.1"))
}

impl<'p> IntoDeserializer<'p, DecodeError> for Node<'p> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Numbers are parsed from the text.
macro_rules! numbers {
    ($($method:ident $visit:ident;)*) => { $(
        fn $method<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            visitor.$visit(self.parsed("A number")?)
        }
    )* };
}

impl<'p> Deserializer<'p> for Node<'p> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.at {
            At::Leaf(text) => visitor.visit_borrowed_str(text),
            At::Branch(_) => self.deserialize_struct("", &[], visitor),
        }
    }

    numbers! {
        deserialize_i8 visit_i8; deserialize_i16 visit_i16; deserialize_i32 visit_i32; deserialize_i64 visit_i64;
        deserialize_u8 visit_u8; deserialize_u16 visit_u16; deserialize_u32 visit_u32; deserialize_u64 visit_u64;
        deserialize_f32 visit_f32; deserialize_f64 visit_f64;
    }

    fn deserialize_bool<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.text()?.to_ascii_lowercase().as_str() {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => Err(malformed("true or false was expected as the value of a parameter.".into())),
        }
    }

    fn deserialize_option<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'p>>(self, _: &'static str, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let mut list = SeqDeserializer::new(self.items("member")?.into_iter());
        let read = visitor.visit_seq(&mut list)?;
        list.end().map(|()| read)
    }

    fn deserialize_map<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let entries = self.entries()?;
        let mut names: Vec<_> = entries.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(malformed(format!("The name {} is there twice in a map.", shown(twice[0]))));
        }
        let mut map = MapDeserializer::new(entries.into_iter());
        let read = visitor.visit_map(&mut map)?;
        map.end().map(|()| read)
    }

    fn deserialize_struct<V: Visitor<'p>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let At::Branch(branch) = self.at else {
            return Err(malformed("A structure was expected where the parameters have a value.".into()));
        };
        let members = branch.iter().map(|(part, parameter)| {
            let member = match self.style {
                Style::Flattened(op) => names::member(op, part),
                Style::Wrapped => part,
            };
            (member, self.below(parameter))
        });
        let mut map = MapDeserializer::new(members);
        let read = visitor.visit_map(&mut map)?;
        map.end().map(|()| read)
    }

    fn deserialize_enum<V: Visitor<'p>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_enum(self.text()?.into_deserializer())
    }

    fn deserialize_str<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_borrowed_str(self.text()?)
    }

    serde::forward_to_deserialize_any! {
        <V: Visitor<'p>>
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct ignored_any
    }

    fn deserialize_string<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }
}
