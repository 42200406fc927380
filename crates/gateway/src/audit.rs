//! The audit layer: every S3 request passes here, is proven, handed on, and recorded before its answer ends.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_api::s3::{self, S3Op};
use aws_api::{Access, Role, Timestamp};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body::Body as _;
use http_body_util::{BodyExt, Limited};
use record::{CallersCopy, Common, Failure, Outcome, S3Call, Signed, UserIdentity};
use s3_embedded::{DeferredUnit, ExpectedOperation, Owner, RequestId, RequestTime, Requester};
use serde_json::Value;
use signature::Denied;
use store::{Store, StoreError, Unit};
use uuid::Uuid;

use crate::answer::AuditedBody;
use crate::authenticate::{Admitted, Caller, authenticate};
use crate::backend::{Backend, Body, BoxError, BucketInfo};
use crate::document;
use crate::forward;
use crate::keys::KeyRing;
use crate::payload::{Broken, Check, Inbound};
use crate::recorder::{Clock, Recorder};
use crate::refusals::Refusals;
use crate::reply::{
    Answer, dressed, failed, full, incomplete_body, internal_error, invalid_target, read_answer, too_long,
};
use crate::target::Target;
use crate::xml::ErrorDocument;

/// An answer up to this length is sent in one piece, after its record; a longer one is streamed.
pub const ONE_PIECE_LEN_MAX: u64 = 64 * 1024;

/// Of the body of a refused request so much is read.
const DISCARDED_LEN_MAX: usize = 64 * 1024;
/// For so long.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(1);

/// Makes new ids.
pub type Ids = Arc<dyn Fn() -> Uuid + Send + Sync>;

/// Where a connection comes from.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The address of the client.
    pub address: IpAddr,
    /// Protocol version and cipher suite (OpenSSL's spelling), if the connection is encrypted.
    pub tls: Option<(String, String)>,
}

/// In whose name a service of this server makes a request.
#[derive(Debug, Clone)]
pub struct Principal {
    /// Whose resources the request is about.
    pub account: String,
    /// Who was proven.
    pub identity: UserIdentity,
    /// What that caller's key may do.
    pub role: Role,
    /// The region of the caller's request.
    pub region: String,
    /// `cloudformation.amazonaws.com`
    pub via: &'static str,
}

/// What the layer is told about its surroundings.
pub struct Surroundings {
    /// The keys that may sign.
    pub keys: Arc<KeyRing>,
    /// The time.
    pub clock: Clock,
    /// New ids.
    pub ids: Ids,
    /// Host names under which the server is known, besides S3's own.
    pub domains: Vec<String>,
    /// The region of requests on buckets that do not exist.
    pub region: String,
    /// The account that gets the records of requests that belong to no other.
    pub account: String,
    /// Does a trail deliver its log files into this bucket now? Keys for S3 only may not write there, nor where
    /// [`BucketInfo::holds_logs`].
    pub is_log_bucket: Arc<dyn Fn(&str) -> bool + Send + Sync>,
    /// How many requests of each address were refused, here and by the other services.
    pub refusals: Arc<Refusals>,
}

/// Counts since the start.
#[derive(Debug, Default)]
pub struct Counters {
    /// Requests whose caller was proven or anonymous.
    pub admitted: AtomicU64,
    /// Requests that failed authentication.
    pub refused: AtomicU64,
    /// Of those, the ones beyond what is recorded of one address.
    pub refused_not_kept: AtomicU64,
    /// Requests signed with SigV2 and proven.
    pub sigv2: AtomicU64,
}

/// The S3 front.
pub struct Audit<B> {
    pub(crate) backend: B,
    pub(crate) store: Store,
    pub(crate) around: Surroundings,
    recorder: Recorder,
    counters: Counters,
}

/// One request on its way through.
pub(crate) struct Exchange {
    pub now: Timestamp,
    pub id: Uuid,
    pub peer: Peer,
    pub target: Target,
    pub bucket: Option<BucketInfo>,
    /// Those headers, as they came, that are in the record.
    pub headers: Vec<(String, String)>,
    pub user_agent: Option<String>,
    /// The service that asks in its caller's name; it stands in the record in place of an address.
    pub via: Option<&'static str>,
    /// Its answer has no body.
    pub is_head: bool,
    /// The policy or other document that a bucket's configuration was sent, for the record.
    pub document: Option<(&'static str, Value)>,
}

impl<B: Backend> Audit<B> {
    /// Before this backend, with records into this store.
    pub fn new(backend: B, store: Store, around: Surroundings) -> Self {
        let recorder = Recorder::new(store.clone(), Arc::clone(&around.clock));
        Self { backend, store, around, recorder, counters: Counters::default() }
    }

    /// Completes records that a crash cut off, and ends answers that stand still.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// What stands behind.
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// Counts since the start.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Answers one S3 request.
    pub async fn call(&self, request: Request<Body>, peer: &Peer) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let (target, unreadable) = match Target::of(&parts, &self.around.domains) {
            Ok(target) => (target, None),
            Err(error) => (Target::unreadable(&parts), Some(error)),
        };
        let exchange = match self.exchange(&parts, target, peer) {
            Ok(exchange) => exchange,
            Err(error) => {
                tracing::error!(%error, "a bucket could not be looked up");
                return self.unrecorded();
            }
        };
        if let Some(error) = unreadable {
            discard(body).await;
            return self.refuse(exchange, &invalid_target(error)).await;
        }
        if std::ptr::eq(exchange.target.op, &raw const s3::POST_OBJECT) {
            return Box::pin(crate::form::post_object(self, exchange, &parts, body)).await;
        }
        match authenticate(&parts, &exchange.target, &self.around.keys, exchange.now) {
            Ok(admitted) => match self.check_region(&exchange, &admitted.caller) {
                // In a box of its own, so that it is not moved with what is around it: it is large.
                Ok(()) => Box::pin(self.admit(exchange, parts, body, admitted)).await,
                Err(denied) => {
                    discard(body).await;
                    self.refuse(exchange, &denied).await
                }
            },
            Err(denied) => {
                discard(body).await;
                self.refuse(exchange, &denied).await
            }
        }
    }

    /// Answers one request that a service of this server makes in the name of somebody whom it proved before. All else is as
    /// of any request: roles, policies, record.
    pub async fn call_on_behalf(&self, request: Request<Body>, principal: Principal) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let peer = Peer { address: std::net::Ipv4Addr::LOCALHOST.into(), tls: None };
        let exchange =
            Target::of(&parts, &self.around.domains).ok().and_then(|target| self.exchange(&parts, target, &peer).ok());
        let Some(mut exchange) = exchange else { return self.unrecorded() };
        exchange.via = Some(principal.via);
        exchange.user_agent = Some(principal.via.to_owned());
        let mut identity = principal.identity;
        identity.invoked_by = Some(principal.via.to_owned());
        let caller = Caller {
            account: Some(principal.account),
            identity,
            signed: None,
            role: Some(principal.role),
            region: Some(principal.region),
        };
        let admitted = Admitted { caller, check: Check::None, query_headers: Vec::new() };
        self.admit(exchange, parts, body, admitted).await
    }

    /// Where no bucket says in which region a request is, the scope of its credential does: it must name one that there is,
    /// so that nobody makes up regions, which each have log files, digests and keys of their own.
    pub(crate) fn check_region(&self, exchange: &Exchange, caller: &Caller) -> Result<(), Denied> {
        let own = &self.around.region;
        match &caller.region {
            Some(region) if exchange.bucket.is_none() && region != own && !aws_api::is_region(region) => {
                Err(caller.out_of_region(region, own))
            }
            _ => Ok(()),
        }
    }

    fn exchange(&self, parts: &Parts, target: Target, peer: &Peer) -> Result<Exchange, BoxError> {
        let bucket = target.bucket.as_deref().map(|name| self.backend.bucket(name)).transpose()?.flatten();
        Ok(Exchange {
            now: (self.around.clock)(),
            id: (self.around.ids)(),
            peer: peer.clone(),
            bucket,
            headers: shown_headers(&parts.headers),
            user_agent: parts.headers.get(http::header::USER_AGENT).map(lossy),
            via: None,
            is_head: parts.method == http::Method::HEAD,
            document: None,
            target,
        })
    }

    /// Hands a proven request on, and records what became of it.
    async fn admit(&self, mut exchange: Exchange, parts: Parts, body: Body, admitted: Admitted) -> Response<Body> {
        let Admitted { caller, check, query_headers } = admitted;
        if let Some(document) = self.forbidden(&exchange, &caller) {
            let answer = failed(document.0, document.1);
            return self.conclude(exchange, caller, 0, answer).await;
        }
        let inbound = Inbound::new(body, check);
        if let Some(len_max) = document::kept_len_max(exchange.target.op) {
            inbound.keep(len_max);
        }
        let request = forward::request(&exchange, parts, &inbound, &query_headers);
        let answer = self.perform(&exchange, &caller, request, &inbound).await;
        // Of a body that is not the signed one nothing is kept: it is refused below.
        exchange.document = inbound.kept().and_then(|body| document::read(exchange.target.op, &body));
        match answer {
            Ok(answer) => self.conclude(exchange, caller, inbound.bytes_in(), answer).await,
            Err(denied) => self.refuse(exchange, &denied).await,
        }
    }

    /// What is not done whoever asks, and what the roles and the state of the disk forbid.
    pub(crate) fn forbidden(&self, exchange: &Exchange, caller: &Caller) -> Option<(StatusCode, ErrorDocument)> {
        let op = exchange.target.op;
        if std::ptr::eq(op, &raw const s3::UNKNOWN) {
            // The backend is not asked: it might know an operation where we know none.
            let message = "A header or query you provided implies functionality that is not implemented.";
            return Some((StatusCode::NOT_IMPLEMENTED, ErrorDocument::new("NotImplemented", message)));
        }
        if std::ptr::eq(op, &raw const s3::PREFLIGHT) {
            let message = "CORSResponse: CORS is not enabled for this bucket.";
            return Some((StatusCode::FORBIDDEN, ErrorDocument::new("AccessForbidden", message)));
        }
        if caller.account.is_none() {
            // Nothing is granted to everybody, so that no more of the request is read.
            return Some((StatusCode::FORBIDDEN, ErrorDocument::new("AccessDenied", "Access Denied")));
        }
        if op.access == Access::Write {
            let denied = || Some((StatusCode::FORBIDDEN, ErrorDocument::new("AccessDenied", "Access Denied")));
            if caller.role == Some(Role::Audit) {
                return denied();
            }
            if caller.role != Some(Role::Admin) && (self.is_log_bucket(exchange) || is_of_policy(op)) {
                return denied();
            }
            if !op.name.starts_with("Delete") && !op.name.starts_with("Abort") && !self.store.has_room() {
                let message = "The disk is nearly full. Free some space, or delete what is not needed, and try again.";
                return Some((StatusCode::SERVICE_UNAVAILABLE, ErrorDocument::new("ServiceUnavailable", message)));
            }
        }
        None
    }

    /// A trail delivers there now, or did so once: what it left is protected when it has moved or is deleted.
    fn is_log_bucket(&self, exchange: &Exchange) -> bool {
        exchange.bucket.as_ref().is_some_and(|bucket| bucket.holds_logs)
            || exchange.target.bucket.as_deref().is_some_and(|name| (self.around.is_log_bucket)(name))
    }

    /// Lets the backend do what was asked. `Err` if the body turned out not to be what was signed: then nothing was done.
    pub(crate) async fn perform(
        &self,
        exchange: &Exchange,
        caller: &Caller,
        mut request: Request<Body>,
        inbound: &Inbound,
    ) -> Result<Answer, Denied> {
        let deferred = DeferredUnit::default();
        let extensions = request.extensions_mut();
        extensions.insert(RequestTime(exchange.now));
        extensions.insert(RequestId(exchange.id));
        extensions.insert(inbound.trailers());
        extensions.insert(deferred.clone());
        if let Some(account) = &caller.account {
            extensions.insert(Owner { account: account.clone(), display_name: account.clone() });
            // What this server asks of itself is on no network.
            let secure_transport = exchange.via.is_some() || exchange.peer.tls.is_some();
            extensions.insert(requester(caller, secure_transport, exchange.via.is_some()));
        }
        extensions.insert(ExpectedOperation(backend_operation(exchange.target.op)));
        let response = self.backend.call(request).await;
        if matches!(&response, Ok(response) if response.status().is_success()) {
            // Its verdict stands in `failure`.
            let _ = inbound.drain().await;
        }
        match inbound.failure() {
            Some(Broken::Denied(denied)) => return Err(denied),
            Some(Broken::Cut) => return Ok(failed(StatusCode::BAD_REQUEST, incomplete_body())),
            Some(Broken::TooLong) => return Ok(failed(StatusCode::BAD_REQUEST, too_long())),
            None => {}
        }
        Ok(match response {
            Ok(response) => read_answer(response, deferred.take().unwrap_or_default(), exchange).await,
            Err(error) => {
                tracing::error!(%error, op = exchange.target.op.name, "the backend failed");
                failed(StatusCode::INTERNAL_SERVER_ERROR, internal_error())
            }
        })
    }

    /// Records an admitted request together with what it staged, and lets the answer go.
    pub(crate) async fn conclude(
        &self,
        exchange: Exchange,
        caller: Caller,
        bytes_in: u64,
        answer: Answer,
    ) -> Response<Body> {
        self.counters.admitted.fetch_add(1, Ordering::Relaxed);
        if caller.signed.is_some_and(|signed| signed.version == "SigV2") {
            self.counters.sigv2.fetch_add(1, Ordering::Relaxed);
        }
        let is_head = exchange.is_head;
        let mut call = self.seen(exchange, caller.identity, caller.signed);
        call.bytes_in = bytes_in;
        call.common.failure = answer.failure;
        if call.op.access == Access::Write && call.common.failure.is_none() {
            let headers = answer.response.headers();
            call.response = record::answered(|name| headers.get(name).and_then(|value| value.to_str().ok()));
        }
        if call.bucket_owner.is_none() {
            call.common.recipient_account = caller.account.clone().unwrap_or_else(|| self.around.account.clone());
            call.common.region = caller.region.unwrap_or_else(|| self.around.region.clone());
        }
        self.share(&mut call, caller.account.as_deref());
        let response = dressed(answer.response, &call);
        self.recorded(is_head, response, answer.unit, call, Outcome::Admitted).await
    }

    /// A call on another account's bucket is an event of both accounts; an anonymous one of the bucket's alone, as AWS has it.
    fn share(&self, call: &mut S3Call, caller: Option<&str>) {
        if caller == Some(&call.common.recipient_account) {
            return;
        }
        let new_id = || (self.around.ids)().to_string();
        call.shared_event_id = Some(new_id());
        call.callers_copy = caller.map(|account| CallersCopy { account: account.to_owned(), event_id: new_id() });
    }

    /// Answers a request that failed authentication, and keeps it apart.
    pub(crate) async fn refuse(&self, mut exchange: Exchange, denied: &Denied) -> Response<Body> {
        self.counters.refused.fetch_add(1, Ordering::Relaxed);
        let status = StatusCode::from_u16(denied.status).unwrap_or(StatusCode::FORBIDDEN);
        let is_kept = self.around.refusals.is_kept(exchange.peer.address, exchange.now);
        exchange.document = None;
        let is_head = exchange.is_head;
        let mut call = self.seen(exchange, UserIdentity::unproven(), None);
        let mut response = dressed(failed(status, denied.into()).response, &call);
        // What is left of its body is not read.
        response.headers_mut().insert(http::header::CONNECTION, HeaderValue::from_static("close"));
        if !is_kept {
            self.counters.refused_not_kept.fetch_add(1, Ordering::Relaxed);
            return response;
        }
        let attempt = &denied.attempt;
        let signed = attempt.scheme.zip(attempt.carrier);
        call.signed = signed.map(|(scheme, carrier)| Signed { version: scheme.as_str(), method: carrier.as_str() });
        call.common.claimed_access_key_id.clone_from(&attempt.access_key_id);
        call.common.failure = Some(Failure { code: denied.code.into(), message: denied.message.clone() });
        self.recorded(is_head, response, Unit::new(), call, Outcome::Refused).await
    }

    /// What is known of a request whatever becomes of it.
    fn seen(&self, exchange: Exchange, identity: UserIdentity, signed: Option<Signed>) -> S3Call {
        let (request_id, host_id) = (exchange.request_id(), exchange.host_id());
        let Exchange { id, target, bucket, peer, headers, user_agent, via, document, .. } = exchange;
        let (owner, region) = bucket.map(|bucket| (bucket.owner, bucket.region)).unzip();
        S3Call {
            op: target.op,
            common: Common {
                identity,
                claimed_access_key_id: None,
                recipient_account: owner.clone().unwrap_or_else(|| self.around.account.clone()),
                region: region.unwrap_or_else(|| self.around.region.clone()),
                source_ip: via.map_or_else(|| peer.address.to_canonical().to_string(), Into::into),
                user_agent,
                host: target.host,
                tls: peer.tls,
                request_id,
                event_id: id.to_string(),
                failure: None,
            },
            bucket: target.bucket,
            key: target.key,
            query: target.query,
            headers,
            signed,
            bucket_owner: owner,
            host_id,
            bytes_in: 0,
            bytes_out: 0,
            shared_event_id: None,
            callers_copy: None,
            document,
            response: None,
        }
    }

    /// Makes the record durable before the answer: a short one waits for it, a long one for its opening entry.
    async fn recorded(
        &self,
        is_head: bool,
        response: Response<Body>,
        unit: Unit,
        mut call: S3Call,
        outcome: Outcome,
    ) -> Response<Body> {
        let len = response.body().size_hint().exact();
        if is_head || len.is_some_and(|len| len <= ONE_PIECE_LEN_MAX) {
            let (parts, body) = response.into_parts();
            let body =
                if is_head { Ok(Bytes::new()) } else { body.collect().await.map(http_body_util::Collected::to_bytes) };
            let Ok(body) = body else { return self.unrecorded() };
            call.bytes_out = body.len() as u64;
            return match self.recorder.record(unit, &call, outcome).await {
                Ok(()) => Response::from_parts(parts, full(body)),
                Err(error) => self.not_recorded(&error),
            };
        }
        call.bytes_out = len.unwrap_or_default();
        match self.recorder.open(unit, call, outcome).await {
            Ok(answer) => response.map(|body| AuditedBody::new(body, answer).boxed_unsync()),
            Err(error) => self.not_recorded(&error),
        }
    }

    fn not_recorded(&self, error: &StoreError) -> Response<Body> {
        tracing::error!(%error, "a request could not be recorded, so it is not acknowledged");
        self.unrecorded()
    }

    /// The answer where nothing could be written: the request counts as not done.
    fn unrecorded(&self) -> Response<Body> {
        let id = (self.around.ids)().simple().to_string();
        let mut response = Response::new(full(internal_error().render(&id, "").into()));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    }
}

impl Exchange {
    /// `x-amz-request-id`: sixteen of `0-9A-Z`.
    pub fn request_id(&self) -> String {
        self.id.simple().to_string()[..16].to_ascii_uppercase()
    }

    /// `x-amz-id-2`: base64 of what tells nothing but the request.
    pub fn host_id(&self) -> String {
        use base64::Engine as _;
        use sha2::{Digest, Sha256};
        let mut bytes = Sha256::digest(self.id.as_bytes()).to_vec();
        bytes.extend_from_slice(&Sha256::digest(&bytes)[..24]);
        base64::engine::general_purpose::STANDARD.encode(bytes)
    }
}

fn shown_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let shown = headers.iter().filter(|(name, _)| record::is_shown_header(name.as_str()));
    shown.map(|(name, value)| (name.as_str().to_owned(), lossy(value))).collect()
}

fn lossy(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

/// Reads a little of a body that nobody wants, so that a client that is still writing it gets to read why.
async fn discard(body: Body) {
    let read = Limited::new(body, DISCARDED_LEN_MAX).collect();
    // Whatever comes of it, the answer is the same.
    let _ = tokio::time::timeout(DISCARD_TIMEOUT, read).await;
}

/// The caller as policies name it. A service that acts for it sets tags that are not the caller's to set.
fn requester(caller: &Caller, secure_transport: bool, by_service: bool) -> Requester {
    let identity = &caller.identity;
    // A service that acts for an account, and for none of its users, is to a policy the account.
    let root = || {
        caller.account.as_deref().filter(|_| identity.kind == "AWSService").map(|account| Requester::root(account).arn)
    };
    Requester {
        arn: identity.arn.clone().or_else(root).unwrap_or_default(),
        role_arn: identity.role_arn(),
        secure_transport,
        administers: caller.role == Some(Role::Admin) || (caller.role == Some(Role::Audit) && identity.kind == "Root"),
        sets_system_tags: by_service,
    }
}

/// Who may do what with a bucket is not for keys that are there for objects.
fn is_of_policy(op: &S3Op) -> bool {
    matches!(
        op.name,
        "PutBucketPolicy"
            | "DeleteBucketPolicy"
            | "PutPublicAccessBlock"
            | "DeletePublicAccessBlock"
            | "PutBucketOwnershipControls"
            | "DeleteBucketOwnershipControls"
            | "PutBucketAcl"
    )
}

/// What the backend calls the operation: to it, a form upload is a PUT.
fn backend_operation(op: &'static S3Op) -> &'static str {
    if op.name == "PostObject" { "PutObject" } else { op.name }
}
