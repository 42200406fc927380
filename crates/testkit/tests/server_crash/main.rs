//! The server is killed under load, over and over, and each request that it answered is looked for: its object, its record,
//! its message. Every second time the power is cut too: the next start gets what was synced, or that and some of the rest.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod evidence;
mod load;
mod server;

use std::time::{Duration, Instant};

use testkit::client::{Client, Scheme};
use testkit::{Random, number_from_env, seed};

use evidence::Evidence;
use load::{BUCKET, Memory};
use server::{ADMIN, Crash, Lab};

const ROUNDS: u64 = 6;
/// From the first request of a round to the kill.
const LIFE_MILLIS: (u64, u64) = (300, 3000);
/// Until everything answered has come through the pipeline after a start.
const SETTLE: Duration = Duration::from_secs(20);

#[test]
#[ignore = "needs the release server; `cargo xtask test` runs it"]
fn what_the_server_answered_survives_each_crash() {
    let mut random = Random::new(seed());
    let mut lab = Lab::new();
    let mut memory = Memory::default();
    let mut evidence = Evidence::default();
    for round in 0..number_from_env("SIGTRAIL_CRASH_SERVER_ROUNDS", ROUNDS) {
        let crash = [Crash::PowerCut, Crash::Kill, Crash::Torn, Crash::Kill][usize::try_from(round % 4).unwrap()];
        let begun = Instant::now();
        let server = lab.start(crash);
        if round == 0 {
            let created = admin(&server.address).s3(Scheme::SigV4, "PUT", &format!("/{BUCKET}"), None, b"").unwrap();
            assert_eq!(created.status, 200, "{created:?}");
        }
        let load = load::start(&server.address, &mut memory, random.number());
        std::thread::sleep(random.millis(LIFE_MILLIS.0, LIFE_MILLIS.1));
        server.kill();
        let answered = load.stop(&mut memory);
        lab.crash(crash, &mut random);

        let server = lab.start(Crash::Kill);
        let started = begun.elapsed();
        let mut client = admin(&server.address);
        evidence.check_objects(&mut client, &mut memory);
        evidence.check_messages(&mut client, &memory, SETTLE);
        println!(
            "round {round}, {crash:?}: {answered} answered, {} in all, {} messages ({} again), {:.1} s, restarted at {:.1} s",
            memory.answered.len(),
            evidence.received,
            evidence.again,
            begun.elapsed().as_secs_f64(),
            started.as_secs_f64(),
        );
        // The next round starts from here, after one more kill without a load.
        server.kill();
        evidence.assert_faultless(&format!("round {round}, {crash:?}"));
    }
    let server = lab.start(Crash::Kill);
    evidence.check_log_files(&mut admin(&server.address), &memory, SETTLE);
    server.kill();
    evidence.assert_faultless("at the end");
    println!("{} records in {} log files, each answered request in one of them, once", evidence.logged, evidence.files);
    assert!(!memory.answered.is_empty());
}

fn admin(address: &str) -> Client {
    Client::connect(address, ADMIN).unwrap()
}
