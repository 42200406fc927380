//! Our own pages under `/_sigtrail/`.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;

use aws_api::{Entity, Timestamp};
use gateway::{Audit, Body, Embedded, Peer};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use record::Entry;
use serde_json::json;
use sha2::{Digest, Sha256};
use store::StoreError;

use crate::app::App;
use crate::route::PAGES;
use crate::rpc::full;
use crate::waiting;

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
        "metrics" => answer(StatusCode::OK, "text/plain; version=0.0.4", metrics(app, audit)),
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

fn metrics(app: &App, audit: &Audit<Embedded>) -> String {
    let front = audit.counters();
    let load = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    let mut all = vec![
        ("sigtrail_s3_requests_total", load(&front.admitted)),
        ("sigtrail_s3_refused_total", load(&front.refused)),
        ("sigtrail_s3_refused_not_kept_total", load(&front.refused_not_kept)),
        ("sigtrail_s3_sigv2_requests_total", load(&front.sigv2)),
        ("sigtrail_store_syncs_total", app.store.stats().syncs),
    ];
    all.extend(app.counters.all());
    let (refused, by_address) = app.handshakes.counts();
    all.push(("sigtrail_tls_handshakes_refused_total", refused));
    let mut text = String::new();
    // Writing into memory does not fail.
    for (name, value) in all {
        let _ = writeln!(text, "# TYPE {name} counter\n{name} {value}");
    }
    let name = "sigtrail_tls_handshakes_refused_by_address_total";
    let _ = writeln!(text, "# TYPE {name} counter");
    for (address, value) in by_address {
        let _ = writeln!(text, "{name}{{address=\"{address}\"}} {value}");
    }
    // Nothing to show is all that comes of a store that failed; its health says so.
    let _ = waiting_records(app, &mut text);
    text
}

/// What trails have not delivered yet, and since when.
fn waiting_records(app: &App, text: &mut String) -> Result<(), StoreError> {
    let trails: Vec<(String, String)> =
        app.registry().trails.iter().map(|trail| (trail.key(), trail.arn().to_string())).collect();
    let name = "sigtrail_trail_waiting_records";
    let _ = writeln!(text, "# HELP {name} Records in no log file yet\n# TYPE {name} gauge");
    for (key, arn) in &trails {
        let _ = writeln!(text, "{name}{{trail=\"{arn}\"}} {}", app.waiting.records(key));
    }
    let name = "sigtrail_trail_oldest_waiting_record_timestamp_seconds";
    let _ = writeln!(text, "# HELP {name} When the oldest of them was made\n# TYPE {name} gauge");
    for (key, arn) in &trails {
        let Some(seq) = waiting::oldest_of(app, key)? else { continue };
        let oldest = app.store.log().read(seq, 1, usize::MAX)?;
        let entry = oldest.first().and_then(|(_, bytes)| Entry::decode(bytes).ok());
        if let Some(time) = entry.and_then(|entry| Timestamp::parse_rfc3339(&entry.outline.event_time)) {
            let _ = writeln!(text, "{name}{{trail=\"{arn}\"}} {}", time.as_secs());
        }
    }
    Ok(())
}

fn answer(status: StatusCode, content_type: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
