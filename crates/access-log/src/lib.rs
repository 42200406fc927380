//! S3 server access logs: a line taken apart, and told as the CloudTrail record of the same request.
//!
//! [`Line::parse`] borrows the columns of a line of any age, from the 18 of the first years to those that are yet to come.
//! [`Line::record`] writes the record. [`signature_version`] answers the one question that is asked of every line without
//! reading all of it, and [`is_access_log`] tells such a file by its first line.
//!
//! Sources: S3 user guide, "Amazon S3 server access log format" and "Logging requests with server access logging"; Ceph's
//! `bucket_logging`, whose standard records have the same columns; public logs for what the guide does not say.
//!
//! # Whose word a column is
//!
//! Request-URI, referer and user agent stand between quotes, and nothing in them is escaped: a client can write there
//! whatever looks like the end of the column and like all columns after it. Only places that it cannot reach decide:
//!
//! - The request-URI ends at the first quote after which six columns have the form of status, error, sizes and times. A
//!   request line holds no blanks, so that the client cannot write them.
//! - The user agent ends at the last quote of the line. What follows it is S3's, and S3 writes no quotes there. Columns
//!   that are yet to come may have quotes: in lines since October 2018, which have a signature version, it is the last quote
//!   that is followed by the known columns without one, and by a signature version in its place.
//! - Between the two, the referer ends at the first `" "`. Whoever writes that into a referer changes how his own referer
//!   and user agent are told apart, and nothing else.
//!
//! # Bounds
//!
//! A line has at most [`LINE_LEN_MAX`] bytes; reading it takes time linear in them. What a client may make long is cut in
//! records as CloudTrail cuts it.

mod error;
mod event_id;
mod identity;
mod line;
mod operation;
mod origin;
mod record;
mod request;
mod split;
mod text;
mod time;

pub use error::{Field, LineError};
pub use line::{LINE_LEN_MAX, Line, is_access_log, signature_version};
pub use origin::Origin;
