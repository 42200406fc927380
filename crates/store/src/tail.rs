//! The newest records of the event log, in memory: whoever follows the log closely does not look for them in the trees.

use std::collections::VecDeque;

use bytes::Bytes;

/// Bytes of records that are kept. A reader who is farther behind reads what was stored.
const BYTES_MAX: usize = 4 * 1024 * 1024;

/// The last records applied, in order and without a hole.
pub(crate) struct Tail {
    /// The number of the first of them.
    first: u64,
    records: VecDeque<Bytes>,
    bytes: usize,
}

impl Tail {
    /// An empty one of a log that ends with `last`.
    pub(crate) fn after(last: u64) -> Self {
        Self { first: last + 1, records: VecDeque::new(), bytes: 0 }
    }

    /// Adds the next records, and lets go of the oldest.
    pub(crate) fn extend(&mut self, records: Vec<Bytes>) {
        for record in records {
            self.bytes += record.len();
            self.records.push_back(record);
        }
        while self.bytes > BYTES_MAX {
            let Some(oldest) = self.records.pop_front() else { return };
            self.bytes -= oldest.len();
            self.first += 1;
        }
    }

    /// The same as [`EventLog::read`](crate::EventLog::read) from a number that is there; `None` if it is too old.
    pub(crate) fn read(&self, from: u64, max_entries: usize, max_bytes: usize) -> Option<Vec<(u64, Bytes)>> {
        let skipped = usize::try_from(from.checked_sub(self.first)?).ok()?;
        let records = self.records.iter().skip(skipped).take(max_entries);
        let mut entries = Vec::with_capacity(records.len());
        let mut bytes = 0;
        for (seq, record) in (from..).zip(records) {
            if bytes >= max_bytes {
                break;
            }
            bytes += record.len();
            entries.push((seq, record.clone()));
        }
        Some(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_newest() {
        let mut tail = Tail::after(4);
        assert_eq!(tail.read(5, 9, 9), Some(vec![]), "nothing has come yet");
        assert_eq!(tail.read(4, 9, 9), None);
        let record = |byte: u8| Bytes::from(vec![byte; BYTES_MAX / 4]);
        tail.extend((0..3).map(record).collect());
        assert_eq!(tail.read(6, 9, usize::MAX), Some(vec![(6, record(1)), (7, record(2))]));
        assert_eq!(tail.read(5, 1, usize::MAX), Some(vec![(5, record(0))]));
        assert_eq!(tail.read(5, 9, BYTES_MAX / 4 + 1), Some(vec![(5, record(0)), (6, record(1))]));
        assert_eq!(tail.read(8, 9, usize::MAX), Some(vec![]));
        tail.extend((3..6).map(record).collect());
        assert_eq!(tail.read(6, 9, usize::MAX), None, "it was let go");
        assert_eq!(tail.read(7, 1, usize::MAX), Some(vec![(7, record(2))]));
        tail.extend(vec![Bytes::from(vec![0; BYTES_MAX + 1])]);
        assert_eq!(tail.read(11, 9, usize::MAX), None, "one that is too long is not kept either");
        assert_eq!(tail.read(12, 9, usize::MAX), Some(vec![]));
    }
}
