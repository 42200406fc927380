//! Signature Version 2 and Signature Version 4 of AWS requests: say which one a request uses, prove it, make one.
//!
//! The way of a request: [`classify`] reads the [`RequestHead`] and says what the caller *claims*; the caller of this crate
//! looks the claimed access key id up; [`verify`] proves the claim with the key's [`Secret`] and says how the body is bound
//! ([`Payload`]). Browser uploads carry their proof in form fields instead: [`PostForm`]. [`sign`] makes what the other modules
//! prove. `aws-chunked` bodies go through [`ChunkDecoder`], which releases nothing that it has not proven.
//!
//! ```
//! use aws_api::Timestamp;
//! use s3_signature::{Claim, Policy, RequestHead, Secret, classify, verify};
//!
//! let headers = [
//!     ("host", &b"s3.example.test"[..]),
//!     ("date", b"Tue, 27 Mar 2007 19:36:42 +0000"),
//!     ("authorization", b"AWS AKIAIOSFODNN7EXAMPLE:qgk2+6Sv9/oM7G3qLEjTH1a1l1g="),
//! ];
//! let head = RequestHead {
//!     method: "GET",
//!     raw_path: "/awsexamplebucket1/photos/puppy.jpg",
//!     raw_query: None,
//!     headers: &headers,
//!     host_bucket: None,
//! };
//! let Claim::Signed(claim) = classify(head)? else { panic!("anonymous") };
//! assert_eq!((claim.scheme().as_str(), claim.access_key_id()), ("SigV2", "AKIAIOSFODNN7EXAMPLE"));
//! let secret =
//!     Secret { secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", session_token: None, expires: None };
//! let now = Timestamp::from_secs(1_175_024_202);
//! assert!(verify(&claim, Some(secret), now, &Policy::s3()).is_ok());
//! # Ok::<(), s3_signature::Denied>(())
//! ```
//!
//! Pure: the time is an argument, nothing is read or written, and no secret or signature is in a `Debug` text.
//!
//! Sources: "Signing and authenticating REST requests" (SigV2), "Authenticating Requests (AWS Signature Version 4)" with its
//! pages on the authorization header, query parameters, chunked uploads and POST, all in the Amazon S3 API Reference.

mod canonical;
mod chunked;
mod claim;
mod classify;
mod crypto;
mod date;
mod denied;
mod head;
mod payload;
mod post;
mod post_policy;
pub mod sign;
mod v2;
mod v4;
mod verify;

pub use chunked::{CHUNK_LEN_MAX, ChunkDecoder, ChunkSigner, TRAILER_LEN_MAX, Trailers};
pub use claim::{Attempt, Carrier, Claim, Scheme, Scope, Secret, SignedClaim};
pub use classify::classify;
pub use denied::{Denied, Reason};
pub use head::{ACCESS_KEY_ID_LEN_MAX, HEAD_LEN_MAX, HEADERS_MAX, QUERY_PARAMETERS_MAX, RequestHead};
pub use payload::{Payload, anonymous_payload};
pub use post::{FORM_FIELDS_MAX, FORM_LEN_MAX, PostClaim, PostForm, VerifiedPost};
pub use verify::{MAX_SKEW_MILLIS, Policy, Service, Verified, verify};
