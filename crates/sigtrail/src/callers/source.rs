//! Where the callers are read: from a running server, or from what a stopped one left.

use std::env;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use http::HeaderValue;
use pipeline::Caller;
use serde::Deserialize;
use store::{OpenError, Options, Space, Store};
use ureq::tls::{RootCerts, TlsConfig};

const PATH: &str = "/_sigtrail/callers";
/// Holds the token of the server's config.
const TOKEN_VARIABLE: &str = "SIGTRAIL_TOKEN";
/// An answer's body: many times what a server's bounds on callers and on header lines let it hold.
const ANSWER_BYTES_MAX: u64 = 1 << 30;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const ANSWER_TIMEOUT: Duration = Duration::from_mins(2);
/// The file that each data directory has.
const FORMAT_FILE: &str = "format";

#[derive(Deserialize)]
struct Answer {
    callers: Vec<Caller>,
}

/// Asks a running server.
pub fn ask(endpoint: &str, insecure: bool) -> Result<Vec<Caller>> {
    let mut request = agent(insecure).get(format!("{endpoint}{PATH}"));
    if let Ok(token) = env::var(TOKEN_VARIABLE) {
        request = request.header("authorization", bearer(&token)?);
    }
    let answer = request.call().with_context(|| no_answer(endpoint, insecure))?;
    match answer.status().as_u16() {
        200 => {}
        401 | 403 => bail!("{endpoint} refuses: set {TOKEN_VARIABLE} to the token of its config"),
        404 => bail!("{endpoint} is no Sigtrail server, or keeps this from its S3 address: try its --admin-listen one"),
        status => bail!("{endpoint} answered {PATH} with status {status}"),
    }
    let body = answer.into_body().into_with_config().limit(ANSWER_BYTES_MAX).reader();
    parse(body).with_context(|| format!("what {endpoint} answered cannot be read"))
}

fn bearer(token: &str) -> Result<HeaderValue> {
    let value = HeaderValue::try_from(format!("Bearer {token}"));
    let mut value = value.map_err(|_| anyhow!("{TOKEN_VARIABLE} holds characters that no token has"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// A client for one server.
pub fn agent(insecure: bool) -> ureq::Agent {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .disable_verification(insecure)
        .unversioned_rustls_crypto_provider(provider)
        .build();
    ureq::Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        // The token is for this server and no other.
        .max_redirects(0)
        .proxy(None)
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .timeout_global(Some(ANSWER_TIMEOUT))
        .user_agent(concat!("sigtrail/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent()
}

fn no_answer(endpoint: &str, insecure: bool) -> String {
    let certificate = endpoint.starts_with("https:") && !insecure;
    let certificate = if certificate { "; --insecure accepts any certificate" } else { "" };
    format!(
        "no answer from {endpoint} (is it running? --endpoint URL asks another server, \
         --data DIR reads a stopped one's data{certificate})"
    )
}

fn parse(body: impl Read) -> Result<Vec<Caller>> {
    let answer: Answer = serde_json::from_reader(BufReader::new(body))?;
    Ok(answer.callers)
}

/// Reads what a stopped server left.
pub fn stored(dir: &Path) -> Result<Vec<Caller>> {
    // Opening would make an empty one.
    if !dir.join(FORMAT_FILE).is_file() {
        bail!("{} holds no data of a server", dir.display());
    }
    let store = match Store::open(dir, Options::default()) {
        Ok(store) => store,
        Err(OpenError::Locked { dir }) => {
            bail!("{} is in use by a running server; ask that instead: sigtrail callers --endpoint URL", dir.display())
        }
        Err(error) => return Err(error.into()),
    };
    let rows = store.range(Space::Callers, ..);
    rows.map(|row| {
        let (_, row) = row?;
        serde_json::from_slice(&row).context("a stored caller cannot be read; was it written by a newer version?")
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, Write};
    use std::net::TcpListener;
    use std::thread;

    use report::samples::callers;
    use store::Unit;

    use super::*;

    /// A server that answers one request, and gives its head.
    fn server(answer: String) -> (String, thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let serving = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let head: Vec<_> = lines.map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
            stream.write_all(answer.as_bytes()).unwrap();
            head.join("\n")
        });
        (endpoint, serving)
    }

    fn answer(status: &str, body: &str) -> String {
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
    }

    #[test]
    fn a_running_server_is_asked() {
        let body = format!(r#"{{"callers":{}}}"#, serde_json::to_string(&callers()).unwrap());
        let (endpoint, serving) = server(answer("200 OK", &body));
        assert_eq!(ask(&endpoint, false).unwrap(), callers());
        assert!(serving.join().unwrap().starts_with("GET /_sigtrail/callers HTTP/1.1\n"));
    }

    #[test]
    fn other_answers_are_told() {
        let cases = [
            (answer("403 Forbidden", "{}"), "SIGTRAIL_TOKEN"),
            (answer("404 Not Found", ""), "no Sigtrail server"),
            (answer("307 Temporary Redirect\r\nlocation: http://127.0.0.1:9/", ""), "status 307"),
            (answer("200 OK", "<html>"), "cannot be read"),
            (answer("200 OK", r#"{"callers":[{}]}"#), "cannot be read"),
            ("SSH-2.0-x\r\n".to_owned(), "no answer"),
        ];
        for (answer, expected) in cases {
            let (endpoint, serving) = server(answer);
            let error = format!("{:#}", ask(&endpoint, false).unwrap_err());
            assert!(error.contains(expected) && error.contains(&endpoint), "{error}");
            serving.join().unwrap();
        }
    }

    #[test]
    fn tokens_are_not_shown() {
        assert_eq!(bearer("abc").unwrap(), "Bearer abc");
        assert!(!format!("{:?}", bearer("abc").unwrap()).contains("abc"));
        assert!(!format!("{:#}", bearer("abc\n").unwrap_err()).contains("abc"));
    }

    #[test]
    fn a_stopped_servers_data_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Options::default()).unwrap();
        let mut unit = Unit::new();
        for (at, caller) in callers().iter().enumerate() {
            unit.put(Space::Callers, [u8::try_from(at).unwrap()], serde_json::to_vec(caller).unwrap());
        }
        store.apply(unit).unwrap();
        let error = stored(dir.path()).unwrap_err().to_string();
        assert!(error.contains("in use by a running server") && error.contains("--endpoint"), "{error}");
        drop(store);
        assert_eq!(stored(dir.path()).unwrap(), callers());
    }

    #[test]
    fn reading_makes_no_data_directory() {
        let dir = tempfile::tempdir().unwrap();
        for dir in [dir.path().to_owned(), dir.path().join("missing")] {
            let error = stored(&dir).unwrap_err().to_string();
            assert!(error.ends_with("holds no data of a server"), "{error}");
        }
        assert_eq!(dir.path().read_dir().unwrap().count(), 0);
    }
}
