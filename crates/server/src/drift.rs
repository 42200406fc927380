//! Detects drift: reads what there is of a stack's resources, in the name of who asked, and keeps what was found.

use std::sync::Arc;

use aws_api::{ApiError, Entity};
use serde_json::Value;
use stack::types::ENDPOINT;
use stack::{Answer, Call, Read, ResourceDrift, Stack, is_absent};

use crate::app::App;
use crate::clock;
use crate::on_behalf::{Asker, OnBehalf};
use crate::stacks::{SERVICE, told};

/// Pages of a list that are read: more than any quota lets one have.
const PAGES_MAX: usize = 10_000;

/// Takes up what was under way when the server stopped.
pub fn resume(app: &Arc<App>) {
    let under_way: Vec<_> = app.registry().stacks.detections_under_way().map(Entity::key).collect();
    for row in under_way {
        begin(app, row);
    }
}

/// Begins a detection that was just committed.
pub fn begin(app: &Arc<App>, row: String) {
    let app = Arc::clone(app);
    tokio::spawn(async move {
        if let Err(error) = run(&app, &row).await {
            tracing::error!(%error, detection = row, "what a detection of drift found could not be kept");
        }
    });
}

async fn run(app: &Arc<App>, row: &str) -> Result<(), ApiError> {
    let of_row = {
        let registry = app.registry();
        registry.stacks.detection(row).map(|(detection, stack)| (detection.clone(), stack.clone()))
    };
    // The stack may be deleted, and what is known of its drift with it.
    let Some((detection, stack)) = of_row else { return Ok(()) };
    let asker = serde_json::from_value::<Asker>(detection.caller.clone());
    let behalf = asker.map(|asker| OnBehalf { asker, region: stack.region.clone(), via: SERVICE });
    let mut found = Vec::new();
    for id in stack.resources.keys().filter(|id| detection.only.is_empty() || detection.only.contains(id)) {
        found.extend(match &behalf {
            Ok(behalf) => check(app, behalf, &stack, id).await,
            Err(_) => stack.checked(id, Err("It is not known in whose name this is to be read.".into()), clock::now()),
        });
    }
    app.change(|registry| Ok(((), registry.stacks.detected(row, &stack, &found)))).await
}

/// Looks at one resource. `None` if nothing can tell of it.
pub async fn check(app: &Arc<App>, behalf: &OnBehalf, stack: &Stack, id: &str) -> Option<ResourceDrift> {
    let mut answers = Vec::new();
    for read in stack.reads(id)? {
        match ask(app, behalf, &read).await {
            Ok(answer) => answers.push(answer),
            Err(error) => return stack.checked(id, Err(told(&error)), clock::now()),
        }
    }
    stack.checked(id, Ok(&answers), clock::now())
}

async fn ask(app: &Arc<App>, behalf: &OnBehalf, read: &Read) -> Result<Answer, ApiError> {
    let mut whole: Option<Value> = None;
    let mut token = None;
    for _ in 0..PAGES_MAX {
        let answer = match once(app, behalf, read, token.as_ref()).await {
            Ok(answer) => answer,
            Err(error) if is_absent(error.status, &error.code) => return Ok(None),
            Err(error) => return Err(error),
        };
        token = answer.get("NextToken").filter(|token| token.is_string()).cloned();
        let list = read.pages.and_then(|list| Some((list, answer.get(list)?.as_array()?.clone())));
        match (&mut whole, list) {
            (Some(whole), Some((list, more))) => {
                if let Some(all) = whole.get_mut(list).and_then(Value::as_array_mut) {
                    all.extend(more);
                }
            }
            _ => whole = Some(answer),
        }
        if token.is_none() || read.pages.is_none() {
            break;
        }
    }
    Ok(whole)
}

/// One call; the server's address in its answer as stacks keep it.
async fn once(app: &Arc<App>, behalf: &OnBehalf, read: &Read, token: Option<&Value>) -> Result<Value, ApiError> {
    let unreadable = |_| ApiError::internal("The parameters could not be written.");
    match &read.call {
        Call::Rpc { service, op, input } => {
            let input = input.to_string().replace(ENDPOINT, app.endpoint());
            let mut input: Value = serde_json::from_str(&input).map_err(unreadable)?;
            if let Some(token) = token {
                input["NextToken"] = token.clone();
            }
            let answer = behalf.rpc(app, service, op, &input).await?;
            serde_json::from_str(&answer.to_string().replace(app.endpoint(), ENDPOINT)).map_err(unreadable)
        }
        Call::S3 { method, bucket, query, body, .. } => {
            let answer = behalf.s3(app, OnBehalf::bucket_request(method, bucket, query, body.clone())).await?;
            Ok(Value::String(String::from_utf8_lossy(&answer).replace(app.endpoint(), ENDPOINT)))
        }
    }
}
