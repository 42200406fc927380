//! Names of digest files.

use aws_api::Timestamp;

use crate::Trail;

/// What every file of CloudTrail ends with.
const SUFFIX: &str = ".json.gz";
/// What stands before it in the name of a digest that was made up for later.
const BACKFILL: &str = "_backfill";

/// The key of the digest of one region that ends at `end`:
/// `[prefix/]AWSLogs/<account>/CloudTrail-Digest/<region>/<YYYY>/<MM>/<DD>/<account>_CloudTrail-Digest_<region>_<trail>_<home>_<YYYYMMDDTHHmmssZ>.json.gz`.
pub fn digest_key(trail: &Trail, region: &str, end: Timestamp) -> String {
    let account = &trail.account;
    let time = end.to_iso8601_basic();
    let (year, month, day) = (&time[..4], &time[4..6], &time[6..8]);
    let prefix = trail.s3_key_prefix.as_deref().filter(|prefix| !prefix.is_empty());
    let folder = prefix.map(|prefix| format!("{prefix}/")).unwrap_or_default();
    let path = format!("AWSLogs/{account}/CloudTrail-Digest/{region}/{year}/{month}/{day}");
    let (name, home) = (&trail.name, &trail.region);
    format!("{folder}{path}/{account}_CloudTrail-Digest_{region}_{name}_{home}_{time}{SUFFIX}")
}

/// What the last part of a digest's key says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DigestName {
    /// Account, region, trail and home region: all but the time. Digests with the same text are one chain.
    pub chain: String,
    /// The end of the interval as in the name: `20260314T090000Z`.
    pub time: String,
    /// Made up for later, in a chain of its own.
    pub is_backfill: bool,
}

impl DigestName {
    /// Reads a key. `None`: it is not a digest's.
    pub fn parse(key: &str) -> Option<Self> {
        let stem = key.rsplit('/').next()?.strip_suffix(SUFFIX)?;
        let (stem, is_backfill) = stem.strip_suffix(BACKFILL).map_or((stem, false), |stem| (stem, true));
        let (chain, time) = stem.rsplit_once('_')?;
        let is_digit = |at: usize| time.as_bytes()[at].is_ascii_digit();
        let is_time = time.len() == 16
            && time.is_ascii()
            && (0..8).chain(9..15).all(is_digit)
            && (&time[8..9], &time[15..]) == ("T", "Z");
        let is_digest = is_time && chain.contains("_CloudTrail-Digest_");
        is_digest.then(|| Self { chain: chain.to_owned(), time: time.to_owned(), is_backfill })
    }
}

/// Whether a key is that of a log file.
pub fn is_log_file_name(key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or_default();
    name.contains("_CloudTrail_") && name.ends_with(SUFFIX)
}
