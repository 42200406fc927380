//! A server that is started, asked what it used, and stopped.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;
use testkit::client::{Client, Key};

/// The key that a server without a configuration knows.
pub const KEY: Key = Key { access_key_id: "test", secret_access_key: "test" };
/// A clean stop finishes what is in flight; longer than this it does not take.
const STOP_TIMEOUT: Duration = Duration::from_mins(1);
/// How long the pipeline may take to pass on what was recorded.
const PIPELINE_PATIENCE: Duration = Duration::from_mins(1);
/// Nothing of its own is passed on for so long once all is.
const SETTLE_INTERVAL: Duration = Duration::from_millis(50);
/// Clock ticks in `/proc/PID/stat` are hundredths of a second on every Linux (`USER_HZ`).
const TICKS_PER_SEC: f64 = 100.0;
const RECORDS: &str = "sigtrail_records_total";
const LOG_FILES: &str = "sigtrail_log_files_total";

/// A running server. It is killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// What it prints after the first line is read and let go, so that it never waits for a reader.
    drain: Option<JoinHandle<()>>,
    /// `127.0.0.1:PORT`.
    pub address: String,
    /// From the start of the process to its ready line.
    pub started_in: Duration,
    /// Records of what it did by itself until it was ready.
    own_records: u64,
}

/// Memory of a process, in MiB.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Resident now.
    pub now: f64,
    /// Resident at most, since its start.
    pub peak: f64,
}

impl Server {
    /// Starts the built `sigtrail serve` on this data directory.
    pub fn audited(data: &Path) -> Result<Self> {
        let mut command = Command::new(binary()?);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data);
        Self::start(&mut command)?.settled()
    }

    /// The same with a configuration: the usual key, and log files so often.
    pub fn delivering(data: &Path, interval: &str) -> Result<Self> {
        let config = data.join("sigtrail.toml");
        let identity =
            r#"{ type = "IAMUser", arn = "arn:aws:iam::000000000000:user/test", principal_id = "AIDATEST" }"#;
        let key =
            "access_key_id = \"test\"\nsecret_access_key = \"test\"\naccount = \"000000000000\"\nrole = \"admin\"";
        let trail = format!("delivery_interval = \"{interval}\"");
        fs::write(&config, format!("[[key]]\n{key}\nidentity = {identity}\n[cloudtrail]\n{trail}\n"))?;
        let mut command = Command::new(binary()?);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data.join("data"));
        Self::start(command.arg("--config").arg(config))?.settled()
    }

    /// Starts S3 without the audit layer, from this program.
    pub fn unaudited(data: &Path) -> Result<Self> {
        Self::start(Command::new(std::env::current_exe()?).arg("unaudited").arg(data))
    }

    fn start(command: &mut Command) -> Result<Self> {
        let begun = Instant::now();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("the server")?;
        let mut stdout = BufReader::new(child.stdout.take().context("stdout is piped")?);
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        let started_in = begun.elapsed();
        let address = line.trim_end().strip_prefix("ready http://").map(ToOwned::to_owned);
        let Some(address) = address else {
            // It has said on stderr what is wrong.
            let _ = child.kill();
            bail!("no ready line: {line:?}, {}", child.wait()?);
        };
        Ok(Self { child, drain: Some(std::thread::spawn(|| drain(stdout))), address, started_in, own_records: 0 })
    }

    /// Waits until what it did by itself has been passed on: its detector is a stack, whose operations have records, too.
    fn settled(mut self) -> Result<Self> {
        for looks in 0_u32.. {
            let before = self.own_records;
            // Both of one moment: a log file that was delivered by now is counted as such.
            let page = self.page()?;
            self.own_records = count_in(&page, RECORDS)? - count_in(&page, LOG_FILES)?;
            if before == self.own_records && looks > 0 {
                return Ok(self);
            }
            std::thread::sleep(SETTLE_INTERVAL);
        }
        bail!("it keeps recording")
    }

    /// A connection of its own to it.
    pub fn connect(&self) -> Result<Client> {
        Ok(Client::connect(&self.address, KEY)?)
    }

    /// A count of its metrics page.
    pub fn metric(&self, name: &str) -> Result<u64> {
        count_in(&self.page()?, name)
    }

    fn page(&self) -> Result<String> {
        let mut stream = TcpStream::connect(&self.address)?;
        write!(stream, "GET /_sigtrail/metrics HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.address)?;
        let mut page = String::new();
        stream.read_to_string(&mut page)?;
        Ok(page)
    }

    /// Waits until every record is in a log file, but those of the delivery of these files.
    pub fn await_log_files(&self, trail: &str) -> Result<()> {
        let name = format!("sigtrail_trail_waiting_records{{trail=\"{trail}\"}}");
        let deadline = Instant::now() + PIPELINE_PATIENCE;
        while self.metric(&name)? > 2 {
            ensure!(Instant::now() < deadline, "records wait for log files");
            // Each look costs the server as much as dozens of requests.
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    /// Waits until a count is `expected`.
    pub fn await_metric(&self, name: &str, expected: u64) -> Result<()> {
        Self::await_equal(name, || Ok((self.metric(name)?, expected)))
    }

    /// Waits until the pipeline has passed on as many records as there were requests, one of each, after its own. The server's
    /// own delivery of a log file is a request, too.
    pub fn await_records(&self, requests: u64) -> Result<()> {
        Self::await_equal("records", || {
            let page = self.page()?;
            Ok((count_in(&page, RECORDS)?, self.own_records + requests + count_in(&page, LOG_FILES)?))
        })
    }

    fn await_equal(what: &str, look: impl Fn() -> Result<(u64, u64)>) -> Result<()> {
        let deadline = Instant::now() + PIPELINE_PATIENCE;
        loop {
            let (value, expected) = look()?;
            if value == expected {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "{what}: {value}, not {expected}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// What it holds.
    pub fn memory(&self) -> Result<Memory> {
        let mib = |name: &str| mib_of(self.child.id(), name).with_context(|| format!("no {name} of the server"));
        Ok(Memory { now: mib("VmRSS:")?, peak: mib("VmHWM:")? })
    }

    /// Processor time that it has used, all threads.
    pub fn cpu(&self) -> Result<Duration> {
        // utime and stime
        cpu_of(&self.child.id().to_string(), 14)
    }

    /// Stops it with SIGTERM, and expects exit status 0.
    pub fn stop(mut self) -> Result<()> {
        let told = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status()?;
        ensure!(told.success(), "SIGTERM could not be sent");
        let deadline = Instant::now() + STOP_TIMEOUT;
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            ensure!(Instant::now() < deadline, "the server did not stop");
            std::thread::sleep(Duration::from_millis(2));
        };
        ensure!(status.success(), "the server ended with {status}");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already; there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(drain) = self.drain.take() {
            let _ = drain.join();
        }
    }
}

/// An amount of `/proc/PID/status`, in MiB; none if there is no such process any more.
pub fn mib_of(pid: u32, name: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<f64>().ok()? / 1024.0)
}

/// Two times of `/proc/PID/stat` together, of which the first is this field, counted from 1 (`proc_pid_stat(5)`).
pub fn cpu_of(pid: &str, field: usize) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in brackets, the second field, may hold blanks.
    let (_, rest) = stat.rsplit_once(')').context("no name in /proc/PID/stat")?;
    let ticks: Vec<f64> =
        rest.split_whitespace().skip(field - 3).take(2).filter_map(|text| text.parse().ok()).collect();
    ensure!(ticks.len() == 2, "no times in /proc/PID/stat");
    Ok(Duration::from_secs_f64(ticks.iter().sum::<f64>() / TICKS_PER_SEC))
}

/// A count of a metrics page.
fn count_in(page: &str, name: &str) -> Result<u64> {
    let value = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
    value.with_context(|| format!("no count {name} in {page}"))
}

fn drain(mut stdout: BufReader<ChildStdout>) {
    // Its end is the server's, which is noticed elsewhere.
    let _ = std::io::copy(&mut stdout, &mut std::io::sink());
}

/// A folder beside the build, on a real disk where `/tmp` may be memory; gone when dropped.
pub fn folder() -> Result<TempDir> {
    let target = workspace().join("target");
    fs::create_dir_all(&target)?;
    Ok(tempfile::Builder::new().prefix("bench-").tempdir_in(target)?)
}

/// The root of this workspace.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// `SIGTRAIL_BIN`, or the release build of this workspace.
pub fn binary() -> Result<PathBuf> {
    let built = || workspace().join("target/release/sigtrail");
    let binary = std::env::var_os("SIGTRAIL_BIN").map_or_else(built, PathBuf::from);
    ensure!(binary.is_file(), "{} is missing: `cargo build --release -p sigtrail` makes it", binary.display());
    Ok(binary)
}
