//! The RPC protocols of AWS: JSON 1.0 and 1.1, Query, and CBOR. From the parts of a request to the input shape of a typed operation,
//! and from its output, or its refusal, to the bytes of the answer.
//!
//! Codecs only: nothing here reads a socket, knows a clock or decides what an operation does. A [`Call`] is one request; it is
//! the [`Codec`](aws_api::Codec) that the service's `dispatch` reads and writes with. S3, which is REST, is not here.
//!
//! See "AWS JSON 1.0 protocol", "AWS JSON 1.1 protocol" and "AWS Query protocol" and "Smithy RPC v2 CBOR protocol" of the Smithy specification.

mod call;
mod cbor;
mod error;
mod json;
mod names;
mod query;
mod refusal;
mod response;
mod xml;

pub use call::{Call, Head, Protocol};
pub use query::{KEY_LEN_MAX, PARAMETERS_MAX, PARTS_MAX};
pub use response::WireResponse;
