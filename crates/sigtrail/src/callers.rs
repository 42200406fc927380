//! `sigtrail callers`: who must migrate.

pub mod source;

use std::io::{BufWriter, Write, stdout};

use anyhow::Result;
use report::{Report, csv, json, table};

use crate::args::{CallersArguments, Format};
use crate::terminal;

pub fn run(arguments: &CallersArguments) -> Result<()> {
    let callers = match &arguments.data {
        Some(dir) => source::stored(dir)?,
        None => source::ask(&arguments.endpoint, arguments.insecure)?,
    };
    let report = Report::new(&arguments.by, callers.into_iter().filter(|caller| caller.refused == arguments.refused));
    let mut out = BufWriter::new(stdout().lock());
    match arguments.format {
        Format::Table if report.groups.is_empty() => writeln!(out, "{}", none_seen(arguments.refused))?,
        Format::Table => table::write(&report, terminal::size().map(|size| size.columns), &mut out)?,
        Format::Json => json::write(&report, &mut out)?,
        Format::Csv => csv::write(&report, &mut out)?,
    }
    Ok(out.flush()?)
}

fn none_seen(refused: bool) -> &'static str {
    if refused { "No refused request signed with SigV2 was seen." } else { "No request signed with SigV2 was seen." }
}
