//! `sigtrail scan` beside decompression alone, `grep` and `DuckDB`, over made archives of which the truth is known.

mod archive;
mod cost;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use self::archive::{Archive, Kind, count};
use self::cost::{Cost, cost};
use crate::process::{binary, folder, workspace};
use crate::report::{Report, median};

pub use self::archive::decompress;

/// Each side runs so often, in turn; the middle ratio counts.
const ROUNDS: usize = 5;
/// Patterns at once.
const PATTERNS: usize = 1000;
/// No text of it stands in what matches: about one record in forty.
const NUMERIC: &str = r#"{"detail":{"additionalEventData":{"bytesTransferredOut":[{"numeric":[">",970000]}]}}}"#;

pub fn run(report: &mut Report) -> Result<()> {
    let large = Archive::made(Kind::CloudTrail, 600, 1000)?;
    beside_decompression(&large, report)?;
    with_two_threads(&large, report)?;
    beside_duckdb(&large, report)?;
    of_one_file(&large, report)?;
    of_access_logs(&Archive::made(Kind::AccessLogs, 1000, 1000)?, report)?;
    of_tiny_files(&Archive::made(Kind::CloudTrail, 20_000, 43)?, report)
}

/// One thread, processor time.
fn beside_decompression(archive: &Archive, report: &mut Report) -> Result<()> {
    let folder = folder()?;
    let (numeric, many) = (pattern_file(folder.path(), "numeric", NUMERIC)?, pattern_files(folder.path())?);
    let large = count(&archive.folder, |record| {
        record["additionalEventData"]["bytesTransferredOut"].as_f64().is_some_and(|bytes| bytes > 970_000.0)
    })?;
    // Of 37 tenants on 28 days, the first thousand pairs: the last day's last tenants are missing.
    let deleted = count(&archive.folder, |record| {
        let key = record["requestParameters"]["key"].as_str().unwrap_or_default();
        record["eventName"] == "DeleteObject" && prefixes().any(|prefix| key.starts_with(&prefix))
    })?;
    let cases = [
        ("scan for SigV2", Vec::new(), archive.truth("sigv2_records")?),
        ("scan for a number, nothing to look for before", numeric, large),
        ("scan for 1,000 patterns at once", many, deleted),
    ];
    for (what, arguments, matched) in cases {
        ensure!(matched * 20 <= archive.truth("records")?, "{what}: more than 5 % match");
        let (mut ratios, mut spent, mut bare) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let (scan, found) = scan(archive, 1, &arguments)?;
            ensure!(found["matched"] == matched, "{what}: {} matched, not {matched}", found["matched"]);
            let alone = decompression(archive)?;
            ratios.push(scan.cpu / alone.cpu);
            spent.push(scan.cpu);
            bare.push(alone.cpu);
        }
        let beside = format!("{:.2} times libdeflate alone, {:.2} s", median(&mut ratios), median(&mut bare));
        report.add(what, format!("{:.2} s of processor time", median(&mut spent)), beside);
    }
    Ok(())
}

fn with_two_threads(archive: &Archive, report: &mut Report) -> Result<()> {
    let (mut shares, mut walls) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (one, two) = (scan(archive, 1, &[])?.0, scan(archive, 2, &[])?.0);
        shares.push(two.wall / one.wall);
        walls.push(two.wall);
    }
    let beside = format!("{:.2} of one thread", median(&mut shares));
    report.add("scan for SigV2, two threads", format!("{:.2} s", median(&mut walls)), beside);
    Ok(())
}

/// The same question, all processors on both sides.
fn beside_duckdb(archive: &Archive, report: &mut Report) -> Result<()> {
    let python = workspace().join(".e2e/sql/bin/python");
    if !python.is_file() {
        report.add("DuckDB", "not measured", "`cargo xtask setup-clients` installs it");
        return Ok(());
    }
    let query = format!(
        "SELECT count(*) FROM (SELECT unnest(\"Records\") r FROM read_json_auto('{}/**/*.json.gz', \
         maximum_object_size=67108864)) WHERE r.additionalEventData.SignatureVersion='SigV2'",
        archive.folder.display()
    );
    let program = format!(
        "import duckdb; duckdb.execute('SET enable_progress_bar=false'); print(duckdb.execute({query:?}).fetchall()[0][0])"
    );
    let (mut ratios, mut walls) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let (duckdb, printed) = cost(Command::new(&python).args(["-c", &program]))?;
        let counted: u64 = String::from_utf8(printed)?.trim().parse()?;
        ensure!(counted == archive.truth("sigv2_records")?, "DuckDB counted {counted}");
        let ours = scan(archive, 2, &[])?.0;
        ratios.push(duckdb.wall / ours.wall);
        walls.push(duckdb.wall);
    }
    let figure = format!("{:.1} times as fast", median(&mut ratios));
    report.add("scan beside DuckDB's read_json_auto", figure, format!("{:.1} s of DuckDB", median(&mut walls)));
    Ok(())
}

/// Memory does not grow with a file: all of the archive in one, gzip member after gzip member.
fn of_one_file(archive: &Archive, report: &mut Report) -> Result<()> {
    let folder = folder()?;
    let file = folder.path().join("all.json.gz");
    let len = archive.concatenate(&file)?;
    let mut command = command(&file, 1, &[])?;
    let (cost, printed) = cost(&mut command)?;
    check(&serde_json::from_slice(&printed)?, archive)?;
    let what =
        format!("scan of one file of {} MB, {} MB unpacked", len / 1_000_000, archive.truth("raw_bytes")? / 1_000_000);
    report.add(what, format!("{:.0} MiB at most", cost.peak_mib), "aim 64 + 32 a thread");
    Ok(())
}

fn of_access_logs(archive: &Archive, report: &mut Report) -> Result<()> {
    let (mut rates, mut ratios) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (ours, found) = scan(archive, 1, &[])?;
        check(&found, archive)?;
        // It counts lines that hold the text, which are more.
        let (grep, _) = cost(Command::new("grep").args(["-rhcF", "SigV2"]).arg(&archive.folder))?;
        rates.push(archive.truth("raw_bytes")? as f64 / 1e9 / ours.cpu);
        ratios.push(ours.cpu / grep.cpu);
    }
    let figure = format!("{:.1} GB/s a processor", median(&mut rates));
    report.add("scan of access logs for SigV2", figure, format!("{:.2} times `grep -F`", median(&mut ratios)));
    Ok(())
}

fn of_tiny_files(archive: &Archive, report: &mut Report) -> Result<()> {
    let (mut rates, mut ratios) = (Vec::new(), Vec::new());
    let files = archive.truth("files")?;
    for _ in 0..ROUNDS {
        let (ours, found) = scan(archive, 2, &[])?;
        check(&found, archive)?;
        ratios.push(ours.cpu / decompression(archive)?.cpu);
        rates.push(files as f64 / ours.wall);
    }
    let size = archive.truth("stored_bytes")? / files / 1000;
    let beside = format!("{:.2} times the processor time of libdeflate alone", median(&mut ratios));
    report.add(
        format!("scan of {files} files of {size} KB, two threads"),
        format!("{:.0} files/s", median(&mut rates)),
        beside,
    );
    Ok(())
}

fn check(found: &Value, archive: &Archive) -> Result<()> {
    let expected = (archive.truth("records")?, archive.truth("sigv2_records")?);
    ensure!(found["records"] == expected.0 && found["matched"] == expected.1, "{found}, not {expected:?}");
    Ok(())
}

/// What it cost, and what it found, with all records read.
fn scan(archive: &Archive, threads: usize, arguments: &[String]) -> Result<(Cost, Value)> {
    let (cost, printed) = cost(&mut command(&archive.folder, threads, arguments)?)?;
    let found: Value = serde_json::from_slice(&printed)?;
    ensure!(found["records"] == archive.truth("records")?, "{} records", found["records"]);
    Ok((cost, found))
}

fn command(path: &Path, threads: usize, arguments: &[String]) -> Result<Command> {
    let mut command = Command::new(binary()?);
    command.arg("scan").arg(path).args(["--threads", &threads.to_string(), "--format", "json"]).args(arguments);
    Ok(command)
}

/// This program again, so that both are whole processes.
fn decompression(archive: &Archive) -> Result<Cost> {
    Ok(cost(Command::new(std::env::current_exe()?).arg("decompress").arg(&archive.folder))?.0)
}

fn prefixes() -> impl Iterator<Item = String> {
    (0..PATTERNS).map(|index| format!("tenants/{:04}/2026/03/{:02}/", index % 37, 1 + index / 37))
}

fn pattern_files(folder: &Path) -> Result<Vec<String>> {
    let patterns = prefixes().map(|prefix| {
        format!(
            r#"{{"detail":{{"eventName":["DeleteObject"],"requestParameters":{{"key":[{{"prefix":"{prefix}"}}]}}}}}}"#
        )
    });
    let files = patterns.enumerate().map(|(index, pattern)| pattern_file(folder, &index.to_string(), &pattern));
    Ok(files.collect::<Result<Vec<_>>>()?.concat())
}

fn pattern_file(folder: &Path, name: &str, pattern: &str) -> Result<Vec<String>> {
    let file = folder.join(name);
    fs::write(&file, pattern)?;
    Ok(vec!["--pattern".to_owned(), file.to_str().context("a path that is text")?.to_owned()])
}
