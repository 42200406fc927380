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

/// What the key of a log file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogFileName {
    pub place: FilesOf,
    /// The time in the name: that of the delivery, rounded to some minutes.
    pub time: Timestamp,
}

/// Whose files, and under which prefix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FilesOf {
    prefix: String,
    account: String,
    region: String,
}

impl FilesOf {
    fn new(key: &str, account: &str, region: &str) -> Self {
        let folders = key.rsplit_once('/').map_or("", |(folders, _)| folders);
        let prefix = folders.find("AWSLogs/").map_or(folders, |end| &folders[..end]);
        Self { prefix: prefix.to_owned(), account: account.to_owned(), region: region.to_owned() }
    }

    /// Whose files a digest with this key names.
    pub fn of_digest(key: &str) -> Option<Self> {
        let chain = DigestName::parse(key)?.chain;
        let (account, rest) = chain.split_once("_CloudTrail-Digest_")?;
        Some(Self::new(key, account, rest.split('_').next()?))
    }
}

impl LogFileName {
    /// Reads a key. `None`: it is not a log file's, or has no time.
    pub fn parse(key: &str) -> Option<Self> {
        let stem = key.rsplit('/').next()?.strip_suffix(SUFFIX)?;
        let (account, rest) = stem.split_once("_CloudTrail_")?;
        let (region, rest) = rest.split_once('_')?;
        // As in `20260314T0925Z`.
        let time = rest.split('_').next().filter(|time| time.len() == 14 && time.is_ascii())?;
        let (year, month, day) = (&time[..4], &time[4..6], &time[6..8]);
        let (hour, minute, zone) = (&time[9..11], &time[11..13], &time[13..]);
        let time = Timestamp::parse_rfc3339(&format!("{year}-{month}-{day}T{hour}:{minute}:00{zone}"))?;
        Some(Self { place: FilesOf::new(key, account, region), time })
    }
}
