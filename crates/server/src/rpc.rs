//! One request to a service of the RPC protocols: prove the caller, check the role, decode, do, encode.

use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aws_api::{ApiError, Category, Codec, RequestContext, Service, ServiceInfo};
use aws_wire::{Call, Head, Protocol, WireResponse};
use bytes::Bytes;
use gateway::{Body, KeyRing, Peer};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use record::UserIdentity;
use sha2::{Digest, Sha256};
use signature::{Claim, Denied, Policy, RequestHead, classify, verify};

use crate::services::Services;
use crate::{clock, management};

/// The largest body: a batch of SQS is 1 MiB, and in a form each of its bytes can take three.
pub const BODY_LEN_MAX: usize = 4 * 1024 * 1024;

/// It must be there so long after the head.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// One request, its caller not yet proven.
pub struct Request<'r> {
    /// Whom it is for.
    pub service: &'static ServiceInfo,
    /// Its head.
    pub parts: &'r Parts,
    /// The same, as the protocols look at it.
    pub head: Head<'r>,
    /// Where it comes from.
    pub peer: &'r Peer,
    /// A UUID, also in the answer.
    pub id: String,
}

/// The services behind their protocols.
pub struct Rpc {
    services: Services,
    keys: Arc<KeyRing>,
}

impl Rpc {
    /// With these keys.
    pub fn new(services: Services, keys: Arc<KeyRing>) -> Self {
        Self { services, keys }
    }

    /// Answers one request.
    pub async fn call(&self, service: &'static ServiceInfo, parts: &Parts, body: Body, peer: &Peer) -> Response<Body> {
        let request = Request { service, parts, head: head(parts), peer, id: clock::new_id().to_string() };
        let answer = match self.admit(&request, body).await {
            Ok((call, ctx, identity)) => {
                self.services.0.counters.api_requests.fetch_add(1, Ordering::Relaxed);
                self.answer(call, ctx, identity, parts, peer).await
            }
            Err(error) => WireResponse::refusal(service, request.protocol(), &error, &request.id),
        };
        to_http(answer)
    }

    /// A call whose caller is proven: done if the role allows it, and recorded in any case, unless it is a data event.
    async fn answer(
        &self,
        call: Call,
        ctx: RequestContext,
        identity: UserIdentity,
        parts: &Parts,
        peer: &Peer,
    ) -> WireResponse {
        let op = call.op();
        let refused = (ctx.caller.role < op.role).then(|| not_allowed(call.service(), op.name, &ctx));
        if op.category == Category::Management {
            let seen = management::seen(&call, &ctx, identity, parts, peer);
            return management::perform(self.services.clone(), call, ctx, seen, refused).await;
        }
        let answer = match refused {
            Some(error) => Err(error),
            None => dispatch(&self.services, &ctx, call.service().service, op.name, &call).await,
        };
        call.response(answer, &ctx.request_id)
    }

    async fn admit(&self, request: &Request<'_>, body: Body) -> Result<(Call, RequestContext, UserIdentity), ApiError> {
        if let Err(denied) = self.check_claim(request.parts) {
            return Err(self.refuse(request, denied).await);
        }
        let body = read_body(body).await?;
        match self.authenticate(request, &body) {
            Ok((ctx, identity)) => {
                let body = decompress(request, body)?;
                Ok((Call::parse(request.service, &request.head, body)?, ctx, identity))
            }
            Err(denied) => Err(self.refuse(request, denied).await),
        }
    }

    /// Records a request that failed authentication, and says so in its protocol's words.
    async fn refuse(&self, request: &Request<'_>, denied: Denied) -> ApiError {
        let error = match request.protocol() {
            Protocol::Json { .. } | Protocol::Cbor => denied.for_json(),
            Protocol::Query => denied.for_query(),
        };
        management::refuse(&self.services.0, request, denied.attempt.access_key_id, error).await
    }

    /// Before a body is read into memory its sender must at least name a key that there is.
    fn check_claim(&self, parts: &Parts) -> Result<(), Denied> {
        let headers = header_lines(parts);
        let Claim::Signed(claim) = classify(request_head(parts, &headers))? else { return Err(Denied::anonymous()) };
        if self.keys.get(claim.access_key_id()).is_some() {
            return Ok(());
        }
        let reason = signature::Reason::UnknownKey;
        Err(Denied { reason, attempt: claim.attempt(), ..Denied::anonymous() })
    }

    fn authenticate(&self, request: &Request<'_>, body: &[u8]) -> Result<(RequestContext, UserIdentity), Denied> {
        let Request { service, parts, peer, .. } = request;
        let headers = header_lines(parts);
        let Claim::Signed(claim) = classify(request_head(parts, &headers))? else { return Err(Denied::anonymous()) };
        let key = self.keys.get(claim.access_key_id());
        let now = clock::now();
        let policy = Policy::other(service.signing_name, Sha256::digest(body).into());
        let verified = verify(&claim, key.map(gateway::Key::secret), now, &policy)?;
        let Some(key) = key else { return Err(Denied::anonymous()) };
        let own = &self.services.0.config.region;
        let region = verified.region.unwrap_or_else(|| own.clone());
        if region != *own && !aws_api::is_region(&region) {
            return Err(wrong_region(claim.attempt()));
        }
        let scheme = if peer.tls.is_some() { "https" } else { "http" };
        let host = parts.headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
        let ctx = RequestContext {
            caller: key.caller(),
            region,
            now,
            request_id: request.id.clone(),
            endpoint: host.map_or_else(|| self.services.0.endpoint().to_owned(), |host| format!("{scheme}://{host}")),
            via: None,
        };
        Ok((ctx, key.identity.clone()))
    }
}

impl Request<'_> {
    fn protocol(&self) -> Protocol {
        Protocol::of(self.service, &self.head)
    }
}

/// Calls the operation; the codec reads its parameters and writes its answer.
pub async fn dispatch(
    services: &Services,
    ctx: &RequestContext,
    service: Service,
    op: &str,
    codec: &impl Codec,
) -> Result<Vec<u8>, ApiError> {
    let answer = match service {
        Service::CloudFormation => aws_api::cloudformation::dispatch(services, ctx, op, codec).await,
        Service::CloudTrail => aws_api::cloudtrail::dispatch(services, ctx, op, codec).await,
        Service::CloudWatch => aws_api::cloudwatch::dispatch(services, ctx, op, codec).await,
        Service::Events => aws_api::events::dispatch(services, ctx, op, codec).await,
        Service::Sns => aws_api::sns::dispatch(services, ctx, op, codec).await,
        Service::Sqs => aws_api::sqs::dispatch(services, ctx, op, codec).await,
        Service::Sts => aws_api::sts::dispatch(services, ctx, op, codec).await,
    };
    // The call was parsed against the same table that the dispatch was made from.
    answer.unwrap_or_else(|| Err(ApiError::internal("The operation is not served.")))
}

fn head(parts: &Parts) -> Head<'_> {
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    Head {
        path: parts.uri.path(),
        query: parts.uri.query(),
        content_type: header("content-type"),
        target: header("x-amz-target"),
        query_mode: header("x-amzn-query-mode"),
        smithy_protocol: header("smithy-protocol"),
    }
}

fn header_lines(parts: &Parts) -> Vec<(&str, &[u8])> {
    parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
}

fn request_head<'a>(parts: &'a Parts, headers: &'a [(&'a str, &'a [u8])]) -> RequestHead<'a> {
    RequestHead {
        method: parts.method.as_str(),
        raw_path: parts.uri.path(),
        raw_query: parts.uri.query(),
        headers,
        host_bucket: None,
    }
}

async fn read_body(body: Body) -> Result<Bytes, ApiError> {
    let Ok(read) = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, BODY_LEN_MAX).collect()).await else {
        let message = format!("The request's body did not come within {} s.", BODY_TIMEOUT.as_secs());
        return Err(ApiError::new("RequestTimeout", message).with_status(408));
    };
    match read {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(too_long()),
        Err(_) => Err(ApiError::new("IncompleteBody", "The request's body ended early.")),
    }
}

/// The signature is of what was sent, which `PutMetricData` may send compressed.
fn decompress(request: &Request<'_>, body: Bytes) -> Result<Bytes, ApiError> {
    let encoding = request.parts.headers.get(http::header::CONTENT_ENCODING);
    if request.service.service != Service::CloudWatch || encoding.is_none_or(|name| name != "gzip") {
        return Ok(body);
    }
    let mut plain = Vec::new();
    let limit = u64::try_from(BODY_LEN_MAX).unwrap_or(u64::MAX);
    let read = flate2::read::GzDecoder::new(&*body).take(limit + 1).read_to_end(&mut plain);
    if read.is_err() {
        return Err(ApiError::new("SerializationException", "The body is not gzip, as its Content-Encoding says."));
    }
    if plain.len() > BODY_LEN_MAX {
        return Err(too_long());
    }
    Ok(plain.into())
}

fn too_long() -> ApiError {
    let message = format!("The request's body is longer than {BODY_LEN_MAX} bytes.");
    ApiError::new("RequestEntityTooLarge", message).with_status(413)
}

/// Who could make up regions could make up log files, chains of digests and their keys.
fn wrong_region(attempt: signature::Attempt) -> Denied {
    let message = "Credential should be scoped to a valid region.".into();
    Denied { reason: signature::Reason::WrongScope, message, attempt, ..Denied::anonymous() }
}

pub fn not_allowed(service: &ServiceInfo, op: &str, ctx: &RequestContext) -> ApiError {
    let (code, status) = match service.service {
        Service::Sns => ("AuthorizationError", 403),
        Service::CloudFormation | Service::Sts => ("AccessDenied", 403),
        Service::CloudWatch => ("AccessDeniedException", 403),
        Service::CloudTrail | Service::Events | Service::Sqs => ("AccessDeniedException", 400),
    };
    let message = format!(
        "User: {} is not authorized to perform: {}:{op} because the role of its key, {}, does not allow it",
        ctx.caller.arn, service.signing_name, ctx.caller.role
    );
    ApiError::new(code, message).with_status(status)
}

fn to_http(answer: WireResponse) -> Response<Body> {
    let mut response = Response::new(full(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// A body in one piece.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

#[cfg(test)]
mod tests;
