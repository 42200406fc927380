//! Browser uploads: the proof stands in the fields of a `multipart/form-data` form.
//!
//! Sources: "Browser-based uploads using HTTP POST" (`SigV2`) and "Browser-Based Uploads Using POST (AWS Signature Version 4)",
//! Amazon S3 API Reference.

use crate::claim::{Attempt, Carrier, Scheme, Scope, Secret};
use crate::classify::{is_key_id, parse_credential};
use crate::crypto::{SigningKey, constant_time_eq, hmac_sha1, lower_hex_32};
use crate::date;
use crate::denied::{Denied, Mismatch, Reason};
use crate::post_policy::PostPolicy;
use crate::verify::{Policy, check_token};
use aws_api::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use std::ops::RangeInclusive;

/// Most fields before the file.
pub const FORM_FIELDS_MAX: usize = 256;
/// Longest form without the file, in bytes: names and values.
pub const FORM_LEN_MAX: usize = 64 * 1024;

/// The fields of a form up to the file, decoded from the multipart framing; what follows the file counts for nothing.
#[derive(Clone, Copy)]
pub struct PostForm<'a> {
    /// Names (in any case) and values in order; the `file` field is not among them.
    pub fields: &'a [(&'a str, &'a str)],
    /// The bucket that the request addresses.
    pub bucket: &'a str,
    /// The file's name, which stands for `${filename}` in the key.
    pub file_name: &'a str,
}

/// A well-formed signature in a form, not yet proven.
pub struct PostClaim<'a> {
    form: PostForm<'a>,
    access_key_id: String,
    policy: &'a str,
    signature: &'a str,
    /// Of `SigV4`.
    scope: Option<Scope>,
}

/// A proven form.
#[derive(Debug, Clone)]
pub struct VerifiedPost {
    /// The signature version; the carrier is [`Carrier::HtmlForm`].
    pub scheme: Scheme,
    /// The access key id, proven.
    pub access_key_id: String,
    /// The region of the credential scope; `SigV2` has none.
    pub region: Option<String>,
    /// The lengths that the policy allows for the file, in bytes, if it says so.
    pub content_length: Option<RangeInclusive<u64>>,
}

impl VerifiedPost {
    /// Whether the policy allows a file of this length, in bytes. While the file still streams,
    /// [`Self::check_content_length_max`] says when it has become too long.
    ///
    /// Errors: `EntityTooLarge`, `EntityTooSmall`.
    pub fn check_content_length(&self, len: u64) -> Result<(), Denied> {
        self.check_content_length_max(len)?;
        match &self.content_length {
            Some(range) if len < *range.start() => {
                let message = "Your proposed upload is smaller than the minimum allowed size";
                let denied = Denied::new(Reason::Policy, 400, "EntityTooSmall", message);
                Err(denied
                    .with("ProposedSize", len.to_string())
                    .with("MinSizeAllowed", range.start().to_string())
                    .by(&self.attempt()))
            }
            _ => Ok(()),
        }
    }

    /// Whether a file of at least this length, in bytes, can still be allowed.
    ///
    /// Error: `EntityTooLarge`.
    pub fn check_content_length_max(&self, len_so_far: u64) -> Result<(), Denied> {
        match &self.content_length {
            Some(range) if len_so_far > *range.end() => {
                let message = "Your proposed upload exceeds the maximum allowed size";
                let denied = Denied::new(Reason::Policy, 400, "EntityTooLarge", message);
                Err(denied
                    .with("ProposedSize", len_so_far.to_string())
                    .with("MaxSizeAllowed", range.end().to_string())
                    .by(&self.attempt()))
            }
            _ => Ok(()),
        }
    }

    fn attempt(&self) -> Attempt {
        Attempt::new(self.scheme, Carrier::HtmlForm, Some(&self.access_key_id))
    }
}

impl<'a> PostForm<'a> {
    /// The value of a field, by its name in any case.
    pub fn field(&self, name: &str) -> Option<&'a str> {
        self.fields.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    /// The claim that the form makes; `None`: it has neither policy nor signature and is anonymous.
    ///
    /// Errors: a form beyond a bound, a repeated field (which value would the policy have allowed?), both mechanisms, a missing
    /// field, a malformed credential.
    pub fn classify(self) -> Result<Option<PostClaim<'a>>, Denied> {
        self.check_bounds()?;
        let has = |name: &str| self.field(name).is_some();
        let v4 = ["x-amz-signature", "x-amz-algorithm", "x-amz-credential"].into_iter().any(has);
        let v2 = has("signature") || has("awsaccesskeyid");
        if !v4 && !v2 && !has("policy") {
            return Ok(None);
        }
        let attempt = self.attempt(v4);
        if v4 && v2 {
            return Err(Denied::several_mechanisms("").by(&attempt));
        }
        let claim = if v4 { self.v4_claim() } else { self.v2_claim() };
        claim.map(Some).map_err(|denied| denied.by(&attempt))
    }

    fn attempt(&self, v4: bool) -> Attempt {
        if v4 {
            let id = self.field("x-amz-credential").and_then(|text| text.split('/').next());
            let v4a = self.field("x-amz-algorithm").is_some_and(|name| name.starts_with("AWS4-ECDSA"));
            let scheme = if v4a { Scheme::SigV4A } else { Scheme::SigV4 };
            return Attempt::new(scheme, Carrier::HtmlForm, id);
        }
        Attempt::new(Scheme::SigV2, Carrier::HtmlForm, self.field("awsaccesskeyid"))
    }

    fn check_bounds(&self) -> Result<(), Denied> {
        let len: usize = self.fields.iter().map(|(name, value)| name.len() + value.len()).sum();
        if self.fields.len() > FORM_FIELDS_MAX || len > FORM_LEN_MAX {
            let message = "Your POST request fields preceding the upload file were too large.";
            return Err(Denied::new(Reason::TooLarge, 400, "MaxPostPreDataLengthExceededError", message));
        }
        for (at, (name, _)) in self.fields.iter().enumerate() {
            if self.fields[..at].iter().any(|(earlier, _)| earlier.eq_ignore_ascii_case(name)) {
                return Err(Denied::invalid_argument("The form has a field more than once.", name, ""));
            }
        }
        Ok(())
    }

    fn required(&self, name: &str) -> Result<&'a str, Denied> {
        self.field(name).ok_or_else(|| {
            let message = format!(
                "Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields."
            );
            Denied::invalid_argument(message, name, "")
        })
    }

    fn v2_claim(self) -> Result<PostClaim<'a>, Denied> {
        let id = self.required("AWSAccessKeyId")?;
        let signature = self.required("Signature")?;
        let policy = self.required("Policy")?;
        if !is_key_id(id) {
            return Err(Denied::unknown_key(""));
        }
        Ok(PostClaim { form: self, access_key_id: id.to_owned(), policy, signature, scope: None })
    }

    fn v4_claim(self) -> Result<PostClaim<'a>, Denied> {
        let signature = self.required("X-Amz-Signature")?;
        let algorithm = self.required("X-Amz-Algorithm")?;
        let credential = self.required("X-Amz-Credential")?;
        let date = self.required("X-Amz-Date")?;
        let policy = self.required("Policy")?;
        if algorithm != "AWS4-HMAC-SHA256" {
            return Err(Denied::unsupported_mechanism());
        }
        let (access_key_id, scope) = parse_credential(credential).ok_or_else(|| {
            let message =
                "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".";
            Denied::invalid_argument(message, "X-Amz-Credential", credential)
        })?;
        if date::parse_iso_basic(date).is_none() || !date.starts_with(&scope.date) {
            let message =
                "X-Amz-Date must be formated via ISO8601 Long format, and its day must be that of the credential";
            return Err(Denied::invalid_argument(message, "X-Amz-Date", date));
        }
        Ok(PostClaim { form: self, access_key_id, policy, signature, scope: Some(scope) })
    }
}

impl fmt::Debug for PostClaim<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostClaim")
            .field("scheme", &self.scheme())
            .field("access_key_id", &self.access_key_id)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

impl PostClaim<'_> {
    /// The signature version.
    pub fn scheme(&self) -> Scheme {
        if self.scope.is_some() { Scheme::SigV4 } else { Scheme::SigV2 }
    }

    /// The access key id that the form names; not proven.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// What the form tried, for a record of a refusal.
    pub fn attempt(&self) -> Attempt {
        Attempt::new(self.scheme(), Carrier::HtmlForm, Some(&self.access_key_id))
    }

    /// Proves the form with the secret of the key that it names (`None`: there is no such key), and holds it to its policy.
    ///
    /// First to last: scope, key known, signature, session token, the policy's syntax, its end, its conditions, fields that it
    /// does not mention. The file's length is left to [`VerifiedPost::check_content_length`].
    pub fn verify(
        &self,
        secret: Option<Secret<'_>>,
        now: Timestamp,
        policy: &Policy<'_>,
    ) -> Result<VerifiedPost, Denied> {
        self.prove(secret, now, policy).map_err(|denied| denied.by(&self.attempt()))
    }

    fn prove(&self, secret: Option<Secret<'_>>, now: Timestamp, policy: &Policy<'_>) -> Result<VerifiedPost, Denied> {
        self.check_scope(policy)?;
        let token = self.form.field("x-amz-security-token");
        let secret = secret
            .filter(|secret| secret.session_token.is_none() || token.is_some())
            .ok_or_else(|| Denied::unknown_key(&self.access_key_id))?;
        if !self.signature_matches(&secret) {
            return Err(Denied::signature_mismatch(
                &self.access_key_id,
                &Mismatch {
                    string_to_sign: self.policy.as_bytes(),
                    canonical_request: None,
                    signature_provided: self.signature,
                },
            ));
        }
        check_token(token.map(str::as_bytes), &secret, now)?;
        let document = PostPolicy::parse(self.policy)?;
        let content_length = document.check(&self.form, now)?;
        Ok(VerifiedPost {
            scheme: self.scheme(),
            access_key_id: self.access_key_id.clone(),
            region: self.scope.as_ref().map(|scope| scope.region.clone()),
            content_length,
        })
    }

    fn check_scope(&self, policy: &Policy<'_>) -> Result<(), Denied> {
        let Some(scope) = &self.scope else { return Ok(()) };
        let service = policy.service_name();
        let what = if scope.service != service {
            format!("incorrect service \"{}\". This endpoint belongs to \"{service}\".", scope.service)
        } else if let Some(region) = policy.region.filter(|region| *region != scope.region) {
            format!("the region '{}' is wrong; expecting '{region}'", scope.region)
        } else {
            return Ok(());
        };
        let denied = Denied::header_malformed(&what);
        Err(Denied { reason: Reason::WrongScope, ..denied }.with("Region", policy.region.unwrap_or_default()))
    }

    fn signature_matches(&self, secret: &Secret<'_>) -> bool {
        if let Some(scope) = &self.scope {
            let key = SigningKey::derive(secret.secret_access_key, &scope.date, &scope.region, &scope.service);
            let expected = key.sign(self.policy.as_bytes());
            let given = lower_hex_32(self.signature.as_bytes());
            return given.is_some_and(|given| constant_time_eq(&given, &expected));
        }
        let expected = hmac_sha1(secret.secret_access_key.as_bytes(), self.policy.as_bytes());
        let given = STANDARD.decode(self.signature).unwrap_or_default();
        constant_time_eq(&given, &expected)
    }
}
