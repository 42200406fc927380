//! The keyspaces and the rows on their way into them.

use std::collections::BTreeMap;
use std::ops::{self, Bound, RangeBounds};

use bytes::Bytes;
use fjall::config::{BlockSizePolicy, FilterPolicy};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, Readable};

use crate::StoreError;

/// A keyspace that callers fill as they like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Space {
    /// Buckets of S3.
    Buckets,
    /// Metadata of objects.
    Objects,
    /// Small bodies of objects and parts.
    Bodies,
    /// Multipart uploads under way.
    Uploads,
    /// Their parts.
    Parts,
    /// Who called, and how.
    Callers,
    /// Which records wait for a log file of which trail.
    TrailIndex,
    /// Keys of ours: for signing notifications, for tokens.
    Secrets,
    /// Small facts with no better place.
    Meta,
    /// Management events of 90 days, and what finds them.
    History,
    /// Versions of objects that are not the current ones.
    Versions,
    /// Series, their points and what happened to alarms.
    Metrics,
}

const SPACES: [Space; 12] = [
    Space::Buckets,
    Space::Objects,
    Space::Bodies,
    Space::Uploads,
    Space::Parts,
    Space::Callers,
    Space::TrailIndex,
    Space::Secrets,
    Space::Meta,
    Space::History,
    Space::Versions,
    Space::Metrics,
];

/// Every keyspace: the callers' and the crate's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tree {
    Space(Space),
    Log,
    Open,
    Cursors,
    Registry,
    BlobRefs,
    Counters,
    QueueMessages,
    QueueStates,
    QueueIndex,
    QueueTotals,
}

const OWN: [Tree; 10] = [
    Tree::Log,
    Tree::Open,
    Tree::Cursors,
    Tree::Registry,
    Tree::BlobRefs,
    Tree::Counters,
    Tree::QueueMessages,
    Tree::QueueStates,
    Tree::QueueIndex,
    Tree::QueueTotals,
];

const MIB: u64 = 1024 * 1024;
const LOG_BLOCK_BYTES: u32 = 32 * 1024;

impl Tree {
    /// The keyspace's name in the engine. Never renamed.
    fn name(self) -> &'static str {
        match self {
            Self::Space(Space::Buckets) => "buckets",
            Self::Space(Space::Objects) => "objects",
            Self::Space(Space::Bodies) => "bodies",
            Self::Space(Space::Uploads) => "uploads",
            Self::Space(Space::Parts) => "parts",
            Self::Space(Space::Callers) => "callers",
            Self::Space(Space::TrailIndex) => "trail_index",
            Self::Space(Space::Secrets) => "secrets",
            Self::Space(Space::Meta) => "meta",
            Self::Space(Space::History) => "history",
            Self::Space(Space::Versions) => "versions",
            Self::Space(Space::Metrics) => "metrics",
            Self::Log => "log",
            Self::Open => "open_entries",
            Self::Cursors => "cursors",
            Self::Registry => "registry",
            Self::BlobRefs => "blob_refs",
            Self::Counters => "counters",
            Self::QueueMessages => "queue_messages",
            Self::QueueStates => "queue_states",
            Self::QueueIndex => "queue_index",
            Self::QueueTotals => "queue_totals",
        }
    }

    fn position(self) -> usize {
        match self {
            Self::Space(space) => space as usize,
            Self::Log => 12,
            Self::Open => 13,
            Self::Cursors => 14,
            Self::Registry => 15,
            Self::BlobRefs => 16,
            Self::Counters => 17,
            Self::QueueMessages => 18,
            Self::QueueStates => 19,
            Self::QueueIndex => 20,
            Self::QueueTotals => 21,
        }
    }

    fn options(self) -> KeyspaceCreateOptions {
        let memtable = match self {
            Self::Log | Self::QueueMessages | Self::Space(Space::Objects | Space::Bodies) => 32 * MIB,
            Self::QueueStates | Self::QueueIndex | Self::Space(Space::Parts | Space::TrailIndex | Space::History) => {
                16 * MIB
            }
            _ => 4 * MIB,
        };
        // Large values are not separated from their keys, although that would spare compaction some copying: the engine
        // (lsm-tree 3.1.10) does not sync the directory of the files that it would put them in, so that a power cut takes
        // files away that the tree names, and the data directory does not open any more.
        let options = KeyspaceCreateOptions::default().max_memtable_size(memtable);
        match self {
            // Read in order, from a number on, and never looked up: larger blocks and no filters make its tables cheaper to
            // write and to walk.
            Self::Log => options
                .data_block_size_policy(BlockSizePolicy::all(LOG_BLOCK_BYTES))
                .filter_policy(FilterPolicy::disabled()),
            _ => options,
        }
    }
}

/// Handles of all keyspaces.
pub(crate) struct Trees([Keyspace; SPACES.len() + OWN.len()]);

impl Trees {
    pub(crate) fn open(db: &Database) -> Result<Self, fjall::Error> {
        let mut handles = Vec::with_capacity(SPACES.len() + OWN.len());
        for tree in SPACES.into_iter().map(Tree::Space).chain(OWN) {
            debug_assert_eq!(tree.position(), handles.len(), "{}", tree.name());
            handles.push(db.keyspace(tree.name(), || tree.options())?);
        }
        handles.try_into().map(Self).map_err(|_| fjall::Error::Unrecoverable)
    }

    pub(crate) fn of(&self, tree: Tree) -> &Keyspace {
        &self.0[tree.position()]
    }

    pub(crate) fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        Ok(self.of(tree).get(key)?.map(Bytes::from))
    }

    /// A big-endian number of eight bytes.
    pub(crate) fn get_u64(&self, tree: Tree, key: &[u8]) -> Result<Option<u64>, StoreError> {
        self.get(tree, key)?.map(|value| read_u64(&value)).transpose()
    }

    pub(crate) fn range(&self, tree: Tree, range: impl RangeBounds<Vec<u8>>) -> Range {
        if is_backward(range.start_bound(), range.end_bound()) {
            return Range(None);
        }
        Range(Some(self.of(tree).range::<Vec<u8>, _>(range)))
    }

    pub(crate) fn ranges<const N: usize>(&self, db: &Database, ranges: [(Tree, ops::Range<Vec<u8>>); N]) -> [Range; N] {
        let snapshot = db.snapshot();
        ranges.map(|(tree, range)| {
            if is_backward(range.start_bound(), range.end_bound()) {
                return Range(None);
            }
            Range(Some(snapshot.range::<Vec<u8>, _>(self.of(tree), range)))
        })
    }
}

fn is_backward(start: Bound<&Vec<u8>>, end: Bound<&Vec<u8>>) -> bool {
    match (start, end) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        (Bound::Included(start), Bound::Included(end)) => start > end,
        (Bound::Included(start) | Bound::Excluded(start), Bound::Included(end) | Bound::Excluded(end)) => start >= end,
    }
}

pub(crate) fn read_u64(value: &[u8]) -> Result<u64, StoreError> {
    let bytes = value.try_into().map_err(|_| StoreError::damaged(format!("a number of {} bytes", value.len())))?;
    Ok(u64::from_be_bytes(bytes))
}

/// Rows of a key range, as they were when it was asked for, read as it is walked; from the back with `rev`.
pub struct Range(Option<fjall::Iter>);

/// A key and its value.
pub type Row = (Bytes, Bytes);

fn row(guard: fjall::Guard) -> Result<Row, StoreError> {
    let (key, value) = guard.into_inner()?;
    Ok((key.into(), value.into()))
}

impl Iterator for Range {
    type Item = Result<Row, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.as_mut()?.next().map(row)
    }
}

impl DoubleEndedIterator for Range {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.as_mut()?.next_back().map(row)
    }
}

/// Rows to write, at most one for each key.
#[derive(Default)]
pub(crate) struct Rows(BTreeMap<(Tree, Vec<u8>), Option<Bytes>>);

impl Rows {
    pub(crate) fn put(&mut self, tree: Tree, key: Vec<u8>, value: Bytes) {
        self.0.insert((tree, key), Some(value));
    }

    pub(crate) fn delete(&mut self, tree: Tree, key: Vec<u8>) {
        self.0.insert((tree, key), None);
    }

    /// A key's value once these rows are written.
    pub(crate) fn get_over(&self, trees: &Trees, tree: Tree, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        match self.0.get(&(tree, key.to_vec())) {
            Some(written) => Ok(written.clone()),
            None => trees.get(tree, key),
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn write_to(self, batch: &mut OwnedWriteBatch, trees: &Trees) {
        for ((tree, key), value) in self.0 {
            match value {
                Some(value) => batch.insert(trees.of(tree), key, value),
                None => batch.remove(trees.of(tree), key),
            }
        }
    }
}
