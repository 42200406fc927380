//! The shim keeps exactly what was synced: the test of the disk that the crash tests trust.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use testkit::{DropSync, Random, Victim, copy_tree, torn};

const WITHIN: Duration = Duration::from_secs(20);

/// The files of a tree with their content, directories with `None`.
fn tree(dir: &Path) -> BTreeMap<String, Option<String>> {
    fn walk(dir: &Path, prefix: &str, found: &mut BTreeMap<String, Option<String>>) {
        for entry in fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                walk(&entry.path(), &format!("{name}/"), found);
                found.insert(name, None);
            } else {
                found.insert(name, Some(fs::read_to_string(entry.path()).unwrap()));
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(dir, "", &mut found);
    found
}

/// Runs the steps in `dir/real`, which holds `old` with the text `before` at the start, and cuts the power: `dir/shadow`.
fn run<S: AsRef<OsStr>>(shim: &DropSync, dir: &Path, steps: impl IntoIterator<Item = S>) -> (PathBuf, PathBuf) {
    let (real, shadow) = (dir.join("real"), dir.join("shadow"));
    fs::create_dir(&real).unwrap();
    fs::write(real.join("old"), "before").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_crash-child"));
    shim.watch(command.arg("disk").arg(&real).args(steps), &real, &shadow);
    let mut child = Victim::start(&mut command);
    assert_eq!(child.line(WITHIN), "ready");
    child.kill();
    (real, shadow)
}

/// What is left of the steps after a power cut, as one line.
fn after_power_cut(shim: &DropSync, steps: &[&str]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let (_, shadow) = run(shim, dir.path(), steps);
    let left = tree(&shadow).into_iter().map(|(name, text)| match text {
        Some(text) => format!("{name}={}", text.replace('\0', "0")),
        None => format!("{name}/"),
    });
    left.collect::<Vec<_>>().join(" ")
}

#[test]
fn what_is_synced_is_there_and_nothing_else() {
    let cases: &[(&[&str], &str)] = &[
        // Bytes.
        (&[], "old=before"),
        (&["write old after"], "old=before"),
        (&["write old after", "sync-data old"], "old=aftere"),
        (&["write old after", "sync old"], "old=aftere"),
        (&["write old after", "sync old", "write old wards"], "old=aftere"),
        (&["write old after", "sync old", "write old wards", "sync old"], "old=afterwards"),
        (&["write old after", "sync-dir ."], "old=before"),
        (&["write old after", "write new x", "sync new"], "old=before"),
        (&["write-at old 8 x", "sync old"], "old=before00x"),
        (&["write-at old 1 E", "write-at old 3 O", "sync old", "write-at old 0 B"], "old=bEfOre"),
        (&["append old !"], "old=before"),
        (&["append old !", "append old ?", "sync old", "append old x"], "old=before!?"),
        (&["write-dsync old AB"], "old=ABfore"),
        (&["seek old 3", "write old X", "sync old"], "old=befXre"),
        // Lengths.
        (&["truncate old 2"], "old=before"),
        (&["truncate old 2", "sync old"], "old=be"),
        (&["truncate old 2", "truncate old 4", "sync-data old"], "old=be00"),
        (&["truncate old 9", "sync old"], "old=before000"),
        (&["truncate old 1", "write-at old 3 x", "sync old"], "old=b00x"),
        (&["replace old x"], "old=before"),
        (&["replace old x", "sync old"], "old=x"),
        // Names.
        (&["write new x", "sync new"], "old=before"),
        (&["write new x", "sync-dir ."], "new= old=before"),
        (&["write new x", "sync new", "sync-dir ."], "new=x old=before"),
        (&["write new x", "sync-dir .", "sync new"], "new=x old=before"),
        (&["copy old new", "sync new", "sync-dir ."], "new=before old=before"),
        (&["rename old new"], "old=before"),
        (&["rename old new", "sync new"], "old=before"),
        (&["rename old new", "sync-dir ."], "new=before"),
        (&["write new x", "sync new", "rename new old"], "old=before"),
        (&["write new x", "sync new", "rename new old", "sync-dir ."], "old=x"),
        (&["write new x", "rename new old", "sync-dir ."], "old="),
        (&["persist old x"], "old=before"),
        (&["persist old x", "sync-dir ."], "old=x"),
        (&["remove old"], "old=before"),
        (&["remove old", "sync-dir ."], ""),
        (&["remove old", "write old x", "sync-data old"], "old=before"),
        (&["remove old", "write old x", "sync-data old", "sync-dir ."], "old=x"),
        // Directories.
        (&["mkdir d"], "old=before"),
        (&["mkdir d", "sync-dir d"], "old=before"),
        (&["mkdir d", "sync-dir ."], "d/ old=before"),
        (&["mkdir d", "write d/f x", "sync d/f", "sync-dir ."], "d/ old=before"),
        (&["mkdir d", "write d/f x", "sync d/f", "sync-dir d"], "old=before"),
        (&["mkdir d", "write d/f x", "sync d/f", "sync-dir d", "sync-dir ."], "d/ d/f=x old=before"),
        (&["mkdir d", "sync-dir .", "write d/f x", "sync d/f", "sync-dir d"], "d/ d/f=x old=before"),
        (&["mkdir d", "sync-dir .", "write d/f x", "sync d/f", "sync-dir d", "rename d e"], "d/ d/f=x old=before"),
        (
            &["mkdir d", "sync-dir .", "write d/f x", "sync d/f", "rename d e", "sync-dir e", "sync-dir ."],
            "e/ e/f=x old=before",
        ),
        (&["mkdir d", "write d/f x", "sync d/f", "rename d e", "sync-dir .", "sync-dir e"], "e/ e/f=x old=before"),
        (&["mkdir d", "sync-dir .", "rmdir d"], "d/ old=before"),
        (&["mkdir d", "sync-dir .", "rmdir d", "sync-dir ."], "old=before"),
        (&["mkdir d", "rename old d/old", "sync-dir d", "sync-dir ."], "d/ d/old=before"),
    ];
    let dir = tempfile::tempdir().unwrap();
    let shim = DropSync::build(dir.path());
    for (steps, left) in cases {
        assert_eq!(after_power_cut(&shim, steps), *left, "{steps:?}");
    }
}

/// A journal is synced over and over; what was written since the last time is the only difference.
#[test]
fn many_syncs_of_one_file() {
    let dir = tempfile::tempdir().unwrap();
    let steps = (0..50).flat_map(|number| [format!("append journal {number},"), "sync journal".to_owned()]);
    let first = ["append journal ".to_owned(), "sync-dir .".to_owned()];
    let steps: Vec<String> = first.into_iter().chain(steps).chain(["append journal unsynced".to_owned()]).collect();
    let (real, shadow) = run(&DropSync::build(dir.path()), dir.path(), &steps);
    let synced = (0..50).map(|number| format!("{number},")).collect::<Vec<_>>().concat();
    assert_eq!(tree(&shadow)["journal"].as_deref(), Some(synced.as_str()));
    assert_eq!(tree(&real)["journal"].as_deref(), Some(format!("{synced}unsynced").as_str()));

    let image = dir.path().join("copy");
    copy_tree(&shadow, &image).unwrap();
    assert_eq!(tree(&image), tree(&shadow));
}

/// Between the two: each torn image holds all that was synced, and over some seeds each unsynced thing is there and is not.
#[test]
fn a_torn_image_holds_what_was_synced_and_some_of_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let steps = ["write-at old 8192 later", "write-at old 16384 last", "write new x", "persist other y"];
    let (real, shadow) = run(&DropSync::build(dir.path()), dir.path(), steps);
    let (mut seen, mut unseen) = ([false; 4], [false; 4]);
    for seed in 0..64 {
        let image = dir.path().join(format!("image-{seed}"));
        torn(&real, &shadow, &image, &mut Random::new(seed)).unwrap();
        let left = tree(&image);
        let old = left["old"].as_deref().unwrap();
        assert!(old.starts_with("before"), "seed {seed}: {old:?}");
        // The file of this name was synced; only the name was not.
        assert!(left.get("other").is_none_or(|text| text.as_deref() == Some("y")), "seed {seed}");
        let new = left.get("new").and_then(Option::as_deref);
        let there = [old.contains("later"), old.contains("last"), new == Some("x"), left.contains_key("other")];
        for (index, there) in there.into_iter().enumerate() {
            if there { seen[index] = true } else { unseen[index] = true }
        }
    }
    assert_eq!((seen, unseen), ([true; 4], [true; 4]));
}

/// What the shim cannot follow, it does not pass over: a shared map is written without a call that could be seen.
#[test]
fn a_shared_writable_map_ends_the_process() {
    const PROGRAM: &str = r"
        #include <fcntl.h>
        #include <sys/mman.h>
        int main(int count, char **names) {
            int fd = open(names[1], O_RDWR);
            int shared = count > 2 ? MAP_PRIVATE : MAP_SHARED;
            return fd < 0 || mmap(0, 4096, PROT_READ | PROT_WRITE, shared, fd, 0) == MAP_FAILED;
        }";
    let dir = tempfile::tempdir().unwrap();
    let (source, program, real) = (dir.path().join("map.c"), dir.path().join("map"), dir.path().join("real"));
    fs::write(&source, PROGRAM).unwrap();
    assert!(Command::new("cc").arg(&source).arg("-o").arg(&program).status().unwrap().success());
    fs::create_dir(&real).unwrap();
    fs::write(real.join("mapped"), [0; 4096]).unwrap();
    let shim = DropSync::build(dir.path());
    for (name, arguments, works) in [("private", &["private"][..], true), ("shared", &[], false)] {
        let mut command = Command::new(&program);
        command.arg(real.join("mapped")).args(arguments);
        shim.watch(&mut command, &real, &dir.path().join(name));
        let output = command.output().unwrap();
        assert_eq!(output.status.success(), works, "{name}: {output:?}");
        let told = String::from_utf8_lossy(&output.stderr).contains("shared writable map");
        assert_eq!(told, !works, "{name}: {output:?}");
    }
}
