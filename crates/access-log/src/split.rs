//! Where a column ends.

use memchr::{memchr, memchr_iter, memrchr, memrchr_iter};

use crate::error::{Field, LineError};

const QUOTE: u8 = b'"';
const BLANK: u8 = b' ';

/// The columns that follow the user agent and are known: 18 to 27.
const TAIL_COLUMNS: usize = 10;
/// Among those, from 0: the signature version.
const SIGNATURE_VERSION: usize = 2;

/// What is left of a line, from the left.
pub(crate) struct Columns<'a> {
    rest: &'a [u8],
}

impl<'a> Columns<'a> {
    pub(crate) fn of(line: &'a [u8]) -> Self {
        Self { rest: line }
    }

    /// The next column, up to a blank.
    pub(crate) fn next(&mut self, field: Field) -> Result<&'a [u8], LineError> {
        let column = self.next_if_any().ok_or(LineError::Missing(field))?;
        if column.is_empty() { Err(LineError::Malformed(field)) } else { Ok(column) }
    }

    /// The next column; `None` if it says `-`.
    pub(crate) fn value(&mut self, field: Field) -> Result<Option<&'a [u8]>, LineError> {
        self.next(field).map(known)
    }

    /// The next column, which older lines do not have.
    pub(crate) fn newer(&mut self) -> Option<&'a [u8]> {
        self.next_if_any().and_then(known)
    }

    /// The next column, a number; `None` if it says `-`.
    pub(crate) fn number(&mut self, field: Field) -> Result<Option<u64>, LineError> {
        let Some(column) = self.value(field)? else { return Ok(None) };
        let number = Some(column).filter(|column| is_number(column)).and_then(|column| str::from_utf8(column).ok());
        number.and_then(|text| text.parse().ok()).map(Some).ok_or(LineError::Malformed(field))
    }

    /// What stands between `[` and `]`.
    pub(crate) fn bracketed(&mut self, field: Field) -> Result<&'a [u8], LineError> {
        match self.rest.split_first() {
            None => Err(LineError::Missing(field)),
            Some((b'[', rest)) => {
                let end = memchr(b']', rest).ok_or(LineError::Unfinished(field))?;
                self.skip(1 + end + 1, field)?;
                Ok(&rest[..end])
            }
            Some(_) => Err(LineError::Malformed(field)),
        }
    }

    /// The request-URI: up to the first quote that the next six columns follow in their form.
    pub(crate) fn request_uri(&mut self) -> Result<Option<&'a [u8]>, LineError> {
        self.quoted(Field::RequestUri, |rest| {
            let mut ends = ends(rest);
            ends.clone().find(|&end| is_followed_by_outcome(&rest[end + 1..])).or_else(|| ends.next())
        })
    }

    /// The referer: up to the first quote that the user agent follows.
    pub(crate) fn referer(&mut self) -> Result<Option<&'a [u8]>, LineError> {
        self.quoted(Field::Referer, |rest| {
            // After a user agent without quotes come none: otherwise a referer could pretend that this is one.
            let last = memrchr(QUOTE, rest);
            let before_user_agent = |end: usize| match &rest[end + 1..] {
                [BLANK, QUOTE, ..] => true,
                [BLANK, b'-'] | [BLANK, b'-', BLANK, ..] => Some(end) == last,
                _ => false,
            };
            let mut ends = ends(rest);
            ends.clone().find(|&end| before_user_agent(end)).or_else(|| ends.next())
        })
    }

    /// The user agent: up to the last quote that can be its end. Columns without quotes follow it, but columns that are yet
    /// to come may have some; `is_newest` says that the line may hold such.
    pub(crate) fn user_agent(&mut self, is_newest: bool) -> Result<Option<&'a [u8]>, LineError> {
        if self.rest.starts_with(b"-") && memchr(QUOTE, self.rest).is_some() {
            return Err(LineError::Malformed(Field::UserAgent));
        }
        self.quoted(Field::UserAgent, |rest| {
            let ends = || memrchr_iter(QUOTE, rest).filter(|&end| is_end(rest, end));
            let end_of = |tail: Tail| ends().find(|&end| Tail::of(&rest[end + 1..]) == Some(tail));
            let found = is_newest.then(|| end_of(Tail::Signed).or_else(|| end_of(Tail::Old))).flatten();
            found.or_else(|| ends().next())
        })
    }

    /// What stands between quotes; `end` is given the text behind the opening quote and finds the closing one. Some
    /// writers leave the quotes out where there is nothing to say.
    fn quoted(
        &mut self,
        field: Field,
        end: impl FnOnce(&'a [u8]) -> Option<usize>,
    ) -> Result<Option<&'a [u8]>, LineError> {
        match self.rest {
            [] => Err(LineError::Missing(field)),
            [b'-'] | [b'-', BLANK, ..] => {
                self.skip(1, field)?;
                Ok(None)
            }
            [QUOTE, rest @ ..] => {
                let end = end(rest).ok_or(LineError::Unfinished(field))?;
                self.skip(1 + end + 1, field)?;
                Ok(known(&rest[..end]))
            }
            _ => Err(LineError::Malformed(field)),
        }
    }

    /// Past a column of `len` bytes and the blank behind it.
    fn skip(&mut self, len: usize, field: Field) -> Result<(), LineError> {
        self.rest = match &self.rest[len..] {
            [] => &[],
            [BLANK, rest @ ..] => rest,
            _ => return Err(LineError::Malformed(field)),
        };
        Ok(())
    }

    fn next_if_any(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let (column, rest) = match memchr(BLANK, self.rest) {
            Some(at) => (&self.rest[..at], &self.rest[at + 1..]),
            None => (self.rest, &[][..]),
        };
        self.rest = rest;
        Some(column)
    }
}

/// What the columns after a quote say of it, if they can be those after a user agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tail {
    /// At least three, and the third is a signature version: a line since October 2018.
    Signed,
    /// One or two: an older line.
    Old,
}

impl Tail {
    fn of(after: &[u8]) -> Option<Self> {
        let [BLANK, after @ ..] = after else { return None };
        let mut count = 0;
        for column in after.split(|&byte| byte == BLANK).take(TAIL_COLUMNS) {
            if memchr(QUOTE, column).is_some() || (count == SIGNATURE_VERSION && !is_signature_version(column)) {
                return None;
            }
            count += 1;
        }
        Some(if count > SIGNATURE_VERSION { Self::Signed } else { Self::Old })
    }
}

/// The signature version after the last quote of a line, if one stands in its place there. [`Columns::user_agent`] ends there,
/// too: nothing after the last quote can be a reason against it.
pub(crate) fn last_signature_version(line: &[u8]) -> Option<&[u8]> {
    let mut columns = Columns { rest: line[memrchr(QUOTE, line)? + 1..].strip_prefix(&[BLANK])? };
    let column = (0..=SIGNATURE_VERSION).map(|_| columns.next_if_any()).last()??;
    names_signature_version(column).then_some(column)
}

/// `SigV2`, `SigV4`, … or `-`.
pub(crate) fn is_signature_version(column: &[u8]) -> bool {
    column == b"-" || names_signature_version(column)
}

/// `SigV2`, `SigV4`, …
pub(crate) fn names_signature_version(column: &[u8]) -> bool {
    const VERSION_LEN_MAX: usize = 8;
    column.strip_prefix(b"SigV").is_some_and(|version| {
        (1..=VERSION_LEN_MAX).contains(&version.len()) && version.iter().all(u8::is_ascii_alphanumeric)
    })
}

/// Status, error code, two sizes, two times, and the beginning of the referer.
fn is_followed_by_outcome(after: &[u8]) -> bool {
    let mut columns = Columns { rest: after.get(1..).unwrap_or_default() };
    let mut next = || columns.next_if_any().unwrap_or_default();
    let status = next();
    let error = next();
    (status == b"-" || is_status(status))
        && !error.is_empty()
        && memchr(QUOTE, error).is_none()
        && (0..4).all(|_| matches!(next(), column if column == b"-" || is_number(column)))
        && matches!(columns.rest, [QUOTE, ..] | [b'-'] | [b'-', BLANK, ..])
}

pub(crate) fn is_status(column: &[u8]) -> bool {
    column.len() == 3 && is_number(column)
}

fn is_number(column: &[u8]) -> bool {
    !column.is_empty() && column.iter().all(u8::is_ascii_digit)
}

/// The quotes that can be the end of a column.
fn ends(rest: &[u8]) -> impl Iterator<Item = usize> + Clone + '_ {
    memchr_iter(QUOTE, rest).filter(move |&end| is_end(rest, end))
}

fn is_end(rest: &[u8], quote: usize) -> bool {
    rest.get(quote + 1).is_none_or(|&next| next == BLANK)
}

/// `-` and nothing at all say that it is unknown or does not apply.
fn known(column: &[u8]) -> Option<&[u8]> {
    (!matches!(column, [] | [b'-'])).then_some(column)
}
