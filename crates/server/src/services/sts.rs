//! AWS STS.

use aws_api::sts::{GetCallerIdentityRequest, GetCallerIdentityResponse, StsApi};
use aws_api::{ApiError, RequestContext};

use super::Services;

impl StsApi for Services {
    async fn get_caller_identity(
        &self,
        ctx: &RequestContext,
        _: GetCallerIdentityRequest,
    ) -> Result<GetCallerIdentityResponse, ApiError> {
        Ok(GetCallerIdentityResponse {
            user_id: ctx.caller.principal_id.clone(),
            account: ctx.caller.account.clone(),
            arn: ctx.caller.arn.clone(),
        })
    }
}
