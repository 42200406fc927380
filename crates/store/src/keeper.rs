//! The keeper: a thread for chores that nobody waits for.

use std::sync::{Arc, mpsc};

use crate::BlobId;
use crate::core::Core;

/// Something to do when there is time.
pub(crate) enum Chore {
    /// Files of blobs that no durable row names any more.
    Delete(Vec<BlobId>),
    /// The log has grown: see [`crate::log::advance_check`].
    CheckLog,
    Stop,
}

/// The body of the keeper's thread. It starts by sweeping what a crash has left: files numbered below `sweep_end`, all of
/// which an earlier process made.
pub(crate) fn run(core: &Arc<Core>, chores: &mpsc::Receiver<Chore>, sweep_end: u64) {
    sweep(core, sweep_end);
    let mut asked = None;
    while let Ok(chore) = chores.recv() {
        match chore {
            Chore::Delete(blobs) => blobs.into_iter().for_each(|blob| core.blob_files.delete(blob)),
            Chore::CheckLog => {
                if let Err(error) = crate::log::advance_check(core, &mut asked) {
                    tracing::warn!(%error, "the event log's checked part was not noted; the next start takes longer");
                }
            }
            Chore::Stop => return,
        }
    }
}

fn sweep(core: &Core, end: u64) {
    let swept = core.blob_files.sweep(&core.trees, end).unwrap_or_else(|error| {
        tracing::warn!(%error, "files that no row names were left where they are");
        0
    });
    if swept > 0 {
        tracing::info!(swept, "files that no row names were deleted");
    }
    core.swept.send_replace(Some(swept));
}
