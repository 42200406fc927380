//! The JSON of a digest, and the text that is signed.

use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest as _, Sha256};

/// How digests are signed: RSA with PKCS #1 v1.5 and SHA-256.
pub const SIGNATURE_ALGORITHM: &str = "SHA256withRSA";
/// How files are hashed.
pub const HASH_ALGORITHM: &str = "SHA-256";

/// A log file in a digest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogFile {
    /// The bucket that it was delivered into.
    pub s3_bucket: String,
    /// Its key.
    pub s3_object: String,
    /// Of the content before compression, in hexadecimal.
    pub hash_value: String,
    /// [`HASH_ALGORITHM`].
    pub hash_algorithm: String,
    /// The latest `eventTime` in it.
    pub newest_event_time: Option<String>,
    /// The earliest `eventTime` in it.
    pub oldest_event_time: Option<String>,
}

/// A digest file's content. The order of the fields is AWS's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Digest {
    /// The account whose files are named.
    pub aws_account_id: String,
    /// The beginning of the interval: the end of the digest before.
    pub digest_start_time: String,
    /// The end of the interval, as it is signed.
    pub digest_end_time: String,
    /// The bucket that the digest was delivered into.
    pub digest_s3_bucket: String,
    /// Its key there.
    pub digest_s3_object: String,
    /// Which key pair signed it.
    pub digest_public_key_fingerprint: String,
    /// [`SIGNATURE_ALGORITHM`].
    pub digest_signature_algorithm: String,
    /// The latest `eventTime` in all log files; none if there are no files.
    pub newest_event_time: Option<String>,
    /// The earliest.
    pub oldest_event_time: Option<String>,
    /// Where the digest before this one is; none if the chain begins here.
    pub previous_digest_s3_bucket: Option<String>,
    /// Its key there.
    pub previous_digest_s3_object: Option<String>,
    /// Its hash.
    pub previous_digest_hash_value: Option<String>,
    /// [`HASH_ALGORITHM`], if there is a digest before.
    pub previous_digest_hash_algorithm: Option<String>,
    /// Its signature, in hexadecimal. May be null, but must be there.
    #[serde(deserialize_with = "present")]
    pub previous_digest_signature: Option<String>,
    /// The log files that were delivered in the interval.
    pub log_files: Vec<LogFile>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(deserializer)
}

/// What a digest says of the one before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousDigest {
    /// The bucket that it was delivered into.
    pub bucket: String,
    /// Its key there.
    pub object: String,
    /// Of the content before compression, in hexadecimal.
    pub hash: String,
    /// In hexadecimal.
    pub signature: String,
}

impl Digest {
    /// Names the digest before this one.
    #[must_use]
    pub fn after(mut self, previous: Option<&PreviousDigest>) -> Self {
        self.previous_digest_s3_bucket = previous.map(|previous| previous.bucket.clone());
        self.previous_digest_s3_object = previous.map(|previous| previous.object.clone());
        self.previous_digest_hash_value = previous.map(|previous| previous.hash.clone());
        self.previous_digest_hash_algorithm = previous.map(|_| HASH_ALGORITHM.to_owned());
        self.previous_digest_signature = previous.map(|previous| previous.signature.clone());
        self
    }

    /// What the digest says of the one before it, if it says all of it.
    pub fn previous(&self) -> Option<PreviousDigest> {
        Some(PreviousDigest {
            bucket: self.previous_digest_s3_bucket.clone()?,
            object: self.previous_digest_s3_object.clone()?,
            hash: self.previous_digest_hash_value.clone()?,
            signature: self.previous_digest_signature.clone()?,
        })
    }

    /// The times of all log files together. Times in one form sort as text.
    #[must_use]
    pub fn with_event_times(mut self) -> Self {
        self.newest_event_time = self.log_files.iter().filter_map(|file| file.newest_event_time.clone()).max();
        self.oldest_event_time = self.log_files.iter().filter_map(|file| file.oldest_event_time.clone()).min();
        self
    }

    /// The content as it is hashed, compressed and stored.
    pub fn to_json(&self) -> Vec<u8> {
        // Strings and lists of strings are always JSON.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The text that is signed for this content, which hashes to `hash`.
    pub fn string_to_sign(&self, hash: &str) -> String {
        let place = (self.digest_s3_bucket.as_str(), self.digest_s3_object.as_str());
        string_to_sign(&self.digest_end_time, place, hash, self.previous_digest_signature.as_deref())
    }
}

/// The text that is signed: end time, place, hash and the signature before, `null` where there is none; no final newline.
pub fn string_to_sign(end: &str, (bucket, object): (&str, &str), hash: &str, previous: Option<&str>) -> String {
    format!("{end}\n{bucket}/{object}\n{hash}\n{}", previous.unwrap_or("null"))
}

/// SHA-256 in hexadecimal.
pub fn hash(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}

/// The same of content that comes in pieces.
#[derive(Clone, Default)]
pub struct Hash(Sha256);

impl Hash {
    /// The next piece.
    pub fn update(&mut self, content: &[u8]) {
        self.0.update(content);
    }

    /// That of all pieces.
    pub fn finish(self) -> String {
        hex::encode(self.0.finalize())
    }
}
