//! Requests a second of signed PUT and GET, beside the same server without its audit layer.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use testkit::client::{Client, Scheme};

use crate::load::{self, Done, Until};
use crate::process::{Server, folder};
use crate::report::{Report, median};
use crate::{Settings, sync};

/// Connections at once.
pub const CONNECTIONS: u64 = 32;
/// Both sides run so often, in turn; of the ratios the middle one counts.
const ROUNDS: u64 = 5;
/// A body of 1 KiB.
pub const BODY: [u8; 1024] = [b'x'; 1024];
const MIB: usize = 1024 * 1024;
/// Objects of 1 KiB and of 1 MiB, on each connection, that are read again and again.
const READ_COUNTS: [(usize, u64); 2] = [(BODY.len(), 100), (MIB, 4)];
/// Log files are written so often: what they cost is part of every round.
const DELIVERY_INTERVAL: &str = "1s";
/// The trail of the server's detector.
const TRAIL: &str = "arn:aws:cloudtrail:us-east-1:000000000000:trail/sigtrail-sigv2";
const SYNCS: &str = "sigtrail_store_syncs_total";

/// One kind of request.
#[derive(Debug, Clone, Copy)]
struct Case {
    scheme: Scheme,
    method: &'static str,
    len: usize,
}

const CASES: [Case; 6] = [
    Case { scheme: Scheme::SigV4, method: "PUT", len: BODY.len() },
    Case { scheme: Scheme::SigV4, method: "GET", len: BODY.len() },
    Case { scheme: Scheme::SigV2, method: "PUT", len: BODY.len() },
    Case { scheme: Scheme::SigV2, method: "GET", len: BODY.len() },
    Case { scheme: Scheme::SigV4, method: "PUT", len: MIB },
    Case { scheme: Scheme::SigV4, method: "GET", len: MIB },
];

/// Both servers, and how many records the first should have made.
struct Pair {
    with: Server,
    without: Server,
    records: u64,
}

/// What one round of one side came to.
struct Round {
    done: Done,
    behind: Duration,
}

/// Runs the cases, or as many of them as the settings say.
pub fn run(settings: Settings, report: &mut Report) -> Result<()> {
    let (with, without) = (folder()?, folder()?);
    let (with, without) = (Server::delivering(with.path(), DELIVERY_INTERVAL)?, Server::unaudited(without.path())?);
    let mut pair = Pair { with, without, records: 0 };
    pair.records = prepare_all(&pair.with)?;
    pair.with.await_records(pair.records)?;
    prepare_all(&pair.without)?;
    for case in CASES.iter().take(settings.cases) {
        pair.compare(*case, settings, report)?;
    }
    report.add("syncs of 1 KiB the disk can do", format!("{:.0}/s", sync::rate(settings.duration)?), "");
    pair.with.stop()?;
    pair.without.stop()
}

impl Pair {
    fn compare(&mut self, case: Case, settings: Settings, report: &mut Report) -> Result<()> {
        let (mut rates, mut cpus) = (Vec::new(), Vec::new());
        let (mut audited, mut unaudited, mut behind) = (Done::default(), Done::default(), Duration::ZERO);
        let syncs = self.with.metric(SYNCS)?;
        for round in 0..ROUNDS {
            let with = self.measure_audited(case, round, settings)?;
            let without = measure(&self.without, case, round, settings)?;
            rates.push(with.done.rate() / without.rate());
            cpus.push(with.done.cpu_micros() / without.cpu_micros());
            (audited, behind) = (audited.and(with.done), behind.max(with.behind));
            unaudited = unaudited.and(without);
        }
        let Case { scheme, method, len } = case;
        let what = format!("{scheme:?} {method} of {} KiB, {CONNECTIONS} connections", len / 1024);
        let (rate, bare) = (audited.rate(), unaudited.rate());
        let ratio = format!("{:.2} of it ({:.2} to {:.2})", median(&mut rates), rates[0], rates[rates.len() - 1]);
        report.add(what, format!("{rate:.0}/s audited"), format!("{bare:.0}/s without: {ratio}"));
        let (cpu, bare) = (audited.cpu_micros(), unaudited.cpu_micros());
        let ratio = format!("{:.2} times ({:.2} to {:.2})", median(&mut cpus), cpus[0], cpus[cpus.len() - 1]);
        report.add(
            "its processor time in the server, log files among it",
            format!("{cpu:.0} µs a request"),
            format!("{bare:.0} µs without: {ratio}; {:.0} µs a record", cpu - bare),
        );
        let syncs = (self.with.metric(SYNCS)? - syncs) as f64 / audited.answered as f64;
        let behind = format!("at most {:.0} ms after the load", behind.as_secs_f64() * 1e3);
        report.add("its records passed on", behind, format!("{syncs:.2} syncs a request"));
        Ok(())
    }

    /// Measures until each request's record, and each is one, has come through the pipeline and stands in a log file: that
    /// belongs to the processor time, and must not go on while the other side runs. Also tells how far behind the load the
    /// pipeline was.
    fn measure_audited(&mut self, case: Case, round: u64, settings: Settings) -> Result<Round> {
        let cpu = self.with.cpu()?;
        let mut done = measure(&self.with, case, round, settings)?;
        let ended = Instant::now();
        self.records += done.answered;
        self.with.await_records(self.records)?;
        let behind = ended.elapsed();
        self.with.await_log_files(TRAIL)?;
        done.cpu = self.with.cpu()?.saturating_sub(cpu);
        Ok(Round { done, behind })
    }
}

fn measure(server: &Server, case: Case, round: u64, settings: Settings) -> Result<Done> {
    let Case { scheme, method, len } = case;
    let body = vec![b'x'; len];
    // Rounds of half the time, so that both sides see the same machine.
    let until = Until::Elapsed(settings.duration / 2);
    load::run(server, CONNECTIONS, until, |client, connection, turn| match method {
        "PUT" => put(client, scheme, &format!("/bench/{scheme:?}/{len}/{round}/{connection}/{turn}"), &body),
        _ => get(client, scheme, connection, turn, &body),
    })
}

/// Makes the bucket and the objects of 1 KiB that are read; tells how many requests that took.
pub fn prepare(server: &Server) -> Result<u64> {
    let made = server.connect()?.s3(Scheme::SigV4, "PUT", "/bench", None, b"")?;
    ensure!(made.status == 200, "{made:?}");
    Ok(1 + prepare_objects(server, BODY.len())?)
}

fn prepare_all(server: &Server) -> Result<u64> {
    Ok(prepare(server)? + prepare_objects(server, MIB)?)
}

fn prepare_objects(server: &Server, len: usize) -> Result<u64> {
    let body = vec![b'x'; len];
    let puts = load::run(server, CONNECTIONS, Until::Calls(read_count(len)), |client, connection, turn| {
        put(client, Scheme::SigV4, &read_path(connection, turn, len), &body)
    })?;
    Ok(puts.answered)
}

fn read_count(len: usize) -> u64 {
    READ_COUNTS.iter().find(|(of, _)| *of == len).map_or(1, |(_, count)| *count)
}

fn read_path(connection: u64, turn: u64, len: usize) -> String {
    format!("/bench/read/{len}/{connection}/{}", turn % read_count(len))
}

/// Puts an object.
pub fn put(client: &mut Client, scheme: Scheme, path: &str, body: &[u8]) -> Result<u64> {
    let answer = client.s3(scheme, "PUT", path, None, body)?;
    ensure!(answer.status == 200, "PUT {path}: {answer:?}");
    Ok(1)
}

/// Gets one of the prepared objects.
pub fn get(client: &mut Client, scheme: Scheme, connection: u64, turn: u64, body: &[u8]) -> Result<u64> {
    let path = read_path(connection, turn, body.len());
    let answer = client.s3(scheme, "GET", &path, None, b"")?;
    ensure!(answer.status == 200 && answer.body == body, "GET {path}: {}, {} bytes", answer.status, answer.body.len());
    Ok(1)
}
