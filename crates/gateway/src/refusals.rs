//! How many refused requests of one address are kept.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use aws_api::Timestamp;

/// Refused requests of one address that are recorded in one [`WINDOW_SECS`].
pub const KEPT_PER_ADDRESS: u32 = 100;
/// The length of a window.
pub const WINDOW_SECS: i64 = 60;
/// Addresses that are told apart in one window; what more come are one.
pub const ADDRESSES_MAX: usize = 10_000;

/// Counts refused requests by address, so that a stranger cannot fill the disk with garbage. One for all services: the bound
/// is the address's, whatever it asks for.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<Window>);

#[derive(Debug, Default)]
struct Window {
    number: i64,
    by_address: HashMap<IpAddr, u32>,
    others: u32,
}

impl Refusals {
    /// Counts one, and tells whether it is still within what is recorded of its address: [`KEPT_PER_ADDRESS`] in each
    /// [`WINDOW_SECS`].
    pub fn is_kept(&self, address: IpAddr, now: Timestamp) -> bool {
        let address = network(address);
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = now.as_secs().div_euclid(WINDOW_SECS);
        if window.number != number {
            *window = Window { number, ..Window::default() };
        }
        let known = window.by_address.len() < ADDRESSES_MAX || window.by_address.contains_key(&address);
        let count = if known { window.by_address.entry(address).or_default() } else { &mut window.others };
        *count = count.saturating_add(1);
        *count <= KEPT_PER_ADDRESS
    }
}

/// An IPv6 host has a /64 to itself (RFC 6177), so that is what is counted.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounded_by_address_and_minute() {
        let refusals = Refusals::default();
        let now = Timestamp::from_secs(600);
        let kept = |last: u8, now| (0..150).filter(|_| refusals.is_kept(IpAddr::from([192, 0, 2, last]), now)).count();
        assert_eq!((kept(1, now), kept(1, now), kept(2, now)), (100, 0, 100));
        assert_eq!(kept(1, now.plus_secs(WINDOW_SECS)), 100);
    }
}
