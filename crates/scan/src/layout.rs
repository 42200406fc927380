//! What the names of folders and files say: `[prefix/]AWSLogs/[o-…/]<account>/CloudTrail/<region>/<yyyy>/<mm>/<dd>/…`
//! ("Finding your CloudTrail log files" in the CloudTrail user guide).

use aws_api::Timestamp;

/// Which part of an archive is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only of these accounts; none means all.
    pub accounts: Vec<String>,
    /// Only of these regions; none means all.
    pub regions: Vec<String>,
    /// Only records from this time on.
    pub since: Option<Timestamp>,
    /// Only records from before this time.
    pub until: Option<Timestamp>,
}

/// A file is delivered soon after its records were made, and never before. So long after the end of the time that is asked for
/// its files are still looked at.
const LATE_DAYS: i64 = 2;
const DAY_S: i64 = 86_400;

/// What a path says of itself, as far as it goes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Place<'p> {
    account: Option<&'p str>,
    /// `CloudTrail`, `CloudTrail-Digest`, `CloudTrail-Insight`, …
    kind: Option<&'p str>,
    region: Option<&'p str>,
    /// Year, month, day.
    date: Vec<&'p str>,
}

impl<'p> Place<'p> {
    fn of(path: &'p str) -> Self {
        let mut parts = path.split(['/', '\\']);
        if !parts.by_ref().any(|part| part == "AWSLogs") {
            return Self::default();
        }
        let mut parts = parts.skip_while(|part| part.starts_with("o-")).peekable();
        let account = parts.next_if(|part| part.len() == 12 && part.bytes().all(|byte| byte.is_ascii_digit()));
        if account.is_none() {
            return Self::default();
        }
        let (kind, region) = (parts.next(), parts.next());
        let date = parts.take(3).take_while(|part| part.bytes().all(|byte| byte.is_ascii_digit())).collect();
        Self { account, kind, region, date }
    }
}

impl Selection {
    /// Whether a folder may hold what is asked for.
    pub fn may_hold(&self, folder: &str) -> bool {
        let place = Place::of(folder);
        let is_one = |wanted: &[String], name: Option<&str>| {
            name.is_none_or(|name| wanted.is_empty() || wanted.iter().any(|one| one == name))
        };
        place.kind != Some("CloudTrail-Digest")
            && is_one(&self.accounts, place.account)
            && is_one(&self.regions, place.region)
            && self.may_be_on(&place.date)
    }

    /// Whether a file is read: not the digests, which hold no records.
    pub fn takes(&self, file: &str) -> bool {
        let folder = file.rfind(['/', '\\']).map_or("", |end| &file[..end]);
        self.may_hold(folder)
    }

    fn may_be_on(&self, date: &[&str]) -> bool {
        let Some((first, last)) = span(date) else { return true };
        self.since.is_none_or(|since| last > since)
            && self.until.is_none_or(|until| first < until.plus_secs(LATE_DAYS * DAY_S))
    }
}

/// The time from the beginning of a year, month or day to its end.
fn span(date: &[&str]) -> Option<(Timestamp, Timestamp)> {
    let number = |index: usize| date.get(index).map(|text| text.parse::<i64>()).transpose().ok();
    let (year, month, day) = (number(0)??, number(1)?, number(2)?);
    let first =
        |year: i64, month: i64, day: i64| Timestamp::parse_rfc3339(&format!("{year:04}-{month:02}-{day:02}T00:00:00Z"));
    let begin = first(year, month.unwrap_or(1), day.unwrap_or(1))?;
    let end = match (month, day) {
        (_, Some(_)) => begin.plus_secs(DAY_S),
        (Some(12) | None, None) => first(year + 1, 1, 1)?,
        (Some(month), None) => first(year, month + 1, 1)?,
    };
    Some((begin, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "/a/AWSLogs/111122223333/CloudTrail/eu-west-1";

    #[test]
    fn folders_out_of_range_are_not_listed() {
        let time = |text| Timestamp::parse_rfc3339(text);
        let selection = Selection {
            accounts: vec!["111122223333".into()],
            regions: vec!["eu-west-1".into()],
            since: time("2026-03-14T12:00:00Z"),
            until: time("2026-03-16T00:00:00Z"),
        };
        for (folder, held) in [
            ("/a", true),
            ("/a/AWSLogs", true),
            ("/a/AWSLogs/o-abc123", true),
            ("/a/AWSLogs/o-abc123/111122223333", true),
            ("/a/AWSLogs/444455556666", false),
            ("/a/AWSLogs/111122223333/CloudTrail-Digest", false),
            ("/a/AWSLogs/111122223333/CloudTrail-Insight", true),
            ("/a/AWSLogs/111122223333/CloudTrail/us-east-1", false),
            (&format!("{ROOT}/2025"), false),
            (&format!("{ROOT}/2026"), true),
            (&format!("{ROOT}/2026/02"), false),
            (&format!("{ROOT}/2026/03/13"), false),
            (&format!("{ROOT}/2026/03/14"), true),
            (&format!("{ROOT}/2026/03/17"), true),
            (&format!("{ROOT}/2026/03/18"), false),
            (&format!("{ROOT}/2026/12"), false),
        ] {
            assert_eq!(selection.may_hold(folder), held, "{folder}");
        }
        assert!(selection.takes(&format!("{ROOT}/2026/03/15/x.json.gz")));
        assert!(!selection.takes(&format!("{ROOT}/2026/04/15/x.json.gz")));
        assert!(Selection::default().takes("x.json"));
        assert!(!Selection::default().takes("/AWSLogs/111122223333/CloudTrail-Digest/x/y.json.gz"));
    }
}
