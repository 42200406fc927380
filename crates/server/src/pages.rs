//! Our own pages under `/_sigtrail/`.

use gateway::{Audit, Body, Embedded, Peer};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::exposition;
use crate::route::PAGES;
use crate::rpc::full;

/// Answers a request for one of the pages. Beyond loopback they need the token of the configuration.
pub fn page(app: &App, audit: &Audit<Embedded>, parts: &Parts, peer: &Peer) -> Response<Body> {
    if !is_allowed(app, parts, peer) {
        let hint =
            json!({"error": "beyond loopback this page needs 'Authorization: Bearer <token of the configuration>'"});
        return answer(StatusCode::FORBIDDEN, "application/json", hint.to_string());
    }
    if parts.method != Method::GET && parts.method != Method::HEAD {
        return answer(StatusCode::METHOD_NOT_ALLOWED, "application/json", json!({"error": "GET only"}).to_string());
    }
    match parts.uri.path().strip_prefix(PAGES).unwrap_or_default() {
        "health" => health(app),
        "metrics" => answer(StatusCode::OK, "text/plain; version=0.0.4", exposition::page(app, audit)),
        "callers" => callers(app),
        _ => {
            let pages = json!({"error": "no such page", "pages": ["health", "metrics", "callers"]});
            answer(StatusCode::NOT_FOUND, "application/json", pages.to_string())
        }
    }
}

fn is_allowed(app: &App, parts: &Parts, peer: &Peer) -> bool {
    if peer.address.to_canonical().is_loopback() && app.config.token.is_none() {
        return true;
    }
    let Some(token) = &app.config.token else { return false };
    let given = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    // Equal digests mean equal tokens; how long the comparison takes tells nothing of the token.
    Sha256::digest(given.as_bytes()) == Sha256::digest(token.as_bytes())
}

fn health(app: &App) -> Response<Body> {
    let (status, body) = match app.store.failed() {
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, json!({"status": "failed", "reason": reason})),
        None if !app.store.has_room() => (StatusCode::OK, json!({"status": "low-disk"})),
        None => (StatusCode::OK, json!({"status": "ok"})),
    };
    answer(status, "application/json", body.to_string())
}

fn callers(app: &App) -> Response<Body> {
    let rows = app.with_callers(|callers| {
        let mut rows: Vec<_> = callers.iter().collect();
        rows.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.key.cmp(&b.key)));
        serde_json::to_string(&json!({"callers": rows}))
    });
    match rows {
        Ok(body) => answer(StatusCode::OK, "application/json", body),
        Err(_) => answer(StatusCode::INTERNAL_SERVER_ERROR, "application/json", "{}".into()),
    }
}

fn answer(status: StatusCode, content_type: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
