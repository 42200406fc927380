//! Sending, receiving, deleting, visibility, batches: what happens, and each refusal with its code and text.

#![allow(clippy::unwrap_used, clippy::too_many_lines, reason = "tables are long, and what they prepare must succeed")]

mod common;

use std::collections::BTreeMap;

use aws_api::sqs::{
    ChangeMessageVisibilityBatchRequest, ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequest,
    DeleteMessageBatchRequestEntry, MessageAttributeValue, ReceiveMessageRequest, SendMessageBatchRequest,
    SendMessageBatchRequestEntry, SendMessageRequest,
};
use aws_api::{ApiError, Blob};
use common::{World, arn, at, ctx, map, redrive, url};
use queue::{Attribute, Class, Delivery, Effect, NewMessage, Receipt};
use uuid::Uuid;

fn refusal<T: std::fmt::Debug>(result: Result<T, ApiError>) -> (String, u16, String) {
    let error = result.unwrap_err();
    (error.code.into_owned(), error.status, error.message)
}

fn text(data_type: &str, value: &str) -> MessageAttributeValue {
    MessageAttributeValue { data_type: Some(data_type.into()), string_value: Some(value.into()), binary_value: None }
}

fn attributes<const N: usize>(pairs: [(&str, MessageAttributeValue); N]) -> BTreeMap<String, MessageAttributeValue> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn message(body: &str) -> SendMessageRequest {
    SendMessageRequest { message_body: Some(body.into()), ..Default::default() }
}

const NEW: NewMessage = NewMessage { id: Uuid::from_u128(0xabc), seq: 7 };

#[test]
fn sent_with_everything() {
    let world = World::with([("q", map([("DelaySeconds", "3")]))]);
    let trace = "Root=1-5e1b4151-5ac6c58b0000000000000001";
    let blob = MessageAttributeValue {
        data_type: Some("Binary".into()),
        string_value: None,
        binary_value: Some(Blob(vec![0, 255])),
    };
    let req = SendMessageRequest {
        message_attributes: attributes([
            ("RULE_ARN", text("String", "arn:aws:events:eu-central-1:111122223333:rule/r1")),
            ("blob", blob),
            ("tries", text("Number.int", "3")),
        ]),
        message_system_attributes: attributes([("AWSTraceHeader", text("String", trace))]),
        message_group_id: Some("tenant-1".into()),
        ..message("msg")
    };
    let (sent, effect) = world.queue("q").send_message(at(0), req, NEW, "AIDAEXAMPLE").unwrap();
    assert_eq!(sent.message_id, NEW.id.to_string());
    assert_eq!(sent.md5_of_message_body, "6e2baaf3b97dbeef01c0043275f9a0e7");
    assert_eq!(sent.md5_of_message_attributes.as_deref(), Some("e81398b536900925b492c47f82797712"));
    assert_eq!(sent.md5_of_message_system_attributes.as_deref(), Some("3c37db8fa6bdce6b4ec228b6e76b3f34"));
    assert_eq!(sent.sequence_number, None);
    let Effect::Send { slot, class, message, .. } = effect else { panic!("{effect:?}") };
    assert_eq!((slot.visible_at, slot.seq, class), (at(3000), NEW.seq, Class::Delayed));
    assert_eq!((message.trace_header.as_deref(), message.group.as_deref()), (Some(trace), Some("tenant-1")));
    assert_eq!(message.attributes["blob"], Attribute::Bytes("Binary".into(), Blob(vec![0, 255])));
}

#[test]
fn refused_on_send() {
    let world = World::with([("q", map([("MaximumMessageSize", "1024")]))]);
    let eleven = (0..11).map(|n| (format!("a{n}"), text("String", "x"))).collect();
    let dedup = "Value d for parameter MessageDeduplicationId is invalid. Reason: The request include parameter that is not \
                 valid for this queue type.";
    let group = "Value a b for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include alphanumeric \
                 and punctuation characters. 1 to 128 in length.";
    let (invalid, missing) = ("InvalidParameterValueException", "MissingRequiredParameterException");
    for (req, code, text) in [
        (SendMessageRequest::default(), missing, "The request must contain the parameter MessageBody."),
        (message(""), missing, "The request must contain the parameter MessageBody."),
        (
            message("\u{0}"),
            "InvalidMessageContents",
            "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | \
             #x10000 to #x10FFFF",
        ),
        (
            message(&"x".repeat(1025)),
            invalid,
            "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.",
        ),
        (
            SendMessageRequest {
                message_attributes: attributes([("name", text("String", "value"))]),
                ..message(&"x".repeat(1024 - 14))
            },
            invalid,
            "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.",
        ),
        (
            SendMessageRequest { delay_seconds: Some(901), ..message("x") },
            invalid,
            "Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.",
        ),
        (
            SendMessageRequest { delay_seconds: Some(-1), ..message("x") },
            invalid,
            "Value -1 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.",
        ),
        (SendMessageRequest { message_deduplication_id: Some("d".into()), ..message("x") }, invalid, dedup),
        (SendMessageRequest { message_group_id: Some("a b".into()), ..message("x") }, invalid, group),
        (
            SendMessageRequest { message_attributes: eleven, ..message("x") },
            invalid,
            "Number of message attributes [11] exceeds the allowed maximum [10].",
        ),
        (
            SendMessageRequest {
                message_system_attributes: attributes([("SenderId", text("String", "x"))]),
                ..message("x")
            },
            invalid,
            "Message (system) attribute 'SenderId' is invalid. The only one that can be sent is AWSTraceHeader.",
        ),
    ] {
        let got = refusal(world.queue("q").send_message(at(0), req, NEW, "u"));
        assert_eq!(got, (code.to_owned(), 400, text.to_owned()));
    }
    let fits = message(&"x".repeat(1024));
    assert!(world.queue("q").send_message(at(0), fits, NEW, "u").is_ok());
}

#[test]
fn delivered_without_a_request() {
    let mut world = World::with([("q", map([]))]);
    let delivery = Delivery {
        body: "{}".into(),
        attributes: [("a".to_owned(), Attribute::Text("String.Array".into(), "[1]".into()))].into(),
        sender: "AIDATOPIC".into(),
        ..Default::default()
    };
    let effect = world.queue("q").deliver(at(0), delivery.clone(), NEW).unwrap();
    world.apply(vec![effect]);
    let received = world.receive(at(0), "q", 1, None).messages.remove(0);
    assert_eq!((received.message_id, &*received.body), (NEW.id.to_string(), "{}"));
    assert_eq!(received.attributes["SenderId"], "AIDATOPIC");
    assert_eq!(received.message_attributes["a"], text("String.Array", "[1]"));
    for (delivery, code) in [
        (Delivery { body: String::new(), ..delivery.clone() }, "MissingRequiredParameterException"),
        (Delivery { body: "\u{1}".into(), ..delivery.clone() }, "InvalidMessageContents"),
        (Delivery { body: "x".repeat(1_048_577), ..delivery }, "InvalidParameterValueException"),
    ] {
        assert_eq!(refusal(world.queue("q").deliver(at(0), delivery, NEW)).0, code);
    }
}

#[test]
fn received_with_what_was_asked_for() {
    let mut world = World::with([("q", map([]))]);
    let req = SendMessageRequest {
        message_attributes: attributes([
            ("General", text("String", "Kenobi")),
            ("Hello", text("String", "There")),
            ("Help.Me", text("String", "Me")),
        ]),
        ..message("msg")
    };
    let (_, effect) = world.queue("q").send_message(at(0), req, NEW, "AIDAEXAMPLE").unwrap();
    world.apply(vec![effect]);
    let mut receive = |system: &[&str], older: &[&str], names: &[&str]| {
        let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let req = ReceiveMessageRequest {
            queue_url: url("q"),
            visibility_timeout: Some(0),
            message_system_attribute_names: texts(system),
            attribute_names: texts(older),
            message_attribute_names: texts(names),
            ..Default::default()
        };
        world.receive_with(at(5), req).messages.remove(0)
    };
    let nothing = receive(&[], &[], &[]);
    assert_eq!((nothing.attributes.len(), nothing.message_attributes.len()), (0, 0));
    assert_eq!((nothing.md5_of_message_attributes, &*nothing.md5_of_body), (None, "6e2baaf3b97dbeef01c0043275f9a0e7"));
    let all = receive(&["All"], &[], &["Hel.*"]);
    assert_eq!(
        all.attributes,
        map([
            ("ApproximateFirstReceiveTimestamp", &at(5).as_millis().to_string()),
            ("ApproximateReceiveCount", "2"),
            ("SenderId", "AIDAEXAMPLE"),
            ("SentTimestamp", &at(0).as_millis().to_string()),
        ])
    );
    assert_eq!(all.message_attributes.keys().collect::<Vec<_>>(), ["Hello", "Help.Me"]);
    assert_eq!(all.md5_of_message_attributes.as_deref(), Some("83fee93c1bcd8b9a5a923ffacdc636c7"));
    let some = receive(&["SenderId"], &["ApproximateReceiveCount"], &["General", "Foo"]);
    assert_eq!(some.attributes, map([("ApproximateReceiveCount", "3"), ("SenderId", "AIDAEXAMPLE")]));
    assert_eq!(some.message_attributes.keys().collect::<Vec<_>>(), ["General"]);
}

#[test]
fn refused_on_receive() {
    let world = World::with([("q", map([("ReceiveMessageWaitTimeSeconds", "10")]))]);
    let asked = || ReceiveMessageRequest { queue_url: url("q"), ..Default::default() };
    let begin = |req| world.queues.begin_receive(&ctx(at(0)), req);
    let plain = begin(asked()).unwrap();
    assert_eq!((plain.wait_s(), plain.count()), (10, 1));
    for (req, text) in [
        (
            ReceiveMessageRequest { max_number_of_messages: Some(11), ..asked() },
            "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.",
        ),
        (
            ReceiveMessageRequest { max_number_of_messages: Some(0), ..asked() },
            "Value 0 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.",
        ),
        (
            ReceiveMessageRequest { wait_time_seconds: Some(21), ..asked() },
            "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.",
        ),
        (
            ReceiveMessageRequest { visibility_timeout: Some(43_201), ..asked() },
            "Value 43201 for parameter VisibilityTimeout is invalid. Reason: Must be >= 0 and <= 43200, if provided.",
        ),
        (
            ReceiveMessageRequest { receive_request_attempt_id: Some("a".into()), ..asked() },
            "Value a for parameter ReceiveRequestAttemptId is invalid. Reason: The request include parameter that is not \
             valid for this queue type.",
        ),
    ] {
        assert_eq!(refusal(begin(req)), ("InvalidParameterValueException".into(), 400, text.into()));
    }
    let unknown = ReceiveMessageRequest { attribute_names: vec!["Foobar".into()], ..asked() };
    assert_eq!(refusal(begin(unknown)), ("InvalidAttributeName".into(), 400, "Unknown Attribute Foobar.".into()));

    let mut none = || 0;
    let full = world.queues.receive_message(at(0), &plain, vec![], 120_000, &mut none);
    assert_eq!((refusal(full.clone()).0, refusal(full).1), ("OverLimit".into(), 403));
    assert!(world.queues.receive_message(at(0), &plain, vec![], 119_999, &mut none).is_ok());
}

#[test]
fn room_in_flight_bounds_a_receive() {
    let mut world = World::with([("q", map([]))]);
    for _ in 0..3 {
        world.send(at(0), "q", "m", None);
    }
    let req = ReceiveMessageRequest { queue_url: url("q"), max_number_of_messages: Some(10), ..Default::default() };
    let receive = world.queues.begin_receive(&ctx(at(0)), req).unwrap();
    let due = world.due(receive.queue(), at(0), 10);
    let received = world.queues.receive_message(at(0), &receive, due, 119_998, &mut || 0).unwrap();
    assert_eq!(received.messages.len(), 2);
}

#[test]
fn a_waiting_receive_of_a_deleted_queue() {
    let mut world = World::with([("q", map([]))]);
    let req = ReceiveMessageRequest { queue_url: url("q"), ..Default::default() };
    let receive = world.queues.begin_receive(&ctx(at(0)), req).unwrap();
    let req = aws_api::sqs::DeleteQueueRequest { queue_url: url("q") };
    let (_, changes, _) = world.queues.delete_queue(&ctx(at(0)), &req).unwrap();
    world.absorb(&changes);
    world.create(at(60_000), "q", map([])).unwrap();
    let got = world.queues.receive_message(at(60_000), &receive, vec![], 0, &mut || 0);
    assert_eq!(refusal(got).0, "QueueDoesNotExist");
}

#[test]
fn dead_letters_keep_id_and_time() {
    let mut world = World::with([("dead", map([])), ("q", map([("RedrivePolicy", &redrive("dead", 1))]))]);
    let id = world.send(at(0), "q", "m", None);
    assert_eq!(world.receive(at(1), "q", 1, Some(0)).messages.len(), 1);
    let second = world.receive(at(2), "q", 1, Some(0));
    assert_eq!((second.messages.len(), second.dead_lettered, second.look_again()), (0, 1, true));
    let third = world.receive(at(2), "q", 1, Some(0));
    assert_eq!((third.effects.len(), third.look_again()), (0, false));
    let dead = world.receive(at(3), "dead", 1, None).messages.remove(0);
    assert_eq!(dead.message_id, id);
    assert_eq!(dead.attributes["SentTimestamp"], at(0).as_millis().to_string());
    assert_eq!(dead.attributes["DeadLetterQueueSourceArn"], arn("q"));
    assert_eq!(dead.attributes["ApproximateReceiveCount"], "1");
}

#[test]
fn without_its_dead_letter_queue_a_message_stays() {
    let mut world = World::with([("dead", map([])), ("q", map([("RedrivePolicy", &redrive("dead", 1))]))]);
    world.send(at(0), "q", "m", None);
    let deny = map([("RedriveAllowPolicy", r#"{"redrivePermission":"denyAll"}"#)]);
    let req = aws_api::sqs::SetQueueAttributesRequest { queue_url: url("dead"), attributes: deny };
    let (_, changes) = world.queues.set_queue_attributes(&ctx(at(0)), &req).unwrap();
    world.absorb(&changes);
    for _ in 0..3 {
        assert_eq!(world.receive(at(1), "q", 1, Some(0)).messages.len(), 1);
    }
}

#[test]
fn retention_ends() {
    let mut world = World::with([("q", map([("MessageRetentionPeriod", "60")]))]);
    world.send(at(0), "q", "m", None);
    let id = world.queue("q").id;
    let rows = world.due(id, at(0), 1);
    assert_eq!(world.queue("q").expire(&rows, at(59_999)), []);
    assert_eq!(world.queue("q").expire(&rows, at(60_000)), [Effect::Remove { queue: id, slot: rows[0].held.slot }]);
    let received = world.receive(at(60_000), "q", 1, None);
    assert_eq!((received.messages.len(), received.expired, received.look_again()), (0, 1, true));
}

#[test]
fn deletion() {
    let mut world = World::with([("q", map([])), ("other", map([]))]);
    world.send(at(0), "q", "m", None);
    let first = world.receive(at(0), "q", 1, Some(0)).messages.remove(0).receipt_handle;
    let second = world.receive(at(1), "q", 1, Some(30)).messages.remove(0).receipt_handle;
    assert_ne!(first, second);
    let invalid = || ("ReceiptHandleIsInvalid".to_owned(), 404, "The input receipt handle is invalid.".to_owned());
    assert_eq!(refusal(world.delete("other", &second)), invalid());
    assert_eq!(refusal(world.delete("q", "garbage")), invalid());
    let real = world.queue("q").receipt(Some(&second)).unwrap();
    for receives in [0, 3] {
        assert_eq!(refusal(world.delete("q", &Receipt { receives, ..real }.handle())), invalid());
    }
    assert_eq!(world.delete("q", &first), Ok(true));
    assert_eq!(world.delete("q", &first), Ok(false));
    assert_eq!(world.delete("q", &second), Ok(false));
}

#[test]
fn visibility() {
    const HOURS_12: i64 = 43_200;
    let mut world = World::with([("q", map([]))]);
    world.send(at(0), "q", "m", None);
    let handle = world.receive(at(0), "q", 1, Some(30)).messages.remove(0).receipt_handle;
    let change = |world: &mut World, now, timeout_s| world.change_visibility(at(now), "q", &handle, timeout_s);
    assert_eq!(change(&mut world, 1000, 60), Ok(()));
    assert_eq!(world.receive(at(60_999), "q", 1, None).messages.len(), 0);
    assert_eq!(change(&mut world, 60_999, 43_139), Ok(()));
    assert_eq!(
        refusal(change(&mut world, 61_000, 43_140)),
        (
            "InvalidParameterValueException".into(),
            400,
            "Value 43140 for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is \
             beyond the limit [43200 seconds]."
                .into()
        )
    );
    for timeout_s in [-1, 43_201] {
        assert_eq!(
            refusal(change(&mut world, 61_000, timeout_s)).2,
            format!(
                "Value {timeout_s} for parameter VisibilityTimeout is invalid. Reason: VisibilityTimeout must be an \
                 integer between 0 and {HOURS_12}."
            )
        );
    }
    let receipt = world.queue("q").receipt(Some(&handle)).unwrap();
    assert_eq!(
        refusal(world.queue("q").change_message_visibility(at(0), receipt, None, None)).2,
        "The request must contain the parameter VisibilityTimeout."
    );
    assert_eq!(change(&mut world, 61_000, 0), Ok(()));
    assert_eq!(refusal(change(&mut world, 61_000, 1)).0, "MessageNotInflight");
    let newer = world.receive(at(61_000), "q", 1, Some(30)).messages.remove(0).receipt_handle;
    assert_eq!(refusal(change(&mut world, 61_001, 1)).0, "MessageNotInflight");
    assert_eq!(world.delete("q", &newer), Ok(true));
    assert_eq!(
        refusal(change(&mut world, 61_001, 1)).2,
        format!(
            "Value {handle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available \
             for visibility timeout change."
        )
    );
}

fn entry(id: &str, body: &str) -> SendMessageBatchRequestEntry {
    SendMessageBatchRequestEntry { id: Some(id.into()), message_body: Some(body.into()), ..Default::default() }
}

#[test]
fn whole_batches_refused() {
    let world = World::with([("q", map([]))]);
    let ids = "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 \
               letters long.";
    let big = "x".repeat(524_288);
    for (entries, code, text) in [
        (vec![], "EmptyBatchRequest", "There should be at least one SendMessageBatchRequestEntry in the request."),
        (
            (0..20).map(|n| entry(&n.to_string(), "m")).collect(),
            "TooManyEntriesInBatchRequest",
            "Maximum number of entries per request are 10. You have sent 20.",
        ),
        (vec![entry("", "m")], "InvalidBatchEntryId", ids),
        (vec![entry("invalid:id", "m")], "InvalidBatchEntryId", ids),
        (vec![entry(&"i".repeat(81), "m")], "InvalidBatchEntryId", ids),
        (vec![entry("a", "m"), entry("b", "m"), entry("a", "m")], "BatchEntryIdsNotDistinct", "Id a repeated."),
        (
            vec![entry("a", &big), entry("b", &format!("{big}x"))],
            "BatchRequestTooLong",
            "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.",
        ),
    ] {
        let req = SendMessageBatchRequest { queue_url: url("q"), entries };
        let got = refusal(world.queue("q").send_message_batch(at(0), req, "u", &mut || NEW));
        assert_eq!(got, (code.to_owned(), 400, text.to_owned()));
    }
    let fits = SendMessageBatchRequest { queue_url: url("q"), entries: vec![entry("a", &big), entry("b", &big)] };
    assert_eq!(world.queue("q").send_message_batch(at(0), fits, "u", &mut || NEW).unwrap().effects.len(), 2);
}

#[test]
fn entries_are_refused_one_by_one() {
    let mut world = World::with([("q", map([]))]);
    let entries = vec![entry("good", "m"), entry("bad", "\u{1}"), entry("empty", ""), entry("good-2", "m")];
    let (queue, mut last) = (world.queue("q").clone(), world.last);
    let mut next = || {
        last += 1;
        NewMessage { id: Uuid::from_u128(last.into()), seq: last }
    };
    let req = SendMessageBatchRequest { queue_url: url("q"), entries };
    let sent = queue.send_message_batch(at(0), req, "u", &mut next).unwrap();
    let failed: Vec<_> =
        sent.result.failed.iter().map(|entry| (&*entry.id, &*entry.code, entry.sender_fault)).collect();
    assert_eq!(failed, [("bad", "InvalidMessageContents", true), ("empty", "MissingParameter", true)]);
    assert_eq!(sent.result.successful.iter().map(|entry| &*entry.id).collect::<Vec<_>>(), ["good", "good-2"]);
    world.apply(sent.effects);

    let handles: Vec<_> =
        world.receive(at(0), "q", 10, Some(30)).messages.into_iter().map(|message| message.receipt_handle).collect();
    let change = |id: &str, handle: &str, timeout_s| ChangeMessageVisibilityBatchRequestEntry {
        id: Some(id.into()),
        receipt_handle: Some(handle.into()),
        visibility_timeout: Some(timeout_s),
    };
    let entries = vec![
        change("a", &handles[0], 60),
        change("again", &handles[0], 0),
        change("late", &handles[0], 5),
        change("bad", "garbage", 5),
    ];
    let req = ChangeMessageVisibilityBatchRequest { queue_url: url("q"), entries };
    let changed = queue.change_message_visibility_batch(at(1), req, &mut |seq| world.held(queue.id, seq)).unwrap();
    let failed: Vec<_> = changed.result.failed.iter().map(|entry| (&*entry.id, &*entry.code)).collect();
    assert_eq!(failed, [("late", "AWS.SimpleQueueService.MessageNotInflight"), ("bad", "ReceiptHandleIsInvalid")]);
    world.apply(changed.effects);
    assert_eq!(world.counts(queue.id, at(1)).visible, 1);

    let delete = |id: &str, handle: &str| DeleteMessageBatchRequestEntry {
        id: Some(id.into()),
        receipt_handle: Some(handle.into()),
    };
    let entries =
        vec![delete("a", &handles[0]), delete("again", &handles[0]), delete("bad", "x"), delete("b", &handles[1])];
    let req = DeleteMessageBatchRequest { queue_url: url("q"), entries };
    let deleted = queue.delete_message_batch(req, &mut |seq| world.held(queue.id, seq)).unwrap();
    assert_eq!(deleted.result.successful.iter().map(|entry| &*entry.id).collect::<Vec<_>>(), ["a", "again", "b"]);
    assert_eq!((deleted.result.failed.len(), deleted.effects.len()), (1, 2));
    world.apply(deleted.effects);
    assert_eq!(world.counts(queue.id, at(1)), queue::Counts::default());
}
