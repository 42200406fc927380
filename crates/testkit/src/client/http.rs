//! As much of HTTP/1.1 as the client needs, after RFC 9112.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// No answer takes so long, even right after a start.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The longest body that is read.
const BODY_LEN_MAX: usize = 64 << 20;
/// The longest body that is shown.
const BODY_SHOWN_LEN_MAX: usize = 1000;
/// Most header lines in an answer.
const HEADERS_MAX: usize = 100;

/// A complete answer.
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Header lines, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, all of it.
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Answer {
    /// Errors are text and short; objects are neither.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match std::str::from_utf8(&self.body) {
            Ok(text) if text.len() <= BODY_SHOWN_LEN_MAX => write!(f, "{} {text:?}", self.status),
            _ => write!(f, "{} with {} bytes", self.status, self.body.len()),
        }
    }
}

pub(super) struct Connection {
    stream: BufReader<TcpStream>,
    address: String,
}

impl Connection {
    pub(super) fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        Ok(Self { stream: BufReader::new(stream), address: address.to_owned() })
    }

    /// What stands in the `Host` header.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Sends a request and reads the answer to its end: before that, nothing is acknowledged.
    pub(super) fn send(
        &mut self,
        method: &str,
        path: &str,
        query: Option<&str>,
        headers: &[(&str, String)],
        body: &[u8],
    ) -> io::Result<Answer> {
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        let mut request = Vec::with_capacity(1024 + body.len());
        write!(request, "{method} {path}{query} HTTP/1.1\r\nhost: {}\r\n", self.address)?;
        for (name, value) in headers {
            write!(request, "{name}: {value}\r\n")?;
        }
        write!(request, "content-length: {}\r\n\r\n", body.len())?;
        request.extend_from_slice(body);
        self.stream.get_mut().write_all(&request)?;
        let mut answer = self.read_head()?;
        answer.body = self.read_body(method, &answer)?;
        Ok(answer)
    }

    fn read_head(&mut self) -> io::Result<Answer> {
        let line = self.read_line()?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| malformed(&line))?;
        let mut headers = Vec::new();
        loop {
            let line = self.read_line()?;
            if line.is_empty() {
                return Ok(Answer { status, headers, body: Vec::new() });
            }
            let (name, value) = line.split_once(':').ok_or_else(|| malformed(&line))?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            if headers.len() > HEADERS_MAX {
                return Err(malformed("too many headers"));
            }
        }
    }

    fn read_body(&mut self, method: &str, answer: &Answer) -> io::Result<Vec<u8>> {
        if method == "HEAD" || matches!(answer.status, 204 | 304) {
            return Ok(Vec::new());
        }
        if answer.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            return self.read_chunks();
        }
        let len = answer.header("content-length").and_then(|len| len.parse::<usize>().ok());
        let len = len.ok_or_else(|| malformed("an answer without a length"))?;
        self.read_bytes(len)
    }

    fn read_chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.read_line()?;
            let len = line.split(';').next().and_then(|len| usize::from_str_radix(len.trim(), 16).ok());
            let len = len.ok_or_else(|| malformed(&line))?;
            if body.len() + len > BODY_LEN_MAX {
                return Err(malformed("a body that is too long"));
            }
            body.extend(self.read_bytes(len)?);
            // After a chunk an empty line; after the last one trailers, of which we ask for none.
            if !self.read_line()?.is_empty() {
                return Err(malformed("a chunk longer than its length"));
            }
            if len == 0 {
                return Ok(body);
            }
        }
    }

    fn read_bytes(&mut self, len: usize) -> io::Result<Vec<u8>> {
        if len > BODY_LEN_MAX {
            return Err(malformed("a body that is too long"));
        }
        let mut bytes = vec![0; len];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn read_line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        match line.strip_suffix("\r\n") {
            Some(line) => Ok(line.to_owned()),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}
