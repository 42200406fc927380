//! What a stack asks for: ordinary operations of the services, as a user would call them.

use serde_json::Value;

/// One operation.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    /// Of a service that speaks an RPC protocol.
    Rpc {
        /// The service's signing name: `sqs`.
        service: &'static str,
        /// `CreateQueue`
        op: &'static str,
        /// The operation's input shape as JSON.
        input: Value,
    },
    /// Of S3, on a bucket.
    S3 {
        /// `PutBucketVersioning`
        op: &'static str,
        /// `PUT`
        method: &'static str,
        /// The bucket.
        bucket: String,
        /// `versioning`; empty if there is none.
        query: &'static str,
        /// The body.
        body: String,
    },
}

/// An operation, and which refusals of it are as good as success.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The operation.
    pub call: Call,
    /// Codes of errors that say that nothing is left to do.
    pub tolerated: &'static [&'static str],
    /// The operation is `PutPermission`, which sets the whole policy of a bus: this statement is to be added to the one that
    /// `DescribeEventBus` shows ([`crate::types::with_statement`]).
    pub adds: Option<Value>,
}

impl Step {
    pub(crate) fn rpc(service: &'static str, op: &'static str, input: Value) -> Self {
        Self { call: Call::Rpc { service, op, input }, tolerated: &[], adds: None }
    }

    pub(crate) fn put_bucket(op: &'static str, bucket: &str, query: &'static str, body: String) -> Self {
        let call = Call::S3 { op, method: "PUT", bucket: bucket.to_owned(), query, body };
        Self { call, tolerated: &[], adds: None }
    }

    pub(crate) fn delete_bucket(op: &'static str, bucket: &str, query: &'static str) -> Self {
        let call = Call::S3 { op, method: "DELETE", bucket: bucket.to_owned(), query, body: String::new() };
        Self { call, tolerated: &["NoSuchBucket", "NoSuchBucketPolicy"], adds: None }
    }

    pub(crate) fn tolerating(self, tolerated: &'static [&'static str]) -> Self {
        Self { tolerated, ..self }
    }
}
