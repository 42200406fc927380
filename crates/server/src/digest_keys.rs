//! The key pairs that digests are signed with: one for each region at a time, made when it is first needed.
//!
//! Rows in `Secrets`: `digest/key`, NUL, region, NUL, begin of validity (8 bytes) → end of validity (8 bytes), PKCS #8.

use aws_api::cloudtrail::PublicKey;
use aws_api::{Blob, Timestamp};
use rsa::PrivateKey;
use rsa::pkcs1::der::Encode;
use rsa::pkcs1::{EncodeRsaPublicKey, RsaPrivateKeyRef};
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::{DecodePrivateKey, PrivateKeyInfoRef};
use rsa::signature::{SignatureEncoding, Signer as _};
use sha2::Sha256;
use store::{Space, Store, StoreError, Unit};
use trail::digest::fingerprint;

/// How long a key signs before the region gets another.
const VALIDITY_S: i64 = 365 * 24 * 3600;

/// Why there is no key to sign with.
#[derive(Debug, thiserror::Error)]
pub enum DigestKeyError {
    /// A key could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No key could be made.
    #[error("a key for digests could not be made: {0}")]
    Generate(#[from] rcgen::Error),
    /// A stored key is not one.
    #[error("a stored key for digests cannot be read")]
    Damaged,
}

/// A key pair of a region.
pub struct DigestKey {
    key: SigningKey<Sha256>,
    public_der: Vec<u8>,
    end: Timestamp,
}

impl DigestKey {
    /// The key that signs now; it is made and kept if there is none.
    pub async fn current(store: &Store, region: &str, now: Timestamp) -> Result<Self, DigestKeyError> {
        let newest =
            store.range(Space::Secrets, row_key(region, None)..row_key(region, Some(Timestamp::MAX))).next_back();
        if let Some((row, value)) = newest.transpose()? {
            let key = Self::read(&row, &value)?;
            if now < key.end {
                return Ok(key);
            }
        }
        let made = tokio::task::spawn_blocking(crate::signer::generate_key).await;
        let pkcs8 = made.map_err(|_| DigestKeyError::Damaged)??.serialize_der();
        // Whole seconds, as digests and the API show them.
        let start = Timestamp::from_secs(now.as_secs());
        let end = start.plus_secs(VALIDITY_S);
        let (row, value) = (row_key(region, Some(start)), [&end.as_millis().to_be_bytes()[..], &pkcs8].concat());
        let key = Self::read(&row, &value)?;
        let mut unit = Unit::new();
        unit.put(Space::Secrets, row, value);
        store.commit(unit).await?;
        Ok(key)
    }

    fn read(row: &[u8], value: &[u8]) -> Result<Self, DigestKeyError> {
        let (_, end, pkcs8) = parts(row, value)?;
        let key = PrivateKey::from_pkcs8_der(pkcs8).map_err(|_| DigestKeyError::Damaged)?;
        let public_der = key.to_public_key().to_pkcs1_der().map_err(|_| DigestKeyError::Damaged)?.as_bytes().to_vec();
        Ok(Self { key: SigningKey::new(key), public_der, end })
    }

    /// The signature of a text, in hexadecimal.
    pub fn sign(&self, text: &str) -> String {
        hex::encode(self.key.sign(text.as_bytes()).to_vec())
    }

    /// What digests call the key.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.public_der)
    }
}

/// The public half of a stored key, of which nothing is computed: a private key checks itself when it is read, which takes
/// long.
#[expect(clippy::cast_precision_loss, reason = "seconds up to the year 9999 are exact in a double")]
fn public(start: Timestamp, end: Timestamp, pkcs8: &[u8]) -> Result<PublicKey, DigestKeyError> {
    let info = PrivateKeyInfoRef::try_from(pkcs8).map_err(|_| DigestKeyError::Damaged)?;
    let key = RsaPrivateKeyRef::try_from(info.private_key.as_bytes()).map_err(|_| DigestKeyError::Damaged)?;
    let public_der = key.public_key().to_der().map_err(|_| DigestKeyError::Damaged)?;
    Ok(PublicKey {
        fingerprint: fingerprint(&public_der),
        validity_start_time: start.as_secs() as f64,
        validity_end_time: end.as_secs() as f64,
        value: Blob(public_der),
    })
}

/// Begin and end of a stored key's validity, and its PKCS #8.
fn parts<'v>(row: &[u8], value: &'v [u8]) -> Result<(Timestamp, Timestamp, &'v [u8]), DigestKeyError> {
    let start = row.last_chunk().copied().map(i64::from_be_bytes).ok_or(DigestKeyError::Damaged)?;
    let (end, pkcs8) = value.split_first_chunk().ok_or(DigestKeyError::Damaged)?;
    Ok((Timestamp::from_millis(start), Timestamp::from_millis(i64::from_be_bytes(*end)), pkcs8))
}

/// The public keys of a region that were valid at some time of a range.
pub fn public_keys(
    store: &Store,
    region: &str,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<PublicKey>, DigestKeyError> {
    let rows = store.range(Space::Secrets, row_key(region, None)..row_key(region, Some(Timestamp::MAX)));
    let mut keys = Vec::new();
    for row in rows {
        let (row, value) = row?;
        let (start, end, pkcs8) = parts(&row, &value)?;
        if start <= to && from <= end {
            keys.push(public(start, end, pkcs8)?);
        }
    }
    Ok(keys)
}

fn row_key(region: &str, start: Option<Timestamp>) -> Vec<u8> {
    let mut key = format!("digest/key\0{region}\0").into_bytes();
    key.extend(start.map(|start| start.as_millis().to_be_bytes()).unwrap_or_default());
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::Options;

    #[tokio::test]
    async fn a_region_has_one_key_at_a_time_and_another_after_it() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Options::default()).unwrap();
        let now = Timestamp::from_millis(1_700_000_000_500);
        let first = DigestKey::current(&store, "us-east-1", now).await.unwrap();
        let same = DigestKey::current(&store, "us-east-1", now.plus_secs(VALIDITY_S - 1)).await.unwrap();
        assert_eq!(first.fingerprint(), same.fingerprint());
        let next = DigestKey::current(&store, "us-east-1", now.plus_secs(VALIDITY_S)).await.unwrap();
        assert_ne!(first.fingerprint(), next.fingerprint());
        let listed = |from: i64, to: i64| {
            public_keys(&store, "us-east-1", now.plus_secs(from), now.plus_secs(to)).unwrap().len()
        };
        assert_eq!(
            (listed(-10, -5), listed(0, 0), listed(0, VALIDITY_S), listed(VALIDITY_S + 1, i64::MAX)),
            (0, 1, 2, 1)
        );
        assert_eq!(public_keys(&store, "us-east-2", now, now).unwrap(), []);
        let shown = public_keys(&store, "us-east-1", now, now).unwrap().remove(0);
        assert_eq!((shown.fingerprint, shown.value.0), (first.fingerprint(), first.public_der.clone()));
        let public = trail::digest::PublicKey::from_der(&first.public_der).unwrap();
        assert!(public.proves("text", &first.sign("text")) && !public.proves("texts", &first.sign("text")));
    }
}
