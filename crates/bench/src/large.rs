//! One large object, streamed in and out, and what the server holds of it meanwhile.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use aws_api::Timestamp;
use crc_fast::{CrcAlgorithm, Digest};
use md5::Digest as _;
use md5::Md5;
use signature::RequestHead;
use signature::sign::{Credentials, SignedHeaders, Target, v4_header};
use testkit::client::{REGION, Scheme};

use crate::Settings;
use crate::process::{KEY, Server, folder};
use crate::report::Report;

const GIB: u64 = 1024 * 1024 * 1024;
const LEN: u64 = GIB;
const LEN_FULL: u64 = 5 * GIB;
/// The object is made of blocks that differ in their first bytes.
const BLOCK: usize = 1024 * 1024;
const PATH: &str = "/bench/large";
const TIMEOUT: Duration = Duration::from_mins(2);

pub fn run(settings: Settings, report: &mut Report) -> Result<()> {
    let len = if settings.full { LEN_FULL } else { LEN };
    let folder = folder()?;
    let server = Server::audited(folder.path())?;
    let made = server.connect()?.s3(Scheme::SigV4, "PUT", "/bench", None, b"")?;
    ensure!(made.status == 200, "{made:?}");
    let idle = server.memory()?.now;
    let (md5, crc) = digests(len);

    let begun = Instant::now();
    let answer = put(&server, len)?;
    let written = begun.elapsed();
    ensure!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let etag = header(&answer, "etag").context("an ETag")?;
    ensure!(etag.trim_matches('"') == md5, "the ETag is {etag}, the MD5 {md5}");
    let after_put = server.memory()?.peak;

    let begun = Instant::now();
    let read = get(&server, len)?;
    let elapsed = begun.elapsed();
    ensure!(read == crc, "what was read is not what was written");
    let mb_per_sec = |elapsed: Duration| len as f64 / 1e6 / elapsed.as_secs_f64();
    let gib = len / GIB;
    report.add(
        format!("PUT of {gib} GiB, synced"),
        format!("{:.0} MB/s", mb_per_sec(written)),
        format!("peak {after_put:.0} MiB resident, idle {idle:.0} MiB"),
    );
    report.add(
        format!("GET of {gib} GiB"),
        format!("{:.0} MB/s", mb_per_sec(elapsed)),
        format!("peak {:.0} MiB resident", server.memory()?.peak),
    );
    server.stop()
}

fn blocks(len: u64) -> impl Iterator<Item = Vec<u8>> {
    let pattern: Vec<u8> = (0..BLOCK).map(|place| (place * 31 % 251).to_le_bytes()[0]).collect();
    (0..len / BLOCK as u64).map(move |number| [&number.to_le_bytes(), &pattern[8..]].concat())
}

/// MD5 and CRC of the whole object, before anything is timed.
fn digests(len: u64) -> (String, u64) {
    let (mut md5, mut crc) = (Md5::new(), Digest::new(CrcAlgorithm::Crc64Nvme));
    for block in blocks(len) {
        md5.update(&block);
        crc.update(&block);
    }
    (hex::encode(md5.finalize()), crc.finalize())
}

fn put(server: &Server, len: u64) -> Result<String> {
    let (mut stream, mut request) = open(server, "PUT")?;
    write!(request, "content-length: {len}\r\n\r\n")?;
    stream.get_mut().write_all(&request)?;
    for block in blocks(len) {
        stream.get_mut().write_all(&block)?;
    }
    head(&mut stream)
}

/// Reads the object; gives the CRC of what came.
fn get(server: &Server, len: u64) -> Result<u64> {
    let (mut stream, mut request) = open(server, "GET")?;
    write!(request, "\r\n")?;
    stream.get_mut().write_all(&request)?;
    let answer = head(&mut stream)?;
    ensure!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    ensure!(header(&answer, "content-length") == Some(len.to_string().as_str()), "{answer}");
    let (mut crc, mut block) = (Digest::new(CrcAlgorithm::Crc64Nvme), vec![0; BLOCK]);
    for _ in 0..len / BLOCK as u64 {
        stream.read_exact(&mut block)?;
        crc.update(&block);
    }
    Ok(crc.finalize())
}

/// Connects, and begins a request's head with everything that is signed.
fn open(server: &Server, method: &str) -> Result<(BufReader<TcpStream>, Vec<u8>)> {
    let stream = TcpStream::connect(&server.address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let mut request = Vec::new();
    write!(request, "{method} {PATH} HTTP/1.1\r\nhost: {}\r\n", server.address)?;
    for (name, value) in signed(server, method)?.headers {
        write!(request, "{name}: {value}\r\n")?;
    }
    Ok((BufReader::with_capacity(BLOCK, stream), request))
}

fn signed(server: &Server, method: &str) -> Result<SignedHeaders> {
    let headers = [("host", server.address.as_bytes())];
    let head = RequestHead { method, raw_path: PATH, raw_query: None, headers: &headers, host_bucket: None };
    let credentials =
        Credentials { access_key_id: KEY.access_key_id, secret_access_key: KEY.secret_access_key, session_token: None };
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let at = Timestamp::from_secs(i64::try_from(since_epoch.as_secs())?);
    let target = Target { service: "s3", region: REGION, at };
    v4_header(&head, &credentials, &target, "UNSIGNED-PAYLOAD").map_err(|denied| anyhow::anyhow!("{denied:?}"))
}

/// Reads an answer's head, lines as they came.
fn head(stream: &mut impl BufRead) -> Result<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        ensure!(stream.read_line(&mut head)? > 0, "the connection ended: {head}");
    }
    Ok(head)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.find_map(|(given, value)| given.eq_ignore_ascii_case(name).then_some(value))
}
