//! Wakes receives that wait for a message.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// A bell for each queue that somebody waits at.
#[derive(Debug, Default)]
pub struct Wakers(Mutex<HashMap<u64, Arc<Notify>>>);

impl Wakers {
    /// The bell of a queue. Enable its `notified()` before looking into the queue, or a message may come in between.
    pub fn bell(&self, queue: u64) -> Arc<Notify> {
        let mut bells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Bells that nobody waits at any more are taken down.
        bells.retain(|other, bell| *other == queue || Arc::strong_count(bell) > 1);
        Arc::clone(bells.entry(queue).or_default())
    }

    /// Something may be there to receive now in these queues.
    pub fn ring_all(&self, queues: &[u64]) {
        let bells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for bell in queues.iter().filter_map(|queue| bells.get(queue)) {
            bell.notify_waiters();
        }
    }
}
