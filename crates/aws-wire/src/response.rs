//! The parts of an answer.

use aws_api::{ApiError, ServiceInfo};
use serde_json::json;

use crate::call::Protocol;
use crate::cbor;
use crate::refusal::outgoing;
use crate::xml;

/// An answer, for the server to send: it adds what HTTP asks for (`Date`, `Content-Length`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireResponse {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case, and values without control characters.
    pub headers: Vec<(&'static str, String)>,
    /// The bytes.
    pub body: Vec<u8>,
}

impl WireResponse {
    pub(crate) fn success(
        service: &ServiceInfo,
        op: &str,
        protocol: Protocol,
        encoded: Vec<u8>,
        request_id: &str,
    ) -> Self {
        let body = match protocol {
            Protocol::Json { .. } | Protocol::Cbor => encoded,
            Protocol::Query => xml::success(service, op, encoded, request_id),
        };
        let mut headers = headers(service, protocol, request_id);
        if protocol == Protocol::Cbor && body.is_empty() {
            // "Responses for operations with no defined output type … MUST NOT contain a Content-Type".
            headers.retain(|(name, _)| *name != "content-type");
        }
        Self { status: 200, headers, body }
    }

    /// The answer that refuses a request, in the protocol that the request has ([`Protocol::of`]).
    pub fn refusal(service: &ServiceInfo, protocol: Protocol, error: &ApiError, request_id: &str) -> Self {
        let outgoing = outgoing(service.service, protocol, error);
        let mut headers = headers(service, protocol, request_id);
        if let Some(query_error) = &outgoing.query_error {
            headers.push(("x-amzn-query-error", query_error.clone()));
        }
        let body = match protocol {
            Protocol::Json { .. } => {
                json!({"__type": outgoing.code, "message": outgoing.message}).to_string().into_bytes()
            }
            Protocol::Cbor => cbor::refusal(&outgoing.code, &outgoing.message),
            Protocol::Query => xml::error(service, &outgoing, request_id),
        };
        Self { status: outgoing.status, headers, body }
    }
}

fn headers(service: &ServiceInfo, protocol: Protocol, request_id: &str) -> Vec<(&'static str, String)> {
    let media_type = match protocol {
        Protocol::Json { .. } => service.json_media_type,
        Protocol::Cbor => cbor::MEDIA_TYPE,
        Protocol::Query => "text/xml",
    };
    let mut headers = vec![("content-type", media_type.into()), ("x-amzn-requestid", request_id.into())];
    if protocol == Protocol::Cbor {
        headers.push(("smithy-protocol", cbor::PROTOCOL.into()));
    }
    headers
}
