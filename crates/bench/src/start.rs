//! From the start of the process to its ready line.

use anyhow::Result;

use crate::process::{Server, folder};
use crate::report::{Report, median};
use crate::s3::prepare;

const TIMES: usize = 5;

pub fn run(report: &mut Report) -> Result<()> {
    let (mut first, mut later) = (Vec::new(), Vec::new());
    for _ in 0..TIMES {
        let folder = folder()?;
        let server = Server::audited(folder.path())?;
        first.push(server.started_in.as_secs_f64() * 1e3);
        // A few thousand objects, so that the later start has something to open.
        prepare(&server)?;
        server.stop()?;
        let server = Server::audited(folder.path())?;
        later.push(server.started_in.as_secs_f64() * 1e3);
        server.stop()?;
    }
    report.add(
        format!("first start to ready, median of {TIMES}"),
        format!("{:.0} ms", median(&mut first)),
        "aim 500 ms",
    );
    report.add(
        format!("later start to ready, median of {TIMES}"),
        format!("{:.0} ms", median(&mut later)),
        "aim 100 ms",
    );
    Ok(())
}
