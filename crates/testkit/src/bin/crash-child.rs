//! What the crash tests start and kill: a store under load, or single calls to the disk.
//!
//! `crash-child store DIR ROUND synced|unsynced` and `crash-child disk DIR STEP…`; see `tests/`.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use store::{Options, Store};
use testkit::workload::{self, Honesty};

/// `O_DSYNC` of Linux on the processors we run on.
const O_DSYNC: i32 = 0o10000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["store", dir, round, honesty] => run_store(Path::new(dir), round.parse().expect("a number"), honesty),
        ["disk", dir, steps @ ..] => run_disk(Path::new(dir), steps).expect("each step works"),
        other => panic!("unknown: {other:?}"),
    }
}

fn run_store(dir: &Path, round: u64, honesty: &str) {
    let honesty = if honesty == "synced" { Honesty::Synced } else { Honesty::Unsynced };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let error = runtime.block_on(async {
        let store = Store::open(dir, Options { low_disk_bytes: 0, ..Options::default() }).expect("the store opens");
        println!("ready");
        workload::run(store, round, honesty).await
    });
    panic!("{error}");
}

/// Does the steps in order, says `ready`, and waits for its end. A file that a step opened stays open.
fn run_disk(dir: &Path, steps: &[&str]) -> io::Result<()> {
    let mut files = HashMap::new();
    for step in steps {
        let words: Vec<&str> = step.split(' ').collect();
        run_step(dir, &words, &mut files).map_err(|error| io::Error::other(format!("{step}: {error}")))?;
    }
    println!("ready");
    io::stdin().read_to_end(&mut Vec::new()).map(drop)
}

fn run_step(dir: &Path, words: &[&str], files: &mut HashMap<String, File>) -> io::Result<()> {
    let mut open = |name: &str| -> io::Result<File> {
        if !files.contains_key(name) {
            let file = File::options().create(true).truncate(false).write(true).open(dir.join(name))?;
            files.insert(name.to_owned(), file);
        }
        files[name].try_clone()
    };
    match *words {
        ["write", name, text] => open(name)?.write_all(text.as_bytes()),
        ["write-at", name, at, text] => open(name)?.write_all_at(text.as_bytes(), at.parse().expect("a number")),
        ["seek", name, at] => open(name)?.seek(SeekFrom::Start(at.parse().expect("a number"))).map(drop),
        ["append", name, text] => {
            File::options().append(true).create(true).open(dir.join(name))?.write_all(text.as_bytes())
        }
        ["write-dsync", name, text] => {
            let mut options = File::options();
            options.create(true).truncate(false).write(true).custom_flags(O_DSYNC);
            options.open(dir.join(name))?.write_all(text.as_bytes())
        }
        ["truncate", name, len] => open(name)?.set_len(len.parse().expect("a number")),
        ["replace", name, text] => fs::write(dir.join(name), text),
        ["copy", from, to] => fs::copy(dir.join(from), dir.join(to)).map(drop),
        ["sync-data", name] => open(name)?.sync_data(),
        // Through another descriptor, for reading only, as a store may.
        ["sync" | "sync-dir", name] => File::open(dir.join(name))?.sync_all(),
        ["close", name] => {
            files.remove(name);
            Ok(())
        }
        ["rename", from, to] => fs::rename(dir.join(from), dir.join(to)),
        // As the `tempfile` crate does: a system call that no library's function makes.
        ["persist", name, text] => {
            let mut file = tempfile::NamedTempFile::new_in(dir)?;
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(dir.join(name)).map(drop).map_err(|error| error.error)
        }
        ["remove", name] => fs::remove_file(dir.join(name)),
        ["mkdir", name] => fs::create_dir(dir.join(name)),
        ["rmdir", name] => fs::remove_dir(dir.join(name)),
        _ => Err(io::Error::other("unknown step")),
    }
}
