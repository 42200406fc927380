//! A text that an event must hold if any rule is to match: where it is not, the event need not be read.
//!
//! Most rules ask for something rare, the signature version for one. Finding out that a few bytes are nowhere in an event is
//! several times faster than walking it. A text may also be written with escape sequences; only those that could spell one
//! of its characters matter.

use memchr::{memchr, memmem};

use crate::compile::SubRule;
use crate::lexer::unescape;
use crate::operator::Operator;

/// Texts shorter than this are in most events.
const MIN_BYTES: usize = 4;
/// Passing an event costs so much, turning one away wins more; at the limit the filter rests for a while.
const PASSED: u32 = 4;
const TURNED_AWAY: u32 = 8;
const LIMIT: u32 = 128;
const REST: u32 = 1_024;

#[derive(Clone, Debug)]
pub(super) struct Prefilter {
    needle: memmem::Finder<'static>,
}

/// Whether the filter has been worth its while on this thread, for the engine it was last asked for.
#[derive(Debug, Default)]
pub(super) struct Worth {
    engine: usize,
    score: u32,
}

impl Prefilter {
    /// The filter of a single sub-rule; `None` if it asks for no text that events spell out.
    pub(super) fn new(sub: &SubRule) -> Option<Self> {
        let needles = sub.iter().filter(|condition| !condition.absent).filter_map(|condition| {
            let [operator] = &*condition.operators.operators else { return None };
            let needle = required(operator).filter(|needle| needle.len() >= MIN_BYTES)?;
            // The deepest field tells most, and of its texts the longest.
            Some((condition.name.matches('.').count(), needle.len(), needle))
        });
        let (_, _, needle) = needles.max()?;
        Some(Self { needle: memmem::Finder::new(needle).into_owned() })
    }

    /// Whether the event might match. `engine` tells whose filter this is.
    pub(super) fn may_match(&self, event: &[u8], engine: usize, worth: &mut Worth) -> bool {
        if worth.engine != engine {
            *worth = Worth { engine, score: 0 };
        }
        if worth.score >= LIMIT {
            worth.score -= 1;
            return true;
        }
        let passes = !looks_whole(event) || self.needle.find(event).is_some() || self.may_be_escaped(event);
        worth.score = if passes { worth.score + PASSED } else { worth.score.saturating_sub(TURNED_AWAY) };
        if worth.score >= LIMIT {
            worth.score = LIMIT + REST;
        }
        passes
    }

    /// Whether some escape sequence could be part of the needle.
    fn may_be_escaped(&self, event: &[u8]) -> bool {
        let mut rest = event;
        while let Some(at) = memchr(b'\\', rest) {
            let Some((character, length)) = unescape(&rest[at + 1..]) else { return true };
            let mut bytes = [0; 4];
            if memmem::find(self.needle.needle(), character.encode_utf8(&mut bytes).as_bytes()).is_some() {
                return true;
            }
            rest = &rest[at + 1 + length..];
        }
        false
    }
}

/// Whether an event starts and ends as an object does. What does not is read, for the sake of the error.
fn looks_whole(event: &[u8]) -> bool {
    let first = event.trim_ascii_start().strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    first.is_some_and(|rest| matches!(rest.first(), Some(b'"' | b'}'))) && event.trim_ascii_end().ends_with(b"}")
}

/// Bytes that stand in every text which the operator matches, and which JSON does not have to escape.
fn required(operator: &Operator) -> Option<&[u8]> {
    let text = match operator {
        Operator::Text(text) | Operator::Prefix(text) | Operator::Suffix(text) => text.as_bytes(),
        Operator::Wildcard(wildcard) => {
            let pieces = [wildcard.head(), wildcard.tail()].into_iter().chain(wildcard.middle());
            pieces.max_by_key(|piece| piece.len())?
        }
        _ => return None,
    };
    text.split(|&byte| byte == b'"' || byte == b'\\' || byte < b' ').max_by_key(|part| part.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pattern;

    fn may_match(pattern: &str, event: &str) -> bool {
        let pattern = Pattern::compile(pattern).expect("valid");
        let filter = Prefilter::new(&pattern.subs()[0]).expect("a text to look for");
        filter.may_match(event.as_bytes(), 1, &mut Worth::default())
    }

    #[test]
    fn only_what_could_spell_the_text_passes() {
        let sig = r#"{"eventSource":["s3.amazonaws.com"],"a":{"b":["SigV2"]}}"#;
        assert!(may_match(sig, r#"{"a":{"b":"SigV2"}}"#));
        assert!(may_match(sig, r#"{"a":{"b":"\u0053igV2"}}"#));
        assert!(!may_match(sig, r#"{"a":{"b":"SigV4","c":"s3.amazonaws.com"}}"#));
        assert!(!may_match(sig, r#"{"a":{"b":"SigV4","c":"\"\u003c\\u0053\n\/"}}"#));
        // Broken ones are read, so that they are refused.
        assert!(may_match(sig, r#"{"a":{"b":"SigV4""#));
        assert!(may_match(sig, "{ nonsense }") && may_match(sig, "nonsense"));
        assert!(may_match(sig, r#"{"a":{"b":"SigV4\x"}}"#));
        let path = r#"{"a":[{"wildcard":"*/logs/2026*"}]}"#;
        assert!(may_match(path, r#"{"a":"x/logs\/2026"}"#));
        assert!(!may_match(path, r#"{"a":"x/logs/2025\""}"#));
        let quote = r#"{"a":["say \"quoted text\""]}"#;
        assert!(may_match(quote, r#"{"a":"say \"quoted text\""}"#));
        assert!(may_match(r#"{"a":[{"suffix":"größe"}]}"#, r#"{"a":"gr\u00f6\u00dfe"}"#));
    }

    #[test]
    fn there_is_none_where_any_text_would_do() {
        for pattern in [
            r#"{"a":["x"]}"#,
            r#"{"a":["long text","other text"]}"#,
            r#"{"a":["long text",{"exists":false}]}"#,
            r#"{"a":["10.0.0.1"],"b":[12345]}"#,
            r#"{"a":[{"anything-but":"long text"}],"b":[{"equals-ignore-case":"long text"}]}"#,
        ] {
            let pattern = Pattern::compile(pattern).expect("valid");
            assert!(Prefilter::new(&pattern.subs()[0]).is_none());
        }
    }

    #[test]
    fn it_rests_where_everything_passes() {
        let pattern = Pattern::compile(r#"{"a":["common"]}"#).expect("valid");
        let filter = Prefilter::new(&pattern.subs()[0]).expect("a text to look for");
        let mut worth = Worth::default();
        let with = |worth: &mut Worth| filter.may_match(br#"{"a":"common"}"#, 1, worth);
        let without = |worth: &mut Worth| filter.may_match(br#"{"a":"rare"}"#, 1, worth);
        assert!((0..1_000).all(|_| with(&mut worth)) && without(&mut worth));
        assert!((0..2_000).any(|_| !without(&mut worth)));
        assert!(!filter.may_match(br#"{"a":"rare"}"#, 2, &mut worth));
    }
}
