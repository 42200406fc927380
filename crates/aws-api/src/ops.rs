//! The table of operations: each API action is declared once, with its service, shapes, access and role.
//!
//! [`service!`](crate::service) turns a service's rows into three things that cannot drift apart: the list [`OpInfo`] that
//! routing, authorisation and documentation read; a trait with one method an operation, which `server` implements; and the
//! dispatch from an operation's name to that method. A new operation is one row here and one method there; the compiler asks
//! for the second when the first is added.

use crate::{ApiError, Role};

/// A service that speaks one of AWS's RPC protocols. S3, which is REST, is not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// AWS CloudFormation.
    CloudFormation,
    /// Amazon CloudTrail.
    CloudTrail,
    /// Amazon CloudWatch.
    CloudWatch,
    /// Amazon EventBridge, once CloudWatch Events.
    Events,
    /// Amazon Simple Notification Service.
    Sns,
    /// Amazon Simple Queue Service.
    Sqs,
    /// AWS Security Token Service.
    Sts,
}

/// What is fixed for all operations of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceInfo {
    /// Which service.
    pub service: Service,
    /// The name in a credential scope and in `eventSource`: `sqs`.
    pub signing_name: &'static str,
    /// The API version, which is the `Version` parameter of the Query protocol: `2012-11-05`.
    pub version: &'static str,
    /// The part of `X-Amz-Target` before the operation, without its last dot; empty where the service has no JSON protocol.
    pub target_prefix: &'static str,
    /// The media type of the JSON protocol: `application/x-amz-json-1.0` or `-1.1`; empty where there is none.
    pub json_media_type: &'static str,
    /// The XML namespace of the Query protocol; empty where the service does not speak it.
    pub query_namespace: &'static str,
    /// Every operation that is served.
    pub ops: &'static [OpInfo],
}

/// Does an operation change anything? Decides `readOnly` in its management event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It only looks.
    Read,
    /// It changes something.
    Write,
}

/// Which of CloudTrail's two kinds of events an operation makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Category {
    /// On what is in a bucket, a queue, a topic, …: recorded where a trail asks for it.
    Data,
    /// On resources themselves: trails record it unless told otherwise, and `LookupEvents` finds it.
    Management,
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpInfo {
    /// AWS's name of the operation, which is also its `eventName`.
    pub name: &'static str,
    /// Whether it changes anything.
    pub access: Access,
    /// The kind of its event. A data event of these services is recorded by no trail here.
    pub category: Category,
    /// The least role that may call it.
    pub role: Role,
}

impl OpInfo {
    /// Stands for the operation where a request names none that its service has. It is in no table, so nothing calls it; like
    /// S3's ([`crate::s3::UNKNOWN`]) it is taken for one that changes something.
    pub const UNKNOWN: Self =
        Self { name: "UnknownOperation", access: Access::Write, category: Category::Management, role: Role::Admin };
}

impl ServiceInfo {
    /// The service in `eventSource`: `sqs.amazonaws.com`.
    pub fn event_source(&self) -> String {
        format!("{}.amazonaws.com", self.signing_name)
    }

    /// The row of an operation, if it is served.
    pub fn op(&self, name: &str) -> Option<&'static OpInfo> {
        self.ops.iter().find(|op| op.name == name)
    }
}

/// Reads an operation's parameters and writes its answer, in the protocol that the client chose.
pub trait Codec: Send + Sync {
    /// The parameters as the operation's input shape.
    fn decode<T: serde::de::DeserializeOwned + serde::Serialize>(&self) -> Result<T, ApiError>;

    /// The bytes of the answer.
    fn encode<T: serde::Serialize>(&self, output: &T) -> Result<Vec<u8>, ApiError>;
}

/// Declares a service: its constants, its rows, the trait to implement and the dispatch to it.
///
/// An operation makes a management event unless `@Data` stands before its name.
#[macro_export]
macro_rules! service {
    (@category) => {
        $crate::Category::Management
    };
    (@category $category:ident) => {
        $crate::Category::$category
    };
    (
        $(#[$doc:meta])*
        $service:ident via $api:ident {
            signing_name: $signing_name:literal,
            version: $version:literal,
            target_prefix: $target_prefix:literal,
            json_media_type: $json:literal,
            query_namespace: $namespace:literal,
        }
        $( $(#[$opdoc:meta])* $access:ident $role:ident $(@$category:ident)? $name:ident($input:ty) -> $output:ty => $method:ident; )*
    ) => {
        /// The service's constants and operations.
        pub const SERVICE: $crate::ServiceInfo = $crate::ServiceInfo {
            service: $crate::Service::$service,
            signing_name: $signing_name,
            version: $version,
            target_prefix: $target_prefix,
            json_media_type: $json,
            query_namespace: $namespace,
            ops: &[$( $crate::OpInfo {
                name: stringify!($name),
                access: $crate::Access::$access,
                category: $crate::service!(@category $($category)?),
                role: $crate::Role::$role,
            } ),*],
        };

        $(#[$doc])*
        pub trait $api: Send + Sync {
            $(
                $(#[$opdoc])*
                #[doc = concat!("The operation `", stringify!($name), "`.")]
                fn $method(
                    &self,
                    ctx: &$crate::RequestContext,
                    input: $input,
                ) -> impl Future<Output = Result<$output, $crate::ApiError>> + Send;
            )*
        }

        /// Decodes, calls the operation of this name, encodes. `None` if the service has no such operation.
        pub async fn dispatch<A: $api, C: $crate::Codec>(
            api: &A,
            ctx: &$crate::RequestContext,
            op: &str,
            codec: &C,
        ) -> Option<Result<Vec<u8>, $crate::ApiError>> {
            let answer = match op {
                $( stringify!($name) => match codec.decode() {
                    Ok(input) => match api.$method(ctx, input).await {
                        Ok(output) => codec.encode(&output),
                        Err(error) => Err(error),
                    },
                    Err(error) => Err(error),
                }, )*
                _ => return None,
            };
            Some(answer)
        }
    };
}
