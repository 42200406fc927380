//! What is there after a crash, compared with what was answered before.
//!
//! - Each object is what the last answered request made it, or what the one under way would have made it.
//! - Each answered request has one record, in one log file and in at least one message; two records of a request are a fault,
//!   two messages of a record are not.
//! - Each log file is in one digest, and the digests are a chain without a gap.
//! - A change that took effect has its record, answered or not, and one that did not take effect has none: they are committed
//!   together.
//!
//! Tried with servers that lie: see the page of `main.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use serde_json::{Value, json};
use testkit::client::{Client, Scheme};
use trail::digest::{Digest, DigestName, hash, is_log_file_name};

use crate::load::{BUCKET, Memory, State, content, unchecked};
use crate::server::{ADMIN, LOAD};

const SQS: (&str, &str) = ("sqs", "1.0");
const TRAILS: &str = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.DescribeTrails";
const UPDATE_TRAIL: &str = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.UpdateTrail";
/// Old objects that are looked at again after each crash.
const SAMPLE: usize = 300;
/// Of a log file, unpacked.
const LOG_FILE_BYTES_MAX: u64 = 256 << 20;
/// Faults that are told one by one.
const FAULTS_SHOWN: usize = 30;

/// What was found over all rounds.
#[derive(Debug, Default)]
pub struct Evidence {
    faults: Vec<String>,
    /// Records of the load that came as messages, by event id.
    records: BTreeMap<String, Fact>,
    pub received: u64,
    /// Messages whose record had come before.
    pub again: u64,
    /// Log files read and the records in them.
    pub files: usize,
    pub logged: usize,
    /// Digests read.
    pub digests: usize,
}

/// What matters of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fact {
    request_id: String,
    event: String,
    key: Option<String>,
    is_error: bool,
}

impl Fact {
    /// The event id and the rest, if the record is of the load.
    fn read(record: &Value) -> Option<(String, Self)> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        if record["userIdentity"]["accessKeyId"] != LOAD.access_key_id {
            return None;
        }
        let fact = Self {
            request_id: text(&record["requestID"])?,
            event: text(&record["eventName"])?,
            key: text(&record["requestParameters"]["key"]),
            is_error: !record["errorCode"].is_null(),
        };
        Some((text(&record["eventID"])?, fact))
    }
}

impl Evidence {
    /// Fails if there was a fault.
    pub fn assert_faultless(&self, place: &str) {
        let shown = &self.faults[..self.faults.len().min(FAULTS_SHOWN)];
        assert!(shown.is_empty(), "{place}: {} faults, the first of them {shown:#?}", self.faults.len());
    }

    /// Looks at each object that changed in this round, at those that were under way, and at some old ones.
    pub fn check_objects(&mut self, address: &str, memory: &mut Memory) {
        let mut client = connect(address);
        let mut keys = unchecked(memory);
        let step = (memory.objects.len() / SAMPLE).max(1);
        keys.extend(memory.objects.keys().step_by(step).cloned());
        for key in keys {
            let answer = match client.s3(Scheme::SigV4, "GET", &format!("/{BUCKET}/{key}"), None, b"") {
                Ok(answer) => answer,
                Err(error) => {
                    self.faults.push(format!("the answer with {key} broke off: {error}"));
                    client = connect(address);
                    continue;
                }
            };
            let object = memory.objects.get_mut(&key).expect("the key was taken from here");
            let is = |state: &State| match state {
                Some(seed) => answer.status == 200 && answer.body == content(*seed),
                None => answer.status == 404,
            };
            let Some(place) = object.states.iter().position(is) else {
                self.faults.push(format!("{key} is none of {:?} but {answer:?}", object.states));
                continue;
            };
            let state = object.states[place];
            if place > 0 {
                // The request under way took effect.
                if state.is_some() { object.puts += 1 } else { object.deletes += 1 }
            }
            object.states = vec![state];
            object.checked = true;
        }
    }

    /// Empties the queue until each answered request and each change was seen, or time is up: what is missing then is a
    /// fault.
    pub fn check_messages(&mut self, client: &mut Client, memory: &Memory, within: Duration) {
        let deadline = Instant::now() + within;
        let url = queue_url(client);
        loop {
            let receive = json!({ "QueueUrl": url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1 });
            let answer = sqs(client, "ReceiveMessage", &receive);
            let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
            if messages.is_empty() {
                let faults = check_records("messages", self.records.iter(), memory);
                if faults.is_empty() || Instant::now() > deadline {
                    self.faults.extend(faults);
                    return;
                }
                continue;
            }
            for message in &messages {
                self.take_message(message);
            }
            let entry = |(number, message): (usize, &Value)| json!({ "Id": number.to_string(), "ReceiptHandle": message["ReceiptHandle"] });
            let entries: Vec<Value> = messages.iter().enumerate().map(entry).collect();
            let deleted = sqs(client, "DeleteMessageBatch", &json!({ "QueueUrl": url, "Entries": entries }));
            if deleted["Successful"].as_array().map(Vec::len) != Some(messages.len()) {
                self.faults.push(format!("messages were not deleted: {deleted}"));
            }
        }
    }

    fn take_message(&mut self, message: &Value) {
        let event = message["Body"].as_str().and_then(|body| serde_json::from_str::<Value>(body).ok());
        let Some(event) = event else {
            self.faults.push(format!("a message that is no event: {message}"));
            return;
        };
        let Some((event_id, fact)) = Fact::read(&event["detail"]) else { return };
        self.received += 1;
        match self.records.insert(event_id.clone(), fact.clone()) {
            Some(before) if before == fact => self.again += 1,
            Some(before) => self.faults.push(format!("two records {event_id}: {before:?}, {fact:?}")),
            None => {}
        }
    }

    /// Reads all log files until each answered request is in one, or time is up; then looks for what is there twice.
    pub fn check_log_files(&mut self, client: &mut Client, memory: &Memory, within: Duration) {
        let deadline = Instant::now() + within;
        let bucket = log_bucket(client);
        let mut files = BTreeMap::new();
        loop {
            read_log_files(client, &bucket, &mut files);
            let records: Vec<&(String, Fact)> = files.values().flatten().collect();
            let faults = check_records("log files", records.iter().map(|(id, fact)| (id, fact)), memory);
            if faults.is_empty() || Instant::now() > deadline {
                (self.files, self.logged) = (files.len(), records.len());
                self.faults.extend(faults);
                return;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Reads all digests until each log file with records of the load is in one, or time is up; then looks for what is there
    /// twice, and whether each digest names the one before it.
    pub fn check_digests(&mut self, client: &mut Client, within: Duration) {
        let deadline = Instant::now() + within;
        let bucket = log_bucket(client);
        let mut files = BTreeMap::new();
        read_log_files(client, &bucket, &mut files);
        let due: Vec<String> = files.into_iter().filter(|(_, facts)| !facts.is_empty()).map(|(name, _)| name).collect();
        loop {
            let digests = read_digests(client, &bucket);
            let faults = check_chain(&digests, &due);
            if faults.is_empty() || Instant::now() > deadline {
                self.digests = digests.len();
                self.faults.extend(faults);
                return;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// What is against the rules in digests, the oldest first.
fn check_chain(digests: &[Vec<u8>], due: &[String]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut named = BTreeMap::<String, u64>::new();
    let mut before: Option<(Digest, String)> = None;
    for content in digests {
        let digest: Digest = serde_json::from_slice(content).expect("a digest is JSON");
        for file in &digest.log_files {
            *named.entry(file.s3_object.clone()).or_default() += 1;
        }
        let previous = before.as_ref().map(|(digest, hash)| (digest.digest_s3_object.clone(), hash.clone()));
        let says = digest.previous().map(|previous| (previous.object, previous.hash));
        if says != previous {
            faults.push(format!("{} names {says:?} and not {previous:?}", digest.digest_s3_object));
        }
        if before.as_ref().is_some_and(|(before, _)| before.digest_end_time != digest.digest_start_time) {
            faults.push(format!("{} does not begin where the one before it ends", digest.digest_s3_object));
        }
        before = Some((digest, hash(content)));
    }
    faults.extend(
        named.iter().filter(|(_, count)| **count > 1).map(|(name, count)| format!("{name}: in {count} digests")),
    );
    faults.extend(due.iter().filter(|name| !named.contains_key(*name)).map(|name| format!("{name}: in no digest")));
    faults
}

/// Has the detector's trail write digests of its log files.
pub fn ask_for_digests(client: &mut Client) {
    let trails = client.json("cloudtrail", "1.1", TRAILS, &json!({})).unwrap();
    let update = json!({ "Name": trails["trailList"][0]["Name"], "EnableLogFileValidation": true });
    client.json("cloudtrail", "1.1", UPDATE_TRAIL, &update).unwrap();
}

/// What is against the rules in records: each answered request has one, no request has two, each change has its own.
fn check_records<'a>(
    place: &str,
    records: impl Iterator<Item = (&'a String, &'a Fact)>,
    memory: &Memory,
) -> Vec<String> {
    let mut faults = Vec::new();
    let mut of_request = BTreeMap::<&str, Vec<&Fact>>::new();
    let mut changes = BTreeMap::<(&str, &str), u64>::new();
    let mut ids = BTreeSet::new();
    for (event_id, fact) in records {
        of_request.entry(&fact.request_id).or_default().push(fact);
        if let (Some(key), false) = (&fact.key, fact.is_error) {
            *changes.entry((key, &fact.event)).or_default() += 1;
        }
        if !ids.insert(event_id) {
            faults.push(format!("{place}: the record {event_id} is there twice: {fact:?}"));
        }
    }
    for (request_id, answered) in &memory.answered {
        match of_request.get(request_id.as_str()) {
            None => faults.push(format!("{place}: no record of {request_id}, {answered:?}")),
            Some(facts) if facts[0].event == answered.event && facts[0].key.as_ref() == Some(&answered.key) => {}
            Some(facts) => faults.push(format!("{place}: {request_id}, {answered:?} has {facts:?}")),
        }
    }
    for (request_id, facts) in of_request.iter().filter(|(_, facts)| facts.len() > 1) {
        faults.push(format!("{place}: {} records of {request_id}: {facts:?}", facts.len()));
    }
    for (key, object) in memory.objects.iter().filter(|(_, object)| object.checked) {
        let of = |event| changes.get(&(key.as_str(), event)).copied().unwrap_or(0);
        let (puts, deletes) = (of("PutObject"), of("DeleteObject"));
        if puts != object.puts {
            faults.push(format!("{place}: {puts} records for {} puts of {key}", object.puts));
        }
        // A delete under way of what was deleted before leaves no trace but its record.
        if deletes < object.deletes || deletes > object.deletes + 1 {
            faults.push(format!("{place}: {deletes} records for {} deletes of {key}", object.deletes));
        }
    }
    faults
}

/// As the admin, to a server that runs.
pub fn connect(address: &str) -> Client {
    Client::connect(address, ADMIN).unwrap()
}

fn sqs(client: &mut Client, operation: &str, input: &Value) -> Value {
    client.json(SQS.0, SQS.1, &format!("AmazonSQS.{operation}"), input).unwrap()
}

fn queue_url(client: &mut Client) -> String {
    let queues = sqs(client, "ListQueues", &json!({ "QueueNamePrefix": "sigtrail" }));
    let urls = queues["QueueUrls"].as_array().expect("the detector has a queue").iter().filter_map(Value::as_str);
    // A dead-letter queue would be named after its source.
    urls.min_by_key(|url| url.len()).expect("the detector has a queue").to_owned()
}

fn log_bucket(client: &mut Client) -> String {
    let trails = client.json("cloudtrail", "1.1", TRAILS, &json!({})).unwrap();
    trails["trailList"][0]["S3BucketName"].as_str().unwrap_or_else(|| panic!("no trail: {trails}")).to_owned()
}

/// Adds the files that are not known yet.
fn read_log_files(client: &mut Client, bucket: &str, files: &mut BTreeMap<String, Vec<(String, Fact)>>) {
    for name in list(client, bucket, "AWSLogs/") {
        if files.contains_key(&name) || !is_log_file_name(&name) {
            continue;
        }
        let log: Value = serde_json::from_slice(&read_packed(client, bucket, &name)).expect("a log file is JSON");
        let records = log["Records"].as_array().expect("a log file has records");
        files.insert(name, records.iter().filter_map(Fact::read).collect());
    }
}

/// All digests, the oldest first.
fn read_digests(client: &mut Client, bucket: &str) -> Vec<Vec<u8>> {
    let mut names = list(client, bucket, "AWSLogs/");
    names.retain(|name| DigestName::parse(name).is_some());
    names.sort_unstable();
    names.iter().map(|name| read_packed(client, bucket, name)).collect()
}

fn read_packed(client: &mut Client, bucket: &str, name: &str) -> Vec<u8> {
    let answer = client.s3(Scheme::SigV4, "GET", &format!("/{bucket}/{name}"), None, b"").unwrap();
    assert_eq!(answer.status, 200, "{name}: {answer:?}");
    // The server may say that it is packed, or only store it so; the bytes tell.
    let mut content = Vec::new();
    let unpacked = GzDecoder::new(answer.body.as_slice()).take(LOG_FILE_BYTES_MAX).read_to_end(&mut content);
    unpacked.expect("log files and digests are gzip");
    content
}

/// The names under a prefix, page by page.
fn list(client: &mut Client, bucket: &str, prefix: &str) -> Vec<String> {
    let prefix = prefix.replace('/', "%2F");
    let mut names: Vec<String> = Vec::new();
    loop {
        let after = names.last().map(|last| format!("&start-after={}", last.replace('/', "%2F"))).unwrap_or_default();
        let query = format!("list-type=2&prefix={prefix}{after}");
        let answer = client.s3(Scheme::SigV4, "GET", &format!("/{bucket}"), Some(&query), b"").unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        let text = String::from_utf8(answer.body).expect("XML is UTF-8");
        let page = text.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next());
        let before = names.len();
        names.extend(page.map(str::to_owned));
        if !text.contains("<IsTruncated>true</IsTruncated>") || names.len() == before {
            return names;
        }
    }
}
