//! Senders and receivers of one queue at the same time: every message comes out exactly once.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::thread;

use aws_api::Timestamp;
use bytes::Bytes;
use store::{Class, Counts, Options, QueueId, Store, StoreError};

const SENDERS: u64 = 3;
const EACH: u64 = 400;
const QUEUE: QueueId = QueueId(7);
const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

/// Moments before `NOW`, in no order: each may be below the place where a receiver has just found nothing.
fn send(store: &Store, sender: u64) {
    for number in 0..EACH {
        let seq = store.queues().next_seq().unwrap();
        let visible_at = NOW.plus_millis(-i64::try_from((number * 7919 + sender) % 1000).unwrap());
        let mut unit = store.unit();
        unit.queue_send(QUEUE, seq, visible_at, Class::Visible, Bytes::from_static(b"body"), Bytes::new());
        store.apply(unit).unwrap();
    }
}

fn receive(store: &Store, received: &Mutex<BTreeSet<u64>>) {
    while received.lock().unwrap().len() < usize::try_from(SENDERS * EACH).unwrap() {
        for row in store.queues().due(QUEUE, NOW, 5).unwrap() {
            let mut unit = store.unit();
            unit.queue_remove(QUEUE, row.slot);
            match store.apply(unit) {
                Ok(_) => assert!(received.lock().unwrap().insert(row.slot.seq), "received twice"),
                Err(StoreError::Stale { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        thread::yield_now();
    }
}

#[test]
fn every_message_comes_out_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), Options::default()).unwrap();
    let received = Mutex::new(BTreeSet::new());
    thread::scope(|scope| {
        for sender in 0..SENDERS {
            let store = &store;
            scope.spawn(move || send(store, sender));
        }
        for _ in 0..3 {
            scope.spawn(|| receive(&store, &received));
        }
    });
    assert_eq!(store.queues().counts(QUEUE, NOW).unwrap(), Counts::default());
    assert_eq!(store.queues().oldest(QUEUE, 1).unwrap(), []);
}
