//! The embedded store behind signature verification alone: what the server would be without its audit layer.
//!
//! It proves every request and its body with the same code, and the store commits and syncs by itself. There is no record, no
//! trail, no rule.

use std::convert::Infallible;
use std::io::Write;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use aws_api::Timestamp;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use s3_embedded::{EmbeddedS3, Options, Owner, RequestId, RequestTime, Requester, Service};
use sha2::{Digest, Sha256};
use signature::{Claim, Policy, RequestHead, Secret, classify, verify};
use store::Store;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use uuid::Uuid;

use crate::process::KEY;

/// Objects here are small.
const BODY_LEN_MAX: usize = 1024 * 1024;
const ACCOUNT: &str = "000000000000";

type Body = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// Serves until SIGTERM.
pub fn serve(dir: &Path) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(accept(dir))
}

async fn accept(dir: &Path) -> Result<()> {
    let store = Store::open(dir, store::Options::default())?;
    let service = EmbeddedS3::new(store.clone(), Options::default()).service();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut stop = signal(SignalKind::terminate())?;
    println!("ready http://{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    loop {
        let (stream, _) = tokio::select! {
            accepted = listener.accept() => accepted?,
            _ = stop.recv() => break,
        };
        stream.set_nodelay(true)?;
        let service = service.clone();
        let answer = service_fn(move |request| {
            let service = service.clone();
            async move { Ok::<_, Infallible>(answer(&service, request).await) }
        });
        tokio::spawn(async move {
            let connection =
                http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), answer);
            // The client sees it.
            let _ = connection.await;
        });
    }
    store.close().await?;
    Ok(())
}

async fn answer(service: &Service, request: Request<Incoming>) -> Response<Body> {
    let now = now();
    let Some(request) = admitted(request, now).await else {
        let mut refused = Response::new(Full::default().map_err(|never: Infallible| match never {}).boxed_unsync());
        *refused.status_mut() = StatusCode::FORBIDDEN;
        return refused;
    };
    service.call(request).await.map(|body| body.map_err(Into::into).boxed_unsync())
}

/// Proves head and body. `None`: it is not what was signed.
async fn admitted(request: Request<Incoming>, now: Timestamp) -> Option<Request<Full<Bytes>>> {
    let (mut parts, body) = request.into_parts();
    let verified = {
        let headers: Vec<_> = parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let head = RequestHead {
            method: parts.method.as_str(),
            raw_path: parts.uri.path(),
            raw_query: parts.uri.query(),
            headers: &headers,
            host_bucket: None,
        };
        let Ok(Claim::Signed(claim)) = classify(head) else { return None };
        let secret = Secret { secret_access_key: KEY.secret_access_key, session_token: None, expires: None };
        let secret = (claim.access_key_id() == KEY.access_key_id).then_some(secret);
        verify(&claim, secret, now, &Policy::s3()).ok()?
    };
    let body = Limited::new(body, BODY_LEN_MAX).collect().await.ok()?.to_bytes();
    if matches!(verified.payload, signature::Payload::Sha256(_)) {
        verified.check_body_sha256(&Sha256::digest(&body).into()).ok()?;
    }
    parts.headers.remove(http::header::AUTHORIZATION);
    parts.extensions.insert(RequestTime(now));
    parts.extensions.insert(RequestId(Uuid::new_v4()));
    parts.extensions.insert(Owner { account: ACCOUNT.into(), display_name: ACCOUNT.into() });
    parts.extensions.insert(Requester::root(ACCOUNT));
    Some(Request::from_parts(parts, Full::new(body)))
}

fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}
