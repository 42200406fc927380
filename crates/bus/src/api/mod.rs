//! The operations. Each decides and changes nothing.

mod bus;
mod event;
mod permission;
mod rule;
mod tag;
mod target;

use aws_api::{ApiError, Change};

pub use event::{ENTRIES_MAX, PutEvent};
pub use rule::RULES_PER_BUS_MAX;
pub use target::TARGETS_PER_RULE_MAX;

/// An answer, and what has to be made durable before it is given.
type Decided<T> = Result<(T, Vec<Change>), ApiError>;

/// The longest name of a rule and id of a target, in characters.
const NAME_LEN_MAX: usize = 64;
/// The longest description, in characters.
const DESCRIPTION_LEN_MAX: usize = 512;
/// The greatest and default `Limit`, and the greatest number of ids or targets in a request.
const PAGE_MAX: usize = 100;

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("ValidationException", message)
}

/// The service's words for a parameter that its model does not allow.
fn constraint(value: impl std::fmt::Display, at: &str, must: impl std::fmt::Display) -> ApiError {
    invalid(format!(
        "1 validation error detected: Value '{value}' at '{at}' failed to satisfy constraint: Member must {must}"
    ))
}

fn limit_exceeded() -> ApiError {
    ApiError::new("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
}

/// A name is of the letters that names have, and not too long.
fn check_name(name: &str, at: &str, len_max: usize) -> Result<(), ApiError> {
    check_len(name, at, 1, len_max)?;
    if name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c)) {
        return Ok(());
    }
    Err(constraint(name, at, "satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+"))
}

fn check_len(text: &str, at: &str, min: usize, max: usize) -> Result<(), ApiError> {
    let length = text.chars().count();
    if length < min {
        return Err(constraint(text, at, format_args!("have length greater than or equal to {min}")));
    }
    if length > max {
        return Err(constraint(text, at, format_args!("have length less than or equal to {max}")));
    }
    Ok(())
}

fn check_count(count: usize, at: &str, max: usize) -> Result<(), ApiError> {
    if count == 0 {
        return Err(constraint("[]", at, "have length greater than or equal to 1"));
    }
    if count > max {
        return Err(constraint("[...]", at, format_args!("have length less than or equal to {max}")));
    }
    Ok(())
}

/// Cuts a page from items in the order of their names. A token is the last name of the page before.
fn page<T>(
    items: impl Iterator<Item = T>,
    name: impl Fn(&T) -> &str,
    limit: Option<i32>,
    token: Option<&str>,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let limit = match limit {
        None => PAGE_MAX,
        Some(limit) => match usize::try_from(limit) {
            Ok(0) | Err(_) => {
                return Err(constraint(limit, "limit", "have value greater than or equal to 1"));
            }
            Ok(limit) if limit > PAGE_MAX => {
                return Err(constraint(limit, "limit", format_args!("have value less than or equal to {PAGE_MAX}")));
            }
            Ok(limit) => limit,
        },
    };
    let after = match token.filter(|token| !token.is_empty()) {
        None => None,
        Some(token) => match token.strip_prefix("after:").filter(|name| check_name(name, "nextToken", 256).is_ok()) {
            None => return Err(invalid("Parameter NextToken is not valid.")),
            after => after,
        },
    };
    let mut found: Vec<T> = items.filter(|item| after.is_none_or(|after| name(item) > after)).take(limit + 1).collect();
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|item| format!("after:{}", name(item)));
    Ok((found, next))
}
