//! The keys that may sign, and whom each of them stands for.

use std::collections::HashMap;
use std::fmt;

use aws_api::{Caller, Role, Timestamp};
use record::UserIdentity;
use signature::Secret;

/// One access key.
#[derive(Clone)]
pub struct Key {
    /// `AKIA…` of a permanent key, `ASIA…` of a temporary one.
    pub access_key_id: String,
    /// What only its holder knows.
    pub secret_access_key: String,
    /// The token that goes with temporary credentials.
    pub session_token: Option<String>,
    /// When temporary credentials end.
    pub expires: Option<Timestamp>,
    /// What it may do.
    pub role: Role,
    /// Whom it stands for, in `CloudTrail`'s words, its own id included.
    pub identity: UserIdentity,
}

impl Key {
    /// What a signature is proven with.
    pub fn secret(&self) -> Secret<'_> {
        Secret {
            secret_access_key: &self.secret_access_key,
            session_token: self.session_token.as_deref(),
            expires: self.expires,
        }
    }

    /// The same caller, as the control plane knows it.
    pub fn caller(&self) -> Caller {
        Caller {
            account: self.account().into(),
            arn: self.identity.arn.clone().unwrap_or_default(),
            principal_id: self.identity.principal_id.clone().unwrap_or_default(),
            role_arn: self.identity.role_arn(),
            role: self.role,
        }
    }

    /// The account that it belongs to: twelve digits.
    pub fn account(&self) -> &str {
        self.identity.account_id.as_deref().unwrap_or_default()
    }
}

impl fmt::Debug for Key {
    /// Without what must stay secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("access_key_id", &self.access_key_id)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// All keys, by their id.
#[derive(Debug, Default)]
pub struct KeyRing(HashMap<String, Key>);

impl KeyRing {
    /// From any number of keys; of two with one id the later stands.
    pub fn new(keys: impl IntoIterator<Item = Key>) -> Self {
        Self(keys.into_iter().map(|key| (key.access_key_id.clone(), key)).collect())
    }

    /// The key of this id.
    pub fn get(&self, access_key_id: &str) -> Option<&Key> {
        self.0.get(access_key_id)
    }

    /// Every key, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Key> {
        self.0.values()
    }
}
