//! Keeps the detector: its stack in the home region of every account that has a key, and a smaller one in each other region.
//!
//! The stacks are deployed by the engine that deploys everybody's ([`crate::stacks`]), from the templates that are printed for
//! AWS. What somebody else has done with such a stack is that person's: it is left alone from then on. What was made before
//! there were stacks, or is left of a stack, is taken over.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_api::{ApiError, Entity as _, Timestamp};
use gateway::Backend as _;
use serde_json::{Value, json};
use stack::{Made, OperationKind, Stack, Status};

use crate::app::App;
use crate::on_behalf::{Asker, OnBehalf, SELF};
use crate::stacks;

/// Regions of one account that get a rule; a bucket may name any text as its region.
const REGIONS_MAX: usize = 100;

/// A region whose rule could not be made is tried again after so long: each record of it would ask.
const RETRY_S: i64 = 60;

/// Which regions of each account have their rule.
#[derive(Debug, Default)]
pub struct Covered(Mutex<BTreeMap<String, BTreeMap<String, State>>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Covered,
    Failed(Timestamp),
}

/// Makes what is missing of the detector in the home region of each account. `require_tls`: its log bucket refuses what is not
/// encrypted.
pub async fn install(app: &Arc<App>, require_tls: bool) -> Result<(), ApiError> {
    let home = &app.config.region;
    for account in app.config.accounts() {
        let parameters = detector::home_parameters(&account, require_tls);
        let wanted = Wanted::new(app, &account, home, detector::HOME, &parameters);
        wanted.ensure().await?;
        app.covered.insert(&account, home, State::Covered);
    }
    Ok(())
}

/// Makes sure that the region of a request to S3 has its rule, before its record is passed on. What fails is logged: the record
/// still goes into the log files, and one that comes a minute later tries again.
pub async fn cover(app: &Arc<App>, account: &str, region: &str, now: Timestamp) {
    let home = &app.config.region;
    if region == home
        || app.covered.is_settled(account, region, now)
        || !app.config.accounts().iter().any(|own| own == account)
    {
        return;
    }
    if !is_region(region) || app.covered.regions(account) >= REGIONS_MAX {
        tracing::debug!(account, region, "no rule is made for this region");
        return;
    }
    let parameters = detector::other_region_parameters(account, home);
    match Wanted::new(app, account, region, detector::OTHER_REGION, &parameters).ensure().await {
        Ok(()) => app.covered.insert(account, region, State::Covered),
        Err(error) => {
            tracing::error!(account, region, %error, "the detector's rule could not be made");
            app.covered.insert(account, region, State::Failed(now));
        }
    }
}

fn is_region(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

impl Covered {
    /// Is there nothing to be done, or not now?
    fn is_settled(&self, account: &str, region: &str, now: Timestamp) -> bool {
        match self.lock().get(account).and_then(|regions| regions.get(region)) {
            Some(State::Covered) => true,
            Some(State::Failed(at)) => now < at.plus_secs(RETRY_S) && now >= *at,
            None => false,
        }
    }

    fn regions(&self, account: &str) -> usize {
        self.lock().get(account).map_or(0, BTreeMap::len)
    }

    fn insert(&self, account: &str, region: &str, state: State) {
        self.lock().entry(account.to_owned()).or_default().insert(region.to_owned(), state);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, BTreeMap<String, State>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The stack as it should be in one region of one account.
struct Wanted<'a> {
    app: &'a Arc<App>,
    behalf: OnBehalf,
    template: &'static str,
    parameters: BTreeMap<String, String>,
}

impl<'a> Wanted<'a> {
    fn new(
        app: &'a Arc<App>,
        account: &str,
        region: &str,
        template: &'static str,
        parameters: &[(&str, String)],
    ) -> Self {
        let behalf = OnBehalf { asker: Asker::server(account), region: region.to_owned(), via: SELF };
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Self { app, behalf, template, parameters }
    }

    fn account(&self) -> &str {
        &self.behalf.asker.caller.account
    }

    async fn ensure(&self) -> Result<(), ApiError> {
        let Some(stack) = self.stack() else { return self.create().await };
        let (account, region) = (self.account(), &*self.behalf.region);
        if !self.is_own(&stack) {
            if stack.template != self.template {
                tracing::warn!(
                    account,
                    region,
                    stack = stack.name,
                    "somebody else's template: the stack is left as it is"
                );
            }
            return Ok(());
        }
        let stack = match &stack.operation {
            None => Some(stack),
            Some(operation) if operation.kind == OperationKind::Create => stacks::ended(self.app, &stack.key()).await,
            // It goes on by itself, and may need what is started later.
            Some(_) => return Ok(()),
        };
        match stack {
            Some(stack) if stack.status.may_be_updated() => match self.missing(&stack)? {
                None => self.update(&stack).await,
                Some(gone) => {
                    tracing::warn!(account, region, gone, "a part of the detector was gone and is made again");
                    self.make_again(&stack).await
                }
            },
            Some(stack) if stack.exists() => self.make_again(&stack).await,
            _ => self.create().await,
        }
    }

    fn stack(&self) -> Option<Stack> {
        let registry = self.app.registry();
        registry.stacks.named(self.account(), &self.behalf.region, detector::STACK).cloned()
    }

    /// Was the server the last to do something with it?
    fn is_own(&self, stack: &Stack) -> bool {
        serde_json::from_value::<Asker>(stack.caller.clone()).is_ok_and(|asker| asker == self.behalf.asker)
    }

    /// What of the stack is not there any more, though it is said to be.
    fn missing(&self, stack: &Stack) -> Result<Option<String>, ApiError> {
        for made in stack.resources.values() {
            if !self.is_there(made)? {
                return Ok(made.real.physical_id.clone());
            }
        }
        Ok(None)
    }

    fn is_there(&self, made: &Made) -> Result<bool, ApiError> {
        let (real, region) = (&made.real, &self.behalf.region);
        let registry = self.app.registry();
        Ok(match &*real.kind {
            "AWS::SQS::Queue" => {
                real.values.attributes.get("Arn").is_some_and(|arn| registry.queues.queue_by_arn(arn).is_some())
            }
            "AWS::SNS::Topic" => real.values.reference.parse().is_ok_and(|arn| registry.topics.exists(&arn)),
            "AWS::Events::Rule" => registry.buses.has_rule(self.account(), region, bus::DEFAULT_BUS, &real.name),
            "AWS::CloudTrail::Trail" => registry.trails.trail(self.account(), region, &real.name).is_some(),
            "AWS::S3::Bucket" => self.app.s3.bucket(&real.name).map_err(|error| failed(&error))?.is_some(),
            _ => true,
        })
    }

    /// Lets go of what is left of a stack, and takes that over into a new one.
    async fn make_again(&self, stack: &Stack) -> Result<(), ApiError> {
        stacks::release(self.app, stack.key()).await?;
        self.create().await
    }

    async fn create(&self) -> Result<(), ApiError> {
        self.unsubscribe().await?;
        // What was made is not taken back: the next start goes on from there.
        self.call("CreateStack", json!({ "OnFailure": "DO_NOTHING" })).await?;
        self.succeeded(Status::CreateComplete).await
    }

    async fn update(&self, stack: &Stack) -> Result<(), ApiError> {
        let same = |(name, value): (&String, &String)| stack.parameters.get(name) == Some(value);
        if stack.template == self.template && self.parameters.iter().all(same) {
            return Ok(());
        }
        self.call("UpdateStack", json!({})).await?;
        self.succeeded(Status::UpdateComplete).await
    }

    /// A subscription's attributes are not changed by subscribing again, so that one of an earlier version makes way. Nothing is
    /// passed on meanwhile.
    async fn unsubscribe(&self) -> Result<(), ApiError> {
        let topic = aws_api::Arn::new("sns", &self.behalf.region, self.account(), detector::NAME);
        let queue = aws_api::Arn::new("sqs", &self.app.config.region, self.account(), detector::NAME).to_string();
        if !self.app.registry().topics.exists(&topic) {
            return Ok(());
        }
        let request = json!({ "TopicArn": topic.to_string() });
        let answer = self.behalf.rpc(self.app, "sns", "ListSubscriptionsByTopic", &request).await?;
        let listed = answer["Subscriptions"].as_array().map(Vec::as_slice).unwrap_or_default();
        for subscription in listed.iter().filter(|subscription| subscription["Endpoint"] == *queue) {
            let request = json!({ "SubscriptionArn": subscription["SubscriptionArn"] });
            self.behalf.rpc(self.app, "sns", "Unsubscribe", &request).await?;
        }
        Ok(())
    }

    async fn call(&self, op: &str, mut request: Value) -> Result<(), ApiError> {
        let parameters = self.parameters.iter();
        let parameters: Value =
            parameters.map(|(name, value)| json!({ "ParameterKey": name, "ParameterValue": value })).collect();
        request["StackName"] = json!(detector::STACK);
        request["TemplateBody"] = json!(self.template);
        request["Parameters"] = parameters;
        self.behalf.rpc(self.app, "cloudformation", op, &request).await?;
        Ok(())
    }

    async fn succeeded(&self, wanted: Status) -> Result<(), ApiError> {
        let Some(stack) = self.stack() else { return Err(ApiError::internal("the stack is gone")) };
        let stack = stacks::ended(self.app, &stack.key()).await.unwrap_or(stack);
        if stack.status == wanted {
            return Ok(());
        }
        let reasons = stack.resources.iter().filter_map(|(id, made)| {
            let reason = made.status_reason.as_ref().filter(|_| made.status.as_str().ends_with("_FAILED"))?;
            Some(format!("{id}: {reason}"))
        });
        let reasons: Vec<_> = reasons.collect();
        let said = if reasons.is_empty() { stack.status_reason.unwrap_or_default() } else { reasons.join("; ") };
        Err(ApiError::internal(format!(
            "the stack {} in {} of {} is {}: {said}",
            stack.name,
            stack.region,
            stack.account,
            stack.status.as_str()
        )))
    }
}

fn failed(error: &dyn std::fmt::Display) -> ApiError {
    ApiError::internal(format!("the log bucket cannot be looked at: {error}"))
}
