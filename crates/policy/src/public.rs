//! Whether a policy is public.

use crate::document::{Effect, Policy, Statement};
use crate::principal::Principal;
use crate::vocabulary::Vocabulary;

impl Policy {
    /// Does a statement allow something to everybody?
    ///
    /// Source: S3 user guide, "Blocking public access", "The meaning of 'public'": a policy is not public if it grants only to
    /// fixed values, without wildcards, of principals or of certain condition keys.
    pub fn is_public(&self) -> bool {
        self.is_public
    }
}

impl Statement {
    pub(crate) fn is_public(&self, vocabulary: &Vocabulary<'_>) -> bool {
        let fixes = |key: &str| vocabulary.key(key).is_some_and(|key| key.fixes_caller);
        self.effect == Effect::Allow
            && self.principals.contains(&Principal::Everybody)
            && !self.conditions.iter().any(|condition| condition.is_fixed() && fixes(&condition.key))
    }
}
