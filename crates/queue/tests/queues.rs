//! Making, changing, finding and removing queues: each refusal with its code, status and text.

#![allow(clippy::unwrap_used, clippy::too_many_lines, reason = "tables are long, and what they prepare must succeed")]

mod common;

use aws_api::sqs::{
    AddPermissionRequest, CreateQueueRequest, DeleteQueueRequest, GetQueueAttributesRequest, GetQueueUrlRequest,
    ListDeadLetterSourceQueuesRequest, ListQueueTagsRequest, ListQueuesRequest, PurgeQueueRequest,
    RemovePermissionRequest, SetQueueAttributesRequest, TagQueueRequest, UntagQueueRequest,
};
use aws_api::{ApiError, Change, RequestContext};
use common::{ACCOUNT, REGION, World, arn, at, ctx, map, redrive, url};
use queue::{Counts, Effect, Queues};
use uuid::Uuid;

fn create(name: &str) -> CreateQueueRequest {
    CreateQueueRequest { queue_name: Some(name.into()), ..Default::default() }
}

fn refusal<T: std::fmt::Debug>(result: Result<T, ApiError>) -> (String, u16, String) {
    let error = result.unwrap_err();
    (error.code.into_owned(), error.status, error.message)
}

#[test]
fn names() {
    let queues = Queues::default();
    let long = "q".repeat(80);
    for name in ["q", "A-z_0", &long] {
        let (answer, changes) = queues.create_queue(&ctx(at(0)), &create(name), Uuid::from_u128(1)).unwrap();
        assert_eq!(answer.queue_url, format!("http://127.0.0.1:4566/{ACCOUNT}/{name}"));
        assert_eq!(changes.len(), 1);
    }
    let bad = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
    for (name, code, text) in [
        ("", "MissingRequiredParameterException", "The request must contain the parameter QueueName."),
        ("a b", "InvalidParameterValueException", bad),
        ("a/b", "InvalidParameterValueException", bad),
        ("q.fifo", "InvalidParameterValueException", bad),
        (&"q".repeat(81), "InvalidParameterValueException", bad),
    ] {
        let got = refusal(queues.create_queue(&ctx(at(0)), &create(name), Uuid::nil()));
        assert_eq!(got, (code.to_owned(), 400, text.to_owned()), "{name}");
    }
    let fifo = CreateQueueRequest { attributes: map([("FifoQueue", "true")]), ..create("q.fifo") };
    assert_eq!(refusal(queues.create_queue(&ctx(at(0)), &fifo, Uuid::nil())).0, "UnsupportedOperation");
}

#[test]
fn the_same_queue_again() {
    let mut world = World::with([("q", map([("DelaySeconds", "5")]))]);
    let before = world.queues.clone();
    for attributes in
        [map([]), map([("DelaySeconds", "5")]), map([("DelaySeconds", "05"), ("VisibilityTimeout", "30")])]
    {
        assert!(world.create(at(1), "q", attributes).is_ok());
    }
    assert_eq!(world.queues, before);
    assert_eq!(
        refusal(world.create(at(1), "q", map([("DelaySeconds", "6")]))),
        (
            "QueueNameExists".into(),
            400,
            "A queue already exists with the same name and a different value for attribute DelaySeconds".into()
        )
    );
}

#[test]
fn a_deleted_name_rests_for_a_minute() {
    let mut world = World::with([("q", map([]))]);
    world.send(at(0), "q", "m", None);
    let id = world.queue("q").id;
    let req = DeleteQueueRequest { queue_url: url("q") };
    let (_, changes, effect) = world.queues.delete_queue(&ctx(at(0)), &req).unwrap();
    assert_eq!(effect, Effect::Clear { queue: id });
    world.absorb(&changes);
    assert_eq!(
        refusal(world.queues.delete_queue(&ctx(at(0)), &req)),
        ("QueueDoesNotExist".into(), 400, "The specified queue does not exist.".into())
    );
    let again = refusal(world.create(at(59_999), "q", map([])));
    assert_eq!(again.0, "QueueDeletedRecently");
    assert_eq!(
        again.2,
        "You must wait 60 seconds after deleting a queue before you can create another with the same name."
    );
    assert!(world.create(at(60_000), "q", map([])).is_ok());
    assert_ne!(world.queue("q").id, id);
}

#[test]
fn rows_alone_restore_everything() {
    let mut world =
        World::with([("dead", map([])), ("q", map([("RedrivePolicy", &redrive("dead", 3))])), ("gone", map([]))]);
    let (_, gone, _) = world.queues.delete_queue(&ctx(at(0)), &DeleteQueueRequest { queue_url: url("gone") }).unwrap();
    world.absorb(&gone);
    let (_, tagged) =
        world.queues.tag_queue(&ctx(at(0)), &TagQueueRequest { queue_url: url("q"), tags: map([("a", "b")]) }).unwrap();
    world.absorb(&tagged);
    let rows: Vec<Change> = world.queues.iter().map(Change::put).chain(gone).collect();
    let mut restored = Queues::default();
    for row in &rows {
        restored.absorb(row).unwrap();
    }
    assert_eq!(restored, world.queues);
    let foreign = Change { kind: "rule", key: "a/b/c".into(), row: Some(b"{}".to_vec()) };
    restored.absorb(&foreign).unwrap();
    assert_eq!(restored, world.queues);
    assert!(restored.absorb(&Change { kind: "queue", key: "x".into(), row: Some(b"{}".to_vec()) }).is_err());
}

#[test]
fn any_host_and_the_path_decides() {
    let world = World::with([("q", map([]))]);
    for good in [
        format!("https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/q"),
        format!("https://{REGION}.queue.amazonaws.com/{ACCOUNT}/q"),
        format!("http://localhost:9/{ACCOUNT}/q/"),
        format!("/{ACCOUNT}/q"),
    ] {
        assert_eq!(world.queues.queue(&ctx(at(0)), Some(&good), "SendMessage").unwrap().place.name, "q", "{good}");
    }
    for (bad, code, status) in [
        (None, "MissingRequiredParameterException", 400),
        (Some(String::new()), "MissingRequiredParameterException", 400),
        (Some("q".into()), "InvalidAddress", 400),
        (Some("http://host".into()), "InvalidAddress", 400),
        (Some(format!("http://host/x/{ACCOUNT}/q")), "InvalidAddress", 400),
        (Some(format!("http://host/{ACCOUNT}/q/../r")), "InvalidAddress", 400),
        (Some("http://host/999988887777/q".into()), "AccessDeniedException", 403),
        (Some(format!("http://host/{ACCOUNT}/r")), "QueueDoesNotExist", 400),
        (Some(format!("http://host/{ACCOUNT}/q.fifo")), "QueueDoesNotExist", 400),
    ] {
        let got = refusal(world.queues.queue(&ctx(at(0)), bad.as_deref(), "SendMessage"));
        assert_eq!((&*got.0, got.1), (code, status), "{bad:?}");
    }
}

#[test]
fn found_by_name() {
    let world = World::with([("q", map([]))]);
    let get = |name: &str, owner: Option<&str>| {
        let req =
            GetQueueUrlRequest { queue_name: Some(name.into()), queue_owner_aws_account_id: owner.map(str::to_owned) };
        world.queues.get_queue_url(&ctx(at(0)), &req)
    };
    assert_eq!(Some(get("q", None).unwrap().queue_url), url("q"));
    assert_eq!(Some(get("q", Some(ACCOUNT)).unwrap().queue_url), url("q"));
    assert_eq!(refusal(get("q", Some("999988887777"))).0, "QueueDoesNotExist");
    assert_eq!(refusal(get("r", None)).0, "QueueDoesNotExist");
    let mut elsewhere = ctx(at(0));
    elsewhere.region = "us-east-1".into();
    let req = GetQueueUrlRequest { queue_name: Some("q".into()), ..Default::default() };
    assert_eq!(refusal(world.queues.get_queue_url(&elsewhere, &req)).0, "QueueDoesNotExist");
}

#[test]
fn attributes() {
    let mut world = World::with([("q", map([("VisibilityTimeout", "20")]))]);
    let counts = Counts { visible: 1, in_flight: 2, delayed: 3 };
    let get = |world: &World, names: &[&str]| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let req = GetQueueAttributesRequest { queue_url: url("q"), attribute_names: names };
        world.queues.get_queue_attributes(&ctx(at(0)), &req, counts).map(|answer| answer.attributes)
    };
    let seconds = at(0).as_secs().to_string();
    let q = arn("q");
    let mut all = map([
        ("ApproximateNumberOfMessages", "1"),
        ("ApproximateNumberOfMessagesDelayed", "3"),
        ("ApproximateNumberOfMessagesNotVisible", "2"),
        ("CreatedTimestamp", &seconds),
        ("DelaySeconds", "0"),
        ("LastModifiedTimestamp", &seconds),
        ("MaximumMessageSize", "1048576"),
        ("MessageRetentionPeriod", "345600"),
        ("QueueArn", &q),
        ("ReceiveMessageWaitTimeSeconds", "0"),
        ("SqsManagedSseEnabled", "true"),
        ("VisibilityTimeout", "20"),
    ]);
    assert_eq!(get(&world, &["All"]).unwrap(), Some(all.clone()));
    assert_eq!(get(&world, &[]).unwrap(), None);
    assert_eq!(get(&world, &["Policy", "FifoQueue"]).unwrap(), Some(map([])));
    assert_eq!(
        refusal(get(&world, &["QueueArn", "Foobar"])),
        ("InvalidAttributeName".into(), 400, "Unknown Attribute Foobar.".into())
    );

    let set = |world: &mut World, attributes| {
        let req = SetQueueAttributesRequest { queue_url: url("q"), attributes };
        let (_, changes) = world.queues.set_queue_attributes(&ctx(at(5000)), &req)?;
        world.absorb(&changes);
        Ok::<_, ApiError>(())
    };
    set(&mut world, map([("DelaySeconds", "420"), ("MaximumMessageSize", "2048")])).unwrap();
    all.extend(map([
        ("DelaySeconds", "420"),
        ("MaximumMessageSize", "2048"),
        ("LastModifiedTimestamp", &at(5000).as_secs().to_string()),
    ]));
    assert_eq!(get(&world, &["All"]).unwrap(), Some(all));

    let before = world.queues.clone();
    for (attributes, code) in [
        (map([]), "MissingRequiredParameterException"),
        (map([("DelaySeconds", "1"), ("VisibilityTimeout", "43201")]), "InvalidAttributeValue"),
        (map([("DelaySeconds", "1"), ("FifoQueue", "true")]), "InvalidAttributeName"),
        (map([("DelaySeconds", "1"), ("Policy", "{}")]), "InvalidAttributeValue"),
        (map([("SqsManagedSseEnabled", "yes")]), "InvalidAttributeValue"),
    ] {
        assert_eq!(refusal(set(&mut world, attributes)).0, code);
        assert_eq!(world.queues, before);
    }
}

#[test]
fn dead_letter_queues() {
    let deny = r#"{"redrivePermission":"denyAll"}"#;
    let mut world = World::with([("dead", map([])), ("closed", map([("RedriveAllowPolicy", deny)]))]);
    for (target, reason) in [
        ("missing", "Dead letter target does not exist."),
        ("q", "Dead letter target is the queue itself."),
        ("closed", "The RedriveAllowPolicy of the dead letter target does not allow this queue."),
    ] {
        let policy = redrive(target, 3);
        let expected = format!("Value {policy} for parameter RedrivePolicy is invalid. Reason: {reason}");
        assert_eq!(
            refusal(world.create(at(0), "q", map([("RedrivePolicy", &policy)]))),
            ("InvalidParameterValueException".into(), 400, expected)
        );
    }
    let other = r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:111122223333:dead","maxReceiveCount":1}"#;
    assert!(refusal(world.create(at(0), "q", map([("RedrivePolicy", other)]))).2.contains("same account and region"));

    let policy = format!(r#"{{ "maxReceiveCount": "3", "deadLetterTargetArn": "{}" }}"#, arn("dead"));
    for name in ["q1", "q2", "q3"] {
        world.create(at(0), name, map([("RedrivePolicy", &policy)])).unwrap();
    }
    let list = |token: Option<String>, size: Option<i32>| {
        let req = ListDeadLetterSourceQueuesRequest { queue_url: url("dead"), next_token: token, max_results: size };
        world.queues.list_dead_letter_source_queues(&ctx(at(0)), &req).unwrap()
    };
    let first = list(None, Some(2));
    assert_eq!(first.queue_urls, [url("q1").unwrap(), url("q2").unwrap()]);
    let second = list(first.next_token, Some(2));
    assert_eq!((second.queue_urls, second.next_token), (vec![url("q3").unwrap()], None));

    let req = SetQueueAttributesRequest { queue_url: url("q1"), attributes: map([("RedrivePolicy", "")]) };
    let (_, changes) = world.queues.set_queue_attributes(&ctx(at(0)), &req).unwrap();
    world.absorb(&changes);
    assert_eq!(world.queue("q1").settings.redrive, None);
    assert_eq!(world.queues.dead_letter_queue(world.queue("q2")).unwrap().place.name, "dead");
}

#[test]
fn pages() {
    let world = World::with([("b", map([])), ("a2", map([])), ("a1", map([])), ("a3", map([]))]);
    let list = |prefix: Option<&str>, token: Option<String>, size: Option<i32>| {
        let prefix = prefix.map(str::to_owned);
        let req = ListQueuesRequest { queue_name_prefix: prefix, next_token: token, max_results: size };
        world.queues.list_queues(&ctx(at(0)), &req)
    };
    let names =
        |urls: Vec<String>| urls.iter().map(|url| url.rsplit('/').next().unwrap().to_owned()).collect::<Vec<_>>();
    let all = list(None, None, None).unwrap();
    assert_eq!(
        (names(all.queue_urls), all.next_token),
        (vec!["a1".into(), "a2".into(), "a3".into(), "b".into()], None)
    );
    let first = list(Some("a"), None, Some(2)).unwrap();
    assert_eq!(names(first.queue_urls), ["a1", "a2"]);
    let second = list(Some("a"), first.next_token, Some(1)).unwrap();
    assert_eq!((names(second.queue_urls), second.next_token), (vec!["a3".into()], None));
    assert_eq!(list(Some("x"), None, None).unwrap().queue_urls.len(), 0);
    for size in [0, 1001, -1] {
        assert_eq!(
            refusal(list(None, None, Some(size))).2,
            format!(
                "Value {size} for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and 1000."
            )
        );
    }
    for token in ["!", "AAAA", "\u{fffd}"] {
        assert_eq!(refusal(list(None, Some(token.into()), Some(1))).2, "Invalid or expired next token.");
    }
}

#[test]
fn one_purge_a_minute() {
    let mut world = World::with([("q", map([]))]);
    let req = PurgeQueueRequest { queue_url: url("q") };
    let (_, changes, effect) = world.queues.purge_queue(&ctx(at(0)), &req).unwrap();
    assert_eq!(effect, Effect::Clear { queue: world.queue("q").id });
    world.absorb(&changes);
    assert_eq!(
        refusal(world.queues.purge_queue(&ctx(at(59_999)), &req)),
        ("PurgeQueueInProgress".into(), 403, "Only one PurgeQueue operation on q is allowed every 60 seconds.".into())
    );
    assert!(world.queues.purge_queue(&ctx(at(60_000)), &req).is_ok());
}

#[test]
fn tags() {
    let mut world = World::with([("q", map([]))]);
    let tag = |world: &mut World, tags| {
        let (_, changes) = world.queues.tag_queue(&ctx(at(0)), &TagQueueRequest { queue_url: url("q"), tags })?;
        world.absorb(&changes);
        Ok::<_, ApiError>(())
    };
    tag(&mut world, map([("tag1", "value1"), ("tag2", "x"), ("tag3", "")])).unwrap();
    tag(&mut world, map([("tag2", "value2")])).unwrap();
    let list = |world: &World| {
        world.queues.list_queue_tags(&ctx(at(0)), &ListQueueTagsRequest { queue_url: url("q") }).unwrap().tags
    };
    assert_eq!(list(&world), map([("tag1", "value1"), ("tag2", "value2"), ("tag3", "")]));
    let untag = UntagQueueRequest { queue_url: url("q"), tag_keys: vec!["tag1".into(), "tag3".into(), "no".into()] };
    let (_, changes) = world.queues.untag_queue(&ctx(at(0)), &untag).unwrap();
    world.absorb(&changes);
    assert_eq!(list(&world), map([("tag2", "value2")]));

    let many = (0..50).map(|n| (n.to_string(), String::new())).collect();
    for tags in [
        map([]),
        map([("", "v")]),
        map([("aws:x", "v")]),
        map([(&"k".repeat(129), "v")]),
        map([("k", &"v".repeat(257))]),
        many,
    ] {
        assert!(tag(&mut world, tags).is_err());
    }
    assert_eq!(list(&world), map([("tag2", "value2")]));
}

#[test]
fn tags_of_services_are_theirs() {
    let mut world = World::with([("q", map([]))]);
    let service = RequestContext { via: Some("cloudformation.amazonaws.com"), ..ctx(at(0)) };
    let tag = |world: &mut World, ctx: &RequestContext, tags| {
        let (_, changes) = world.queues.tag_queue(ctx, &TagQueueRequest { queue_url: url("q"), tags })?;
        world.absorb(&changes);
        Ok::<_, ApiError>(())
    };
    let key = "aws:cloudformation:stack-name";
    tag(&mut world, &service, map([(key, "audit")])).unwrap();
    let fifty = (0..50).map(|n| (n.to_string(), String::new())).collect();
    tag(&mut world, &ctx(at(0)), fifty).expect("those of services do not count");
    let untag = UntagQueueRequest { queue_url: url("q"), tag_keys: vec!["0".into(), key.into()] };
    let create = CreateQueueRequest { tags: map([(key, "audit")]), ..create("r") };
    for refused in [
        refusal(tag(&mut world, &ctx(at(0)), map([(key, "mine")]))),
        refusal(world.queues.untag_queue(&ctx(at(0)), &untag)),
        refusal(world.queues.create_queue(&ctx(at(0)), &create, Uuid::nil())),
    ] {
        let said = "aws: prefixed tag key names are not allowed for external use.";
        assert_eq!(refused, ("InvalidParameterValueException".into(), 400, said.into()));
    }
    assert!(world.queues.untag_queue(&service, &untag).is_ok());
    assert!(world.queues.create_queue(&service, &create, Uuid::nil()).is_ok());
}

#[test]
fn permissions_that_are_refused() {
    let world = World::with([("q", map([]))]);
    let add = |label: &str, accounts: &[&str], actions: &[&str]| {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let req = AddPermissionRequest {
            queue_url: url("q"),
            label: Some(label.into()),
            aws_account_ids: texts(accounts),
            actions: texts(actions),
        };
        refusal(world.queues.add_permission(&ctx(at(0)), &req))
    };
    assert_eq!(add("", &["111122223333"], &["SendMessage"]).0, "MissingRequiredParameterException");
    assert_eq!(add("l", &[], &["SendMessage"]).0, "MissingRequiredParameterException");
    assert_eq!(add("l", &["111122223333"], &[]).0, "MissingRequiredParameterException");
    assert_eq!(add("l l", &["111122223333"], &["SendMessage"]).0, "InvalidParameterValueException");
    assert_eq!(add("l", &["1"], &["SendMessage"]).0, "InvalidParameterValueException");
    assert_eq!(
        add("l", &["111122223333"], &["DeleteQueue"]).2,
        "Value DeleteQueue for parameter ActionName is invalid. Reason: Only the queue owner is allowed to invoke this action."
    );
    assert_eq!(add("l", &["111122223333"], &["SendMessage"; 8]).2, "8 Actions were found, maximum allowed is 7.");
    let remove = RemovePermissionRequest { queue_url: url("q"), label: Some("l".into()) };
    assert_eq!(
        refusal(world.queues.remove_permission(&ctx(at(0)), &remove)).2,
        "Value l for parameter Label is invalid. Reason: can't find label."
    );
    let gone = AddPermissionRequest { queue_url: url("gone"), ..Default::default() };
    assert_eq!(refusal(world.queues.add_permission(&ctx(at(0)), &gone)).0, "QueueDoesNotExist");
}
