//! What is remembered of each queue: where to start looking, and how many messages wait for their moment.
//!
//! Its size goes with the queues, and with the distinct milliseconds at which waiting messages become visible (a delay is at
//! most 900,000 of them; messages in flight are limited by SQS), not with the backlog.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use aws_api::Timestamp;
use bytes::Bytes;

use super::rows::{self, QueueOp, QueueOps, Totals};
use super::{Class, Counts, QueueId, Slot};
use crate::StoreError;
use crate::core::lock;
use crate::tree::{Rows, Tree, Trees};

/// All queues that were touched since the start.
#[derive(Default)]
pub(crate) struct QueueMemory {
    queues: Mutex<HashMap<QueueId, Queue>>,
}

struct Queue {
    messages: u64,
    head: Hint<Slot>,
    floor: Hint<u64>,
    /// Not there until it is asked for: it takes a walk.
    waiting: Option<Waiting>,
}

impl Queue {
    fn new(totals: Totals) -> Self {
        Self { messages: totals.messages, head: Hint::new(totals.head), floor: Hint::new(totals.floor), waiting: None }
    }
}

/// A place below which nothing lives, so that a scan need not pass over what was deleted there: a log-structured store
/// keeps the remains of a queue's head until it compacts.
///
/// A scan may raise it to the first key that it found, unless something was written below meanwhile: such a write lowers it
/// after it became visible, so it comes either before the scan's end and stands in `since`, or after, and lowers it again.
struct Hint<K> {
    low: K,
    /// The latest scan; only that one may raise it.
    scan: u64,
    /// The lowest key written since that scan began.
    since: Option<K>,
}

/// A scan under way: from where, and which one.
#[derive(Clone, Copy)]
pub(super) struct Scan<K> {
    pub(super) from: K,
    scan: u64,
}

impl<K: Ord + Copy> Hint<K> {
    fn new(low: K) -> Self {
        Self { low, scan: 0, since: None }
    }

    fn begin(&mut self) -> Scan<K> {
        self.scan += 1;
        self.since = None;
        Scan { from: self.low, scan: self.scan }
    }

    fn end(&mut self, scan: Scan<K>, first: K) {
        if scan.scan == self.scan {
            self.low = self.since.map_or(first, |since| since.min(first));
        }
    }

    fn lower(&mut self, key: K) {
        self.low = self.low.min(key);
        self.since = Some(self.since.map_or(key, |since| since.min(key)));
    }
}

/// The messages of a queue that are not visible yet, counted by the moment at which they will be.
pub(super) struct Waiting {
    messages: u64,
    /// Up to this moment all are visible.
    passed: Timestamp,
    by_moment: BTreeMap<Timestamp, Tally>,
    sum: Tally,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Tally {
    delayed: u64,
    in_flight: u64,
    /// Of class [`Class::Visible`], with a moment that has not come for the one who asks.
    visible: u64,
}

impl Tally {
    fn of(&mut self, class: Class) -> &mut u64 {
        match class {
            Class::Delayed => &mut self.delayed,
            Class::InFlight => &mut self.in_flight,
            Class::Visible => &mut self.visible,
        }
    }

    fn subtract(&mut self, other: Self) {
        self.delayed -= other.delayed;
        self.in_flight -= other.in_flight;
        self.visible -= other.visible;
    }
}

impl Waiting {
    fn new(messages: u64, passed: Timestamp) -> Self {
        Self { messages, passed, by_moment: BTreeMap::new(), sum: Tally::default() }
    }

    fn add(&mut self, visible_at: Timestamp, class: Class) {
        if visible_at > self.passed {
            *self.by_moment.entry(visible_at).or_default().of(class) += 1;
            *self.sum.of(class) += 1;
        }
    }

    fn take(&mut self, visible_at: Timestamp, class: Class) {
        if visible_at <= self.passed {
            return;
        }
        if let Some(tally) = self.by_moment.get_mut(&visible_at) {
            *tally.of(class) -= 1;
            *self.sum.of(class) -= 1;
            if *tally == Tally::default() {
                self.by_moment.remove(&visible_at);
            }
        }
    }

    fn pass(&mut self, now: Timestamp) {
        self.passed = self.passed.max(now);
        while let Some(first) = self.by_moment.first_entry() {
            if *first.key() > self.passed {
                return;
            }
            self.sum.subtract(first.remove());
        }
    }

    pub(super) fn counts(&self) -> Counts {
        let Tally { delayed, in_flight, .. } = self.sum;
        Counts { visible: self.messages.saturating_sub(delayed + in_flight), in_flight, delayed }
    }

    pub(super) fn next_visible(&self) -> Option<Timestamp> {
        self.by_moment.first_key_value().map(|(moment, _)| *moment)
    }
}

/// What a unit will have done to a queue once it is committed.
#[derive(Default)]
pub(crate) struct Effect {
    added: Vec<(Slot, Class)>,
    taken: Vec<(Slot, Class)>,
    /// Slots among `added` of messages that are new to the queue.
    sent: u64,
    removed: u64,
    forgotten: bool,
}

pub(crate) type Effects = BTreeMap<QueueId, Effect>;

impl Effect {
    fn apply_to(&self, totals: Totals) -> Totals {
        let head = self.added.iter().map(|(slot, _)| *slot).fold(totals.head, Slot::min);
        let floor = self.added.iter().map(|(slot, _)| slot.seq).fold(totals.floor, u64::min);
        Totals { messages: (totals.messages + self.sent).saturating_sub(self.removed), head, floor }
    }
}

impl QueueMemory {
    /// Turns what a unit does with messages into rows. Under the commit lock; changes nothing.
    pub(crate) fn plan(&self, trees: &Trees, rows: &mut Rows, ops: QueueOps) -> Result<Effects, StoreError> {
        let mut plan = Plan { trees, rows, effects: Effects::new() };
        for op in ops {
            plan.take(op)?;
        }
        let effects = plan.effects;
        for (queue, effect) in &effects {
            let key = queue.0.to_be_bytes().to_vec();
            let totals = effect.apply_to(self.totals(trees, *queue)?);
            if effect.forgotten && totals.messages == 0 {
                rows.delete(Tree::QueueTotals, key);
            } else {
                rows.put(Tree::QueueTotals, key, totals.to_value());
            }
        }
        Ok(effects)
    }

    /// Remembers what was committed. Under the same commit lock.
    pub(crate) fn absorb(&self, effects: Effects) {
        let mut queues = lock(&self.queues);
        for (id, effect) in effects {
            let Some(queue) = queues.get_mut(&id) else { continue };
            queue.messages = (queue.messages + effect.sent).saturating_sub(effect.removed);
            for (slot, _) in &effect.added {
                queue.head.lower(*slot);
                queue.floor.lower(slot.seq);
            }
            if let Some(waiting) = &mut queue.waiting {
                effect.added.iter().for_each(|(slot, class)| waiting.add(slot.visible_at, *class));
                effect.taken.iter().for_each(|(slot, class)| waiting.take(slot.visible_at, *class));
                waiting.messages = queue.messages;
            }
            if effect.forgotten && queue.messages == 0 {
                queues.remove(&id);
            }
        }
    }

    fn totals(&self, trees: &Trees, queue: QueueId) -> Result<Totals, StoreError> {
        self.with(trees, queue, |queue| Totals {
            messages: queue.messages,
            head: queue.head.low,
            floor: queue.floor.low,
        })
    }

    fn with<T>(&self, trees: &Trees, id: QueueId, then: impl FnOnce(&mut Queue) -> T) -> Result<T, StoreError> {
        let mut queues = lock(&self.queues);
        if let Some(queue) = queues.get_mut(&id) {
            return Ok(then(queue));
        }
        let row = trees.get(Tree::QueueTotals, &id.0.to_be_bytes())?;
        let totals = row.map_or(Ok(Totals::EMPTY), |row| Totals::from_value(&row))?;
        Ok(then(queues.entry(id).or_insert(Queue::new(totals))))
    }

    pub(super) fn begin_head(&self, trees: &Trees, queue: QueueId) -> Result<Scan<Slot>, StoreError> {
        self.with(trees, queue, |queue| queue.head.begin())
    }

    pub(super) fn end_head(&self, queue: QueueId, scan: Scan<Slot>, first: Slot) {
        if let Some(queue) = lock(&self.queues).get_mut(&queue) {
            queue.head.end(scan, first);
        }
    }

    pub(super) fn begin_floor(&self, trees: &Trees, queue: QueueId) -> Result<Scan<u64>, StoreError> {
        self.with(trees, queue, |queue| queue.floor.begin())
    }

    pub(super) fn end_floor(&self, queue: QueueId, scan: Scan<u64>, first: u64) {
        if let Some(queue) = lock(&self.queues).get_mut(&queue) {
            queue.floor.end(scan, first);
        }
    }

    /// Reads what is known of waiting messages at `now`; `None` until [`Self::load_waiting`].
    pub(super) fn waiting<T>(&self, queue: QueueId, now: Timestamp, read: impl Fn(&Waiting) -> T) -> Option<T> {
        let mut queues = lock(&self.queues);
        let waiting = queues.get_mut(&queue)?.waiting.as_mut()?;
        waiting.pass(now);
        Some(read(waiting))
    }

    /// Walks the keys of the messages that are not visible at `now`. Under the commit lock.
    pub(super) fn load_waiting(&self, trees: &Trees, id: QueueId, now: Timestamp) -> Result<(), StoreError> {
        let mut waiting = Waiting::new(self.with(trees, id, |queue| queue.messages)?, now);
        let after = Slot { visible_at: now.plus_millis(1), seq: 0 };
        let last = Slot { visible_at: Timestamp::MAX, seq: u64::MAX };
        for guard in trees.of(Tree::QueueIndex).range(rows::index_range(id, after..=last)) {
            let (key, class) = guard.into_inner()?;
            waiting.add(rows::slot_of(&key)?.visible_at, rows::read_class(class.first())?);
        }
        self.with(trees, id, |queue| queue.waiting.get_or_insert(waiting).messages = queue.messages)
    }
}

/// A unit's messages on their way to rows.
struct Plan<'a> {
    trees: &'a Trees,
    rows: &'a mut Rows,
    effects: Effects,
}

impl Plan<'_> {
    fn take(&mut self, op: QueueOp) -> Result<(), StoreError> {
        match op {
            QueueOp::Send { queue, slot, class, message, state } => {
                self.rows.put(Tree::QueueMessages, rows::state_key(queue, slot.seq), message);
                self.place(queue, slot, class, &state);
                self.effects.entry(queue).or_default().sent += 1;
            }
            QueueOp::Move { queue, from, to, class, state } => {
                self.displace_from(queue, from)?;
                self.place(queue, Slot { visible_at: to, seq: from.seq }, class, &state);
            }
            QueueOp::Remove { queue, slot } => {
                self.displace_from(queue, slot)?;
                self.remove(queue, slot.seq);
            }
            QueueOp::Discard { queue, seq } => {
                if let Some((visible_at, class)) = self.place_of(queue, seq)? {
                    self.displace(queue, Slot { visible_at, seq }, class);
                    self.remove(queue, seq);
                }
            }
            QueueOp::Forget { queue } => self.effects.entry(queue).or_default().forgotten = true,
        }
        Ok(())
    }

    fn place(&mut self, queue: QueueId, slot: Slot, class: Class, state: &[u8]) {
        let index_value = Bytes::copy_from_slice(&[rows::class_byte(class)]);
        self.rows.put(Tree::QueueIndex, rows::index_key(queue, slot), index_value);
        let state_value = rows::state_value(slot.visible_at, class, state);
        self.rows.put(Tree::QueueStates, rows::state_key(queue, slot.seq), state_value);
        self.effects.entry(queue).or_default().added.push((slot, class));
    }

    fn displace_from(&mut self, queue: QueueId, slot: Slot) -> Result<(), StoreError> {
        match self.place_of(queue, slot.seq)? {
            Some((visible_at, class)) if visible_at == slot.visible_at => {
                self.displace(queue, slot, class);
                Ok(())
            }
            _ => Err(StoreError::Stale { queue, seq: slot.seq }),
        }
    }

    fn displace(&mut self, queue: QueueId, slot: Slot, class: Class) {
        self.rows.delete(Tree::QueueIndex, rows::index_key(queue, slot));
        self.effects.entry(queue).or_default().taken.push((slot, class));
    }

    fn remove(&mut self, queue: QueueId, seq: u64) {
        self.rows.delete(Tree::QueueStates, rows::state_key(queue, seq));
        self.rows.delete(Tree::QueueMessages, rows::state_key(queue, seq));
        self.effects.entry(queue).or_default().removed += 1;
    }

    /// Where a message stands, with what this unit has done so far.
    fn place_of(&self, queue: QueueId, seq: u64) -> Result<Option<(Timestamp, Class)>, StoreError> {
        let value = self.rows.get_over(self.trees, Tree::QueueStates, &rows::state_key(queue, seq))?;
        value.map(|value| rows::read_state(&value).map(|(visible_at, class, _)| (visible_at, class))).transpose()
    }
}
