//! What can be wrong with a line.

use std::fmt;

/// A column of the log, in the order of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the column that `Line` documents")]
pub enum Field {
    BucketOwner,
    Bucket,
    Time,
    RemoteIp,
    Requester,
    RequestId,
    Operation,
    Key,
    RequestUri,
    HttpStatus,
    ErrorCode,
    BytesSent,
    ObjectSize,
    TotalTime,
    TurnAroundTime,
    Referer,
    UserAgent,
    VersionId,
    HostId,
    SignatureVersion,
}

impl Field {
    /// The name that the S3 user guide gives it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BucketOwner => "Bucket Owner",
            Self::Bucket => "Bucket",
            Self::Time => "Time",
            Self::RemoteIp => "Remote IP",
            Self::Requester => "Requester",
            Self::RequestId => "Request ID",
            Self::Operation => "Operation",
            Self::Key => "Key",
            Self::RequestUri => "Request-URI",
            Self::HttpStatus => "HTTP status",
            Self::ErrorCode => "Error Code",
            Self::BytesSent => "Bytes Sent",
            Self::ObjectSize => "Object Size",
            Self::TotalTime => "Total Time",
            Self::TurnAroundTime => "Turn-Around Time",
            Self::Referer => "Referer",
            Self::UserAgent => "User-Agent",
            Self::VersionId => "Version Id",
            Self::HostId => "Host Id",
            Self::SignatureVersion => "Signature Version",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a text is no line of an access log. It says where, and never what stands there: that may be a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Longer than [`LINE_LEN_MAX`](crate::LINE_LEN_MAX).
    #[error("the line has {len} bytes, more than {max}", max = crate::LINE_LEN_MAX)]
    TooLong {
        /// Bytes.
        len: usize,
    },
    /// The line ends before this column, which all ages have.
    #[error("the line is cut short: it has no {0}")]
    Missing(Field),
    /// The line ends within this column: its quote or bracket is never closed.
    #[error("the line is cut short in its {0}")]
    Unfinished(Field),
    /// The column does not have the form that the guide gives it.
    #[error("the {0} is not of the form that S3 writes")]
    Malformed(Field),
}
