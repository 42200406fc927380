//! The services' operations: each a decision of a pure core, a commit, and an answer.

use std::sync::Arc;

use crate::app::App;

/// Implements the services' traits; see the operations' own pages in AWS's API references.
#[derive(Clone)]
pub struct Services(pub Arc<App>);

/// Operations that only look: the core of this name answers from the configuration.
macro_rules! reads {
    ($core:ident: $($method:ident($input:ty) -> $output:ty;)*) => {$(
        async fn $method(&self, ctx: &RequestContext, req: $input) -> Result<$output, ApiError> {
            self.0.registry().$core.$method(ctx, &req)
        }
    )*};
}

/// Operations that change the configuration: the core decides, the change is committed, and then it holds.
macro_rules! changes {
    ($core:ident: $($method:ident($input:ty) -> $output:ty;)*) => {$(
        async fn $method(&self, ctx: &RequestContext, req: $input) -> Result<$output, ApiError> {
            self.0.change(|registry| registry.$core.$method(ctx, &req)).await
        }
    )*};
}

/// The same with an empty answer.
macro_rules! silent_changes {
    ($core:ident: $($method:ident($input:ty);)*) => {$(
        async fn $method(&self, ctx: &RequestContext, req: $input) -> Result<(), ApiError> {
            self.0.change(|registry| registry.$core.$method(ctx, &req).map(|changes| ((), changes))).await
        }
    )*};
}

mod cloudformation;
mod cloudtrail;
mod cloudwatch;
mod events;
mod messages;
mod sns;
mod sqs;
mod sts;
