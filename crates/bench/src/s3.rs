//! Requests a second of signed PUT and GET of 1 KiB, beside the same server without its audit layer.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use testkit::client::{Client, Scheme};

use crate::load::{self, Done, Until};
use crate::process::{Server, folder};
use crate::report::Report;
use crate::{Settings, sync};

/// Connections at once.
pub const CONNECTIONS: u64 = 32;
/// Objects of each connection that are read again and again.
const READ_COUNT: u64 = 100;
/// Each side runs so often, in turn.
const ROUNDS: u64 = 2;
/// A body of 1 KiB.
pub const BODY: [u8; 1024] = [b'x'; 1024];
const SYNCS: &str = "sigtrail_store_syncs_total";

pub fn run(settings: Settings, report: &mut Report) -> Result<()> {
    let (with, without) = (folder()?, folder()?);
    let (with, without) = (Server::audited(with.path())?, Server::unaudited(without.path())?);
    let mut records = prepare(&with)?;
    with.await_records(records)?;
    prepare(&without)?;
    for scheme in [Scheme::SigV4, Scheme::SigV2] {
        for method in ["PUT", "GET"] {
            let (mut audited, mut unaudited, mut behind) = (Done::default(), Done::default(), Duration::ZERO);
            let syncs = with.metric(SYNCS)?;
            for round in 0..ROUNDS {
                let (done, late) = measure_audited(&with, scheme, method, round, settings, &mut records)?;
                (audited, behind) = (audited.and(done), behind.max(late));
                unaudited = unaudited.and(measure(&without, scheme, method, round, settings)?);
            }
            let what = format!("{scheme:?} {method} of 1 KiB, {CONNECTIONS} connections");
            tell(report, &what, audited, unaudited);
            let syncs = (with.metric(SYNCS)? - syncs) as f64 / audited.answered as f64;
            report.add(
                "its records passed on",
                format!("{:.0} ms after the load", behind.as_secs_f64() * 1e3),
                format!("{syncs:.2} syncs a request"),
            );
        }
    }
    report.add("syncs of 1 KiB the disk can do", format!("{:.0}/s", sync::rate(settings.duration)?), "");
    with.stop()?;
    without.stop()
}

fn tell(report: &mut Report, what: &str, audited: Done, unaudited: Done) {
    let (rate, bare) = (audited.rate(), unaudited.rate());
    report.add(what, format!("{rate:.0}/s audited"), format!("{bare:.0}/s without: {:.2} of it", rate / bare));
    let (cpu, bare) = (audited.cpu_micros(), unaudited.cpu_micros());
    report.add(
        "its processor time in the server",
        format!("{cpu:.0} µs a request"),
        format!("{bare:.0} µs without: {:.2} times", cpu / bare),
    );
}

/// Makes the bucket and the objects that are read; tells how many requests that took.
pub fn prepare(server: &Server) -> Result<u64> {
    let made = server.connect()?.s3(Scheme::SigV4, "PUT", "/bench", None, b"")?;
    ensure!(made.status == 200, "{made:?}");
    let puts = load::run(server, CONNECTIONS, Until::Calls(READ_COUNT), |client, connection, turn| {
        put(client, Scheme::SigV4, &format!("/bench/read/{connection}/{turn}"))
    })?;
    Ok(puts.answered + 1)
}

/// Measures until each request's record, and each is one, has come through the pipeline: that belongs to the processor time,
/// and must not go on while the other side runs. Also tells how far behind the load that was.
fn measure_audited(
    server: &Server,
    scheme: Scheme,
    method: &str,
    round: u64,
    settings: Settings,
    records: &mut u64,
) -> Result<(Done, Duration)> {
    let cpu = server.cpu()?;
    let mut done = measure(server, scheme, method, round, settings)?;
    let ended = Instant::now();
    *records += done.answered;
    server.await_records(*records)?;
    done.cpu = server.cpu()?.saturating_sub(cpu);
    Ok((done, ended.elapsed()))
}

fn measure(server: &Server, scheme: Scheme, method: &str, round: u64, settings: Settings) -> Result<Done> {
    load::run(server, CONNECTIONS, Until::Elapsed(settings.duration), |client, connection, turn| match method {
        "PUT" => put(client, scheme, &format!("/bench/{scheme:?}/{round}/{connection}/{turn}")),
        _ => get(client, scheme, connection, turn),
    })
}

/// Puts 1 KiB.
pub fn put(client: &mut Client, scheme: Scheme, path: &str) -> Result<u64> {
    let answer = client.s3(scheme, "PUT", path, None, &BODY)?;
    ensure!(answer.status == 200, "PUT {path}: {answer:?}");
    Ok(1)
}

/// Gets one of the prepared objects.
pub fn get(client: &mut Client, scheme: Scheme, connection: u64, turn: u64) -> Result<u64> {
    let path = format!("/bench/read/{connection}/{}", turn % READ_COUNT);
    let answer = client.s3(scheme, "GET", &path, None, b"")?;
    ensure!(answer.status == 200 && answer.body == BODY, "GET {path}: {answer:?}");
    Ok(1)
}
