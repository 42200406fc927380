//! Lists in pages of a hundred, in the order of their keys.

use std::collections::BTreeMap;
use std::ops::Bound;

use aws_api::ApiError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::refusal::invalid;

/// How many a page holds (`ListTopics`, `ListSubscriptions` in the API reference).
pub const PAGE_LEN: usize = 100;

/// The longest `NextToken` that is looked at, in bytes. Ours are shorter: a key in base64.
const NEXT_TOKEN_LEN_MAX: usize = 1024;

/// One page of what `rows` holds under `prefix`, after the last entry of the page before, and the token of the next.
pub(crate) fn page<'a, V>(
    rows: &'a BTreeMap<String, V>,
    prefix: &str,
    next_token: Option<&str>,
) -> Result<(Vec<&'a V>, Option<String>), ApiError> {
    let after = next_token.map(|token| read_token(token, prefix)).transpose()?;
    let start = match &after {
        Some(key) => Bound::Excluded(key.as_str()),
        None => Bound::Included(prefix),
    };
    let mut under = rows.range::<str, _>((start, Bound::Unbounded)).take_while(|(key, _)| key.starts_with(prefix));
    let shown: Vec<_> = under.by_ref().take(PAGE_LEN).collect();
    let more = under.next().is_some();
    let next = shown.last().filter(|_| more).map(|(key, _)| URL_SAFE_NO_PAD.encode(key));
    Ok((shown.into_iter().map(|(_, row)| row).collect(), next))
}

/// A token names the last key that was shown, which must be one of the same list: nobody pages through another account.
fn read_token(token: &str, prefix: &str) -> Result<String, ApiError> {
    Some(token)
        .filter(|token| token.len() <= NEXT_TOKEN_LEN_MAX)
        .and_then(|token| URL_SAFE_NO_PAD.decode(token).ok())
        .and_then(|key| String::from_utf8(key).ok())
        .filter(|key| key.starts_with(prefix))
        .ok_or_else(|| invalid("NextToken"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_once_and_only_those_of_the_prefix() {
        let rows: BTreeMap<String, usize> =
            (0..250).map(|n| (format!("a/{n:03}"), n)).chain([("b/0".into(), 999)]).collect();
        let (mut seen, mut token, mut pages) = (Vec::new(), None, 0);
        loop {
            let (shown, next) = page(&rows, "a/", token.as_deref()).unwrap();
            seen.extend(shown.into_iter().copied());
            pages += 1;
            token = next;
            if token.is_none() {
                break;
            }
        }
        assert_eq!((seen, pages), ((0..250).collect(), 3));
    }

    #[test]
    fn a_full_last_page_has_no_token() {
        let rows: BTreeMap<String, usize> = (0..100).map(|n| (format!("a/{n:03}"), n)).collect();
        assert_eq!(page(&rows, "a/", None).unwrap().1, None);
    }

    #[test]
    fn foreign_tokens() {
        let rows: BTreeMap<String, usize> = BTreeMap::new();
        let foreign = URL_SAFE_NO_PAD.encode("b/0");
        let long = "A".repeat(NEXT_TOKEN_LEN_MAX + 1);
        for token in ["", "!", "AA", foreign.as_str(), long.as_str()] {
            let refused = page(&rows, "a/", Some(token)).unwrap_err();
            assert_eq!(refused.message, "Invalid parameter: NextToken", "{token}");
        }
    }
}
