//! Digests of bodies: MD5 for the `ETag`, and the checksums of "Checking object integrity" (user guide), computed while the body
//! streams, compared with what the client sent, and joined for multipart uploads.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use crc_fast::CrcAlgorithm;
use http::HeaderMap;
use md5::{Digest, Md5};
use s3s::{S3Error, S3ErrorCode, S3Result};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::Sha256;

use crate::error::{custom, fail, invalid_request};

/// An algorithm of `x-amz-checksum-*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Algorithm {
    #[serde(rename = "CRC32")]
    Crc32,
    #[serde(rename = "CRC32C")]
    Crc32c,
    #[serde(rename = "CRC64NVME")]
    Crc64nvme,
    #[serde(rename = "SHA1")]
    Sha1,
    #[serde(rename = "SHA256")]
    Sha256,
}

impl Algorithm {
    pub const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64nvme, Self::Sha1, Self::Sha256];

    /// What S3 computes where a client asked for none (since December 2024).
    pub const DEFAULT: Self = Self::Crc64nvme;

    /// AWS's name, as in `x-amz-checksum-algorithm`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// The header or trailer that carries a value.
    pub fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// Reads a name as clients write it, in any case.
    pub fn parse(name: &str) -> S3Result<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name)).ok_or_else(|| {
            invalid_request(
                "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
            )
        })
    }

    fn length(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    fn crc(self) -> Option<CrcAlgorithm> {
        match self {
            Self::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Self::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
            Self::Crc64nvme => Some(CrcAlgorithm::Crc64Nvme),
            Self::Sha1 | Self::Sha256 => None,
        }
    }

    /// The lower-case name that S3's messages use.
    fn lower(self) -> String {
        self.name().to_ascii_lowercase()
    }
}

/// `x-amz-checksum-type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// Over the bytes of the object.
    #[serde(rename = "FULL_OBJECT")]
    FullObject,
    /// Over the checksums of its parts; the value ends in `-N`.
    #[serde(rename = "COMPOSITE")]
    Composite,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::FullObject => "FULL_OBJECT",
            Self::Composite => "COMPOSITE",
        }
    }

    /// The type of a multipart upload with this algorithm, asked for or by default (user guide, table "Full object and composite
    /// checksum types").
    pub fn of_upload(algorithm: Algorithm, asked: Option<&str>) -> S3Result<Self> {
        let kind = match asked {
            Some("FULL_OBJECT") => Self::FullObject,
            Some("COMPOSITE") => Self::Composite,
            Some(_) => return Err(invalid_request("Value for x-amz-checksum-type header is invalid.")),
            None if algorithm == Algorithm::Crc64nvme => Self::FullObject,
            None => Self::Composite,
        };
        let possible = match kind {
            Self::FullObject => algorithm.crc().is_some(),
            Self::Composite => algorithm != Algorithm::Crc64nvme,
        };
        if possible {
            return Ok(kind);
        }
        Err(invalid_request(format!(
            "The {} checksum type cannot be used with the {} checksum algorithm.",
            kind.name(),
            algorithm.lower()
        )))
    }
}

/// A checksum as it is stored and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checksum {
    pub algorithm: Algorithm,
    /// Base64, with `-N` if composite.
    pub value: String,
    pub kind: Kind,
}

/// Running digests of one body.
pub(crate) struct Hasher {
    md5: Md5,
    sums: Vec<(Algorithm, Sum)>,
}

enum Sum {
    Crc(crc_fast::Digest),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Sum {
    fn new(algorithm: Algorithm) -> Self {
        match (algorithm.crc(), algorithm) {
            (Some(crc), _) => Self::Crc(crc_fast::Digest::new(crc)),
            (None, Algorithm::Sha1) => Self::Sha1(Sha1::new()),
            (None, _) => Self::Sha256(Sha256::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc(crc) => crc.update(bytes),
            Self::Sha1(sha1) => sha1.update(bytes),
            Self::Sha256(sha256) => sha256.update(bytes),
        }
    }

    fn finish(self, algorithm: Algorithm) -> Vec<u8> {
        match self {
            Self::Crc(crc) => crc_bytes(algorithm, crc.finalize()),
            Self::Sha1(sha1) => sha1.finalize().to_vec(),
            Self::Sha256(sha256) => sha256.finalize().to_vec(),
        }
    }
}

/// The low bytes of a CRC, most significant first.
fn crc_bytes(algorithm: Algorithm, crc: u64) -> Vec<u8> {
    crc.to_be_bytes()[8 - algorithm.length()..].to_vec()
}

impl Hasher {
    /// Computes MD5 and each of these.
    pub fn new(algorithms: &[Algorithm]) -> Self {
        let mut sums: Vec<(Algorithm, Sum)> = Vec::with_capacity(algorithms.len());
        for algorithm in algorithms {
            if !sums.iter().any(|(known, _)| known == algorithm) {
                sums.push((*algorithm, Sum::new(*algorithm)));
            }
        }
        Self { md5: Md5::new(), sums }
    }

    pub fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        for (_, sum) in &mut self.sums {
            sum.update(bytes);
        }
    }

    pub fn finish(self) -> Digests {
        let sums =
            self.sums.into_iter().map(|(algorithm, sum)| (algorithm, BASE64.encode(sum.finish(algorithm)))).collect();
        Digests { md5: self.md5.finalize().into(), sums }
    }
}

/// What was computed over a body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Digests {
    pub md5: [u8; 16],
    /// Base64 by algorithm.
    pub sums: Vec<(Algorithm, String)>,
}

impl Digests {
    pub fn get(&self, algorithm: Algorithm) -> Option<&str> {
        self.sums.iter().find(|(known, _)| *known == algorithm).map(|(_, value)| value.as_str())
    }

    /// The `ETag` of an object that was written in one piece, without quotes.
    pub fn etag(&self) -> String {
        hex::encode(self.md5)
    }
}

/// What the client says of a body.
#[derive(Debug, Clone, Default)]
pub(crate) struct Claimed {
    md5: Option<[u8; 16]>,
    /// The value is `None` if it comes in a trailer.
    sum: Option<(Algorithm, Option<String>)>,
}

impl Claimed {
    /// Reads `Content-MD5`, `x-amz-checksum-*`, `x-amz-trailer` and `x-amz-sdk-checksum-algorithm`.
    pub fn from_head(head: &HeaderMap) -> S3Result<Self> {
        let mut claimed = Self { md5: content_md5(head)?, sum: sum_header(head)? };
        let trailer = announced_trailer(head);
        if claimed.sum.is_some() && trailer.is_some() {
            return Err(several_checksums());
        }
        claimed.sum = claimed.sum.or(trailer.map(|algorithm| (algorithm, None)));
        if let Some(name) = text(head, "x-amz-sdk-checksum-algorithm") {
            let algorithm = Algorithm::parse(name)?;
            match &claimed.sum {
                None if claimed.md5.is_none() => {
                    return Err(invalid_request(
                        "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
                    ));
                }
                Some((sent, _)) if *sent != algorithm => {
                    return Err(invalid_request("Value for x-amz-sdk-checksum-algorithm header is invalid."));
                }
                _ => {}
            }
        }
        Ok(claimed)
    }

    /// Only `Content-MD5`, where `x-amz-checksum-*` says something of the object and not of the body.
    pub fn md5_only(head: &HeaderMap) -> S3Result<Self> {
        Ok(Self { md5: content_md5(head)?, sum: None })
    }

    /// The algorithm of the checksum that came or will come.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.sum.as_ref().map(|(algorithm, _)| *algorithm)
    }

    /// Compares with what was computed; `trailers` are those that came behind the body.
    pub fn verify(&self, digests: &Digests, trailers: Option<&HeaderMap>) -> S3Result<()> {
        if self.md5.is_some_and(|md5| md5 != digests.md5) {
            return Err(fail(S3ErrorCode::BadDigest, "The Content-MD5 you specified did not match what we received."));
        }
        let Some((algorithm, value)) = &self.sum else { return Ok(()) };
        let value = if let Some(value) = value {
            value.clone()
        } else {
            let sent = trailers.and_then(|trailers| text(trailers, algorithm.header())).ok_or_else(|| {
                custom(
                    "MalformedTrailerError",
                    http::StatusCode::BAD_REQUEST,
                    "The request contained trailing data that was not well-formed or did not conform to our published schema.",
                )
            })?;
            valid_value(*algorithm, sent)?
        };
        if digests.get(*algorithm) == Some(value.as_str()) { Ok(()) } else { Err(mismatch(*algorithm)) }
    }
}

/// `BadDigest` for a checksum.
pub(crate) fn mismatch(algorithm: Algorithm) -> S3Error {
    fail(
        S3ErrorCode::BadDigest,
        format!("The {} you specified did not match the calculated checksum.", algorithm.name()),
    )
}

/// The one `x-amz-checksum-*` header with a value, if there is one.
pub(crate) fn sum_header(head: &HeaderMap) -> S3Result<Option<(Algorithm, Option<String>)>> {
    let mut found = None;
    for algorithm in Algorithm::ALL {
        let Some(value) = text(head, algorithm.header()) else { continue };
        if found.is_some() {
            return Err(several_checksums());
        }
        found = Some((algorithm, Some(valid_value(algorithm, value)?)));
    }
    Ok(found)
}

fn several_checksums() -> S3Error {
    invalid_request("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
}

fn announced_trailer(head: &HeaderMap) -> Option<Algorithm> {
    let names = text(head, "x-amz-trailer")?;
    Algorithm::ALL
        .into_iter()
        .find(|algorithm| names.split(',').any(|name| name.trim().eq_ignore_ascii_case(algorithm.header())))
}

fn valid_value(algorithm: Algorithm, value: &str) -> S3Result<String> {
    let decoded = BASE64.decode(value).ok().filter(|bytes| bytes.len() == algorithm.length());
    decoded
        .map(|_| value.to_owned())
        .ok_or_else(|| invalid_request(format!("Value for {} header is invalid.", algorithm.header())))
}

fn content_md5(head: &HeaderMap) -> S3Result<Option<[u8; 16]>> {
    let Some(value) = head.get("content-md5") else { return Ok(None) };
    let md5 = BASE64.decode(value.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
    md5.map(Some).ok_or_else(|| fail(S3ErrorCode::InvalidDigest, "The Content-MD5 you specified was invalid."))
}

fn text<'h>(head: &'h HeaderMap, name: &str) -> Option<&'h str> {
    head.get(name).and_then(|value| value.to_str().ok()).filter(|text| !text.is_empty())
}

/// One part's share in the checksum of the whole.
pub(crate) struct PartSum<'p> {
    /// Base64.
    pub value: &'p str,
    /// Bytes of the part.
    pub size: u64,
}

/// The checksum of an object made of parts. `None` if a stored value is not one, which no write leaves behind.
pub(crate) fn join(algorithm: Algorithm, kind: Kind, parts: &[PartSum<'_>]) -> Option<Checksum> {
    let raw: Vec<Vec<u8>> = parts.iter().map(|part| BASE64.decode(part.value).ok()).collect::<Option<_>>()?;
    let value = match kind {
        Kind::Composite => {
            let mut sum = Sum::new(algorithm);
            for part in &raw {
                sum.update(part);
            }
            format!("{}-{}", BASE64.encode(sum.finish(algorithm)), parts.len())
        }
        Kind::FullObject => {
            let crc = algorithm.crc()?;
            let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
            let mut joined = number(raw.first()?);
            for (part, raw) in parts.iter().zip(&raw).skip(1) {
                joined = crc_fast::checksum_combine(crc, joined, number(raw), part.size);
            }
            BASE64.encode(crc_bytes(algorithm, joined))
        }
    };
    Some(Checksum { algorithm, value, kind })
}

/// The `ETag` of an object made of parts: MD5 over the MD5s, and how many.
pub(crate) fn joined_etag<'p>(etags: impl ExactSizeIterator<Item = &'p str>) -> Option<String> {
    let count = etags.len();
    let mut md5 = Md5::new();
    for etag in etags {
        md5.update(hex::decode(etag).ok()?);
    }
    Some(format!("{}-{count}", hex::encode(md5.finalize())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digests(body: &[u8]) -> Digests {
        let mut hasher = Hasher::new(&Algorithm::ALL);
        body.chunks(3).for_each(|chunk| hasher.update(chunk));
        hasher.finish()
    }

    /// Check values of the CRC catalogue (`123456789`) and of FIPS 180, base64.
    #[test]
    fn known_values() {
        let nine = digests(b"123456789");
        let expected = [
            (Algorithm::Crc32, "y/Q5Jg=="),
            (Algorithm::Crc32c, "4waSgw=="),
            (Algorithm::Crc64nvme, "rosUhgp5mIg="),
            (Algorithm::Sha1, "98O8HYCOBHMq32eZZczDTKeuNEE="),
            (Algorithm::Sha256, "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
        ];
        for (algorithm, value) in expected {
            assert_eq!(nine.get(algorithm), Some(value), "{algorithm:?}");
        }
        assert_eq!(nine.etag(), "25f9e794323b453885f5181f1b624d0b");
        assert_eq!(digests(b"").etag(), "d41d8cd98f00b204e9800998ecf8427e");
    }

    #[test]
    fn full_object_is_the_checksum_of_the_whole() {
        let (left, right) = (b"a first part, ".as_slice(), b"and the second".as_slice());
        let whole = digests(&[left, right].concat());
        let (a, b) = (digests(left), digests(right));
        for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64nvme] {
            let parts = [
                PartSum { value: a.get(algorithm).unwrap(), size: left.len() as u64 },
                PartSum { value: b.get(algorithm).unwrap(), size: right.len() as u64 },
            ];
            let joined = join(algorithm, Kind::FullObject, &parts).unwrap();
            assert_eq!(Some(joined.value.as_str()), whole.get(algorithm), "{algorithm:?}");
        }
    }

    #[test]
    fn composite_is_the_checksum_of_the_checksums() {
        let (a, b) = (digests(b"a"), digests(b"b"));
        let (a, b) = (a.get(Algorithm::Sha256).unwrap(), b.get(Algorithm::Sha256).unwrap());
        let joined =
            join(Algorithm::Sha256, Kind::Composite, &[PartSum { value: a, size: 1 }, PartSum { value: b, size: 1 }]);
        let raw = [BASE64.decode(a).unwrap(), BASE64.decode(b).unwrap()].concat();
        let expected = format!("{}-2", BASE64.encode(Sha256::digest(raw)));
        assert_eq!(joined.unwrap().value, expected);
    }

    type Pairs<'p> = &'p [(&'static str, &'p str)];

    #[test]
    fn claims_are_checked() {
        let code = |pairs: Pairs<'_>, trailers: Pairs<'_>| {
            let map = |pairs: Pairs<'_>| -> HeaderMap {
                pairs.iter().map(|(n, v)| (http::HeaderName::from_static(n), v.parse().unwrap())).collect()
            };
            Claimed::from_head(&map(pairs))
                .and_then(|claimed| claimed.verify(&digests(b"123456789"), Some(&map(trailers))))
                .err()
                .map(|error| error.code().as_str().to_owned())
        };
        let crc32 = ("x-amz-checksum-crc32", "y/Q5Jg==");
        let cases: &[(Pairs<'_>, Pairs<'_>, Option<&str>)] = &[
            (&[], &[], None),
            (&[("content-md5", "JfnnlDI7RTiF9RgfG2JNCw==")], &[], None),
            (&[("content-md5", "XfnnlDI7RTiF9RgfG2JNCw==")], &[], Some("BadDigest")),
            (&[("content-md5", "short")], &[], Some("InvalidDigest")),
            (&[crc32], &[], None),
            (&[("x-amz-checksum-crc32", "AAAAAA==")], &[], Some("BadDigest")),
            (&[("x-amz-checksum-crc32", "AAAA")], &[], Some("InvalidRequest")),
            (&[crc32, ("x-amz-checksum-crc32c", "4waSgw==")], &[], Some("InvalidRequest")),
            (&[("x-amz-sdk-checksum-algorithm", "CRC32"), crc32], &[], None),
            (&[("x-amz-sdk-checksum-algorithm", "CRC32")], &[], Some("InvalidRequest")),
            (&[("x-amz-sdk-checksum-algorithm", "MD4")], &[], Some("InvalidRequest")),
            (&[("x-amz-trailer", "x-amz-checksum-crc32")], &[crc32], None),
            (&[("x-amz-trailer", "x-amz-checksum-crc32")], &[], Some("MalformedTrailerError")),
            (&[("x-amz-trailer", "x-amz-checksum-crc32")], &[("x-amz-checksum-crc32", "AAAAAA==")], Some("BadDigest")),
        ];
        for (head, trailers, expected) in cases {
            assert_eq!(code(head, trailers).as_deref(), *expected, "{head:?} {trailers:?}");
        }
    }

    #[test]
    fn types_of_uploads() {
        let kind = |algorithm, asked| Kind::of_upload(algorithm, asked).ok();
        assert_eq!(kind(Algorithm::Crc64nvme, None), Some(Kind::FullObject));
        assert_eq!(kind(Algorithm::Crc64nvme, Some("COMPOSITE")), None);
        assert_eq!(kind(Algorithm::Sha1, None), Some(Kind::Composite));
        assert_eq!(kind(Algorithm::Sha1, Some("FULL_OBJECT")), None);
        assert_eq!(kind(Algorithm::Crc32, Some("FULL_OBJECT")), Some(Kind::FullObject));
        assert_eq!(kind(Algorithm::Crc32, None), Some(Kind::Composite));
    }
}
