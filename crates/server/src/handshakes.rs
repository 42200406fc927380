//! TLS handshakes that came to nothing, by address: clients that cannot speak TLS 1.2 are found so.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Addresses that are told apart; what more come are only in the total.
const ADDRESSES_MAX: usize = 1000;
/// Addresses that are shown, those with most refused handshakes.
const SHOWN_MAX: usize = 20;

/// Counts since the start.
#[derive(Debug, Default)]
pub struct Handshakes(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    total: u64,
    by_address: HashMap<IpAddr, u64>,
}

impl Handshakes {
    /// One more was refused.
    pub fn refused(&self, address: IpAddr) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.total += 1;
        if counts.by_address.len() < ADDRESSES_MAX || counts.by_address.contains_key(&address) {
            *counts.by_address.entry(address).or_default() += 1;
        }
    }

    /// All of them, and the addresses with most of them.
    pub fn counts(&self) -> (u64, Vec<(IpAddr, u64)>) {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut shown: Vec<_> = counts.by_address.iter().map(|(address, count)| (*address, *count)).collect();
        shown.sort_unstable_by_key(|(address, count)| (std::cmp::Reverse(*count), *address));
        shown.truncate(SHOWN_MAX);
        (counts.total, shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounded_and_sorted() {
        let handshakes = Handshakes::default();
        let address = |number: u32| IpAddr::from(number.to_be_bytes());
        for number in 0..2000 {
            handshakes.refused(address(number));
        }
        handshakes.refused(address(7));
        let (total, shown) = handshakes.counts();
        assert_eq!((total, shown.len(), shown[0]), (2001, SHOWN_MAX, (address(7), 2)));
    }
}
