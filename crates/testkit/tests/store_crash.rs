//! A store is killed under load, over and over, on a disk that forgets what was not synced.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use store::{Options, Store};
use tempfile::TempDir;
use testkit::workload::{Found, Ledger};
use testkit::{DropSync, Random, Victim, copy_tree, number_from_env, seed, torn};

const WITHIN: Duration = Duration::from_mins(1);
const ROUNDS: u64 = 5;

/// What is taken for the disk after the crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Crash {
    /// Everything written: the machine lives on.
    Kill,
    /// Everything synced and nothing else.
    PowerCut,
    /// Everything synced and some of the rest.
    Torn,
}

/// The folder of one test, with a fresh data directory for each round.
struct Lab {
    folder: TempDir,
    shim: DropSync,
    data: PathBuf,
    ledger: Ledger,
}

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shim = DropSync::build(folder.path());
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        Self { folder, shim, data, ledger: Ledger::default() }
    }

    /// Runs a process on the data directory, kills it, and goes on with what the crash left, which is checked first.
    fn round(&mut self, number: u64, honesty: &str, crash: Crash, random: &mut Random) -> Found {
        let shadow = self.folder.path().join(format!("shadow-{number}"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_crash-child"));
        command.arg("store").arg(&self.data).arg(number.to_string()).arg(honesty);
        self.shim.watch(&mut command, &self.data, &shadow);
        let mut child = Victim::start(&mut command);
        assert_eq!(child.line(WITHIN), "ready");
        let mut lines = vec![child.line(WITHIN)];
        lines.extend(child.lines_for(random.millis(20, 500)));
        lines.extend(child.kill());
        self.ledger.read(&lines);
        let image = self.folder.path().join(format!("image-{number}"));
        match crash {
            Crash::Kill => copy_tree(&self.data, &image),
            Crash::PowerCut => copy_tree(&shadow, &image),
            Crash::Torn => torn(&self.data, &shadow, &image, random),
        }
        .unwrap();
        // The next process meets the image as the crash left it, not as the check did.
        let copy = self.folder.path().join(format!("checked-{number}"));
        copy_tree(&image, &copy).unwrap();
        let found = self.check(&copy);
        for old in [&self.data, &shadow, &shadow.with_extension("files"), &shadow.with_extension("lost"), &copy] {
            fs::remove_dir_all(old).unwrap();
        }
        self.data = image;
        found
    }

    fn check(&mut self, dir: &Path) -> Found {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = Store::open(dir, Options { low_disk_bytes: 0, ..Options::default() }).unwrap();
            self.ledger.check(&store, dir).await.unwrap()
        })
    }
}

#[test]
fn what_the_store_acknowledged_survives_each_crash() {
    let mut random = Random::new(seed());
    let mut lab = Lab::new();
    for number in 0..number_from_env("SIGTRAIL_CRASH_ROUNDS", ROUNDS) {
        let crash = [Crash::PowerCut, Crash::Torn, Crash::Kill][usize::try_from(number % 3).unwrap()];
        let found = lab.round(number, "synced", crash, &mut random);
        println!("round {number}, {crash:?}: {} units, {} of them unacknowledged", found.units, found.surplus);
        assert!(found.faults.is_empty(), "round {number}, {crash:?}: {:#?}", found.faults);
    }
    assert!(lab.ledger.units() > 0);
}

/// The test of the test: a store that acknowledges before the sync is found out. Now and then the power goes when nothing is on its
/// way to the disk; it does not ten times.
#[test]
fn a_store_that_does_not_sync_is_found_out() {
    let mut random = Random::new(seed());
    let mut rounds = (0..10).map(|_| Lab::new().round(0, "unsynced", Crash::PowerCut, &mut random).faults);
    let found = rounds.find(|faults| faults.iter().any(|fault| fault.contains("acknowledged")));
    println!("{:?}", found.as_ref().map(|faults| (faults.len(), faults.first())));
    assert!(found.is_some(), "in none of ten rounds");
}
