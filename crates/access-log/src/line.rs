//! A line, taken apart.

use aws_api::Timestamp;

use crate::error::{Field, LineError};
use crate::split::{Columns, is_signature_version, is_status, last_signature_version, names_signature_version};

/// The longest line that is read, in bytes. What S3 writes stays far below: the longest key, encoded twice, has 9 KiB.
pub const LINE_LEN_MAX: usize = 64 * 1024;

/// October 2018: since then lines say how the request was signed, and have ever more columns.
const SIGNATURE_VERSIONS_SINCE: Timestamp = Timestamp::from_secs(1_538_352_000);

/// One line of an access log, borrowed. `None` stands for `-`, for an empty text between quotes, and for a column that lines
/// of this age do not have. Texts are as they stand in the line: encoded where S3 encodes them, and not always UTF-8.
///
/// It shows itself without request-URI and referer, which may hold signatures.
#[derive(Clone, PartialEq, Eq)]
pub struct Line<'a> {
    /// The canonical id of the owner of the bucket.
    pub bucket_owner: Option<&'a [u8]>,
    /// The bucket.
    pub bucket: Option<&'a [u8]>,
    /// When S3 received the request.
    pub time: Timestamp,
    /// The address of the client.
    pub remote_ip: Option<&'a [u8]>,
    /// Who: a canonical id, an ARN, `svc:` and a service, `AmazonS3` for what S3 does by itself; `None` of an unproven request.
    pub requester: Option<&'a [u8]>,
    /// `x-amz-request-id` of the answer.
    pub request_id: Option<&'a [u8]>,
    /// `REST.GET.OBJECT`
    pub operation: &'a [u8],
    /// The key, URL-encoded twice.
    pub key: Option<&'a [u8]>,
    /// `GET /bucket/key?versionId=x HTTP/1.1`. Of a presigned request it holds a signature.
    pub request_uri: Option<&'a [u8]>,
    /// Three digits.
    pub http_status: Option<u16>,
    /// S3's error code.
    pub error_code: Option<&'a [u8]>,
    /// Bytes of the answer's body; `None` stands for zero, too.
    pub bytes_sent: Option<u64>,
    /// Bytes of the object.
    pub object_size: Option<u64>,
    /// Milliseconds from the receipt of the request to the last byte of the answer.
    pub total_time_ms: Option<u64>,
    /// Milliseconds of those in which S3 worked.
    pub turn_around_time_ms: Option<u64>,
    /// The Referer header.
    pub referer: Option<&'a [u8]>,
    /// The User-Agent header.
    pub user_agent: Option<&'a [u8]>,
    /// The version of the object.
    pub version_id: Option<&'a [u8]>,
    /// `x-amz-id-2` of the answer.
    pub host_id: Option<&'a [u8]>,
    /// `SigV2` or `SigV4`; `None` of a request without a signature. Since October 2018, as the next three.
    pub signature_version: Option<&'a [u8]>,
    /// The cipher suite in OpenSSL's spelling; `None` over plain HTTP.
    pub cipher_suite: Option<&'a [u8]>,
    /// `AuthHeader` or `QueryString`.
    pub authentication_type: Option<&'a [u8]>,
    /// The endpoint that was called.
    pub host_header: Option<&'a [u8]>,
    /// `TLSv1.2`; some lines have it as `TLSV1.2`.
    pub tls_version: Option<&'a [u8]>,
    /// The ARN of the access point.
    pub access_point_arn: Option<&'a [u8]>,
    /// `Yes` if an ACL was needed to allow the request.
    pub acl_required: Option<&'a [u8]>,
    /// The last column that is known, a region.
    pub source_region: Option<&'a [u8]>,
}

impl<'a> Line<'a> {
    /// Reads a line, with or without its end.
    pub fn parse(text: &'a [u8]) -> Result<Self, LineError> {
        let text = without_end(text);
        if text.len() > LINE_LEN_MAX {
            return Err(LineError::TooLong { len: text.len() });
        }
        let mut columns = Columns::of(text);
        let columns = &mut columns;
        // Each expression takes the next column.
        let [bucket_owner, bucket] = [columns.value(Field::BucketOwner)?, columns.value(Field::Bucket)?];
        let time = time(columns)?;
        let line = Self {
            bucket_owner,
            bucket,
            time,
            remote_ip: columns.value(Field::RemoteIp)?,
            requester: columns.value(Field::Requester)?,
            request_id: columns.value(Field::RequestId)?,
            operation: columns.next(Field::Operation)?,
            key: columns.value(Field::Key)?,
            request_uri: columns.request_uri()?,
            http_status: http_status(columns)?,
            error_code: columns.value(Field::ErrorCode)?,
            bytes_sent: columns.number(Field::BytesSent)?,
            object_size: columns.number(Field::ObjectSize)?,
            total_time_ms: columns.number(Field::TotalTime)?,
            turn_around_time_ms: columns.number(Field::TurnAroundTime)?,
            referer: columns.referer()?,
            user_agent: columns.user_agent(time >= SIGNATURE_VERSIONS_SINCE)?,
            version_id: columns.value(Field::VersionId)?,
            host_id: columns.newer(),
            signature_version: columns.newer(),
            cipher_suite: columns.newer(),
            authentication_type: columns.newer(),
            host_header: columns.newer(),
            tls_version: columns.newer(),
            access_point_arn: columns.newer(),
            acl_required: columns.newer(),
            source_region: columns.newer(),
        };
        line.in_its_columns()
    }

    /// The two columns that are easily told apart stand where they belong.
    fn in_its_columns(self) -> Result<Self, LineError> {
        if self.host_id.is_some_and(names_signature_version) {
            return Err(LineError::Malformed(Field::HostId));
        }
        if !self.signature_version.is_none_or(is_signature_version) {
            return Err(LineError::Malformed(Field::SignatureVersion));
        }
        Ok(self)
    }
}

impl std::fmt::Debug for Line<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = |column: Option<&[u8]>| column.map(|column| String::from_utf8_lossy(column).into_owned());
        f.debug_struct("Line")
            .field("time", &self.time.to_rfc3339_seconds())
            .field("bucket", &text(self.bucket))
            .field("requester", &text(self.requester))
            .field("request_id", &text(self.request_id))
            .field("operation", &text(Some(self.operation)))
            .field("http_status", &self.http_status)
            .field("signature_version", &text(self.signature_version))
            .finish_non_exhaustive()
    }
}

/// The signature version of a line, as [`Line::parse`] finds it, for a fraction of the work: only the end of a line is looked
/// at where that decides. `None` if the request was not signed, or if the line is too old to say.
///
/// Of what is no line the answer is without meaning: ask [`Line::parse`] before a `Some` is told to anybody.
pub fn signature_version(line: &[u8]) -> Option<&[u8]> {
    let line = without_end(line);
    if line.len() > LINE_LEN_MAX {
        return None;
    }
    last_signature_version(line).or_else(|| Line::parse(line).ok()?.signature_version)
}

/// Whether a file whose first line this is holds an access log. It need not be whole: the columns up to the operation decide.
pub fn is_access_log(first_line: &[u8]) -> bool {
    let line = without_end(first_line);
    let mut columns = Columns::of(&line[..line.len().min(LINE_LEN_MAX)]);
    head(&mut columns)
        .is_ok_and(|operation| operation.contains(&b'.') && operation.first().is_some_and(u8::is_ascii_uppercase))
}

/// Reads up to the operation.
fn head<'a>(columns: &mut Columns<'a>) -> Result<&'a [u8], LineError> {
    columns.next(Field::BucketOwner)?;
    columns.next(Field::Bucket)?;
    time(columns)?;
    columns.next(Field::RemoteIp)?;
    columns.next(Field::Requester)?;
    columns.next(Field::RequestId)?;
    columns.next(Field::Operation)
}

fn time(columns: &mut Columns<'_>) -> Result<Timestamp, LineError> {
    crate::time::parse(columns.bracketed(Field::Time)?).ok_or(LineError::Malformed(Field::Time))
}

fn http_status(columns: &mut Columns<'_>) -> Result<Option<u16>, LineError> {
    let Some(column) = columns.value(Field::HttpStatus)? else { return Ok(None) };
    if !is_status(column) {
        return Err(LineError::Malformed(Field::HttpStatus));
    }
    Ok(Some(column.iter().fold(0, |status, digit| status * 10 + u16::from(digit - b'0'))))
}

/// Without line feed, carriage return, and blanks at the end.
fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let blanks = line.iter().rev().take_while(|&&byte| byte == b' ').count();
    &line[..line.len() - blanks]
}
