//! What the place of a log file says of its lines.

use aws_api::is_region;

/// What lines do not say of themselves and the name of their file may: whose bucket they are about, and where it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The account that owns the bucket: twelve digits.
    pub account_id: Option<&'a str>,
    /// The region of the bucket.
    pub region: Option<&'a str>,
}

impl<'a> Origin<'a> {
    /// From the object key of a log file, or the path of a copy of it. Only keys of the partitioned form say something:
    /// `[prefix]account/region/bucket/YYYY/MM/DD/YYYY-MM-DD-hh-mm-ss-UniqueString` (S3 user guide, "Log object key format").
    pub fn of_object_key(key: &'a str) -> Self {
        let mut parts = key.rsplit('/');
        let mut next = || parts.next().unwrap_or_default();
        let name = next();
        let [day, month, year] = [next(), next(), next()];
        let _bucket = next();
        let [region, account] = [next(), next()];
        let is_dated = [(year, 4), (month, 2), (day, 2)].iter().all(|&(part, len)| is_digits(part, len));
        if !is_dated || !name.starts_with(&format!("{year}-{month}-{day}-")) || !is_region(region) {
            return Self::default();
        }
        // A prefix need not end in a slash.
        let digits = account.len().checked_sub(ACCOUNT_ID_LEN).and_then(|start| account.get(start..));
        let account_id = digits.filter(|digits| is_digits(digits, ACCOUNT_ID_LEN));
        Self { account_id, region: account_id.map(|_| region) }
    }
}

/// Digits of an account's id.
pub(crate) const ACCOUNT_ID_LEN: usize = 12;

pub(crate) fn is_digits(text: &str, len: usize) -> bool {
    text.len() == len && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitioned_keys_say_it() {
        let found = Origin { account_id: Some("111122223333"), region: Some("eu-central-1") };
        let name = "111122223333/eu-central-1/media/2026/03/14/2026-03-14-00-00-00-7C1B9D42EXAMPLE0";
        for prefix in ["", "logs/", "logs-", "s3://bucket/a/b/"] {
            assert_eq!(Origin::of_object_key(&format!("{prefix}{name}")), found);
        }
    }

    #[test]
    fn other_keys_say_nothing() {
        for key in [
            "",
            "logs/2026-03-14-09-26-53-7C1B9D42EXAMPLE0",
            "1111222233/eu-central-1/media/2026/03/14/2026-03-14-00-00-00-7C1B9D42EXAMPLE0",
            "111122223333/eu-nowhere-1/media/2026/03/14/2026-03-14-00-00-00-7C1B9D42EXAMPLE0",
            "111122223333/eu-central-1/media/2026/03/14/2026-03-15-00-00-00-7C1B9D42EXAMPLE0",
            "111122223333/eu-central-1/media/2026/03/2026-03-14-00-00-00-7C1B9D42EXAMPLE0",
            "é11122223333/eu-central-1/media/2026/03/14/2026-03-14-00-00-00-7C1B9D42EXAMPLE0",
        ] {
            assert_eq!(Origin::of_object_key(key), Origin::default(), "{key}");
        }
    }
}
