//! Lists in pages. A token names the place of the last entry that was shown, so that what comes or goes between two pages neither
//! hides an entry nor shows one twice.

use aws_api::{ApiError, RequestContext};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::stacks::invalid;

/// How many entries a page holds ("`ListStackResources`": "up to 100"; the other lists are as long).
pub(crate) const PAGE_LEN: usize = 100;
/// The longest `NextToken`, in bytes ("`ListStacks`", request parameters).
const NEXT_TOKEN_LEN_MAX: usize = 1024;
/// Stands between a list's name and a place in it.
const END_OF_NAME: char = '\n';

/// A list of the caller's, and how many entries of it are shown at once.
pub(crate) struct List {
    name: String,
    len: usize,
}

impl List {
    /// What an operation lists in an account and region, or `of` what.
    pub(crate) fn new(ctx: &RequestContext, operation: &str, of: &str) -> Self {
        Self { name: format!("{operation} {} {} {of}", ctx.account(), ctx.region), len: PAGE_LEN }
    }

    /// The entries after the place that the token names, and the token of the next page. `entries` are in the order of their
    /// places, which are texts in which nobody but a list reads.
    pub(crate) fn page<T>(
        &self,
        entries: impl Iterator<Item = T>,
        place: impl Fn(&T) -> String,
        token: Option<&String>,
    ) -> Result<(Vec<T>, Option<String>), ApiError> {
        let after = token.map(|token| self.read(token)).transpose()?;
        let is_left = |entry: &T| after.as_ref().is_none_or(|after| place(entry) > *after);
        let mut left = entries.filter(is_left);
        let shown: Vec<_> = left.by_ref().take(self.len).collect();
        let more = left.next().is_some();
        let next = shown.last().filter(|_| more).map(|last| self.token(&place(last)));
        Ok((shown, next))
    }

    fn token(&self, place: &str) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}{END_OF_NAME}{place}", self.name))
    }

    /// A token must be one of the same list: nobody pages through another account, stack or operation.
    fn read(&self, token: &str) -> Result<String, ApiError> {
        let token = Some(token).filter(|token| token.len() <= NEXT_TOKEN_LEN_MAX);
        let text =
            token.and_then(|token| URL_SAFE_NO_PAD.decode(token).ok()).and_then(|bytes| String::from_utf8(bytes).ok());
        let place = text.as_deref().and_then(|text| text.strip_prefix(&self.name)?.strip_prefix(END_OF_NAME));
        place.map(ToOwned::to_owned).ok_or_else(foreign_token)
    }
}

/// What is said of a token that no page ended with.
pub(crate) fn foreign_token() -> ApiError {
    invalid("The next token is not one of this list.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(name: &str) -> List {
        List { name: name.into(), len: 2 }
    }

    fn page(list: &List, entries: &[&str], token: Option<&String>) -> Result<(Vec<String>, Option<String>), ApiError> {
        list.page(entries.iter().map(|&entry| entry.to_owned()), Clone::clone, token)
    }

    #[test]
    fn what_comes_and_goes_between_pages_moves_nothing() {
        let list = list("a");
        let (shown, token) = page(&list, &["b", "d", "f", "h", "j"], None).unwrap();
        assert_eq!(shown, ["b", "d"]);
        // One before the place came, the last that was shown is gone, and one after it came.
        let (shown, token) = page(&list, &["a", "b", "e", "f", "h", "j"], token.as_ref()).unwrap();
        assert_eq!(shown, ["e", "f"]);
        let (shown, token) = page(&list, &["a", "h"], token.as_ref()).unwrap();
        assert_eq!((shown, token), (vec!["h".to_owned()], None));
    }

    #[test]
    fn a_last_page_that_is_full_has_no_token() {
        assert_eq!(page(&list("a"), &["b", "d"], None).unwrap(), (vec!["b".into(), "d".into()], None));
        assert_eq!(page(&list("a"), &[], None).unwrap(), (Vec::new(), None));
    }

    #[test]
    fn foreign_tokens_are_refused() {
        let (_, token) = page(&list("a"), &["b", "d", "f"], None).unwrap();
        assert!(page(&list("ab"), &["b", "d", "f"], token.as_ref()).is_err());
        assert!(page(&list(""), &["b", "d", "f"], token.as_ref()).is_err());
        for token in ["", "f", "!", "YQ"] {
            let refused = page(&list("a"), &["b"], Some(&token.to_owned())).unwrap_err();
            assert_eq!(
                (&*refused.code, &*refused.message),
                ("ValidationError", "The next token is not one of this list.")
            );
        }
    }
}
