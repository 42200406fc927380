//! Pages of lists: an opaque token that holds the last name of the page before.

use aws_api::ApiError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::limits::PAGE_SIZE_MAX;
use crate::place::{is_queue_name, ranged};
use crate::refusal;

/// What a request says about its page.
pub struct Page {
    size: usize,
    has_next: bool,
    after: Option<String>,
}

impl Page {
    /// Without `MaxResults` there is one page of 1000 and no token ("`ListQueues`").
    pub fn read(max_results: Option<i32>, token: Option<&str>) -> Result<Self, ApiError> {
        let reason = format!("MaxResults must be an integer between 1 and {PAGE_SIZE_MAX}.");
        let size = ranged(max_results, 1..=PAGE_SIZE_MAX, PAGE_SIZE_MAX, "MaxResults", &reason)?;
        let after = token.filter(|token| !token.is_empty()).map(read_token).transpose()?;
        Ok(Self { size: size as usize, has_next: max_results.is_some(), after })
    }

    /// Cuts the page out of all names, which come sorted.
    pub fn cut<'a>(&self, names: impl Iterator<Item = &'a str>) -> (Vec<&'a str>, Option<String>) {
        let mut names = names.skip_while(|name| self.after.as_deref().is_some_and(|after| *name <= after));
        let page: Vec<_> = names.by_ref().take(self.size).collect();
        let more = self.has_next && names.next().is_some();
        let token = page.last().filter(|_| more).map(|name| URL_SAFE_NO_PAD.encode(name));
        (page, token)
    }
}

fn read_token(token: &str) -> Result<String, ApiError> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .filter(|name| is_queue_name(name))
        .ok_or_else(|| refusal::invalid_parameter("Invalid or expired next token."))
}
