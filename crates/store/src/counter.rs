//! Numbers that are never given twice, also after a crash.

use std::sync::Mutex;

use crate::StoreError;
use crate::core::{Core, lock};
use crate::tree::Tree;

/// How many numbers one durable row allows. A crash skips what is left of them.
const BLOCK: u64 = 1 << 20;

/// Gives numbers from blocks; the row that reserves a block is durable before its first number is used.
pub(crate) struct Counter {
    key: &'static [u8],
    block: Mutex<Block>,
}

#[derive(Clone, Copy)]
struct Block {
    next: u64,
    end: u64,
}

impl Counter {
    /// A counter that continues at `end`, the row that an earlier process left. Its first number makes a new reservation.
    pub(crate) fn new(key: &'static [u8], end: Option<u64>) -> Self {
        let next = end.unwrap_or(1);
        Self { key, block: Mutex::new(Block { next, end: next }) }
    }

    /// No number below this one will be given any more.
    pub(crate) fn floor(&self) -> u64 {
        lock(&self.block).next
    }

    pub(crate) fn next(&self, core: &Core) -> Result<u64, StoreError> {
        let mut block = lock(&self.block);
        if block.next == block.end {
            let end = block.end + BLOCK;
            let mut unit = crate::Unit::new();
            unit.rows.put(Tree::Counters, self.key.to_vec(), bytes::Bytes::copy_from_slice(&end.to_be_bytes()));
            core.apply(unit)?;
            core.sync_journal().map_err(|error| core.sync.fail(format!("sync of the journal: {error}")))?;
            block.end = end;
        }
        let number = block.next;
        block.next += 1;
        Ok(number)
    }
}
