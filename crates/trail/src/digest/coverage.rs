//! Of which time all log files are named.

use std::collections::BTreeMap;

use aws_api::Timestamp;

use super::name::{FilesOf, LogFileName};
use super::{Digest, Finding, Verdict};

/// By how much the time in a log file's name may differ from that of its delivery: it is rounded to five minutes.
const ROUNDING_S: i64 = 5 * 60;

/// The times that valid chains of digests cover, from the start of the first to the end of the newest.
///
/// A log file is in the digest of the time in which it was delivered. One that no digest names although its time is covered
/// was not delivered by a trail that writes digests.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    /// Beginning and end of each stretch without a gap.
    stretches: BTreeMap<FilesOf, Vec<(Timestamp, Timestamp)>>,
    /// Whether the next older digest belongs to the stretch that was added last.
    goes_on: bool,
}

impl Coverage {
    /// Another chain begins.
    pub fn next_chain(&mut self) {
        self.goes_on = false;
    }

    /// The next finding of a [`super::Walk`]. Only digests that are proven count. One between two that are does not
    /// interrupt them: what it named is not known, but its own finding says what is wrong.
    pub fn add(&mut self, finding: &Finding) {
        if let (Verdict::Valid, Some(digest)) = (&finding.verdict, &finding.digest) {
            self.add_valid(digest);
        }
        // What was delivered in a gap is in no digest.
        self.goes_on &= !finding.gap_before;
    }

    fn add_valid(&mut self, digest: &Digest) {
        let times = [&digest.digest_start_time, &digest.digest_end_time].map(|time| Timestamp::parse_rfc3339(time));
        let ([Some(start), Some(end)], Some(place)) = (times, FilesOf::of_digest(&digest.digest_s3_object)) else {
            return;
        };
        let stretches = self.stretches.entry(place).or_default();
        match stretches.last_mut().filter(|_| self.goes_on) {
            Some((first, _)) => *first = start.min(*first),
            None => stretches.push((start, end)),
        }
        self.goes_on = true;
    }

    /// Whether a log file with this key would be in one of the digests, had it been delivered at the time in its name.
    pub fn has_time_of(&self, key: &str) -> bool {
        let Some(name) = LogFileName::parse(key) else { return false };
        let (least, most) = (name.time.plus_secs(-ROUNDING_S), name.time.plus_secs(ROUNDING_S));
        let stretches = self.stretches.get(&name.place).map(Vec::as_slice).unwrap_or_default();
        stretches.iter().any(|(start, end)| *start < least && most < *end)
    }
}
