//! The fields that tell callers apart.

use std::fmt;

use pipeline::CallerKey;

/// What tells one caller from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The role behind a session, else the ARN.
    Identity,
    /// The key that signed.
    AccessKeyId,
    /// The address.
    SourceIp,
    /// The software, as it names itself.
    UserAgent,
    /// The bucket, empty for calls on none.
    Bucket,
}

impl Field {
    /// Every field, in the order in which reports have them.
    pub const ALL: [Self; 5] = [Self::Identity, Self::AccessKeyId, Self::SourceIp, Self::UserAgent, Self::Bucket];

    /// Its name on the command line, in JSON and in CSV.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::AccessKeyId => "access_key_id",
            Self::SourceIp => "source_ip",
            Self::UserAgent => "user_agent",
            Self::Bucket => "bucket",
        }
    }

    /// What it is, in a few words, for the help of a command.
    pub fn about(self) -> &'static str {
        match self {
            Self::Identity => "The role behind a session, else the ARN",
            Self::AccessKeyId => "The key that signed",
            Self::SourceIp => "The address",
            Self::UserAgent => "The software, as it names itself",
            Self::Bucket => "The bucket, empty for calls on none",
        }
    }

    /// Its value.
    pub(crate) fn of(self, key: &CallerKey) -> &str {
        match self {
            Self::Identity => &key.identity,
            Self::AccessKeyId => &key.access_key_id,
            Self::SourceIp => &key.source_ip,
            Self::UserAgent => &key.user_agent,
            Self::Bucket => &key.bucket,
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
