//! Insights: events of unusual activity. They are not made here, so no trail has selectors for them.

use aws_api::cloudtrail::{
    GetInsightSelectorsRequest, GetInsightSelectorsResponse, PutInsightSelectorsRequest, PutInsightSelectorsResponse,
};
use aws_api::{ApiError, RequestContext};

use crate::Trails;
use crate::api::Decided;

/// What `InsightType` can be ("`InsightSelector`" in the CloudTrail API reference).
const TYPES: [&str; 2] = ["ApiCallRateInsight", "ApiErrorRateInsight"];

impl Trails {
    /// `GetInsightSelectors`: no trail has any.
    pub fn get_insight_selectors(
        &self,
        ctx: &RequestContext,
        req: &GetInsightSelectorsRequest,
    ) -> Result<GetInsightSelectorsResponse, ApiError> {
        let trail = self.find(ctx, req.trail_name.as_deref().unwrap_or_default())?;
        Err(ApiError::new(
            "InsightNotEnabledException",
            format!(
                "Trail {} does not have Insights enabled. Edit the trail settings to enable Insights, and then try the operation again.",
                trail.name
            ),
        ))
    }

    /// `PutInsightSelectors`. An empty list turns Insights off, which they are; one that asks for any would have no effect,
    /// and is refused.
    pub fn put_insight_selectors(
        &self,
        ctx: &RequestContext,
        req: &PutInsightSelectorsRequest,
    ) -> Decided<PutInsightSelectorsResponse> {
        let trail = self.find_at_home(ctx, req.trail_name.as_deref().unwrap_or_default())?;
        for selector in &req.insight_selectors {
            let insight = selector.insight_type.as_deref().unwrap_or_default();
            if !TYPES.contains(&insight) {
                return Err(ApiError::new(
                    "InvalidInsightSelectorsException",
                    "InsightSelectors: InsightType must be ApiCallRateInsight or ApiErrorRateInsight.",
                ));
            }
        }
        if !req.insight_selectors.is_empty() {
            return Err(ApiError::new(
                "UnsupportedOperationException",
                "InsightSelectors: Insights events are not supported.",
            ));
        }
        let answer = PutInsightSelectorsResponse { trail_arn: trail.arn().to_string(), insight_selectors: Vec::new() };
        Ok((answer, Vec::new()))
    }
}
