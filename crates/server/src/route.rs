//! Which service is a request for?
//!
//! The order: the credential scope decides first, because it is what the client signed; then `X-Amz-Target`; then the
//! `Action` of the Query protocol; then the path. What is none of the others' is S3's: `000000000000` is a valid bucket name
//! and also the beginning of a queue's URL, and SigV2 names neither region nor service.

use aws_api::ServiceInfo;
use http::Method;
use http::request::Parts;

/// The services besides S3, in no order.
pub const SERVICES: [&ServiceInfo; 7] = [
    &aws_api::cloudtrail::SERVICE,
    &aws_api::cloudwatch::SERVICE,
    &aws_api::events::SERVICE,
    &aws_api::sns::SERVICE,
    &aws_api::sqs::SERVICE,
    &aws_api::sts::SERVICE,
    &aws_api::cloudformation::SERVICE,
];

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Our own pages.
    Page,
    /// The certificate that SNS's signatures are checked with.
    SnsCertificate,
    /// A service of the RPC protocols.
    Rpc(&'static ServiceInfo),
    /// S3.
    S3,
    /// It is signed for a service that is not here.
    Unknown,
}

/// The beginning of the paths of our own pages.
pub const PAGES: &str = "/_sigtrail/";
/// The beginning of the path of the certificate.
pub const SNS_CERTIFICATE: &str = "/SimpleNotificationService-";

/// Reads the head of a request. `domains` are host names of the server, before which a bucket may stand.
pub fn route(parts: &Parts, domains: &[String]) -> Route {
    let path = parts.uri.path();
    let signed_for = credential_scope(parts);
    match signed_for.as_deref() {
        Some("s3") => return Route::S3,
        Some(name) => return by_signing_name(name).map_or(Route::Unknown, Route::Rpc),
        None if is_of_s3(parts, domains) => return Route::S3,
        None => {}
    }
    if path.starts_with(PAGES) {
        return Route::Page;
    }
    if parts.method == Method::GET && path.starts_with(SNS_CERTIFICATE) {
        return Route::SnsCertificate;
    }
    if let Some(service) = header(parts, "x-amz-target").and_then(by_target) {
        return Route::Rpc(service);
    }
    if let Some(service) = by_operation_path(parts) {
        return Route::Rpc(service);
    }
    if let Some(service) = by_action(parts) {
        return Route::Rpc(service);
    }
    Route::S3
}

/// SigV2 names no service, and only S3 takes it; only buckets stand before the server's own name.
fn is_of_s3(parts: &Parts, domains: &[String]) -> bool {
    let query = parts.uri.query().unwrap_or_default();
    let signed_v2 = header(parts, "authorization").is_some_and(|value| value.starts_with("AWS "))
        || query.split('&').any(|pair| pair.starts_with("AWSAccessKeyId="));
    signed_v2 || header(parts, "host").is_some_and(|host| gateway::host_bucket(host, domains).is_some())
}

fn header<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    parts.headers.get(name).and_then(|value| value.to_str().ok())
}

/// The fourth part of a SigV4 credential, from the header or from the query.
fn credential_scope(parts: &Parts) -> Option<String> {
    let authorization = header(parts, "authorization").unwrap_or_default();
    let from_header = authorization
        .strip_prefix("AWS4-")
        .and_then(|rest| rest.split_once("Credential="))
        .map(|(_, credential)| credential.split(',').next().unwrap_or_default().trim().to_owned());
    let from_query = || {
        let pairs = parts.uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.into_iter().find(|(name, _)| *name == "X-Amz-Credential")?;
        Some(value.replace("%2F", "/").replace("%2f", "/"))
    };
    // Key ids hold no slash, but nothing forbids it: count from the end.
    let credential = from_header.or_else(from_query)?;
    credential.rsplit('/').nth(1).map(ToOwned::to_owned)
}

fn by_signing_name(name: &str) -> Option<&'static ServiceInfo> {
    SERVICES.into_iter().find(|service| service.signing_name == name)
}

/// `AWSEvents.PutRule`; old and new SDKs write different things before the last part of CloudTrail's.
fn by_target(target: &str) -> Option<&'static ServiceInfo> {
    let (prefix, _) = target.rsplit_once('.')?;
    let fits = |service: &&ServiceInfo| !service.target_prefix.is_empty() && prefix.ends_with(service.target_prefix);
    SERVICES.into_iter().find(fits)
}

/// `/service/GraniteServiceVersion20100801/operation/ListMetrics` of Smithy's RPC v2. Without its header it is an object's path.
fn by_operation_path(parts: &Parts) -> Option<&'static ServiceInfo> {
    header(parts, "smithy-protocol")?;
    let named = parts.uri.path().strip_prefix("/service/")?.split('/').next()?;
    SERVICES.into_iter().find(|service| !named.is_empty() && service.target_prefix == named)
}

/// An unsigned request of the Query protocol: it is refused, in that protocol's words. A form body cannot be looked into
/// here; SNS is the service that is always spoken to so.
fn by_action(parts: &Parts) -> Option<&'static ServiceInfo> {
    // The path of a queue is its URL's; with a bucket's the parameter means nothing.
    let of_queue = parts.uri.path().split('/').nth(1).is_some_and(|account| account.len() == 12);
    if parts.uri.path() != "/" && !of_queue {
        return None;
    }
    let query = parts.uri.query().unwrap_or_default();
    let action = query.split('&').find_map(|pair| pair.strip_prefix("Action="));
    if let Some(action) = action {
        return SERVICES
            .into_iter()
            .find(|service| !service.query_namespace.is_empty() && service.op(action).is_some());
    }
    let content_type = header(parts, "content-type").unwrap_or_default();
    let is_form = content_type.starts_with("application/x-www-form-urlencoded");
    let is_root = parts.uri.path() == "/";
    (parts.method == Method::POST && is_form && is_root).then_some(&aws_api::sns::SERVICE)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Headers<'a> = &'a [(&'a str, &'a str)];

    fn routed(method: &str, uri: &str, headers: &[(&str, &str)]) -> &'static str {
        let mut request = http::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        match route(&request.body(()).unwrap().into_parts().0, &[]) {
            Route::Rpc(service) => service.signing_name,
            Route::S3 => "s3",
            Route::Page => "page",
            Route::SnsCertificate => "certificate",
            Route::Unknown => "unknown",
        }
    }

    #[test]
    fn scope_then_target_then_action_then_path() {
        let v4 = |service: &str| {
            format!("AWS4-HMAC-SHA256 Credential=A/20260314/us-east-1/{service}/aws4_request, SignedHeaders=host")
        };
        let (sqs, s3, lambda) = (v4("sqs"), v4("s3"), v4("lambda"));
        let cases: &[(&str, &str, Headers<'_>, &str)] = &[
            ("POST", "/000000000000/q", &[("authorization", &sqs)], "sqs"),
            ("POST", "/", &[("authorization", &sqs), ("x-amz-target", "AWSEvents.PutRule")], "sqs"),
            ("PUT", "/000000000000/q", &[("authorization", &s3)], "s3"),
            ("PUT", "/000000000000/q", &[("authorization", "AWS A:c2ln")], "s3"),
            ("POST", "/", &[("authorization", &lambda)], "unknown"),
            ("GET", "/b/k?X-Amz-Credential=A%2F20260314%2Fus-east-1%2Fs3%2Faws4_request", &[], "s3"),
            ("GET", "/?Action=ListTopics&X-Amz-Credential=A%2F20260314%2Feu-west-1%2Fsns%2Faws4_request", &[], "sns"),
            (
                "POST",
                "/",
                &[("x-amz-target", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.GetTrail")],
                "cloudtrail",
            ),
            (
                "POST",
                "/service/GraniteServiceVersion20100801/operation/ListMetrics",
                &[("smithy-protocol", "rpc-v2-cbor")],
                "monitoring",
            ),
            ("POST", "/service/GraniteServiceVersion20100801/operation/ListMetrics", &[], "s3"),
            ("GET", "/?Action=GetCallerIdentity&Version=2011-06-15", &[], "sts"),
            ("POST", "/", &[("content-type", "application/x-www-form-urlencoded; charset=utf-8")], "sns"),
            ("GET", "/bkt/k?Action=Publish", &[], "s3"),
            ("GET", "/_sigtrail/health", &[("host", "bkt.localhost"), ("authorization", "AWS A:c2ln")], "s3"),
            ("GET", "/SimpleNotificationService-a?AWSAccessKeyId=A&Expires=1&Signature=c2ln", &[], "s3"),
            (
                "POST",
                "/?delete",
                &[("host", "bkt.localhost"), ("content-type", "application/x-www-form-urlencoded")],
                "s3",
            ),
            ("GET", "/_sigtrail/health", &[], "page"),
            ("GET", "/SimpleNotificationService-00.pem", &[], "certificate"),
            ("GET", "/", &[], "s3"),
        ];
        for (method, uri, headers, expected) in cases {
            assert_eq!(routed(method, uri, headers), *expected, "{method} {uri} {headers:?}");
        }
    }
}
