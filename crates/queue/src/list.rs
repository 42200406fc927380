//! Lists of queues.

use aws_api::sqs::{
    ListDeadLetterSourceQueuesRequest, ListDeadLetterSourceQueuesResult, ListQueuesRequest, ListQueuesResult,
};
use aws_api::{ApiError, RequestContext};

use crate::page::Page;
use crate::{Place, Queues};

impl Queues {
    /// `ListQueues`: the queues of the caller's account and region, by name.
    pub fn list_queues(&self, ctx: &RequestContext, req: &ListQueuesRequest) -> Result<ListQueuesResult, ApiError> {
        let page = Page::read(req.max_results, req.next_token.as_deref())?;
        let region = Place::new(ctx, "");
        let prefix = req.queue_name_prefix.as_deref().unwrap_or_default();
        let names = self.of_region(&region).map(|queue| &*queue.place.name).filter(|name| name.starts_with(prefix));
        let (names, next_token) = page.cut(names);
        Ok(ListQueuesResult { queue_urls: urls(ctx, &names), next_token })
    }

    /// `ListDeadLetterSourceQueues`: the queues whose `RedrivePolicy` names this one.
    pub fn list_dead_letter_source_queues(
        &self,
        ctx: &RequestContext,
        req: &ListDeadLetterSourceQueuesRequest,
    ) -> Result<ListDeadLetterSourceQueuesResult, ApiError> {
        let queue = self.queue(ctx, req.queue_url.as_deref(), "ListDeadLetterSourceQueues")?;
        let page = Page::read(req.max_results, req.next_token.as_deref())?;
        let (names, next_token) = page.cut(self.sources(&queue.place).map(|source| &*source.place.name));
        Ok(ListDeadLetterSourceQueuesResult { queue_urls: urls(ctx, &names), next_token })
    }
}

fn urls(ctx: &RequestContext, names: &[&str]) -> Vec<String> {
    names.iter().map(|name| Place::new(ctx, *name).url(ctx)).collect()
}
