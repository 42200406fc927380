//! Receipt handles: which receive of which message.
//!
//! A handle is a text without secret: version, queue, number and receive of the message, and a checksum that tells a damaged
//! or invented text from one that was given out. Who knows the layout can write one, and gains nothing: deletion and
//! visibility ask for the role `admin`, which may purge the queue as well.

use aws_api::ApiError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use crate::limits::HANDLE_LEN_MAX;
use crate::refusal;

const VERSION: u8 = 1;
const BODY_LEN: usize = 21;
const SUM_LEN: usize = 12;

/// What a handle says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// [`crate::Queue::id`].
    pub queue: u64,
    /// The store's number of the message.
    pub seq: u64,
    /// Which receive gave it out: the first is 1.
    pub receives: u32,
}

impl Receipt {
    /// The text for the receiver.
    pub fn handle(&self) -> String {
        let mut bytes = Vec::with_capacity(BODY_LEN + SUM_LEN);
        bytes.push(VERSION);
        bytes.extend(self.queue.to_be_bytes());
        bytes.extend(self.seq.to_be_bytes());
        bytes.extend(self.receives.to_be_bytes());
        let sum = checksum(&bytes);
        bytes.extend(sum);
        STANDARD.encode(bytes)
    }

    /// Reads a handle of this queue; `ReceiptHandleIsInvalid` for anything else.
    pub(crate) fn read(queue: u64, handle: Option<&str>) -> Result<Self, ApiError> {
        let handle = handle.filter(|handle| !handle.is_empty()).ok_or_else(|| refusal::missing("ReceiptHandle"))?;
        parse(handle).filter(|receipt| receipt.queue == queue).ok_or_else(refusal::invalid_handle)
    }
}

fn parse(handle: &str) -> Option<Receipt> {
    if handle.len() > HANDLE_LEN_MAX {
        return None;
    }
    let bytes = STANDARD.decode(handle).ok()?;
    let (body, sum) = bytes.split_at_checked(BODY_LEN)?;
    if body.first() != Some(&VERSION) || sum != checksum(body) {
        return None;
    }
    let queue = u64::from_be_bytes(body.get(1..9)?.try_into().ok()?);
    let seq = u64::from_be_bytes(body.get(9..17)?.try_into().ok()?);
    let receives = u32::from_be_bytes(body.get(17..21)?.try_into().ok()?);
    Some(Receipt { queue, seq, receives })
}

fn checksum(body: &[u8]) -> [u8; SUM_LEN] {
    let mut md5 = Md5::new();
    md5.update(b"receipt");
    md5.update(body);
    let mut sum = [0; SUM_LEN];
    for (to, from) in sum.iter_mut().zip(md5.finalize()) {
        *to = from;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_damage() {
        let receipt = Receipt { queue: u64::MAX - 1, seq: 17, receives: 3 };
        let handle = receipt.handle();
        assert_eq!(Receipt::read(receipt.queue, Some(&handle)), Ok(receipt));
        for at in 0..handle.len() {
            let mut damaged = handle.clone().into_bytes();
            damaged[at] = if damaged[at] == b'A' { b'B' } else { b'A' };
            let damaged = String::from_utf8(damaged).unwrap();
            assert_eq!(Receipt::read(receipt.queue, Some(&damaged)), Err(refusal::invalid_handle()), "{damaged}");
        }
        let error = Receipt::read(1, Some(&handle)).unwrap_err();
        assert_eq!((&*error.code, &*error.message), ("ReceiptHandleIsInvalid", "The input receipt handle is invalid."));
        for handle in ["garbage", "AA==", &"A".repeat(HANDLE_LEN_MAX + 4)] {
            assert_eq!(Receipt::read(1, Some(handle)), Err(refusal::invalid_handle()));
        }
        for handle in [None, Some("")] {
            assert_eq!(Receipt::read(1, handle).unwrap_err().code, "MissingRequiredParameterException");
        }
    }
}
