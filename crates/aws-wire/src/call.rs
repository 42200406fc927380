//! One request to one operation.

use aws_api::{ApiError, Codec, OpInfo, Service, ServiceInfo};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{DecodeError, shown};
use crate::query::{Node, Parameters, Style};
use crate::response::WireResponse;
use crate::{cbor, json, names, xml};

/// What of a request's head the protocols look at. Header values as they came, absent ones `None`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Head<'h> {
    /// The path as it was sent, before the `?`.
    pub path: &'h str,
    /// What stands after the `?`, as it was sent.
    pub query: Option<&'h str>,
    /// `Content-Type`.
    pub content_type: Option<&'h str>,
    /// `X-Amz-Target`.
    pub target: Option<&'h str>,
    /// `x-amzn-query-mode`: a client that wants the error codes of the Query protocol says `true`.
    pub query_mode: Option<&'h str>,
    /// `smithy-protocol`: `rpc-v2-cbor`.
    pub smithy_protocol: Option<&'h str>,
}

impl Head<'_> {
    /// The operation of the service that the head names by itself. `None` where it names none or one that the service does not
    /// have; what the Query protocol has in a form is not in the head.
    pub fn op(&self, service: &ServiceInfo) -> Option<&'static OpInfo> {
        match Protocol::of(service, self) {
            Protocol::Json { .. } => target_op(service, self.target).ok(),
            Protocol::Cbor => cbor::op_of(service, self.path),
            Protocol::Query => {
                let (_, action) = Parameters::parse(self.query.unwrap_or_default().as_bytes(), &[]).ok()?;
                service.op(&action?)
            }
        }
    }
}

/// How a client speaks to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// AWS JSON 1.0 or 1.1; which of them the service decides.
    Json {
        /// Whether the client wants what the Query protocol would have answered as codes and statuses of errors.
        query_compatible: bool,
    },
    /// Smithy's RPC v2 CBOR.
    Cbor,
    /// Parameters in a form or in the URL, answers in XML.
    Query,
}

impl Protocol {
    /// The protocol of a request, which its answer has too, whatever is wrong with the request otherwise.
    pub fn of(service: &ServiceInfo, head: &Head<'_>) -> Self {
        if service.service == Service::CloudWatch && head.smithy_protocol == Some(cbor::PROTOCOL) {
            return Self::Cbor;
        }
        let json_body = head.content_type.is_some_and(|given| given.starts_with("application/x-amz-json-"));
        let speaks_json = !service.target_prefix.is_empty();
        if service.query_namespace.is_empty() || (speaks_json && (head.target.is_some() || json_body)) {
            let query_compatible = head.query_mode.is_some_and(|mode| mode.trim().eq_ignore_ascii_case("true"));
            Self::Json { query_compatible }
        } else {
            Self::Query
        }
    }
}

/// One request: which operation, and its parameters, not yet read as its shape.
#[derive(Debug)]
pub struct Call {
    service: &'static ServiceInfo,
    op: &'static OpInfo,
    input: Input,
}

/// Parameters as they came. `Debug` shows none of them: they are a customer's.
enum Input {
    Json { body: Bytes, query_compatible: bool },
    Cbor(Bytes),
    Query(Parameters),
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Json { .. } => "Json",
            Self::Cbor(_) => "Cbor",
            Self::Query(_) => "Query",
        })
    }
}

impl Call {
    /// Finds out which operation is called, and takes the parameters apart.
    ///
    /// # Errors
    /// The protocol's own for an operation that the service does not have (`UnknownOperationException`, `InvalidAction`), or
    /// for parameters against the form or its bounds. To be answered with [`WireResponse::refusal`].
    pub fn parse(service: &'static ServiceInfo, head: &Head<'_>, body: Bytes) -> Result<Self, ApiError> {
        match Protocol::of(service, head) {
            Protocol::Json { query_compatible } => {
                let op = target_op(service, head.target)?;
                Ok(Self { service, op, input: Input::Json { body, query_compatible } })
            }
            Protocol::Cbor => {
                let op = cbor::op_of(service, head.path).ok_or_else(|| unknown_operation(head.path))?;
                Ok(Self { service, op, input: Input::Cbor(body) })
            }
            Protocol::Query => Self::parse_query(service, head, &body),
        }
    }

    /// A call that this server makes by itself, in the form that JSON clients have.
    ///
    /// # Errors
    /// The service has no such operation.
    pub fn own(service: &'static ServiceInfo, op: &str, input: Bytes) -> Result<Self, ApiError> {
        let op = service.op(op).ok_or_else(|| invalid_action(service, op))?;
        Ok(Self { service, op, input: Input::Json { body: input, query_compatible: false } })
    }

    fn parse_query(service: &'static ServiceInfo, head: &Head<'_>, body: &[u8]) -> Result<Self, ApiError> {
        let refuse = |mistake: DecodeError| mistake.refusal(service.service, Protocol::Query);
        let form = head.content_type.is_none_or(|given| given.starts_with("application/x-www-form-urlencoded"));
        if !form && !body.is_empty() {
            let message = "The Content-Type of the Query protocol is application/x-www-form-urlencoded.";
            return Err(refuse(DecodeError::Malformed(message.into())));
        }
        let (mut parameters, action) =
            Parameters::parse(head.query.unwrap_or_default().as_bytes(), body).map_err(refuse)?;
        let action =
            action.ok_or_else(|| ApiError::new("MissingAction", "The request must contain the parameter Action."))?;
        let op = service.op(&action).ok_or_else(|| invalid_action(service, &action))?;
        if service.service == Service::Sqs && names::takes_queue(op.name) && head.path.len() > 1 {
            parameters.default("QueueUrl", head.path);
        }
        Ok(Self { service, op, input: Input::Query(parameters) })
    }

    /// The service.
    pub fn service(&self) -> &'static ServiceInfo {
        self.service
    }

    /// The operation: its name, access and role.
    pub fn op(&self) -> &'static OpInfo {
        self.op
    }

    /// How the client speaks.
    pub fn protocol(&self) -> Protocol {
        match self.input {
            Input::Json { query_compatible, .. } => Protocol::Json { query_compatible },
            Input::Cbor(_) => Protocol::Cbor,
            Input::Query(_) => Protocol::Query,
        }
    }

    /// The whole answer: `answer` is what the service's `dispatch` returned with this call as its codec.
    pub fn response(&self, answer: Result<Vec<u8>, ApiError>, request_id: &str) -> WireResponse {
        match answer {
            Ok(encoded) => WireResponse::success(self.service, self.op.name, self.protocol(), encoded, request_id),
            Err(error) => WireResponse::refusal(self.service, self.protocol(), &error, request_id),
        }
    }
}

impl Codec for Call {
    fn decode<T: DeserializeOwned + Serialize>(&self) -> Result<T, ApiError> {
        let read = match &self.input {
            Input::Json { body, .. } => json::decode(body),
            Input::Cbor(body) => cbor::decode(body),
            Input::Query(parameters) => {
                let style =
                    if self.service.service == Service::Sqs { Style::Flattened(self.op.name) } else { Style::Wrapped };
                T::deserialize(Node::root(parameters, style))
            }
        };
        read.map_err(|mistake| mistake.refusal(self.service.service, self.protocol()))
    }

    /// In JSON and CBOR the whole body; in the Query protocol the result element, which [`Call::response`] puts into its place.
    fn encode<T: Serialize>(&self, output: &T) -> Result<Vec<u8>, ApiError> {
        match &self.input {
            Input::Json { .. } => json::encode(output).map_err(|_| unwritable()),
            Input::Cbor(_) => cbor::encode(output).map_err(|_| unwritable()),
            Input::Query(_) => xml::result(self.service.service, self.op.name, output).map_err(|_| unwritable()),
        }
    }
}

fn unwritable() -> ApiError {
    ApiError::internal("The answer could not be written.")
}

/// The operation that `X-Amz-Target` names: `AmazonSQS.SendMessage`, with any namespace before the service's prefix.
fn target_op(service: &ServiceInfo, target: Option<&str>) -> Result<&'static OpInfo, ApiError> {
    let target = target.unwrap_or_default();
    let (prefix, name) = target.rsplit_once('.').unwrap_or_default();
    let prefix = prefix.rsplit('.').next().unwrap_or_default();
    let op = Some(name).filter(|_| prefix == service.target_prefix).and_then(|name| service.op(name));
    op.ok_or_else(|| unknown_operation(target))
}

fn unknown_operation(named: &str) -> ApiError {
    let message = format!("The operation {} is unknown or not supported yet.", shown(named));
    ApiError::new("UnknownOperationException", message)
}

fn invalid_action(service: &ServiceInfo, action: &str) -> ApiError {
    let action = shown(action);
    let message = match service.service {
        Service::Sqs => format!("The action {action} is not valid for this endpoint."),
        _ => format!("Could not find operation {action} for version {}", service.version),
    };
    ApiError::new("InvalidAction", message)
}
