//! Messages a second: sent, and received and deleted, over the JSON protocol with SigV4.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use testkit::client::Client;

use crate::Settings;
use crate::load::{self, Done, Until};
use crate::process::{Server, folder};
use crate::report::Report;

/// Connections at once.
const CONNECTIONS: u64 = 8;
/// Messages in one call of the batched variant: the most that SQS allows.
const BATCH_COUNT: u64 = 10;
/// What the fastest rival known does on such a machine, in memory and without signatures, a second.
const RIVAL_SENT: f64 = 7_900.0;
const RIVAL_RECEIVED: f64 = 5_100.0;

pub fn run(settings: Settings, report: &mut Report) -> Result<()> {
    let folder = folder()?;
    let server = Server::audited(folder.path())?;
    let queue = call(&mut server.connect()?, "CreateQueue", &json!({"QueueName": "bench"}))?;
    let queue = queue["QueueUrl"].as_str().context("a queue has a URL")?.to_owned();
    let (body, time) = ("x".repeat(1024), Until::Elapsed(settings.duration));

    let message = json!({"QueueUrl": queue, "MessageBody": body});
    let sent = load::run(&server, CONNECTIONS, time, |client, _, _| call(client, "SendMessage", &message).map(|_| 1))?;
    tell(report, "SendMessage of 1 KiB", sent, RIVAL_SENT);
    let received = load::run(&server, CONNECTIONS, time, |client, _, _| receive_and_delete(client, &queue))?;
    tell(report, "ReceiveMessage + DeleteMessage", received, RIVAL_RECEIVED);

    let entries: Vec<_> = (0..BATCH_COUNT).map(|id| json!({"Id": id.to_string(), "MessageBody": body})).collect();
    let batch = json!({"QueueUrl": queue, "Entries": entries});
    let batched = load::run(&server, CONNECTIONS, time, |client, _, _| {
        let answer = call(client, "SendMessageBatch", &batch)?;
        all_of(&answer["Successful"], BATCH_COUNT)
    })?;
    tell(report, "SendMessageBatch of ten", batched, RIVAL_SENT);
    let received_batched =
        load::run(&server, CONNECTIONS, time, |client, _, _| receive_and_delete_ten(client, &queue))?;
    tell(report, "ReceiveMessage of ten + DeleteMessageBatch", received_batched, RIVAL_RECEIVED);

    // Every message is where it must be: still in the queue, or deleted.
    let attributes = json!({"QueueUrl": queue, "AttributeNames": ["ApproximateNumberOfMessages"]});
    let left = call(&mut server.connect()?, "GetQueueAttributes", &attributes)?;
    let left = left["Attributes"]["ApproximateNumberOfMessages"].as_str().and_then(|left| left.parse::<u64>().ok());
    let expected = sent.answered + batched.answered - received.answered - received_batched.answered;
    ensure!(left == Some(expected), "{left:?} messages are left, not {expected}");
    server.stop()
}

fn tell(report: &mut Report, what: &str, done: Done, rival: f64) {
    let rate = done.rate();
    report.add(
        format!("{what}, {CONNECTIONS} connections"),
        format!("{rate:.0} messages/s, {:.0} µs each in the server", done.cpu_micros()),
        format!("{:.2} of the rival's {rival:.0}/s", rate / rival),
    );
}

fn receive_and_delete(client: &mut Client, queue: &str) -> Result<u64> {
    let received = call(client, "ReceiveMessage", &json!({"QueueUrl": queue}))?;
    let handle = &received["Messages"][0]["ReceiptHandle"];
    ensure!(handle.is_string(), "the queue ran empty: {received}");
    call(client, "DeleteMessage", &json!({"QueueUrl": queue, "ReceiptHandle": handle}))?;
    Ok(1)
}

fn receive_and_delete_ten(client: &mut Client, queue: &str) -> Result<u64> {
    let received = receive(client, queue, 0)?;
    ensure!(!received.is_empty(), "the queue ran empty");
    delete(client, queue, &received)?;
    Ok(received.len() as u64)
}

/// Receives up to ten messages.
pub fn receive(client: &mut Client, queue: &str, wait_secs: u64) -> Result<Vec<Value>> {
    let input = json!({"QueueUrl": queue, "MaxNumberOfMessages": BATCH_COUNT, "WaitTimeSeconds": wait_secs});
    let mut answer = call(client, "ReceiveMessage", &input)?;
    match answer["Messages"].take() {
        Value::Array(messages) => Ok(messages),
        _ => Ok(Vec::new()),
    }
}

/// Deletes received messages.
pub fn delete(client: &mut Client, queue: &str, messages: &[Value]) -> Result<()> {
    let entry =
        |(id, message): (usize, &Value)| json!({"Id": id.to_string(), "ReceiptHandle": message["ReceiptHandle"]});
    let entries: Vec<_> = messages.iter().enumerate().map(entry).collect();
    let answer = call(client, "DeleteMessageBatch", &json!({"QueueUrl": queue, "Entries": entries}))?;
    all_of(&answer["Successful"], messages.len() as u64).map(drop)
}

fn all_of(successful: &Value, expected: u64) -> Result<u64> {
    let count = successful.as_array().map_or(0, Vec::len) as u64;
    ensure!(count == expected, "{count} of {expected} succeeded");
    Ok(count)
}

/// A request of SQS.
pub fn call(client: &mut Client, operation: &str, input: &Value) -> Result<Value> {
    Ok(client.json("sqs", "1.0", &format!("AmazonSQS.{operation}"), input)?)
}
