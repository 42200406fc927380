//! The server under test, its directory, and what a crash does to it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use testkit::client::Key;
use testkit::{DropSync, Random, Victim, copy_tree, torn};

const START: Duration = Duration::from_secs(20);

pub const ADMIN: Key = Key { access_key_id: "AKIACRASHADMIN000000", secret_access_key: "not-a-secret-admin" };
pub const LOAD: Key = Key { access_key_id: "AKIACRASHLOAD0000000", secret_access_key: "not-a-secret-load" };

/// How a server ends, and so what the next one gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// Everything written: the machine lives on.
    Kill,
    /// Everything synced and nothing else.
    PowerCut,
    /// Everything synced and some of the rest.
    Torn,
}

/// One data directory through all crashes.
pub struct Lab {
    folder: TempDir,
    shim: DropSync,
    config: PathBuf,
    data: PathBuf,
    images: u32,
}

/// A running server.
pub struct Server {
    victim: Victim,
    /// `127.0.0.1:PORT`.
    pub address: String,
}

impl Server {
    /// By SIGKILL.
    pub fn kill(self) {
        self.victim.kill();
    }
}

impl Lab {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shim = DropSync::build(folder.path());
        let (config, data) = (folder.path().join("sigtrail.toml"), folder.path().join("data"));
        fs::create_dir(&data).unwrap();
        fs::write(&config, config_text()).unwrap();
        Self { folder, shim, config, data, images: 0 }
    }

    /// Starts a server that will end so.
    pub fn start(&self, crash: Crash) -> Server {
        let mut command = Command::new(binary());
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&self.data).arg("--config").arg(&self.config);
        if crash != Crash::Kill {
            self.shim.watch(&mut command, &self.data, &self.shadow());
        }
        let mut victim = Victim::start(&mut command);
        let line = victim.line(START);
        let address =
            line.strip_prefix("ready http://").unwrap_or_else(|| panic!("no ready line: {line:?}")).to_owned();
        Server { victim, address }
    }

    fn shadow(&self) -> PathBuf {
        self.folder.path().join(format!("shadow-{}", self.images))
    }

    /// Makes the data directory what the crash leaves of it.
    pub fn crash(&mut self, crash: Crash, random: &mut Random) {
        let shadow = self.shadow();
        let image = self.folder.path().join(format!("image-{}", self.images));
        match crash {
            Crash::Kill => return,
            Crash::PowerCut => copy_tree(&shadow, &image),
            Crash::Torn => torn(&self.data, &shadow, &image, random),
        }
        .unwrap();
        for old in [&self.data, &shadow, &shadow.with_extension("files"), &shadow.with_extension("lost")] {
            fs::remove_dir_all(old).unwrap();
        }
        self.data = image;
        self.images += 1;
    }
}

/// `SIGTRAIL_BIN`, or the release build of this workspace.
fn binary() -> PathBuf {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/release/sigtrail");
    let binary = std::env::var_os("SIGTRAIL_BIN").map_or(default, PathBuf::from);
    assert!(binary.is_file(), "{} is missing: `cargo build --release -p sigtrail` makes it", binary.display());
    binary
}

fn config_text() -> String {
    let key = |key: Key, role: &str| {
        format!(
            r#"
[[key]]
access_key_id = "{}"
secret_access_key = "{}"
account = "111122223333"
role = "{role}"
identity = {{ type = "IAMUser", arn = "arn:aws:iam::111122223333:user/{role}", principal_id = "AIDACRASH{role}" }}
"#,
            key.access_key_id, key.secret_access_key,
        )
    };
    format!(
        "{}{}\n[cloudtrail]\ndelivery_interval = \"1s\"\ndigest_interval = \"1s\"\n",
        key(ADMIN, "admin"),
        key(LOAD, "s3")
    )
}
