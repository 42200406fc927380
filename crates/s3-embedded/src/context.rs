//! What a request carries besides HTTP: facts that whoever called us has already established.
//!
//! They travel as extensions of the request, so that the service has the shape of any other HTTP service.

use std::sync::{Arc, Mutex, OnceLock};

use aws_api::Timestamp;
use http::HeaderMap;
use s3s::{S3Request, S3Result};
use uuid::Uuid;

use crate::error::internal;
use crate::version::Moment;

/// When the request arrived: `Last-Modified` of what it writes, the initiation of the upload it starts.
#[derive(Debug, Clone, Copy)]
pub struct RequestTime(pub Timestamp);

/// The verified caller. Without it the request is anonymous and refused: there are no public grants.
#[derive(Debug, Clone)]
pub struct Owner {
    /// Twelve digits.
    pub account: String,
    /// The name that lists and ACLs show.
    pub display_name: String,
}

/// The same caller as policies name it, and how it came. Goes with [`Owner`], which has the account.
#[derive(Debug, Clone)]
pub struct Requester {
    /// Its ARN; of a role's session, the session's.
    pub arn: String,
    /// The ARN of the role behind a session.
    pub role_arn: Option<String>,
    /// Whether the request came over TLS: `aws:SecureTransport`.
    pub secure_transport: bool,
    /// The root of its account, or an administrator: no policy keeps it from the policies of its account's buckets.
    pub administers: bool,
    /// It is a service that acts for its caller: it sets and removes tags that begin with `aws:`.
    pub sets_system_tags: bool,
}

impl Requester {
    /// The root of an account, without TLS.
    pub fn root(account: &str) -> Self {
        let arn = format!("arn:aws:iam::{account}:root");
        Self { arn, role_arn: None, secure_transport: false, administers: true, sets_system_tags: false }
    }
}

/// The request's own randomness. Upload ids and the names of stored bodies derive from it.
#[derive(Debug, Clone, Copy)]
pub struct RequestId(pub Uuid);

/// Trailers of an `aws-chunked` body, filled by its decoder once the body has been read to its end.
#[derive(Debug, Clone, Default)]
pub struct Trailers(pub Arc<OnceLock<HeaderMap>>);

/// The operation as the caller classified it, by its API name, for example `ListObjectsV2`.
///
/// If the request turns out to be another operation, nothing is done and the answer is a 500: what was named in the record and
/// what is done must be the same.
#[derive(Debug, Clone, Copy)]
pub struct ExpectedOperation(pub &'static str);

/// Where an operation that writes leaves its batch, for the caller to commit together with its own rows before it answers.
///
/// Without it the operation commits by itself.
#[derive(Clone, Default)]
pub struct DeferredUnit(pub Arc<Mutex<Option<store::Unit>>>);

impl DeferredUnit {
    /// Takes the batch that an operation left, if it left one.
    pub fn take(&self) -> Option<store::Unit> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }

    fn put(&self, unit: store::Unit) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(unit);
    }
}

/// The headers as they came. `s3s` refuses some values that S3 ignores or stores as they are, so those are kept from it.
#[derive(Debug, Clone)]
pub(crate) struct RawHead(pub Arc<HeaderMap>);

/// One call: everything an operation may know besides its input.
pub(crate) struct Call {
    /// In whole seconds, as S3 keeps times: a `Last-Modified` that comes back as a condition must be equal.
    pub now: Timestamp,
    /// To the millisecond.
    pub arrived: Timestamp,
    pub id: Uuid,
    pub owner: Owner,
    pub requester: Requester,
    pub head: Arc<HeaderMap>,
    pub trailers: Option<Trailers>,
    deferred: Option<DeferredUnit>,
}

impl Call {
    /// From the request's extensions; the access check has already seen that there is an owner.
    pub fn of<T>(request: &S3Request<T>) -> S3Result<Self> {
        let extensions = &request.extensions;
        let missing = |what: &str| internal(format!("the request carries no {what}"));
        let arrived = extensions.get::<RequestTime>().ok_or_else(|| missing("RequestTime"))?.0;
        Ok(Self {
            now: Timestamp::from_secs(arrived.as_secs()),
            arrived,
            id: extensions.get::<RequestId>().ok_or_else(|| missing("RequestId"))?.0,
            owner: extensions.get::<Owner>().cloned().ok_or_else(|| missing("Owner"))?,
            requester: extensions.get::<Requester>().cloned().ok_or_else(|| missing("Requester"))?,
            head: extensions.get::<RawHead>().map_or_else(|| Arc::new(request.headers.clone()), |head| head.0.clone()),
            trailers: extensions.get::<Trailers>().cloned(),
            deferred: extensions.get::<DeferredUnit>().cloned(),
        })
    }

    /// A header's text, if it is there once and is UTF-8.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok()).filter(|text| !text.is_empty())
    }

    /// When the versions are made that this call makes.
    pub fn moment(&self) -> Moment {
        Moment { now: self.now, arrived: self.arrived, mark: *self.id.as_bytes() }
    }

    /// Makes what an operation staged durable, or hands it to the caller who will.
    pub async fn finish(&self, store: &store::Store, unit: store::Unit) -> S3Result<()> {
        if let Some(deferred) = &self.deferred {
            deferred.put(unit);
            return Ok(());
        }
        store.commit(unit).await.map(drop).map_err(crate::error::store_error)
    }
}
