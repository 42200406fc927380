//! Operations that a service of this server makes in the name of a caller whom it proved before: through the same roles,
//! policies, validation and records as a request of the caller's own.

use std::sync::Arc;

use aws_api::{ApiError, Caller, Category, RequestContext, Role};
use aws_wire::Call;
use bytes::Bytes;
use futures::future::BoxFuture;
use gateway::{Body, Principal};
use http::Request;
use http_body_util::BodyExt as _;
use record::UserIdentity;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::app::App;
use crate::clock;
use crate::management;
use crate::route::SERVICES;
use crate::rpc::{dispatch, full, not_allowed};
use crate::services::Services;

/// A caller who was proven, as it is kept until what it asked for is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asker {
    /// For roles and policies.
    pub caller: Caller,
    /// For records. Without a key: what is done later is not signed with it.
    pub identity: UserIdentity,
}

impl Asker {
    /// The server, in an account.
    pub fn server(account: &str) -> Self {
        let caller = Caller {
            account: account.to_owned(),
            arn: format!("arn:aws:iam::{account}:root"),
            principal_id: SELF.to_owned(),
            role_arn: None,
            role: Role::Admin,
        };
        Self { caller, identity: UserIdentity::service(SELF) }
    }

    /// The caller of a request, whose key is in the configuration, since it has just signed.
    pub fn of(app: &App, ctx: &RequestContext) -> Result<Self, ApiError> {
        let caller = &ctx.caller;
        if ctx.via == Some(SELF) {
            return Ok(Self::server(&caller.account));
        }
        let key = app.config.keys.iter().find(|key| key.caller() == *caller);
        let identity = key.map(|key| UserIdentity { access_key_id: None, ..key.identity.clone() });
        let identity = identity.ok_or_else(|| ApiError::internal("The caller has no key."))?;
        Ok(Self { caller: caller.clone(), identity })
    }
}

/// The server itself, where nobody asks it: what it makes of its own accord, it makes in this name.
pub const SELF: &str = "sigtrail";

/// Who asked, and which service makes operations of it.
#[derive(Debug, Clone)]
pub struct OnBehalf {
    /// Who.
    pub asker: Asker,
    /// The region of the request.
    pub region: String,
    /// `cloudformation.amazonaws.com`
    pub via: &'static str,
}

impl OnBehalf {
    /// An operation of one of the RPC services, with its parameters and its answer as JSON. Its type is erased: an operation that
    /// makes operations would otherwise hold itself.
    pub fn rpc<'a>(
        &'a self,
        app: &'a Arc<App>,
        service: &'a str,
        op: &'a str,
        input: &'a Value,
    ) -> BoxFuture<'a, Result<Value, ApiError>> {
        Box::pin(async move {
            let known = SERVICES.into_iter().find(|known| known.signing_name == service);
            let service = known.ok_or_else(|| {
                ApiError::new("UnknownOperationException", format!("This server has no service {service}."))
            })?;
            let call = Call::own(service, op, Bytes::from(input.to_string()))?;
            let answer = self.perform(app, call).await?;
            serde_json::from_slice(&answer).map_err(|_| ApiError::internal("The answer could not be read."))
        })
    }

    async fn perform(&self, app: &Arc<App>, call: Call) -> Result<Vec<u8>, ApiError> {
        let ctx = RequestContext {
            caller: self.asker.caller.clone(),
            region: self.region.clone(),
            now: clock::now(),
            request_id: clock::new_id().to_string(),
            endpoint: app.endpoint().to_owned(),
            via: Some(self.via),
        };
        let (service, op, services) = (call.service(), call.op(), Services(Arc::clone(app)));
        let refused = (self.asker.caller.role < op.role).then(|| not_allowed(service, op.name, &ctx));
        if op.category == Category::Management {
            let seen = management::seen_on_behalf(&call, &ctx, self.asker.identity.clone(), self.via);
            return management::performed(services, Arc::new(call), ctx, seen, refused).await;
        }
        match refused {
            Some(error) => Err(error),
            None => dispatch(&services, &ctx, service.service, op.name, &call).await,
        }
    }

    /// An S3 request; the body of its answer.
    pub async fn s3(&self, app: &App, mut request: Request<Body>) -> Result<Bytes, ApiError> {
        let Some(front) = app.front.get() else { return Err(ApiError::internal("S3 is not served yet.")) };
        request.headers_mut().insert(http::header::HOST, http::HeaderValue::from_static("localhost"));
        let principal = Principal {
            account: self.asker.caller.account.clone(),
            identity: self.asker.identity.clone(),
            role: self.asker.caller.role,
            region: self.region.clone(),
            via: self.via,
        };
        let answer = Box::pin(front.call_on_behalf(request, principal)).await;
        let status = answer.status();
        let body = answer.into_body().collect().await;
        let body = body.map_err(|_| ApiError::internal("The answer ended early."))?.to_bytes();
        if status.is_success() {
            return Ok(body);
        }
        let text = String::from_utf8_lossy(&body);
        let element = |name: &str| {
            let (_, rest) = text.split_once(&format!("<{name}>"))?;
            Some(rest.split_once(&format!("</{name}>"))?.0.to_owned())
        };
        let code =
            element("Code").unwrap_or_else(|| if status == 404 { "NotFound".into() } else { status.to_string() });
        let message = element("Message").unwrap_or_else(|| format!("S3 answered {status}"));
        Err(ApiError { code: code.into(), ..ApiError::new("", message) }.with_status(status.as_u16()))
    }

    /// A request of S3 on a bucket.
    pub fn bucket_request(method: &str, bucket: &str, query: &str, body: String) -> Request<Body> {
        let query = if query.is_empty() { String::new() } else { format!("?{query}") };
        let mut request: Request<Body> = Request::new(full(body));
        *request.method_mut() = method.parse().unwrap_or_default();
        *request.uri_mut() = format!("/{bucket}{query}").parse().unwrap_or_default();
        request
    }
}
