//! Some values of an event, read by the same pass that patterns use.

use crate::error::EventError;
use crate::event::{Frame, Reading, read};
use crate::fields::{Fields, MAX_KEPT, Slot};
use crate::names::Names;
use crate::operator::Kind;
use crate::pattern::Value;

/// Paths to values of events, as patterns name fields: `detail.userIdentity.arn`.
///
/// What no path leads to is stepped over.
///
/// ```
/// use event_pattern::{Paths, PathsRoom, Value};
/// let paths = Paths::new(["user.name", "tags.key"]);
/// let mut room = PathsRoom::default();
/// let event = br#"{"user": {"name": "etl", "id": 3}, "tags": [{"key": "a"}, {"key": "b"}]}"#;
/// let found = paths.read(event, &mut room)?;
/// assert_eq!(found.last(0), Some(Value::String("etl")));
/// assert_eq!(found.all(1).map(|(value, _)| value).collect::<Vec<_>>(), [Value::String("b"), Value::String("a")]);
/// # Ok::<(), event_pattern::EventError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Paths {
    names: Names,
    /// The field of each path. Two may be the same.
    fields: Vec<u32>,
}

/// Buffers of [`Paths::read`], kept from event to event unless one made them large.
#[derive(Debug, Default)]
pub struct PathsRoom {
    fields: Fields,
    frames: Vec<Frame>,
}

/// What was found in one event. Paths are named by their place in the list that [`Paths::new`] got.
#[derive(Clone, Copy, Debug)]
pub struct PathValues<'v> {
    paths: &'v [u32],
    event: &'v [u8],
    fields: &'v Fields,
}

/// The innermost array element that a value stands in, to tell which values stand together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArrayElement(u32);

impl Paths {
    /// Paths, each a list of keys with points between them.
    pub fn new<'p>(paths: impl IntoIterator<Item = &'p str>) -> Self {
        let mut names = Names::new();
        let fields = (0..).zip(paths).map(|(fresh, path)| names.add(path, fresh)).collect();
        Self { names, fields }
    }

    /// The values in `event`, of which only so much is checked as they need.
    ///
    /// # Errors
    /// [`EventError::Syntax`] with the place of the first mistake, or [`EventError::TooLong`].
    pub fn read<'v>(&'v self, event: &'v [u8], room: &'v mut PathsRoom) -> Result<PathValues<'v>, EventError> {
        self.read_as(Reading::Loose, event, room)
    }

    /// The values in `event`, which must be one JSON object in UTF-8, all of it.
    ///
    /// # Errors
    /// As [`validate`](crate::validate).
    pub fn read_strict<'v>(&'v self, event: &'v [u8], room: &'v mut PathsRoom) -> Result<PathValues<'v>, EventError> {
        self.read_as(Reading::Strict, event, room)
    }

    fn read_as<'v>(
        &'v self,
        reading: Reading,
        event: &'v [u8],
        room: &'v mut PathsRoom,
    ) -> Result<PathValues<'v>, EventError> {
        if !room.fields.is_small() || room.frames.capacity() > MAX_KEPT {
            *room = PathsRoom::default();
        }
        let PathsRoom { fields, frames } = room;
        fields.reset(self.fields.len());
        read(event, &self.names, reading, fields, frames)?;
        Ok(PathValues { paths: &self.fields, event, fields })
    }
}

impl<'v> PathValues<'v> {
    /// The values at a path, the last one first: of a key that is repeated, and of arrays. Objects are none.
    ///
    /// # Panics
    /// If there are not so many paths.
    pub fn all(&self, path: usize) -> impl Iterator<Item = (Value<'v>, ArrayElement)> + use<'v> {
        let (event, fields) = (self.event, self.fields);
        fields.slots(self.paths[path]).map(move |slot| (value(event, fields, slot), ArrayElement(slot.element)))
    }

    /// The last value at a path.
    ///
    /// # Panics
    /// If there are not so many paths.
    pub fn last(&self, path: usize) -> Option<Value<'v>> {
        self.all(path).next().map(|(value, _)| value)
    }
}

fn value<'v>(event: &'v [u8], fields: &'v Fields, slot: Slot) -> Value<'v> {
    // Texts and numbers were looked at when they were read: there is no other case.
    let text = std::str::from_utf8(fields.scalar(event, slot).bytes).unwrap_or_default();
    match slot.kind {
        Kind::Text => Value::String(text),
        Kind::Number => Value::Number(text),
        Kind::True => Value::Bool(true),
        Kind::False => Value::Bool(false),
        Kind::Null => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    use super::*;

    fn found(event: &str, paths: &[&str]) -> Result<Vec<Option<String>>, EventError> {
        let (paths, mut room) = (Paths::new(paths.iter().copied()), PathsRoom::default());
        let found = paths.read(event.as_bytes(), &mut room)?;
        Ok((0..paths.fields.len()).map(|path| found.last(path).map(|value| format!("{value:?}"))).collect())
    }

    #[test]
    fn values_are_found_wherever_they_stand() {
        let event = r#" {"b":{"a":"\u00e9\n"},"a":[1,null],"c.d":true,"e":{"f":{}},"a":-0.5e3, "g":"x"} "#;
        let paths = ["b.a", "a", "c.d", "e.f", "e", "h", "b.a"];
        let text = Some(r#"String("é\n")"#.to_owned());
        let others = [Some(r#"Number("-0.5e3")"#.to_owned()), Some("Bool(true)".to_owned()), None, None, None];
        let expected: Vec<_> = [text.clone()].into_iter().chain(others).chain([text]).collect();
        assert_eq!(found(event, &paths), Ok(expected));
        assert!(found(r#"{"a":[1,],"b":2}"#, &["a", "b"]).is_err() && found("[]", &["a"]).is_err());
        assert!(found("{\"a\":\"\u{1}\"}", &["a"]).is_err() && found(r#"{"b":2,"a":1} x"#, &["a", "b"]).is_err());
    }

    #[test]
    fn what_no_path_leads_to_is_checked_if_asked_for() {
        let (paths, mut room) = (Paths::new(["a"]), PathsRoom::default());
        for event in [r#"{"a":1,"b":[1,]}"#, r#"{"a":1,"b":{"c":nul}}"#, r#"{"a":1,"b":"\x"}"#] {
            assert_eq!(paths.read(event.as_bytes(), &mut room).unwrap().last(0), Some(Value::Number("1")));
            assert!(paths.read_strict(event.as_bytes(), &mut room).is_err(), "{event}");
        }
        let whole = paths.read_strict(br#"{"b":[1,{}],"a":"x"}"#, &mut room).unwrap();
        assert_eq!(whole.last(0), Some(Value::String("x")));
    }

    #[test]
    fn elements_tell_what_stands_together() {
        let (paths, mut room) = (Paths::new(["list.kind", "list.id"]), PathsRoom::default());
        let event = br#"{"list":[{"kind":"x","id":1},{"id":2},{"id":3,"kind":"z"}]}"#;
        let found = paths.read(event, &mut room).unwrap();
        let kinds: Vec<_> = found.all(0).collect();
        let with = |kind: usize| found.all(1).find(|(_, element)| *element == kinds[kind].1).map(|(id, _)| id);
        assert_eq!((kinds[0].0, with(0)), (Value::String("z"), Some(Value::Number("3"))));
        assert_eq!((kinds[1].0, with(1)), (Value::String("x"), Some(Value::Number("1"))));
    }

    fn json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i32>().prop_map(Json::from),
            "[a-c\\\\\"\u{e9}\n]{0,3}".prop_map(Json::from),
        ];
        let key = || prop::sample::select(vec!["a", "b", "\u{e9}", "long enough for two words"]);
        leaf.prop_recursive(3, 24, 4, move |inner| {
            prop::collection::btree_map(key(), inner, 0..4).prop_map(|map| json!(map))
        })
    }

    proptest! {
        /// Another parser finds the same.
        #[test]
        fn values_are_those_of_serde_json(event in prop::collection::btree_map("[ab]", json(), 0..3)) {
            let event = json!(event);
            let paths = ["a", "b", "a.a", "a.b", "b.\u{e9}", "a.long enough for two words", "a.b.a", "b.\u{e9}.b.a"];
            let expected = paths.map(|path| {
                let value = path.split('.').try_fold(&event, |value, key| value.get(key))?;
                Some(match value {
                    Json::Object(_) | Json::Array(_) => return None,
                    Json::Null => "Null".to_owned(),
                    Json::Bool(value) => format!("{:?}", Value::Bool(*value)),
                    Json::Number(number) => format!("{:?}", Value::Number(&number.to_string())),
                    Json::String(text) => format!("{:?}", Value::String(text)),
                })
            });
            prop_assert_eq!(found(&event.to_string(), &paths), Ok(expected.to_vec()));
        }
    }
}
