//! The queue rows against a naive model: any order of sends, moves, removals, reads, purges and restarts.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cell::RefCell;
use std::collections::BTreeMap;

use aws_api::Timestamp;
use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use store::{Class, Counts, Options, QueueId, QueueRow, Slot, Store, StoreError};

const QUEUES: u64 = 2;
const EVERYTHING: usize = 1000;

#[derive(Debug, Clone)]
enum Step {
    Send { queue: u64, delay: i64 },
    Receive { queue: u64, limit: usize, timeout: i64 },
    Return { queue: u64, pick: usize, timeout: i64 },
    Remove { queue: u64, pick: usize },
    StaleMove { queue: u64, pick: usize },
    SendAndMove { queue: u64, delay: i64 },
    Pass { millis: i64 },
    Purge { queue: u64, limit: usize },
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let queue = 0..QUEUES;
    let step = prop_oneof![
        6 => (queue.clone(), prop_oneof![Just(0), 1..50_i64]).prop_map(|(queue, delay)| Step::Send { queue, delay }),
        5 => (queue.clone(), 1..4_usize, 0..40_i64)
            .prop_map(|(queue, limit, timeout)| Step::Receive { queue, limit, timeout }),
        2 => (queue.clone(), any::<usize>(), 0..40_i64)
            .prop_map(|(queue, pick, timeout)| Step::Return { queue, pick, timeout }),
        4 => (queue.clone(), any::<usize>()).prop_map(|(queue, pick)| Step::Remove { queue, pick }),
        1 => (queue.clone(), any::<usize>()).prop_map(|(queue, pick)| Step::StaleMove { queue, pick }),
        1 => (queue.clone(), 0..30_i64).prop_map(|(queue, delay)| Step::SendAndMove { queue, delay }),
        3 => (0..30_i64).prop_map(|millis| Step::Pass { millis }),
        1 => (queue, 1..4_usize).prop_map(|(queue, limit)| Step::Purge { queue, limit }),
        1 => Just(Step::Reopen),
    ];
    vec(step, 1..60)
}

/// A map by number, and everything computed by looking at all of it.
type Model = BTreeMap<u64, QueueRow>;

fn due(model: &Model, now: Timestamp, limit: usize) -> Vec<QueueRow> {
    let mut rows: Vec<_> = model.values().filter(|row| row.slot.visible_at <= now).cloned().collect();
    rows.sort_by_key(|row| row.slot);
    rows.truncate(limit);
    rows
}

fn counts(model: &Model, now: Timestamp) -> Counts {
    let waiting = |class| model.values().filter(|row| row.class == class && row.slot.visible_at > now).count() as u64;
    let (in_flight, delayed) = (waiting(Class::InFlight), waiting(Class::Delayed));
    Counts { visible: model.len() as u64 - in_flight - delayed, in_flight, delayed }
}

struct Run {
    /// Queues below this number belong to earlier cases.
    base: u64,
    dir: tempfile::TempDir,
    store: Option<Store>,
    models: Vec<Model>,
    now: Timestamp,
}

impl Run {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Some(Store::open(dir.path(), Options::default()).unwrap());
        let models = (0..QUEUES).map(|_| Model::new()).collect();
        Self { base: 0, dir, store, models, now: Timestamp::from_secs(1_700_000_000) }
    }

    fn start_over(&mut self) {
        self.base += QUEUES;
        self.models.iter_mut().for_each(Model::clear);
    }

    fn id(&self, queue: u64) -> QueueId {
        QueueId(self.base + queue)
    }

    fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    fn model(&mut self, queue: u64) -> &mut Model {
        &mut self.models[usize::try_from(queue).unwrap()]
    }

    fn picked(&mut self, queue: u64, pick: usize) -> Option<QueueRow> {
        let rows = self.model(queue);
        rows.values().nth(pick.checked_rem(rows.len())?).cloned()
    }

    fn new_row(&self, delay: i64) -> QueueRow {
        let seq = self.store().queues().next_seq().unwrap();
        let class = if delay > 0 { Class::Delayed } else { Class::Visible };
        let slot = Slot { visible_at: self.now.plus_millis(delay), seq };
        QueueRow { slot, class, state: Bytes::from("new"), message: Bytes::from(format!("message {seq}")) }
    }

    fn moved(&self, mut row: QueueRow, timeout: i64) -> QueueRow {
        row.class = if timeout > 0 { Class::InFlight } else { Class::Visible };
        row.slot.visible_at = self.now.plus_millis(timeout);
        row.state = Bytes::from([row.state.as_ref(), b"+"].concat());
        row
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Send { queue, delay } => self.send(queue, delay, None),
            Step::SendAndMove { queue, delay } => self.send(queue, delay, Some(delay + 3)),
            Step::Receive { queue, limit, timeout } => {
                for row in due(&self.models[usize::try_from(queue).unwrap()], self.now, limit) {
                    self.change(queue, row, timeout);
                }
            }
            Step::Return { queue, pick, timeout } => {
                if let Some(row) = self.picked(queue, pick) {
                    self.change(queue, row, timeout);
                }
            }
            Step::Remove { queue, pick } => {
                if let Some(row) = self.picked(queue, pick) {
                    let mut unit = self.store().unit();
                    unit.queue_remove(self.id(queue), row.slot);
                    self.store().apply(unit).unwrap();
                    self.model(queue).remove(&row.slot.seq);
                }
            }
            Step::StaleMove { queue, pick } => self.stale(queue, pick),
            Step::Pass { millis } => self.now = self.now.plus_millis(millis),
            Step::Purge { queue, limit } => self.purge(queue, limit),
            Step::Reopen => {
                self.store = None;
                self.store = Some(Store::open(self.dir.path(), Options::default()).unwrap());
            }
        }
    }

    fn send(&mut self, queue: u64, delay: i64, then: Option<i64>) {
        let mut row = self.new_row(delay);
        let mut unit = self.store().unit();
        let (state, message) = (row.state.clone(), row.message.clone());
        unit.queue_send(self.id(queue), row.slot.seq, row.slot.visible_at, row.class, message, state);
        if let Some(timeout) = then {
            let to = self.moved(row.clone(), timeout);
            unit.queue_move(self.id(queue), row.slot, to.slot, to.class, to.state.clone());
            row = to;
        }
        self.store().apply(unit).unwrap();
        self.model(queue).insert(row.slot.seq, row);
    }

    fn change(&mut self, queue: u64, row: QueueRow, timeout: i64) {
        let from = row.slot;
        let row = self.moved(row, timeout);
        let mut unit = self.store().unit();
        unit.queue_move(self.id(queue), from, row.slot, row.class, row.state.clone());
        self.store().apply(unit).unwrap();
        self.model(queue).insert(row.slot.seq, row);
    }

    /// A unit with one stale move does nothing, not even its other half.
    fn stale(&mut self, queue: u64, pick: usize) {
        let Some(row) = self.picked(queue, pick) else { return };
        let wrong = Slot { visible_at: row.slot.visible_at.plus_millis(1), seq: row.slot.seq };
        let mut unit = self.store().unit();
        let other = self.new_row(0);
        let (state, message) = (other.state.clone(), other.message.clone());
        unit.queue_send(self.id(queue), other.slot.seq, other.slot.visible_at, other.class, message, state);
        unit.queue_move(self.id(queue), wrong, row.slot, row.class, row.state);
        assert!(matches!(self.store().apply(unit), Err(StoreError::Stale { .. })));
    }

    fn purge(&mut self, queue: u64, limit: usize) {
        let Some(up_to) = self.model(queue).keys().nth(limit * 2 - 1).copied() else { return };
        let unit = self.store().queues().clear(self.id(queue), up_to, limit).unwrap();
        self.store().apply(unit).unwrap();
        let gone: Vec<u64> = self.model(queue).keys().take(limit).copied().collect();
        self.model(queue).retain(|seq, _| !gone.contains(seq));
    }

    fn check(&mut self) {
        for (queue, model) in self.models.iter().enumerate() {
            let (id, queues) = (self.id(queue as u64), self.store.as_ref().unwrap().queues());
            assert_eq!(queues.due(id, self.now, 3).unwrap(), due(model, self.now, 3), "due");
            assert_eq!(queues.due(id, self.now, EVERYTHING).unwrap(), due(model, self.now, EVERYTHING), "all due");
            assert_eq!(queues.counts(id, self.now).unwrap(), counts(model, self.now), "counts");
            let next = model.values().map(|row| row.slot.visible_at).filter(|moment| *moment > self.now).min();
            assert_eq!(queues.next_visible(id, self.now).unwrap(), next, "next_visible");
            assert_eq!(queues.oldest(id, 3).unwrap(), model.values().take(3).cloned().collect::<Vec<_>>(), "oldest");
            for seq in model.keys().take(2) {
                assert_eq!(queues.get(id, *seq).unwrap().as_ref(), model.get(seq), "get");
            }
        }
    }
}

#[test]
fn as_the_model() {
    // One directory for all cases, each with queues of its own: making one takes longer than a case.
    let run = RefCell::new(Run::new());
    let config = ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() };
    let cases = (steps(), any::<bool>());
    let outcome = TestRunner::new(config).run(&cases, |(steps, check_each)| {
        let mut run = run.borrow_mut();
        run.start_over();
        for step in &steps {
            run.take(step);
            // Without looking in between, hints and counts are those that the writes alone have left.
            if check_each {
                run.check();
            }
        }
        run.check();
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn a_cleared_queue_is_forgotten() {
    let mut run = Run::new();
    for delay in [0, 5, 0, 7] {
        run.send(1, delay, None);
    }
    let id = run.id(1);
    loop {
        let unit = run.store().queues().clear(id, u64::MAX, 3).unwrap();
        if unit.is_empty() {
            break;
        }
        run.store().apply(unit).unwrap();
    }
    let mut unit = run.store().unit();
    unit.queue_forget(id);
    run.store().apply(unit).unwrap();
    run.model(1).clear();
    run.check();
    run.take(&Step::Reopen);
    run.check();
}
