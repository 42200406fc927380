//! The hashes, and the one comparison that signatures go through.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// SHA-256 of nothing, in hex.
pub(crate) const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

pub(crate) fn hmac_sha1(key: &[u8], data: &[u8]) -> [u8; 20] {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(data);
    mac.finalize().into_bytes().into()
}

pub(crate) fn hmac_sha256(key: &[u8], data: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(data);
    mac.finalize().into_bytes().into()
}

pub(crate) fn sha256(data: &[u8]) -> [u8; 32] {
    Sha256::digest(data).into()
}

/// In time that does not depend on the contents; the lengths are no secret.
pub(crate) fn constant_time_eq(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

/// The 32 bytes of 64 hex digits, lower-case as every signer writes a signature.
pub(crate) fn lower_hex_32(text: &[u8]) -> Option<[u8; 32]> {
    let lower = text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let mut bytes = [0; 32];
    (lower && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

/// The key of one day, region and service: the HMAC chain over the secret.
#[derive(Clone)]
pub(crate) struct SigningKey([u8; 32]);

impl SigningKey {
    pub(crate) fn derive(secret_access_key: &str, date: &str, region: &str, service: &str) -> Self {
        let start = hmac_sha256(format!("AWS4{secret_access_key}").as_bytes(), date.as_bytes());
        let regional = hmac_sha256(&start, region.as_bytes());
        let serving = hmac_sha256(&regional, service.as_bytes());
        Self(hmac_sha256(&serving, b"aws4_request"))
    }

    pub(crate) fn sign(&self, text: &[u8]) -> [u8; 32] {
        hmac_sha256(&self.0, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_key_of_the_general_reference() {
        // "Deriving a signing key", AWS General Reference.
        let key = SigningKey::derive("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20150830", "us-east-1", "iam");
        assert_eq!(hex::encode(key.0), "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
    }

    #[test]
    fn a_signature_is_64_lower_case_digits() {
        assert!(lower_hex_32(EMPTY_SHA256.as_bytes()).is_some());
        assert!(lower_hex_32(EMPTY_SHA256.to_uppercase().as_bytes()).is_none());
        assert!(lower_hex_32(&EMPTY_SHA256.as_bytes()[1..]).is_none());
        assert_eq!(hex::encode(sha256(b"")), EMPTY_SHA256);
    }
}
