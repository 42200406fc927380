//! A decided change to the registry, as a value that the caller commits.

use serde::{Serialize, de::DeserializeOwned};

/// Something that the registry keeps: a trail, a rule, a topic, a subscription, a queue, a bucket.
///
/// Its row is its JSON; fields added later need a serde default, so that rows written before them still open.
pub trait Entity: Serialize + DeserializeOwned {
    /// The kind's name, the first part of the row's key: `rule`. Never renamed.
    const KIND: &'static str;

    /// What tells this one from others of its kind: `111122223333/eu-central-1/default/sigv2`.
    fn key(&self) -> String;
}

/// One row of the registry to write or to remove. A core decides it, the store makes it durable, and only then does the
/// core absorb it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// [`Entity::KIND`].
    pub kind: &'static str,
    /// [`Entity::key`].
    pub key: String,
    /// The entity as JSON; `None` removes the row.
    pub row: Option<Vec<u8>>,
}

impl Change {
    /// Writes an entity.
    ///
    /// # Panics
    /// If the entity does not serialise, which no plain struct of texts and numbers can do.
    pub fn put<E: Entity>(entity: &E) -> Self {
        #[expect(clippy::expect_used, reason = "a plain struct serialises")]
        let row = serde_json::to_vec(entity).expect("an entity serialises to JSON");
        Self { kind: E::KIND, key: entity.key(), row: Some(row) }
    }

    /// Removes the entity of this key.
    pub fn delete<E: Entity>(key: impl Into<String>) -> Self {
        Self { kind: E::KIND, key: key.into(), row: None }
    }
}
