//! What Signature Version 4 signs.

use crate::canonical::{self, CanonicalRequest, Spelling};
use crate::claim::Scope;
use crate::crypto::sha256;
use crate::head::{QueryPair, RequestHead};

/// Which rules make the canonical request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathRule {
    /// S3: the path encoded once.
    Once,
    /// Every other service: the path encoded again.
    Twice,
}

/// One request as `SigV4` sees it.
pub(crate) struct V4Request<'a> {
    pub(crate) head: &'a RequestHead<'a>,
    pub(crate) query: &'a [QueryPair<'a>],
    pub(crate) path_rule: PathRule,
    pub(crate) signed_headers: &'a [String],
    pub(crate) payload_hash: &'a str,
}

/// The canonical request and whether every signed header is there.
pub(crate) struct Reading {
    pub(crate) canonical_request: Vec<u8>,
    pub(crate) complete: bool,
}

impl V4Request<'_> {
    /// Every canonical request that a client may have signed: as sent, then with what was sent bare escaped; at most 4.
    pub(crate) fn readings(&self) -> Vec<Reading> {
        let raw = self.head.raw_path;
        let mut paths = match self.path_rule {
            PathRule::Once => {
                vec![canonical::s3_path(raw, Spelling::AsSent), canonical::s3_path(raw, Spelling::Escaped)]
            }
            PathRule::Twice => vec![canonical::other_path(raw)],
        };
        paths.dedup();
        let mut queries =
            vec![canonical::query(self.query, Spelling::AsSent), canonical::query(self.query, Spelling::Escaped)];
        queries.dedup();
        let mut readings = Vec::with_capacity(paths.len() * queries.len());
        for path in &paths {
            for query in &queries {
                let request = CanonicalRequest {
                    path,
                    query,
                    signed_headers: self.signed_headers,
                    payload_hash: self.payload_hash,
                };
                let (canonical_request, complete) = request.bytes(self.head);
                readings.push(Reading { canonical_request, complete });
            }
        }
        readings
    }
}

/// `AWS4-HMAC-SHA256`, the date, the scope and the hash of the canonical request.
pub(crate) fn string_to_sign(amz_date: &str, scope: &Scope, canonical_request: &[u8]) -> String {
    format!("AWS4-HMAC-SHA256\n{amz_date}\n{}\n{}", scope.text(), hex::encode(sha256(canonical_request)))
}
