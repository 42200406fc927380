//! What AWS is switching off, each with the event pattern that finds who still uses it.
//!
//! One JSON file a check in `catalogue/`, embedded. [`all`] has them in order, [`find`] has one by its name.
//!
//! A pattern is one of EventBridge's and sees an event: a CloudTrail record is its `detail`. Nothing here matches; the crate's
//! tests compile every pattern and hold it against the records that are in its file. Records that were imported from S3 server
//! access logs are found, too, as far as they say what is asked.
//!
//! Source: announcements of AWS, each named in its file no more exactly than we know it. A date is the announced one; nothing here
//! knows what day it is.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::value::RawValue;

/// Something that is used and should not be.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Its name on a command line: `sigv2`.
    pub name: &'static str,
    /// What the pattern finds, in one line; after a semicolon, what it also finds and cannot tell apart.
    pub title: &'static str,
    /// What happens at the date, and to whom.
    pub what: &'static str,
    /// `2025-12-31` or, where no day was announced, `2025-12`; `None` if there is no date.
    pub date: Option<&'static str>,
    /// Who said so.
    pub source: &'static str,
    /// Whether anything is being switched off at all.
    pub kind: Kind,
    /// Whether what the pattern asks for was seen in real records. Otherwise the spelling is from documentation.
    pub seen: bool,
    #[serde(borrow)]
    pattern: &'static RawValue,
    #[serde(borrow)]
    matching: Vec<&'static RawValue>,
    #[serde(borrow)]
    other: Vec<&'static RawValue>,
}

/// Why something should not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// AWS has announced that it ends, or that support of it ends.
    Deprecation,
    /// It goes on, and there is something better.
    Hygiene,
}

impl Kind {
    /// `deprecation` or `hygiene`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deprecation => "deprecation",
            Self::Hygiene => "hygiene",
        }
    }
}

impl Check {
    /// The event pattern, JSON. The records are under `detail`.
    pub fn pattern(&self) -> &'static str {
        self.pattern.get()
    }

    /// Records that the pattern finds, JSON; of each only what matters.
    pub fn matching(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.matching.iter().map(|record| record.get())
    }

    /// Records that look alike and that it does not find.
    pub fn other(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.other.iter().map(|record| record.get())
    }
}

/// Every check, [`DEFAULT`] first, deprecations before hygiene.
pub fn all() -> &'static [Check] {
    &CHECKS
}

/// The check of this name.
pub fn find(name: &str) -> Option<&'static Check> {
    CHECKS.iter().find(|check| check.name == name)
}

/// The name of the check for which all this exists: S3 requests that are signed with Signature Version 2.
pub const DEFAULT: &str = "sigv2";

static CHECKS: LazyLock<Vec<Check>> = LazyLock::new(|| {
    let read = |text: &&'static str| serde_json::from_str(text).expect("a file of the catalogue, which the tests read");
    CATALOGUE.iter().map(read).collect()
});

macro_rules! catalogue {
    ($($name:literal)*) => {
        [$(include_str!(concat!("../catalogue/", $name, ".json"))),*]
    };
}

static CATALOGUE: [&str; 25] = catalogue! {
    "sigv2"
    "tls-1.0-1.1"
    "sdk-java-1"
    "sdk-javascript-2"
    "sdk-go-1"
    "cli-1"
    "powershell-4"
    "python-3.6"
    "python-3.7"
    "python-3.8"
    "python-3.9"
    "python-3.10"
    "php-8.0"
    "node-16"
    "boto-2"
    "sdk-ruby-1-2"
    "sdk-php-2"
    "sdk-dotnet-1-2"
    "s3-soap"
    "s3-email-grantee"
    "s3-path-style"
    "imdsv1"
    "root"
    "long-term-keys"
    "no-forward-secrecy"
};
