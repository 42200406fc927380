//! Opening a data directory, and what can be wrong with one.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use fjall::{Database, PersistMode};
use tokio::sync::watch;

use crate::blob::{BlobFiles, sync_directory};
use crate::core::Core;
use crate::counter::Counter;
use crate::queue::QueueMemory;
use crate::sync::GroupSync;
use crate::tail::Tail;
use crate::tree::{Tree, Trees};
use crate::{OpenError, Options, StoreError, Threads, keeper, log, sync};

/// The layout that this program writes.
const FORMAT: u32 = 1;
const FORMAT_LEN_MAX: u64 = 64;
/// Of the engine's journal: what a start has to read, at most.
const JOURNAL_BYTES_MAX: u64 = 256 * 1024 * 1024;

const ENGINE: &str = "engine";
const MESSAGE_IDS: &[u8] = b"ids.messages";
const BLOB_IDS: &[u8] = b"ids.blobs";

/// Opens everything and starts the two threads.
pub(crate) fn open(dir: &Path, options: Options) -> Result<(Arc<Core>, Threads), OpenError> {
    let unreadable = |source| OpenError::Unreadable { dir: dir.to_owned(), source };
    fs::create_dir_all(dir).map_err(unreadable)?;
    let lock = take_lock(dir)?;
    check_format(dir)?;
    let (sender, receiver) = mpsc::channel();
    let core = Arc::new(open_core(dir, options, lock, sender).map_err(|error| of_store(dir, &error))?);
    let threads = start(&core, receiver).map_err(unreadable)?;
    Ok((core, threads))
}

fn start(core: &Arc<Core>, chores: mpsc::Receiver<keeper::Chore>) -> io::Result<Threads> {
    let (syncing, keeping) = (Arc::clone(core), Arc::clone(core));
    let syncer = thread::Builder::new().name("store-sync".to_owned()).spawn(move || sync::run(&syncing))?;
    // Read before anybody can make a file.
    let sweep_end = core.blob_ids.floor();
    let keeper =
        thread::Builder::new().name("store-keep".to_owned()).spawn(move || keeper::run(&keeping, &chores, sweep_end));
    let keeper = keeper.inspect_err(|_| core.sync.stop())?;
    Ok(Threads { syncer: Some(syncer), keeper: Some(keeper) })
}

fn take_lock(dir: &Path) -> Result<File, OpenError> {
    let unreadable = |source| OpenError::Unreadable { dir: dir.to_owned(), source };
    let path = dir.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(path).map_err(unreadable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked { dir: dir.to_owned() }),
        Err(TryLockError::Error(source)) => Err(unreadable(source)),
    }
}

/// The file `format` holds the layout's number. It is written before anything else.
fn check_format(dir: &Path) -> Result<(), OpenError> {
    let unreadable = |source| OpenError::Unreadable { dir: dir.to_owned(), source };
    let damaged = |detail: &str| OpenError::Damaged { dir: dir.to_owned(), detail: detail.to_owned() };
    let path = dir.join("format");
    if !path.try_exists().map_err(unreadable)? {
        if dir.join(ENGINE).try_exists().map_err(unreadable)? {
            return Err(damaged("the file `format` is missing"));
        }
        return write_format(dir).map_err(unreadable);
    }
    let mut text = String::new();
    let file = File::open(&path).map_err(unreadable)?;
    let read = io::Read::read_to_string(&mut io::Read::take(file, FORMAT_LEN_MAX), &mut text);
    read.map_err(unreadable)?;
    match text.trim().parse::<u32>() {
        Ok(FORMAT) => Ok(()),
        Ok(found) if found > FORMAT => Err(OpenError::NewerFormat { dir: dir.to_owned(), found, known: FORMAT }),
        _ => Err(damaged("the file `format` holds no format's number")),
    }
}

fn write_format(dir: &Path) -> io::Result<()> {
    let started = dir.join("format.new");
    let mut file = File::create(&started)?;
    io::Write::write_all(&mut file, format!("{FORMAT}\n").as_bytes())?;
    file.sync_all()?;
    fs::rename(started, dir.join("format"))?;
    sync_directory(dir)
}

fn open_core(
    dir: &Path,
    options: Options,
    lock: File,
    chores: mpsc::Sender<keeper::Chore>,
) -> Result<Core, StoreError> {
    let (db, trees) = open_engine(dir, &options)?;
    let blob_files = BlobFiles::open(dir.join("blobs"))?;
    let note = read_note(dir)?;
    let log = log::check(&trees, &note)?;
    let synced_file = File::options().create(true).truncate(false).write(true).open(dir.join("synced"))?;
    // The names made above, in this directory and of it.
    sync_directory(dir)?;
    db.persist(PersistMode::SyncAll)?;
    Ok(Core {
        options,
        dir: dir.to_owned(),
        commit: Mutex::new(()),
        sync: GroupSync::new(),
        log_first: AtomicU64::new(log.first),
        log_tail: Mutex::new(Tail::after(log.last)),
        log_last: watch::Sender::new(log.last),
        log_checked: AtomicU64::new(log.checked),
        queues: QueueMemory::default(),
        message_ids: Counter::new(MESSAGE_IDS, trees.get_u64(Tree::Counters, MESSAGE_IDS)?),
        blob_ids: Counter::new(BLOB_IDS, trees.get_u64(Tree::Counters, BLOB_IDS)?),
        blob_files,
        doomed: Mutex::default(),
        chores,
        swept: watch::Sender::new(None),
        synced_file,
        trees,
        db,
        _lock: lock,
    })
}

/// The first time, the engine is made under another name: a crash half way leaves nothing that looks like one.
fn open_engine(dir: &Path, options: &Options) -> Result<(Database, Trees), StoreError> {
    let engine = dir.join(ENGINE);
    if !engine.try_exists()? {
        let started = dir.join("engine.new");
        if started.try_exists()? {
            fs::remove_dir_all(&started)?;
        }
        let (db, trees) = open_database(&started, options)?;
        db.persist(PersistMode::SyncAll)?;
        drop((trees, db));
        fs::rename(&started, &engine)?;
        sync_directory(dir)?;
    }
    open_database(&engine, options)
}

fn open_database(path: &Path, options: &Options) -> Result<(Database, Trees), StoreError> {
    let db = Database::builder(path)
        .cache_size(options.cache_bytes)
        // A batch need not reach the operating system before somebody waits for it.
        .manual_journal_persist(true)
        .max_journaling_size(JOURNAL_BYTES_MAX)
        .open()?;
    let trees = Trees::open(&db)?;
    // The engine syncs each keyspace's directory, but not the one that they stand in: without this a power cut can take
    // away keyspaces whose contents were acknowledged.
    sync_directory(&path.join("keyspaces"))?;
    Ok((db, trees))
}

fn read_note(dir: &Path) -> io::Result<Vec<u8>> {
    match fs::read(dir.join("synced")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        other => other,
    }
}

fn of_store(dir: &Path, error: &StoreError) -> OpenError {
    let dir = dir.to_owned();
    let io_error = |source: &io::Error| io::Error::new(source.kind(), source.to_string());
    match error {
        StoreError::Io(source) => OpenError::Unreadable { dir, source: io_error(source) },
        StoreError::Engine(source) => match &**source {
            fjall::Error::Io(source) | fjall::Error::Storage(fjall::LsmError::Io(source)) => {
                OpenError::Unreadable { dir, source: io_error(source) }
            }
            fjall::Error::Locked => OpenError::Locked { dir },
            other => OpenError::Damaged { dir, detail: other.to_string() },
        },
        StoreError::Damaged { detail } => OpenError::Damaged { dir, detail: detail.clone() },
        other => OpenError::Damaged { dir, detail: other.to_string() },
    }
}
