//! From a PUT's answer to its message in the detector's queue, at a rate that does not depend on the answers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::{Value, json};
use testkit::client::Scheme;

use crate::process::{Server, folder};
use crate::report::{Report, quantile};
use crate::s3::{BODY, CONNECTIONS};
use crate::sqs::{call, delete, receive};

const RATE_PER_SEC: u32 = 1_000;
const DURATION: Duration = Duration::from_secs(15);
/// Loops that receive, and delete what they received.
const RECEIVERS: u32 = 4;
/// A receive waits so long for a message.
const LONG_POLL_SECS: u64 = 1;
/// After the last PUT the messages may take so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// A PUT that was answered.
struct Answered {
    request_id: String,
    at: Instant,
    /// From when it was due to its answer.
    took: Duration,
}

/// A message that was received.
struct Received {
    body: String,
    at: Instant,
}

pub fn run(report: &mut Report) -> Result<()> {
    let folder = folder()?;
    let server = Server::audited(folder.path())?;
    let mut client = server.connect()?;
    let made = client.s3(Scheme::SigV4, "PUT", "/bench", None, b"")?;
    ensure!(made.status == 200, "{made:?}");
    let queue = call(&mut client, "GetQueueUrl", &json!({"QueueName": "sigtrail-sigv2"}))?;
    let queue = queue["QueueUrl"].as_str().context("a queue has a URL")?.to_owned();

    let done = AtomicBool::new(false);
    let begun = Instant::now();
    let (answered, elapsed, received) = std::thread::scope(|scope| {
        let receivers: Vec<_> = (0..RECEIVERS).map(|_| scope.spawn(|| receive_until(&server, &queue, &done))).collect();
        let server = &server;
        let senders: Vec<_> = (0..CONNECTIONS).map(|sender| scope.spawn(move || send(server, sender, begun))).collect();
        let answered = joined(senders);
        let elapsed = begun.elapsed();
        // The receivers end once nothing has come for one long poll.
        done.store(true, Ordering::Relaxed);
        (answered, elapsed, joined(receivers))
    });
    tell(report, answered?, elapsed, received?)?;
    server.stop()
}

fn joined<T>(threads: Vec<ScopedJoinHandle<'_, Result<Vec<T>>>>) -> Result<Vec<T>> {
    let mut all = Vec::new();
    for thread in threads {
        all.extend(thread.join().map_err(|_| anyhow!("a thread panicked"))??);
    }
    Ok(all)
}

/// Puts at its share of the rate. A PUT that is due while the one before it is unanswered is sent right after it.
fn send(server: &Server, sender: u64, begun: Instant) -> Result<Vec<Answered>> {
    let mut client = server.connect()?;
    let count = u64::from(RATE_PER_SEC) * DURATION.as_secs();
    let mut answered = Vec::new();
    for number in (sender..count).step_by(usize::try_from(CONNECTIONS)?) {
        let due = begun + Duration::from_secs_f64(number as f64 / f64::from(RATE_PER_SEC));
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let answer = client.s3(Scheme::SigV2, "PUT", &format!("/bench/{number}"), None, &BODY)?;
        let at = Instant::now();
        ensure!(answer.status == 200, "{answer:?}");
        let request_id = answer.header("x-amz-request-id").context("an answer names its request")?.to_owned();
        answered.push(Answered { request_id, at, took: at - due });
    }
    Ok(answered)
}

/// Long polls until there is nothing more to come.
fn receive_until(server: &Server, queue: &str, done: &AtomicBool) -> Result<Vec<Received>> {
    let mut client = server.connect()?;
    let mut received = Vec::new();
    let deadline = Instant::now() + DURATION + PATIENCE;
    loop {
        let was_done = done.load(Ordering::Relaxed);
        let mut messages = receive(&mut client, queue, LONG_POLL_SECS)?;
        let at = Instant::now();
        if messages.is_empty() && was_done {
            return Ok(received);
        }
        ensure!(at < deadline, "messages kept coming");
        if messages.is_empty() {
            continue;
        }
        delete(&mut client, queue, &messages)?;
        for message in &mut messages {
            let Value::String(body) = message["Body"].take() else { continue };
            received.push(Received { body, at });
        }
    }
}

fn tell(report: &mut Report, answered: Vec<Answered>, elapsed: Duration, received: Vec<Received>) -> Result<()> {
    let messages = received.len();
    let mut arrivals: HashMap<String, Instant> = HashMap::new();
    for Received { body, at } in received {
        let event: Value = serde_json::from_str(&body).context("a message is an event")?;
        let id = event["detail"]["requestID"].as_str().context("an event names its request")?;
        let first = arrivals.entry(id.to_owned()).or_insert(at);
        *first = at.min(*first);
    }
    let expected = usize::try_from(u64::from(RATE_PER_SEC) * DURATION.as_secs())?;
    ensure!(answered.len() == expected, "{} PUTs were answered, not {expected}", answered.len());
    ensure!(messages == expected && arrivals.len() == expected, "{messages} messages of {} PUTs", arrivals.len());
    let (mut after, mut took) = (Vec::new(), Vec::new());
    for put in answered {
        let arrived = arrivals.get(&put.request_id).context("a PUT has no message")?;
        // A message can overtake its PUT's answer: both wait for the same sync.
        after.push(arrived.saturating_duration_since(put.at).as_secs_f64() * 1e3);
        took.push(put.took.as_secs_f64() * 1e3);
    }
    let rate = expected as f64 / elapsed.as_secs_f64();
    report.add("PUTs with SigV2, due at 1,000/s", format!("{rate:.0}/s answered, {messages} messages"), "");
    let quantiles = |values: &mut [f64]| {
        let [half, most, last] = [0.5, 0.99, 1.0].map(|share| quantile(values, share));
        format!("p50 {half:.1} ms, p99 {most:.1} ms, longest {last:.1} ms")
    };
    report.add("PUT answered to message received", quantiles(&mut after), "aim p99 20 ms");
    report.add("PUT due to PUT answered", quantiles(&mut took), "");
    Ok(())
}
