//! Resident memory: idle, after many requests, at most.

use anyhow::Result;
use testkit::client::Scheme;

use crate::Settings;
use crate::load::{self, Until};
use crate::process::{Server, folder};
use crate::report::Report;
use crate::s3::{BODY, CONNECTIONS, get, prepare, put};

const REQUESTS: u64 = 200_000;
const REQUESTS_FULL: u64 = 1_000_000;

/// PUT and GET in turn, with SigV2: each leaves a message in the queue, and nobody receives them.
pub fn run(settings: Settings, report: &mut Report) -> Result<()> {
    let folder = folder()?;
    let server = Server::audited(folder.path())?;
    report.add("memory, idle", format!("{:.0} MiB", server.memory()?.now), "");
    let prepared = prepare(&server)?;
    let requests = if settings.full { REQUESTS_FULL } else { REQUESTS };
    let calls = Until::Calls(requests / CONNECTIONS);
    let done = load::run(&server, CONNECTIONS, calls, |client, connection, turn| match turn % 2 {
        0 => put(client, Scheme::SigV2, &format!("/bench/{connection}/{turn}"), &BODY),
        _ => get(client, Scheme::SigV2, connection, turn, &BODY),
    })?;
    server.await_records(done.answered + prepared)?;
    server.await_metric("sigtrail_notifications_delivered_total", done.answered)?;
    let memory = server.memory()?;
    report.add(
        format!("memory after {} requests and as many messages", done.answered),
        format!("{:.0} MiB", memory.now),
        format!("{:.0} MiB at most; {:.0} requests/s", memory.peak, done.rate()),
    );
    server.stop()?;
    let server = Server::audited(folder.path())?;
    report.add(
        "started again on that",
        format!("{:.0} ms to ready", server.started_in.as_secs_f64() * 1e3),
        format!("{:.0} MiB", server.memory()?.now),
    );
    server.stop()
}
