//! What a request claims about its caller.

use crate::head::{ACCESS_KEY_ID_LEN_MAX, QueryPair, RequestHead};
use aws_api::Timestamp;
use std::borrow::Cow;
use std::fmt;

/// The signature version, as `CloudTrail`'s `additionalEventData.SignatureVersion` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// HMAC-SHA1 over a string of positional headers.
    SigV2,
    /// HMAC-SHA256 over a canonical request, within a credential scope.
    SigV4,
    /// ECDSA over a canonical request, for a set of regions. Recognised, not supported.
    SigV4A,
}

impl Scheme {
    /// `SigV2`, `SigV4` or `SigV4A`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SigV2 => "SigV2",
            Self::SigV4 => "SigV4",
            Self::SigV4A => "SigV4A",
        }
    }
}

/// Where the signature stands, as `CloudTrail`'s `additionalEventData.AuthenticationMethod` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Carrier {
    /// The `Authorization` header.
    AuthHeader,
    /// Query parameters of a presigned URL.
    QueryString,
    /// Fields of a browser's POST form.
    HtmlForm,
}

impl Carrier {
    /// `AuthHeader`, `QueryString` or `HtmlForm`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthHeader => "AuthHeader",
            Self::QueryString => "QueryString",
            Self::HtmlForm => "HtmlForm",
        }
    }
}

/// What a request tried, as far as it could be read. Nothing of it is proven.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attempt {
    /// The signature version.
    pub scheme: Option<Scheme>,
    /// Where the signature stands.
    pub carrier: Option<Carrier>,
    /// The access key id that the request names; anybody can name any.
    pub access_key_id: Option<String>,
}

impl Attempt {
    pub(crate) fn new(scheme: Scheme, carrier: Carrier, access_key_id: Option<&str>) -> Self {
        let readable = |id: &&str| {
            !id.is_empty() && id.len() <= ACCESS_KEY_ID_LEN_MAX && id.bytes().all(|byte| byte.is_ascii_graphic())
        };
        Self {
            scheme: Some(scheme),
            carrier: Some(carrier),
            access_key_id: access_key_id.filter(readable).map(str::to_owned),
        }
    }
}

/// The credential scope of `SigV4`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// `20260314`.
    pub date: String,
    /// `eu-central-1`.
    pub region: String,
    /// `s3`, `sqs`, …
    pub service: String,
}

impl Scope {
    /// `20260314/eu-central-1/s3/aws4_request`.
    pub(crate) fn text(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.date, self.region, self.service)
    }
}

/// The outcome of [`classify`](crate::classify).
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "made once a request and taken apart at once; a box would be the cost")]
pub enum Claim<'a> {
    /// No signature of any kind.
    Anonymous,
    /// A signature to be proven with [`verify`](crate::verify).
    Signed(SignedClaim<'a>),
}

/// A well-formed signature over a request head, not yet proven.
pub struct SignedClaim<'a> {
    pub(crate) head: RequestHead<'a>,
    pub(crate) query: Vec<QueryPair<'a>>,
    pub(crate) scheme: Scheme,
    pub(crate) carrier: Carrier,
    pub(crate) access_key_id: String,
    pub(crate) proof: Proof,
}

pub(crate) enum Proof {
    V2Header { signature: String },
    V2Query { signature: String, expires: Expires },
    V4(V4Proof),
}

/// The `Expires` parameter of a `SigV2` URL: the text is signed, the number is compared.
pub(crate) struct Expires {
    pub(crate) text: String,
    pub(crate) at: Timestamp,
}

#[derive(Clone)]
pub(crate) struct V4Proof {
    pub(crate) scope: Scope,
    /// Names in the order given, lower-case.
    pub(crate) signed_headers: Vec<String>,
    /// As sent.
    pub(crate) signature: String,
    /// `Some` for a query-signed request.
    pub(crate) presigned: Option<Presigned>,
}

#[derive(Clone)]
pub(crate) struct Presigned {
    pub(crate) at: Timestamp,
    pub(crate) expires_secs: u32,
}

impl SignedClaim<'_> {
    /// The signature version.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Where the signature stands.
    pub fn carrier(&self) -> Carrier {
        self.carrier
    }

    /// The access key id that the request names; not proven.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The credential scope; `SigV2` has none.
    pub fn scope(&self) -> Option<&Scope> {
        match &self.proof {
            Proof::V4(proof) => Some(&proof.scope),
            Proof::V2Header { .. } | Proof::V2Query { .. } => None,
        }
    }

    /// What the request tried, for a record of a refusal.
    pub fn attempt(&self) -> Attempt {
        Attempt::new(self.scheme, self.carrier, Some(&self.access_key_id))
    }

    /// All values of one query parameter, decoded.
    pub(crate) fn query_value(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        self.query.iter().find(|pair| *pair.name == *name.as_bytes()).map(QueryPair::value)
    }
}

impl fmt::Debug for SignedClaim<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedClaim")
            .field("scheme", &self.scheme)
            .field("carrier", &self.carrier)
            .field("access_key_id", &self.access_key_id)
            .field("scope", &self.scope())
            .finish_non_exhaustive()
    }
}

/// What the key's owner knows besides the key's id. It has no `Debug`.
#[derive(Clone, Copy)]
pub struct Secret<'a> {
    /// The secret access key.
    pub secret_access_key: &'a str,
    /// The token of temporary credentials; `None` for a permanent key.
    pub session_token: Option<&'a str>,
    /// When temporary credentials end; `None`: never.
    pub expires: Option<Timestamp>,
}
