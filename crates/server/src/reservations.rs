//! Messages that a receive is about to take.
//!
//! Between the look at a queue and the commit of what was decided, another receive would see the same messages, decide the
//! same, and be refused by the store. Setting the rows aside lets each receive take others, all in one sync. This is only for
//! speed: the store decides who gets a message.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::wakers::Wakers;

/// Numbers of messages, by queue.
#[derive(Debug, Default)]
pub struct Reservations(Arc<Mutex<HashMap<u64, HashSet<u64>>>>);

/// Some messages of one queue, until it is dropped.
#[derive(Debug)]
pub struct Reservation {
    all: Arc<Mutex<HashMap<u64, HashSet<u64>>>>,
    wakers: Arc<Wakers>,
    queue: u64,
    seqs: Vec<u64>,
    taken: bool,
}

impl Reservations {
    /// Lets `choose` look at a queue, told how many and which of its messages are set aside, and sets aside what it names.
    pub fn choose<T, E>(
        &self,
        queue: u64,
        wakers: &Arc<Wakers>,
        choose: impl FnOnce(&HashSet<u64>) -> Result<(T, Vec<u64>), E>,
    ) -> Result<(T, Reservation), E> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let none = HashSet::new();
        let (chosen, seqs) = choose(all.get(&queue).unwrap_or(&none))?;
        if !seqs.is_empty() {
            all.entry(queue).or_default().extend(&seqs);
        }
        Ok((chosen, Reservation { all: Arc::clone(&self.0), wakers: Arc::clone(wakers), queue, seqs, taken: false }))
    }
}

impl Reservation {
    /// They are taken: nobody needs to be told when they are let go.
    pub fn taken(mut self) {
        self.taken = true;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.seqs.is_empty() {
            return;
        }
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_queue) = all.get_mut(&self.queue) {
            for seq in &self.seqs {
                of_queue.remove(seq);
            }
            if of_queue.is_empty() {
                all.remove(&self.queue);
            }
        }
        drop(all);
        if !self.taken {
            self.wakers.ring_all(&[self.queue]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_aside_until_it_is_dropped() {
        let (reservations, wakers) = (Reservations::default(), Arc::new(Wakers::default()));
        let take = |queue: u64, wanted: &[u64]| {
            let chosen = reservations.choose(queue, &wakers, |aside| {
                let free: Vec<u64> = wanted.iter().copied().filter(|seq| !aside.contains(seq)).collect();
                Ok::<_, ()>((free.clone(), free))
            });
            chosen.unwrap()
        };
        let (first, held) = take(1, &[1, 2]);
        let (second, _held) = take(1, &[1, 2, 3]);
        let (other, _) = take(2, &[1, 2]);
        assert_eq!((first, second, other), (vec![1, 2], vec![3], vec![1, 2]));
        held.taken();
        assert_eq!(take(1, &[1, 3]).0, [1]);
    }
}
