//! Who is let into a queue: services by a statement, identities of other accounts too, the own account unless it is denied.

#![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

mod common;

use aws_api::sqs::{AddPermissionRequest, GetQueueUrlRequest, RemovePermissionRequest, SetQueueAttributesRequest};
use aws_api::{ApiError, Caller, RequestContext};
use common::{ACCOUNT, World, arn, at, ctx, map, url};
use policy::ServiceCaller;
use queue::Closed;
use serde_json::{Value, json};

const TOPIC: &str = "arn:aws:sns:eu-central-1:111122223333:t";

fn refusal<T: std::fmt::Debug>(answer: Result<T, ApiError>) -> (String, u16, String) {
    let error = answer.unwrap_err();
    (error.code.into_owned(), error.status, error.message)
}

fn stranger() -> RequestContext {
    let caller = Caller {
        account: "444455556666".into(),
        arn: "arn:aws:iam::444455556666:user/mia".into(),
        ..ctx(at(0)).caller
    };
    RequestContext { caller, ..ctx(at(0)) }
}

fn set(world: &mut World, policy: &str) -> Result<(), ApiError> {
    let req = SetQueueAttributesRequest { queue_url: url("q"), attributes: map([("Policy", policy)]) };
    let (_, changes) = world.queues.set_queue_attributes(&ctx(at(0)), &req)?;
    for change in &changes {
        world.queues.absorb(change).unwrap();
    }
    Ok(())
}

fn allow(principal: &Value, action: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": principal, "Action": action,
        "Resource": arn("q")}})
    .to_string()
}

#[test]
fn a_service_needs_a_statement() {
    let mut world = World::with([("q", map([]))]);
    let (queue, topic) = (arn("q"), ServiceCaller::new("sns.amazonaws.com", TOPIC));
    let Err(Closed::Forbidden(refused)) = world.queues.open_to(&queue, topic) else { panic!("it has no policy") };
    let statement = refused.missing_statement();
    set(&mut world, &json!({"Statement": [statement]}).to_string()).unwrap();
    assert_eq!(world.queues.open_to(&queue, topic).unwrap().place.name, "q");
    let rule = ServiceCaller::new("events.amazonaws.com", TOPIC);
    assert!(matches!(world.queues.open_to(&queue, rule), Err(Closed::Forbidden(_))));
    let other = format!("{TOPIC}2");
    let other = ServiceCaller::new("sns.amazonaws.com", &other);
    assert!(matches!(world.queues.open_to(&queue, other), Err(Closed::Forbidden(_))));
    assert_eq!(world.queues.open_to(&arn("gone"), topic), Err(Closed::Missing));

    let mut restored = queue::Queues::default();
    for queue in world.queues.iter() {
        restored.absorb(&aws_api::Change::put(queue)).unwrap();
    }
    assert_eq!(restored, world.queues, "a policy is read again at start");
    set(&mut world, "").unwrap();
    assert!(
        matches!(world.queues.open_to(&queue, topic), Err(Closed::Forbidden(_))),
        "without a policy nothing passes"
    );
}

#[test]
fn strangers_do_what_they_are_let_and_no_administration() {
    let mut world = World::with([("q", map([]))]);
    let may = |world: &World, action| world.queues.queue(&stranger(), url("q").as_deref(), action).is_ok();
    let find = GetQueueUrlRequest { queue_name: Some("q".into()), queue_owner_aws_account_id: Some(ACCOUNT.into()) };
    assert!(!may(&world, "SendMessage"));
    assert_eq!(refusal(world.queues.get_queue_url(&stranger(), &find)).0, "QueueDoesNotExist");
    set(&mut world, &allow(&json!({"AWS": "444455556666"}), "sqs:*")).unwrap();
    assert!(may(&world, "SendMessage") && may(&world, "ReceiveMessage"));
    assert!(!may(&world, "DeleteQueue") && !may(&world, "SetQueueAttributes"));
    assert_eq!(world.queues.get_queue_url(&stranger(), &find).unwrap().queue_url, url("q").unwrap());
}

#[test]
fn a_deny_holds_for_the_own_account_but_for_its_root() {
    let mut world = World::with([("q", map([]))]);
    let deny = allow(&json!("*"), "sqs:*").replace("Allow", "Deny");
    set(&mut world, &deny).unwrap();
    let refused = refusal(world.queues.queue(&ctx(at(0)), url("q").as_deref(), "SendMessage"));
    assert_eq!((&*refused.0, refused.1), ("AccessDeniedException", 403));
    assert!(refused.2.ends_with("with an explicit deny in a resource-based policy"), "{}", refused.2);
    assert!(set(&mut world, "").is_err());
    let mut root = ctx(at(0));
    root.caller.arn = format!("arn:aws:iam::{ACCOUNT}:root");
    assert!(world.queues.queue(&root, url("q").as_deref(), "SetQueueAttributes").is_ok());
}

#[test]
fn permissions_by_name() {
    let mut world = World::with([("q", map([]))]);
    let req = AddPermissionRequest {
        queue_url: url("q"),
        label: Some("l".into()),
        aws_account_ids: vec!["444455556666".into()],
        actions: vec!["SendMessage".into()],
    };
    let (_, changes) = world.queues.add_permission(&ctx(at(0)), &req).unwrap();
    world.absorb(&changes);
    assert!(world.queues.queue(&stranger(), url("q").as_deref(), "SendMessage").is_ok());
    assert!(refusal(world.queues.add_permission(&ctx(at(0)), &req)).2.ends_with("Reason: Already exists."));
    let req = RemovePermissionRequest { queue_url: url("q"), label: Some("l".into()) };
    let (_, changes) = world.queues.remove_permission(&ctx(at(0)), &req).unwrap();
    world.absorb(&changes);
    assert!(world.queues.queue(&stranger(), url("q").as_deref(), "SendMessage").is_err());
    assert_eq!(world.queues.iter().next().unwrap().settings.policy, None);
}
