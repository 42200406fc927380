//! Who may do what to a queue: its policy.
//!
//! Source: "Using identity-based and resource-based policies with Amazon SQS" in the developer guide. A queue without a policy is
//! its own account's only; services need a statement, also those that act for a resource of that account: `Subscribe` writes
//! none into the queue's policy ("Subscribing an Amazon SQS queue to an Amazon SNS topic", step 2).

use aws_api::{ApiError, RequestContext};
use policy::{Action, ConditionKey, Level, Policy, Refusal, Request, Resources, ServiceCaller, Vocabulary};

use crate::{Place, Queue, Queues, refusal};

/// The longest policy of a queue, in bytes ("Amazon SQS policy quotas").
pub const POLICY_LEN_MAX: usize = 8192;
/// What a service does that delivers.
const SEND: &str = "sqs:SendMessage";

const fn action(name: &'static str) -> Action<'static> {
    Action { name, level: Level::Whole }
}

const fn key(name: &'static str) -> ConditionKey<'static> {
    ConditionKey { name, fixes_caller: false, actions: &[] }
}

/// "Actions, resources, and condition keys for Amazon SQS": all but `ListQueues`, which is about no queue.
const VOCABULARY: Vocabulary<'static> = Vocabulary {
    service: "sqs",
    actions: &[
        action("AddPermission"),
        action("CancelMessageMoveTask"),
        action("ChangeMessageVisibility"),
        action("CreateQueue"),
        action("DeleteMessage"),
        action("DeleteQueue"),
        action("GetQueueAttributes"),
        action("GetQueueUrl"),
        action("ListDeadLetterSourceQueues"),
        action("ListMessageMoveTasks"),
        action("ListQueueTags"),
        action("PurgeQueue"),
        action("ReceiveMessage"),
        action("RemovePermission"),
        action("SendMessage"),
        action("SetQueueAttributes"),
        action("StartMessageMoveTask"),
        action("TagQueue"),
        action("UntagQueue"),
    ],
    foreign_actions: &[],
    resources: Resources::Flat,
    keys: &[
        key("aws:PrincipalAccount"),
        key("aws:PrincipalArn"),
        key("aws:PrincipalIsAWSService"),
        key("aws:PrincipalServiceName"),
        key("aws:SecureTransport"),
        key("aws:SourceAccount"),
        key("aws:SourceArn"),
    ],
    len_max: POLICY_LEN_MAX,
};

/// What identities of other accounts can be let do; for the rest "cross-account permissions don't apply". These are also the
/// names that `AddPermission` takes.
const SHARED_ACTIONS: [&str; 8] = [
    "ChangeMessageVisibility",
    "DeleteMessage",
    "GetQueueAttributes",
    "GetQueueUrl",
    "ListDeadLetterSourceQueues",
    "PurgeQueue",
    "ReceiveMessage",
    "SendMessage",
];

/// Reads the policy of a queue. AWS tells no more than the first sentence.
pub(crate) fn parse(text: &str) -> Result<Policy, ApiError> {
    Policy::parse(text.as_bytes(), &VOCABULARY).map_err(|error| {
        ApiError::new("InvalidAttributeValue", format!("Invalid value for the parameter Policy. Reason: {error}"))
    })
}

/// Can `AddPermission` let another account do this?
pub(crate) fn is_shared(action: &str) -> bool {
    SHARED_ACTIONS.contains(&action)
}

/// Why a service cannot send to a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed<'a> {
    /// There is no such queue.
    Missing,
    /// Its policy does not let the service.
    Forbidden(Refusal<'a>),
}

impl Queues {
    /// The queue of an ARN, if a service may send to it.
    pub fn open_to<'a>(&self, arn: &'a str, caller: ServiceCaller<'a>) -> Result<&Queue, Closed<'a>> {
        let queue = self.queue_by_arn(arn).ok_or(Closed::Missing)?;
        caller.ask(self.policies.get(&queue.place), SEND, arn).map_err(Closed::Forbidden)?;
        Ok(queue)
    }

    /// The queue of a place, if the caller may do this to it. The root of the queue's account is not asked: nobody locks himself
    /// out. Of another account's queues nothing is told, not even whether they exist.
    pub(crate) fn admitted(&self, ctx: &RequestContext, place: &Place, action: &str) -> Result<&Queue, ApiError> {
        let is_own = place.account == ctx.account();
        let queue = self.queues.get(place);
        if is_own {
            let queue = queue.ok_or_else(refusal::no_such_queue)?;
            if ctx.caller.is_root() || self.admits(ctx, place, action, true) {
                return Ok(queue);
            }
            return Err(refusal::explicitly_denied(&ctx.caller.arn, action, &place.arn()));
        }
        let admitted = queue.filter(|_| is_shared(action) && self.admits(ctx, place, action, false));
        admitted.ok_or_else(|| refusal::access_denied(&place.url(ctx)))
    }

    fn admits(&self, ctx: &RequestContext, place: &Place, action: &str, is_own: bool) -> bool {
        let Some(policy) = self.policies.get(place) else { return is_own };
        let secure = if ctx.endpoint.starts_with("https:") { "true" } else { "false" };
        let (action, resource) = (format!("sqs:{action}"), place.arn());
        let context = [("aws:SecureTransport", secure)];
        let requester = (&ctx.caller).into();
        policy.decide(&Request { requester, action: &action, resource: &resource, context: &context }).admits(is_own)
    }
}
