//! Who makes a request, proven or refused.

use aws_api::{Role, Timestamp};
use http::request::Parts;
use record::{Signed, UserIdentity};
use signature::{Attempt, Carrier, Claim, Denied, Policy, Reason, RequestHead, Scheme, Verified, classify, verify};

use crate::keys::{Key, KeyRing};
use crate::payload::Check;
use crate::target::Target;

/// A caller who may be named in a record: proven by its signature, or anonymous.
pub(crate) struct Caller {
    /// For the record.
    pub identity: UserIdentity,
    /// How it signed.
    pub signed: Option<Signed>,
    /// The account it belongs to; `None` for an anonymous one.
    pub account: Option<String>,
    /// What its key may do; `None` for an anonymous one.
    pub role: Option<Role>,
    /// The region it signed for; SigV2 names none.
    pub region: Option<String>,
}

/// A proven head.
pub(crate) struct Admitted {
    pub caller: Caller,
    /// What the body is held to.
    pub check: Check,
    /// Headers that a presigned URL carries in its query.
    pub query_headers: Vec<(String, String)>,
}

impl Caller {
    pub fn anonymous() -> Self {
        Self { identity: UserIdentity::anonymous(), signed: None, account: None, role: None, region: None }
    }

    pub fn of(key: &Key, signed: Signed, region: Option<String>) -> Self {
        Self {
            identity: key.identity.clone(),
            signed: Some(signed),
            account: Some(key.account().to_owned()),
            role: Some(key.role),
            region,
        }
    }

    /// The refusal of a scope whose region there is not, in the words of S3 for a wrong one.
    pub fn out_of_region(&self, region: &str, expected: &str) -> Denied {
        let in_query = self.signed.is_some_and(|signed| signed.method == Carrier::QueryString.as_str());
        let (code, wrong) = if in_query {
            ("AuthorizationQueryParametersError", "Error parsing the X-Amz-Credential parameter")
        } else {
            ("AuthorizationHeaderMalformed", "The authorization header is malformed")
        };
        let carrier = [Carrier::AuthHeader, Carrier::QueryString, Carrier::HtmlForm]
            .into_iter()
            .find(|carrier| self.signed.is_some_and(|signed| signed.method == carrier.as_str()));
        Denied {
            reason: Reason::WrongScope,
            code,
            message: format!("{wrong}; the region '{region}' is wrong; expecting '{expected}'"),
            status: 400,
            elements: vec![("Region", expected.to_owned())],
            attempt: Attempt {
                // Of the versions only this one has a scope.
                scheme: Some(Scheme::SigV4),
                carrier,
                access_key_id: self.identity.access_key_id.clone(),
            },
        }
    }
}

/// Proves the head of a request that is not a browser's form.
pub(crate) fn authenticate(parts: &Parts, target: &Target, keys: &KeyRing, now: Timestamp) -> Result<Admitted, Denied> {
    let headers: Vec<_> = parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let head = RequestHead {
        method: parts.method.as_str(),
        raw_path: parts.uri.path(),
        raw_query: parts.uri.query(),
        headers: &headers,
        host_bucket: target.bucket.as_deref().filter(|_| target.virtual_host),
    };
    let claim = match classify(head)? {
        Claim::Anonymous => {
            let payload = signature::anonymous_payload(&head)?;
            return Ok(Admitted {
                caller: Caller::anonymous(),
                check: Check::of_framing(payload),
                query_headers: Vec::new(),
            });
        }
        Claim::Signed(claim) => claim,
    };
    let key = keys.get(claim.access_key_id());
    let mut verified = verify(&claim, key.map(Key::secret), now, &Policy::s3())?;
    let Some(key) = key else { return Err(unknown(&verified)) };
    let signed = Signed { version: verified.scheme.as_str(), method: verified.carrier.as_str() };
    let caller = Caller::of(key, signed, verified.region.take());
    let query_headers = std::mem::take(&mut verified.query_headers);
    Ok(Admitted { caller, check: Check::of(verified), query_headers })
}

/// `verify` refuses a key that does not exist, so this is never reached; were it, the request is refused all the same.
fn unknown(verified: &Verified) -> Denied {
    Denied {
        reason: signature::Reason::UnknownKey,
        code: "InvalidAccessKeyId",
        message: "The AWS Access Key Id you provided does not exist in our records.".into(),
        status: 403,
        elements: Vec::new(),
        attempt: Attempt {
            scheme: Some(verified.scheme),
            carrier: Some(verified.carrier),
            access_key_id: Some(verified.access_key_id.clone()),
        },
    }
}
