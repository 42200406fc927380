//! Public keys, as `ListPublicKeys` gives them.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs1::DecodeRsaPublicKey;
use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::signature::Verifier;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// Keys in one list.
const KEYS_MAX: usize = 10_000;

/// Keys that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PublicKeyError {
    /// Not what `list-public-keys` prints.
    #[error("this is not a list of public keys, {{\"PublicKeyList\":[…]}}: {0}")]
    Json(#[from] serde_json::Error),
    /// Not base64.
    #[error("the public key {fingerprint} is not base64: {source}")]
    Base64 {
        /// Which.
        fingerprint: String,
        /// Why.
        source: base64::DecodeError,
    },
    /// Not a key.
    #[error("the public key {fingerprint} is not RSA in PKCS #1: {source}")]
    Key {
        /// Which.
        fingerprint: String,
        /// Why.
        source: rsa::pkcs1::Error,
    },
    /// More than anybody has.
    #[error("more than {KEYS_MAX} public keys")]
    TooMany,
}

/// A key that proves digests.
#[derive(Debug, Clone)]
pub struct PublicKey(VerifyingKey<Sha256>);

impl PublicKey {
    /// Reads PKCS #1 DER.
    pub fn from_der(der: &[u8]) -> Result<Self, rsa::pkcs1::Error> {
        rsa::PublicKey::from_pkcs1_der(der).map(|key| Self(VerifyingKey::new(key)))
    }

    /// Whether this key's owner signed the text. The signature is in hexadecimal.
    pub fn proves(&self, text: &str, signature: &str) -> bool {
        let bytes = hex::decode(signature).unwrap_or_default();
        Signature::try_from(&bytes[..]).is_ok_and(|signature| self.0.verify(text.as_bytes(), &signature).is_ok())
    }
}

/// How a public key is called: 32 hexadecimal digits that follow from it. AWS does not say how it makes its own.
pub fn fingerprint(der: &[u8]) -> String {
    hex::encode(&Sha256::digest(der)[..16])
}

/// Keys by fingerprint.
#[derive(Debug, Clone, Default)]
pub struct PublicKeys(BTreeMap<String, PublicKey>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    public_key_list: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    value: String,
    fingerprint: String,
}

impl PublicKeys {
    /// Adds the keys of an answer of `ListPublicKeys`.
    pub fn add_list(&mut self, json: &[u8]) -> Result<(), PublicKeyError> {
        let list: List = serde_json::from_slice(json)?;
        for Row { value, fingerprint } in list.public_key_list {
            let der = STANDARD
                .decode(value)
                .map_err(|source| PublicKeyError::Base64 { fingerprint: fingerprint.clone(), source })?;
            let key = PublicKey::from_der(&der)
                .map_err(|source| PublicKeyError::Key { fingerprint: fingerprint.clone(), source })?;
            self.add(fingerprint, key)?;
        }
        Ok(())
    }

    /// Adds one key.
    pub fn add(&mut self, fingerprint: String, key: PublicKey) -> Result<(), PublicKeyError> {
        if self.0.len() >= KEYS_MAX {
            return Err(PublicKeyError::TooMany);
        }
        self.0.insert(fingerprint, key);
        Ok(())
    }

    /// The key of a fingerprint.
    pub fn get(&self, fingerprint: &str) -> Option<&PublicKey> {
        self.0.get(fingerprint)
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
