//! Log files: when one is due, what it is called, what is in it ("Finding your CloudTrail log files" in the guide).

use std::io::{self, Write};

use aws_api::Timestamp;
use uuid::Uuid;

use crate::Trail;

/// The greatest size of a log file, compressed ("Quotas in AWS CloudTrail").
pub const LOG_FILE_BYTES_MAX: usize = 50 * 1024 * 1024;

/// Minutes to which the time in a file's name is rounded down.
const NAME_MINUTES: i64 = 5;

/// Letters of the part of a file's name that makes it unique.
const UNIQUE_LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The key of the log file with records of one region, delivered at `time`:
/// `[prefix/]AWSLogs/<account>/CloudTrail/<region>/<YYYY>/<MM>/<DD>/<account>_CloudTrail_<region>_<YYYYMMDDTHHmmZ>_<unique>.json.gz`.
///
/// `unique` is 16 letters and digits, as [`unique16`] makes them.
pub fn log_file_key(trail: &Trail, region: &str, time: Timestamp, unique: &str) -> String {
    let account = &trail.account;
    let rounded = time.plus_secs(-time.as_secs().rem_euclid(NAME_MINUTES * 60));
    // Of `20260314T092500Z`, all but the seconds.
    let basic = rounded.to_iso8601_basic();
    let (date, minute) = (&basic[..8], &basic[9..13]);
    let (year, month, day) = (&date[..4], &date[4..6], &date[6..]);
    let prefix = trail.s3_key_prefix.as_deref().filter(|prefix| !prefix.is_empty());
    let folder = prefix.map(|prefix| format!("{prefix}/")).unwrap_or_default();
    let path = format!("AWSLogs/{account}/CloudTrail/{region}/{year}/{month}/{day}");
    format!("{folder}{path}/{account}_CloudTrail_{region}_{date}T{minute}Z_{unique}.json.gz")
}

/// Sixteen letters and digits from an id: the unique part of a file's name.
pub fn unique16(id: Uuid) -> String {
    let mut rest = id.as_u128();
    let mut text = String::with_capacity(16);
    for _ in 0..16 {
        let digit = usize::try_from(rest % 62).unwrap_or_default();
        text.push(char::from(UNIQUE_LETTERS[digit]));
        rest /= 62;
    }
    text
}

/// Writes the content of a log file: `{"Records":[…]}`, compact.
pub struct LogFileWriter<W> {
    inner: W,
    is_empty: bool,
}

impl<W: Write> LogFileWriter<W> {
    /// Begins a file; `inner` compresses.
    pub fn new(mut inner: W) -> io::Result<Self> {
        inner.write_all(b"{\"Records\":[")?;
        Ok(Self { inner, is_empty: true })
    }

    /// Adds a record, which is one JSON object.
    pub fn push(&mut self, record: &[u8]) -> io::Result<()> {
        if !std::mem::replace(&mut self.is_empty, false) {
            self.inner.write_all(b",")?;
        }
        self.inner.write_all(record)
    }

    /// What the file is written to.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.inner
    }

    /// Ends the file.
    pub fn finish(mut self) -> io::Result<W> {
        self.inner.write_all(b"]}")?;
        Ok(self.inner)
    }
}

/// When records that wait since `oldest` are to be written: at the end of the interval, counted from the epoch, in which
/// the oldest of them came. Without waiting records there is no deadline and no file.
pub fn delivery_deadline(interval_ms: i64, oldest: Option<Timestamp>) -> Option<Timestamp> {
    let (interval_ms, oldest) = (interval_ms.max(1), oldest?);
    Some(oldest.plus_millis(interval_ms - oldest.as_millis().rem_euclid(interval_ms)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trail(prefix: Option<&str>) -> Trail {
        Trail {
            account: "111122223333".into(),
            region: "eu-central-1".into(),
            name: "audit".into(),
            s3_key_prefix: prefix.map(Into::into),
            ..Trail::default()
        }
    }

    #[test]
    fn keys() {
        let time = Timestamp::parse_rfc3339("2026-03-14T12:09:59.999Z").unwrap();
        let name = "111122223333_CloudTrail_eu-west-1_20260314T1205Z_Mu0KsOhtH1ar15ZZ.json.gz";
        let path = format!("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/14/{name}");
        assert_eq!(log_file_key(&trail(None), "eu-west-1", time, "Mu0KsOhtH1ar15ZZ"), path);
        assert_eq!(log_file_key(&trail(Some("")), "eu-west-1", time, "Mu0KsOhtH1ar15ZZ"), path);
        assert_eq!(
            log_file_key(&trail(Some("logs/a")), "eu-west-1", time, "Mu0KsOhtH1ar15ZZ"),
            format!("logs/a/{path}")
        );
    }

    #[test]
    fn unique_parts() {
        let one = unique16(Uuid::from_u128(1));
        let other = unique16(Uuid::from_u128(u128::MAX));
        for text in [&one, &other] {
            assert_eq!(text.len(), 16);
            assert!(text.bytes().all(|b| b.is_ascii_alphanumeric()), "{text}");
        }
        assert_ne!(one, other);
    }

    #[test]
    fn bodies() {
        let mut file = LogFileWriter::new(Vec::new()).unwrap();
        assert_eq!(LogFileWriter::new(Vec::new()).unwrap().finish().unwrap(), b"{\"Records\":[]}");
        file.push(b"{\"a\":1}").unwrap();
        file.push(b"{\"b\":2}").unwrap();
        assert_eq!(file.finish().unwrap(), b"{\"Records\":[{\"a\":1},{\"b\":2}]}");
    }

    #[test]
    fn deadlines() {
        let at = Timestamp::from_millis;
        assert_eq!(delivery_deadline(300_000, None), None);
        assert_eq!(delivery_deadline(300_000, Some(at(0))), Some(at(300_000)));
        assert_eq!(delivery_deadline(300_000, Some(at(299_999))), Some(at(300_000)));
        assert_eq!(delivery_deadline(300_000, Some(at(300_000))), Some(at(600_000)));
        assert_eq!(delivery_deadline(0, Some(at(7))), Some(at(8)));
    }
}
