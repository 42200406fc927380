//! An output as a tree that still knows what was a structure and what a map, which XML writes differently, and what was a
//! moment, which CBOR marks.

use std::borrow::Cow;
use std::fmt;

use aws_api::{Moment, Timestamp};
use serde::ser::{self, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer};

/// A value of an output.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    /// Absent.
    Nothing,
    Text(String),
    Bool(bool),
    Int(i64),
    Float(f64),
    /// Seconds since the epoch.
    Moment(f64),
    List(Vec<Shape>),
    Map(Vec<(String, Shape)>),
    Struct(Vec<(&'static str, Shape)>),
}

impl Shape {
    /// A leaf as XML shows it; `None` for what has parts.
    pub(crate) fn text(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Self::Text(text) => text.into(),
            Self::Bool(value) => value.to_string().into(),
            Self::Int(number) => number.to_string().into(),
            // With a point in it, as clients of AWS have always seen it.
            Self::Float(number) => format!("{number:?}").into(),
            Self::Moment(secs) => moment(*secs).into(),
            Self::Nothing | Self::List(_) | Self::Map(_) | Self::Struct(_) => return None,
        })
    }
}

/// ISO 8601, with a fraction only where there is one.
#[expect(clippy::cast_possible_truncation, reason = "a float's cast is held to the bounds of the integer")]
fn moment(secs: f64) -> String {
    let moment = Timestamp::from_millis((secs * 1000.0).round() as i64);
    if moment.as_millis() % 1000 == 0 { moment.to_rfc3339_seconds() } else { moment.to_rfc3339_millis() }
}

/// An output that no shape of AWS's model has: an enum with content, a map without text as keys.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unwritable;

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a shape that the Query protocol can write")
    }
}

impl std::error::Error for Unwritable {}

impl ser::Error for Unwritable {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

pub(crate) struct ToShape;

/// What has a kind of its own in CBOR, and is text in XML.
macro_rules! leaves {
    ($($method:ident $type:ty => $leaf:expr;)*) => { $(
        fn $method(self, value: $type) -> Result<Shape, Unwritable> {
            let leaf: fn($type) -> Result<Shape, Unwritable> = $leaf;
            leaf(value)
        }
    )* };
}

impl Serializer for ToShape {
    type Ok = Shape;
    type Error = Unwritable;
    type SerializeSeq = List;
    type SerializeTuple = Impossible<Shape, Unwritable>;
    type SerializeTupleStruct = Impossible<Shape, Unwritable>;
    type SerializeTupleVariant = Impossible<Shape, Unwritable>;
    type SerializeMap = Map;
    type SerializeStruct = Struct;
    type SerializeStructVariant = Impossible<Shape, Unwritable>;

    leaves! {
        serialize_bool bool => |value| Ok(Shape::Bool(value));
        serialize_i8 i8 => |number| Ok(Shape::Int(number.into()));
        serialize_i16 i16 => |number| Ok(Shape::Int(number.into()));
        serialize_i32 i32 => |number| Ok(Shape::Int(number.into()));
        serialize_i64 i64 => |number| Ok(Shape::Int(number));
        serialize_u8 u8 => |number| Ok(Shape::Int(number.into()));
        serialize_u16 u16 => |number| Ok(Shape::Int(number.into()));
        serialize_u32 u32 => |number| Ok(Shape::Int(number.into()));
        serialize_u64 u64 => |number| i64::try_from(number).map(Shape::Int).map_err(|_| Unwritable);
        serialize_f32 f32 => |number| Ok(Shape::Float(number.into()));
        serialize_f64 f64 => |number| Ok(Shape::Float(number));
        serialize_char char => |value| Ok(Shape::Text(value.to_string()));
        serialize_str &str => |text| Ok(Shape::Text(text.to_owned()));
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<Shape, Unwritable> {
        Err(Unwritable)
    }

    fn serialize_none(self) -> Result<Shape, Unwritable> {
        Ok(Shape::Nothing)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Shape, Unwritable> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Shape, Unwritable> {
        Ok(Shape::Nothing)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Shape, Unwritable> {
        Ok(Shape::Nothing)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Shape, Unwritable> {
        Ok(Shape::Text(variant.into()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Shape, Unwritable> {
        match value.serialize(self)? {
            Shape::Float(secs) if name == Moment::NAME => Ok(Shape::Moment(secs)),
            shape => Ok(shape),
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Shape, Unwritable> {
        Err(Unwritable)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<List, Unwritable> {
        Ok(List(Vec::with_capacity(len.unwrap_or_default())))
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Unwritable> {
        Err(Unwritable)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Unwritable> {
        Err(Unwritable)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Unwritable> {
        Err(Unwritable)
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Map, Unwritable> {
        Ok(Map { entries: Vec::with_capacity(len.unwrap_or_default()), name: String::new() })
    }

    fn serialize_struct(self, _: &'static str, len: usize) -> Result<Struct, Unwritable> {
        Ok(Struct(Vec::with_capacity(len)))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Unwritable> {
        Err(Unwritable)
    }
}

pub(crate) struct List(Vec<Shape>);

impl SerializeSeq for List {
    type Ok = Shape;
    type Error = Unwritable;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.0.push(value.serialize(ToShape)?);
        Ok(())
    }

    fn end(self) -> Result<Shape, Unwritable> {
        Ok(Shape::List(self.0))
    }
}

pub(crate) struct Map {
    entries: Vec<(String, Shape)>,
    /// Of the entry whose value comes next.
    name: String,
}

impl SerializeMap for Map {
    type Ok = Shape;
    type Error = Unwritable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unwritable> {
        let Shape::Text(name) = key.serialize(ToShape)? else { return Err(Unwritable) };
        self.name = name;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        let value = value.serialize(ToShape)?;
        self.entries.push((std::mem::take(&mut self.name), value));
        Ok(())
    }

    fn end(self) -> Result<Shape, Unwritable> {
        Ok(Shape::Map(self.entries))
    }
}

pub(crate) struct Struct(Vec<(&'static str, Shape)>);

impl SerializeStruct for Struct {
    type Ok = Shape;
    type Error = Unwritable;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Unwritable> {
        match value.serialize(ToShape)? {
            Shape::Nothing => {}
            shape => self.0.push((name, shape)),
        }
        Ok(())
    }

    fn end(self) -> Result<Shape, Unwritable> {
        Ok(Shape::Struct(self.0))
    }
}
