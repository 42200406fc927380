//! What the store promises: order, durability, refusal after a failure, and nothing left lying about.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use aws_api::Change;
use bytes::Bytes;
use store::{BlobId, CHUNK_BYTES, OpenError, Options, Space, Store, StoreError, SyncHook};
use tempfile::TempDir;

fn open(dir: &TempDir) -> Store {
    Store::open(dir.path(), Options::default()).unwrap()
}

fn put(store: &Store, key: &str, value: &'static [u8]) -> store::Unit {
    let mut unit = store.unit();
    unit.put(Space::Objects, key, Bytes::from_static(value));
    unit
}

/// What a crash of the process leaves: the files as they are, while the store is open.
fn crash_image(dir: &Path) -> TempDir {
    fn copy(from: &Path, to: &Path) {
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let to = to.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                std::fs::create_dir_all(&to).unwrap();
                copy(&entry.path(), &to);
            } else {
                std::fs::copy(entry.path(), to).unwrap();
            }
        }
    }
    let image = tempfile::tempdir().unwrap();
    copy(dir, image.path());
    image
}

/// A disk that can be made to wait, to fail, and that counts.
#[derive(Default)]
struct Disk {
    fails: AtomicBool,
    begun: AtomicU64,
    closed: Mutex<bool>,
    opened: Condvar,
}

impl Disk {
    fn options(self: &Arc<Self>) -> Options {
        Options { sync_hook: Some(Arc::clone(self) as Arc<dyn SyncHook>), ..Options::default() }
    }

    fn close(&self) {
        *self.closed.lock().unwrap() = true;
    }

    fn open(&self) {
        *self.closed.lock().unwrap() = false;
        self.opened.notify_all();
    }
}

impl SyncHook for Disk {
    fn before_sync(&self) -> io::Result<()> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let closed = self.closed.lock().unwrap();
        drop(self.opened.wait_while(closed, |closed| *closed).unwrap());
        if self.fails.load(Ordering::SeqCst) { Err(io::Error::other("injected")) } else { Ok(()) }
    }
}

#[tokio::test]
async fn rows_are_read_in_order_and_the_last_write_wins() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let mut unit = store.unit();
    for key in ["b", "a", "c", "d"] {
        unit.put(Space::Meta, key, Bytes::from(key.to_uppercase()));
    }
    unit.delete(Space::Meta, "d");
    unit.put(Space::Meta, "a", Bytes::from_static(b"again"));
    let mut other = store.unit();
    other.delete(Space::Meta, "c");
    other.cursor("rules", 7);
    unit.merge(other);
    store.commit(unit).await.unwrap();

    let key = |row: Result<store::Row, StoreError>| String::from_utf8(row.unwrap().0.to_vec()).unwrap();
    assert_eq!(store.range(Space::Meta, ..).map(key).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(store.range(Space::Meta, ..).rev().map(key).collect::<Vec<_>>(), ["b", "a"]);
    assert_eq!(store.range(Space::Meta, b"b".to_vec()..).map(key).collect::<Vec<_>>(), ["b"]);
    assert_eq!(store.range(Space::Meta, b"b".to_vec()..b"a".to_vec()).count(), 0, "a backward range is empty");
    assert_eq!(store.get(Space::Meta, b"a").unwrap().as_deref(), Some(b"again".as_slice()));
    assert_eq!(store.get(Space::Objects, b"a").unwrap(), None, "spaces are apart");
    assert_eq!((store.cursor("rules").unwrap(), store.cursor("other").unwrap()), (Some(7), None));
}

#[tokio::test]
async fn registry_and_open_entries_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let row = |key: &str| Change { kind: "rule", key: key.to_owned(), row: Some(b"{}".to_vec()) };
    {
        let store = open(&dir);
        let mut unit = store.unit();
        unit.change(&row("1/eu/a"));
        unit.change(&row("1/eu/b"));
        unit.change(&Change { kind: "rule", key: "1/eu/a".to_owned(), row: None });
        unit.open_entry([1; 16], Bytes::from_static(b"begun"));
        unit.open_entry([2; 16], Bytes::from_static(b"ended"));
        store.commit(unit).await.unwrap();
        let mut unit = store.unit();
        unit.close_entry([2; 16]);
        store.commit(unit).await.unwrap();
    }
    let store = open(&dir);
    assert_eq!(store.registry().unwrap(), [row("1/eu/b")]);
    assert_eq!(store.open_entries().unwrap(), [([1; 16], Bytes::from_static(b"begun"))]);
}

/// Nobody waits for it, and yet it is there with what was committed after it.
#[tokio::test]
async fn what_was_submitted_is_durable_with_what_is_committed_later() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let mut begun = store.unit();
    begun.open_entry([1; 16], Bytes::from_static(b"begun"));
    store.submit(begun).unwrap();
    store.commit(put(&store, "a", b"1")).await.unwrap();
    let image = crash_image(dir.path());
    let after = open(&image);
    assert_eq!(after.open_entries().unwrap(), [([1; 16], Bytes::from_static(b"begun"))]);
    assert_eq!(after.get(Space::Objects, b"a").unwrap().as_deref(), Some(&b"1"[..]));
}

struct Told(std::sync::mpsc::Sender<()>);

impl SyncHook for Told {
    fn before_sync(&self) -> io::Result<()> {
        // The test may have ended.
        let _ = self.0.send(());
        Ok(())
    }
}

#[test]
fn what_was_submitted_is_durable_though_nothing_is_committed_later() {
    let dir = tempfile::tempdir().unwrap();
    let (sender, syncs) = std::sync::mpsc::channel();
    let options = Options { sync_hook: Some(Arc::new(Told(sender))), ..Options::default() };
    let store = Store::open(dir.path(), options).unwrap();
    store.submit(put(&store, "a", b"1")).unwrap();
    syncs.recv_timeout(std::time::Duration::from_mins(1)).unwrap();
    let last = store.get(Space::Objects, b"a").unwrap();
    assert_eq!(last.as_deref(), Some(&b"1"[..]), "it was applied before the sync");
    store.submit(put(&store, "b", b"2")).unwrap();
    drop(store);
    assert_eq!(open(&dir).get(Space::Objects, b"b").unwrap().as_deref(), Some(&b"2"[..]), "closing syncs it, too");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_log_shows_no_hole_while_many_write() {
    const WRITERS: u64 = 16;
    const EACH: u64 = 200;
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let store = store.clone();
        writers.spawn(async move {
            for number in 0..EACH {
                let mut unit = store.unit();
                unit.append(Bytes::from(format!("{writer} {number} a")));
                unit.append(Bytes::from(format!("{writer} {number} b")));
                let applied = store.apply(unit).unwrap();
                let seq = applied.last_seq.unwrap();
                let pair = store.log().read(seq - 1, 2, usize::MAX).unwrap();
                assert_eq!(pair[1], (seq, Bytes::from(format!("{writer} {number} b"))));
                assert_eq!(pair[0].1, format!("{writer} {number} a"), "records of a unit stand together");
            }
        });
    }
    let mut told = store.log().subscribe();
    let mut next = 1;
    while next <= WRITERS * EACH * 2 {
        told.wait_for(|last| *last >= next).await.unwrap();
        // `read` itself fails on a hole; what was told is there.
        let entries = store.log().read(next, 100, usize::MAX).unwrap();
        assert_eq!(entries[0].0, next);
        next += entries.len() as u64;
    }
    writers.join_all().await;
    assert_eq!((store.log().first_seq(), store.log().last_seq()), (1, WRITERS * EACH * 2));
}

#[tokio::test]
async fn the_log_is_trimmed_and_goes_on_numbering() {
    let dir = tempfile::tempdir().unwrap();
    {
        let store = open(&dir);
        let mut unit = store.unit();
        for number in 1..=10_000 {
            unit.append(Bytes::from(format!("record {number}")));
        }
        assert_eq!(store.commit(unit).await.unwrap().last_seq, Some(10_000));
        let some = store.log().read(5, usize::MAX, 40).unwrap();
        assert_eq!(some.len(), 5, "a limit on bytes, passed by the last record at most");
        assert_eq!(store.log().trim(9_001).unwrap(), 9_000);
        assert_eq!(store.log().read(1, 2, usize::MAX).unwrap()[0].0, 9_001);
        assert_eq!(store.log().trim(u64::MAX).unwrap(), 1_000, "no further than its end");
        assert_eq!(store.log().read(1, 2, usize::MAX).unwrap(), []);
    }
    let store = open(&dir);
    assert_eq!((store.log().first_seq(), store.log().last_seq()), (10_001, 10_000));
    let mut unit = store.unit();
    unit.append(Bytes::from_static(b"after"));
    assert_eq!(store.commit(unit).await.unwrap().last_seq, Some(10_001));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_sync_serves_all_who_wait() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), Arc::new(Disk::default()));
    let store = Store::open(dir.path(), disk.options()).unwrap();
    disk.close();
    let first = store.apply(put(&store, "first", b"1")).unwrap();
    let first = tokio::spawn({
        let store = store.clone();
        async move { store.durable(first.ticket).await }
    });
    while disk.begun.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    // The disk is at work for the first; these can be written and seen meanwhile, and wait for the next sync together.
    let mut waiting = tokio::task::JoinSet::new();
    for number in 0..50 {
        let applied = store.apply(put(&store, &format!("{number}"), b"x")).unwrap();
        let store = store.clone();
        waiting.spawn(async move { store.durable(applied.ticket).await });
    }
    assert!(store.get(Space::Objects, b"49").unwrap().is_some());
    assert!(!first.is_finished() && waiting.try_join_next().is_none());
    disk.open();
    first.await.unwrap().unwrap();
    waiting.join_all().await.into_iter().for_each(|done| done.unwrap());
    let stats = store.stats();
    assert_eq!((stats.syncs, stats.units), (2, 51), "the sync under way did not count for those who came during it");
    assert_eq!(disk.begun.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn after_a_failed_sync_nothing_is_acknowledged() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), Arc::new(Disk::default()));
    let store = Store::open(dir.path(), disk.options()).unwrap();
    let good = store.commit(put(&store, "good", b"1")).await.unwrap();
    assert_eq!(store.failed(), None);
    disk.fails.store(true, Ordering::SeqCst);
    let poisoned = |result: Result<_, StoreError>| {
        assert!(matches!(result, Err(StoreError::Poisoned { reason }) if reason.contains("injected")));
    };
    poisoned(store.commit(put(&store, "bad", b"1")).await);
    disk.fails.store(false, Ordering::SeqCst);
    let begun = disk.begun.load(Ordering::SeqCst);
    poisoned(store.commit(put(&store, "later", b"1")).await);
    poisoned(store.apply(put(&store, "later", b"1")));
    assert!(matches!(store.blobs().create().await, Err(StoreError::Poisoned { .. })));
    assert_eq!(disk.begun.load(Ordering::SeqCst), begun, "a sync that failed is not tried again");
    assert!(store.failed().unwrap().contains("injected"));
    store.durable(good.ticket).await.unwrap();
    poisoned(store.close().await.map(|()| good));
}

#[tokio::test]
async fn guards_are_held_until_the_unit_is_applied() {
    let (dir, lock) = (tempfile::tempdir().unwrap(), Arc::new(tokio::sync::Mutex::new(())));
    let store = open(&dir);
    let mut unit = put(&store, "key", b"1");
    unit.hold(Arc::clone(&lock).lock_owned().await);
    assert!(lock.try_lock().is_err());
    store.apply(unit).unwrap();
    assert!(lock.try_lock().is_ok());
    let mut unit = put(&store, "key", b"2");
    unit.hold(Arc::clone(&lock).lock_owned().await);
    drop(unit);
    assert!(lock.try_lock().is_ok());
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_crash_and_after_a_drop() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = 0_u32;
    for round in 0..3 {
        let image = {
            let store = open(&dir);
            for _ in 0..20 {
                let mut unit = put(&store, &format!("{acknowledged:04}"), b"value");
                unit.append(Bytes::from(acknowledged.to_string()));
                store.commit(unit).await.unwrap();
                acknowledged += 1;
            }
            crash_image(dir.path())
        };
        for dir in [&image, &dir] {
            let store = open(dir);
            assert_eq!(store.range(Space::Objects, ..).count(), acknowledged as usize, "round {round}");
            assert_eq!(store.log().last_seq(), u64::from(acknowledged));
        }
    }
}

#[tokio::test]
async fn numbers_of_messages_never_come_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut last = 0;
    for _ in 0..3 {
        let store = open(&dir);
        for _ in 0..3 {
            let seq = store.queues().next_seq().unwrap();
            assert!(seq > last);
            last = seq;
        }
        let image = crash_image(dir.path());
        assert!(open(&image).queues().next_seq().unwrap() > last, "also after a crash before any commit");
    }
}

#[tokio::test]
async fn blobs_pass_through_in_pieces() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let whole: Vec<u8> = (0..251).cycle().take(3 * CHUNK_BYTES + 17).collect();
    let mut writer = store.blobs().create().await.unwrap();
    for piece in whole.chunks(100_000) {
        writer.write(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    assert_eq!(writer.len(), whole.len() as u64);
    let id = writer.finish().await.unwrap();
    assert_eq!(store.blobs().len(id).await.unwrap(), whole.len() as u64);
    for (start, end) in
        [(0, whole.len()), (5, 5), (CHUNK_BYTES - 1, 2 * CHUNK_BYTES + 1), (whole.len() - 1, whole.len())]
    {
        let mut reader = store.blobs().open_range(id, start as u64..end as u64).await.unwrap();
        let mut read = Vec::new();
        while let Some(chunk) = reader.chunk().await.unwrap() {
            assert!(chunk.len() <= CHUNK_BYTES);
            read.extend_from_slice(&chunk);
        }
        assert_eq!(read, whole[start..end]);
    }
    let mut beyond = store.blobs().open_range(id, 0..whole.len() as u64 + 1).await.unwrap();
    let error = loop {
        match beyond.chunk().await {
            Ok(chunk) => assert!(chunk.is_some()),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Damaged { .. }));
    assert!(matches!(store.blobs().open(BlobId(1 << 40)).await, Err(StoreError::NoSuchBlob { .. })));
}

async fn blob(store: &Store) -> BlobId {
    let mut writer = store.blobs().create().await.unwrap();
    writer.write(Bytes::from_static(b"body")).await.unwrap();
    writer.finish().await.unwrap()
}

fn blob_files(dir: &Path) -> usize {
    let shards = std::fs::read_dir(dir.join("blobs")).unwrap();
    shards.map(|shard| std::fs::read_dir(shard.unwrap().path()).unwrap().count()).sum()
}

#[tokio::test]
async fn blobs_without_a_row_are_swept() {
    let dir = tempfile::tempdir().unwrap();
    let linked = {
        let store = open(&dir);
        assert_eq!(store.swept().await, 0);
        let linked = blob(&store).await;
        let mut unit = store.unit();
        unit.link(linked);
        store.commit(unit).await.unwrap();
        // Finished and never named; given up in a unit that is never synced; and one that is still being written.
        blob(&store).await;
        let _writer = store.blobs().create().await.unwrap();
        assert_eq!(blob_files(dir.path()), 3);
        let image = crash_image(dir.path());
        let store = open(&image);
        assert_eq!(store.swept().await, 2);
        assert_eq!(blob_files(image.path()), 1);
        assert_eq!(store.blobs().len(linked).await.unwrap(), 4);
        linked
    };
    let store = open(&dir);
    assert_eq!(store.swept().await, 1, "a writer that was dropped has deleted its file itself");
    let new = blob(&store).await;
    assert!(new > linked);
}

#[tokio::test]
async fn a_blob_given_up_lasts_until_that_is_durable() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), Arc::new(Disk::default()));
    let store = Store::open(dir.path(), disk.options()).unwrap();
    let id = blob(&store).await;
    let mut unit = store.unit();
    unit.link(id);
    store.commit(unit).await.unwrap();
    let mut unit = store.unit();
    unit.unlink(id);
    let applied = store.apply(unit).unwrap();
    assert_eq!(blob_files(dir.path()), 1, "not durable yet");
    store.durable(applied.ticket).await.unwrap();
    store.close().await.unwrap();
    // The keeper's chores are done when the store is closed.
    assert_eq!(blob_files(dir.path()), 0);
    assert_eq!(open(&dir).swept().await, 0);
}

#[test]
fn a_second_server_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let error = Store::open(dir.path(), Options::default()).err().unwrap();
    assert!(matches!(error, OpenError::Locked { .. }));
    assert!(error.to_string().contains("another server"), "{error}");
    drop(store);
    open(&dir);
}

#[test]
fn bad_directories_are_refused_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = Store::open(&file, Options::default()).err().unwrap();
    assert!(matches!(error, OpenError::Unreadable { .. }), "{error}");

    let data = dir.path().join("data");
    drop(Store::open(&data, Options::default()).unwrap());
    std::fs::write(data.join("format"), "2\n").unwrap();
    let error = Store::open(&data, Options::default()).err().unwrap();
    assert!(matches!(error, OpenError::NewerFormat { found: 2, known: 1, .. }), "{error}");
    std::fs::write(data.join("format"), "?").unwrap();
    assert!(matches!(Store::open(&data, Options::default()), Err(OpenError::Damaged { .. })));
    std::fs::remove_file(data.join("format")).unwrap();
    assert!(matches!(Store::open(&data, Options::default()), Err(OpenError::Damaged { .. })));
}

#[test]
fn a_first_start_that_was_cut_off_begins_again() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("engine.new/keyspaces")).unwrap();
    std::fs::write(dir.path().join("engine.new/0.jnl"), "half").unwrap();
    std::fs::write(dir.path().join("format"), "1\n").unwrap();
    open(&dir);
}

#[tokio::test]
async fn too_little_room_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), Options { low_disk_bytes: u64::MAX, ..Options::default() }).unwrap();
    // The syncing thread looks first and syncs then.
    store.commit(put(&store, "key", b"1")).await.unwrap();
    assert!(!store.has_room());
    drop(store);
    let store = Store::open(dir.path(), Options { low_disk_bytes: 1, ..Options::default() }).unwrap();
    store.commit(put(&store, "key", b"1")).await.unwrap();
    assert!(store.has_room());
}

/// The engine drops the rest of a journal file silently where it finds it damaged (fjall#311).
#[tokio::test]
async fn a_log_that_lost_its_end_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    {
        let store = open(&dir);
        for number in 0..100 {
            let mut unit = store.unit();
            unit.append(Bytes::from(format!("{number:0>100}")));
            store.commit(unit).await.unwrap();
        }
    }
    let journal = newest_journal(dir.path());
    let mut bytes = std::fs::read(&journal).unwrap();
    let place = bytes.windows(100).position(|window| window == format!("{:0>100}", 50).as_bytes()).unwrap();
    // The header of the batch around it: not an entry any more.
    let start = place - 60;
    bytes[start..place].fill(0xee);
    std::fs::write(&journal, bytes).unwrap();
    let error = Store::open(dir.path(), Options::default()).err().unwrap();
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("restore it from a backup"), "{error}");
}

fn newest_journal(dir: &Path) -> std::path::PathBuf {
    let files = std::fs::read_dir(dir.join("engine")).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "jnl")).max().unwrap()
}
