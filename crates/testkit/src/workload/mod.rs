//! A store's workload whose outcome is known: from the last unit of each task follows everything that must be in the store.
//!
//! A task commits one unit after the other, so after a crash its units are there up to some number, which is the last that
//! it was told of or the next one; and what is there of each is all or nothing.

mod check;

use std::io::Write;
use std::sync::Arc;

use aws_api::Timestamp;
use bytes::Bytes;
use store::{BlobId, Class, QueueId, Slot, Space, Store, StoreError, Unit};

use crate::Random;
pub use check::{Found, Ledger};

/// Tasks that commit at the same time.
pub const TASKS: u64 = 12;
/// Queues they send to.
const QUEUES: u64 = 3;
/// How much later a moved message becomes visible.
const MOVED_MILLIS: i64 = 1_000_000;

/// Which units do what besides writing a row, a record and a message. Units are counted from 0 in each task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number {
    /// The round of kills, which a new process begins.
    pub round: u64,
    /// The task.
    pub task: u64,
    /// The unit.
    pub unit: u64,
}

impl Number {
    fn pack(self) -> u64 {
        (self.round << 48) | (self.task << 32) | self.unit
    }

    fn unpack(number: u64) -> Self {
        Self { round: number >> 48, task: (number >> 32) & 0xffff, unit: number & 0xffff_ffff }
    }

    fn earlier(self, by: u64) -> Self {
        Self { unit: self.unit - by, ..self }
    }

    /// Whether an entry is opened, and durable, before the unit, which closes it: an answer in two steps.
    fn is_in_two_steps(self) -> bool {
        self.unit.is_multiple_of(5)
    }

    /// Moves the message of the unit before.
    fn moves(self) -> Option<Self> {
        (self.unit % 4 == 2).then(|| self.earlier(1))
    }

    /// Takes back row, message and blob of the unit before the last.
    fn removes(self) -> Option<Self> {
        (self.unit % 4 == 3).then(|| self.earlier(2))
    }

    fn queue(self) -> QueueId {
        QueueId(1 + self.task % QUEUES)
    }

    fn visible_at(self) -> Timestamp {
        Timestamp::from_secs(i64::try_from(self.unit).unwrap_or(0))
    }

    fn key(self) -> [u8; 8] {
        self.pack().to_be_bytes()
    }

    fn entry(self) -> [u8; 16] {
        [self.key(), self.key()].concat().try_into().unwrap_or_default()
    }

    /// What a row, record, message or blob of this unit holds: the number, then bytes that follow from it.
    fn content(self, kind: u64, len: u64) -> Vec<u8> {
        let noise = Random::new(self.pack() ^ kind).bytes(usize::try_from(len).unwrap_or(0));
        [self.key().to_vec(), noise].concat()
    }

    fn random(self) -> Random {
        Random::new(!self.pack())
    }

    fn body(self) -> Vec<u8> {
        let mut random = self.random();
        let end = if random.below(16) == 0 { 40_000 } else { 2_000 };
        self.content(1, random.below(end))
    }

    fn record(self) -> Vec<u8> {
        self.content(2, 600)
    }

    fn message(self) -> Vec<u8> {
        self.content(3, 300)
    }

    fn blob(self) -> Option<Vec<u8>> {
        let mut random = self.random();
        (random.number() % 8 == 3).then(|| self.content(4, random.below(200_000)))
    }

    /// A row of the task, which every unit writes anew: enough for the engine to write tables and merge them.
    fn latest(self) -> Vec<u8> {
        self.content(5, 4_000)
    }

    fn cursor(self) -> String {
        format!("task-{}", self.task)
    }
}

/// When a task says that a unit is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Honesty {
    /// Once it is durable.
    Synced,
    /// Once readers see it, as a store that forgets the sync would. The check has to find that out.
    Unsynced,
}

/// Commits units for ever and says on stdout which are done: `open NUMBER`, `done NUMBER`.
pub async fn run(store: Store, round: u64, honesty: Honesty) -> StoreError {
    let store = Arc::new(store);
    let tasks = (0..TASKS).map(|task| tokio::spawn(run_task(Arc::clone(&store), round, task, honesty)));
    let mut tasks: Vec<_> = tasks.collect();
    loop {
        for task in &mut tasks {
            if task.is_finished() {
                return match task.await {
                    Ok(error) => error,
                    Err(error) => std::io::Error::other(error).into(),
                };
            }
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn run_task(store: Arc<Store>, round: u64, task: u64, honesty: Honesty) -> StoreError {
    let mut sent = Sent::default();
    let mut number = Number { round, task, unit: 0 };
    loop {
        if let Err(error) = run_unit(&store, number, &mut sent, honesty).await {
            return error;
        }
        number.unit += 1;
    }
}

/// What a task remembers of its last units.
#[derive(Default)]
struct Sent {
    last: Option<(Slot, Option<BlobId>)>,
    before: Option<(Slot, Option<BlobId>)>,
}

async fn run_unit(store: &Store, number: Number, sent: &mut Sent, honesty: Honesty) -> Result<(), StoreError> {
    let mut unit = store.unit();
    if number.is_in_two_steps() {
        let mut begun = store.unit();
        begun.open_entry(number.entry(), Bytes::from(number.record()));
        commit(store, begun, honesty).await?;
        say("open", number);
        unit.close_entry(number.entry());
    }
    let blob = write_blob(store, number, &mut unit).await?;
    let head = blob.map_or(0, |blob| blob.0).to_be_bytes();
    unit.put(Space::Objects, number.key(), Bytes::from([head.as_slice(), &number.body()].concat()));
    unit.append(Bytes::from(number.record()));
    unit.put(Space::Callers, number.cursor(), Bytes::from(number.latest()));
    unit.cursor(&number.cursor(), number.pack());
    let slot = Slot { visible_at: number.visible_at(), seq: store.queues().next_seq()? };
    let message = Bytes::from(number.message());
    unit.queue_send(number.queue(), slot.seq, slot.visible_at, Class::Visible, message, Bytes::from_static(b"new"));
    if let (Some(_), Some((from, _))) = (number.moves(), &mut sent.last) {
        let to = Slot { visible_at: from.visible_at.plus_millis(MOVED_MILLIS), seq: from.seq };
        unit.queue_move(number.queue(), *from, to, Class::InFlight, Bytes::from_static(b"moved"));
        *from = to;
    }
    if let (Some(removed), Some((slot, blob))) = (number.removes(), sent.before) {
        unit.delete(Space::Objects, removed.key());
        unit.queue_remove(number.queue(), slot);
        if let Some(blob) = blob {
            unit.unlink(blob);
        }
    }
    commit(store, unit, honesty).await?;
    say("done", number);
    sent.before = sent.last.replace((slot, blob));
    Ok(())
}

async fn write_blob(store: &Store, number: Number, unit: &mut Unit) -> Result<Option<BlobId>, StoreError> {
    let Some(bytes) = number.blob() else { return Ok(None) };
    let mut writer = store.blobs().create().await?;
    for piece in bytes.chunks(50_000) {
        writer.write(Bytes::copy_from_slice(piece)).await?;
    }
    let blob = writer.finish().await?;
    unit.link(blob);
    Ok(Some(blob))
}

async fn commit(store: &Store, unit: Unit, honesty: Honesty) -> Result<(), StoreError> {
    match honesty {
        Honesty::Synced => store.commit(unit).await?,
        Honesty::Unsynced => store.apply(unit)?,
    };
    Ok(())
}

/// One line, at once. Nobody who reads any more is no error: the kill comes next.
fn say(what: &str, number: Number) {
    let _ = writeln!(std::io::stdout().lock(), "{what} {}", number.pack());
}
