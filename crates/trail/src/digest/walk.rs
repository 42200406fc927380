//! Proves a chain, from its newest digest back to its first.
//!
//! A state machine over what its caller reads: [`Walk::next`] names a place, [`Walk::feed`] takes what was found there and
//! says what it is worth. It goes the way of the AWS CLI's `validate-logs`: from a digest to the one that it names, and
//! where that does not lead on, to the next older one in the list.
//!
//! A digest is proven by its signature alone, which stands beside it in the object's metadata. Where there is no metadata,
//! as in files that were copied, it is taken from the digest after it; the newest then has none.

use std::cmp::Ordering;
use std::fmt;

use super::{Digest, DigestName, HASH_ALGORITHM, LogFile, PublicKeys, SIGNATURE_ALGORITHM, hash};

/// Where a file is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// The signature that was found with a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside<'a> {
    /// In the object's metadata.
    Signature(&'a str),
    /// The object has metadata, and no signature is in it.
    Absent,
    /// Files have no metadata. Any of these may be the signature of the newest digest.
    NotKept(&'a [String]),
}

/// What was found at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read<'a> {
    /// A digest: its content, uncompressed.
    Content(&'a [u8], Beside<'a>),
    /// Nothing.
    Missing,
    /// A folder, a link or the like where a file should be.
    NotAFile,
    /// A file whose content is not of the right form, and why.
    Unreadable(String),
    /// It could not be read, and why: nothing is known of it.
    Failed(String),
    /// The place is in a bucket that is not at hand.
    Elsewhere,
}

/// What was found at the place of a log file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogRead {
    /// A file, whose content has this SHA-256.
    Hash(String),
    /// Nothing.
    Missing,
    /// A folder, a link or the like where a file should be.
    NotAFile,
    /// A file whose content is not of the right form, and why.
    Unreadable(String),
    /// It could not be read, and why: nothing is known of it.
    Failed(String),
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemKind {
    /// The content is not what it was.
    Changed,
    /// The file is gone.
    Missing,
    /// The signature does not fit.
    Signature,
    /// The file is not where it was delivered.
    WrongPlace,
    /// The file could not be checked: nothing is known of it.
    Unreadable,
}

impl ProblemKind {
    /// In one or two words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Missing => "missing",
            Self::Signature => "signature",
            Self::WrongPlace => "wrong place",
            Self::Unreadable => "unreadable",
        }
    }
}

/// What is wrong with a file, and why that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// In short.
    pub kind: ProblemKind,
    /// In a sentence.
    pub detail: String,
}

impl Problem {
    fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    fn missing() -> Self {
        Self::new(ProblemKind::Missing, "the file is not there")
    }

    fn not_a_file() -> Self {
        Self::new(ProblemKind::Missing, "what is in its place is no file")
    }
}

/// Why nothing is known of a digest's truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unproven {
    /// It is the newest, and its signature is not at hand.
    Newest,
    /// Its signature stands in the digest after it, which is missing, or not valid, or says nothing of it.
    Successor,
    /// There are no public keys.
    NoKeys,
    /// It is in a bucket that is not at hand.
    Elsewhere,
}

impl Unproven {
    /// In a sentence.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Newest => {
                "the newest digest of its chain; its signature is in the object's metadata, which is not here"
            }
            Self::Successor => {
                "its signature would stand in the digest after it, which is missing, not valid, or does not name it"
            }
            Self::NoKeys => "there are no public keys to check its signature with",
            Self::Elsewhere => "it is in another bucket",
        }
    }
}

/// What a digest is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The signature proves it.
    Valid,
    /// Nothing speaks against it, and nothing proves it.
    Unproven(Unproven),
    /// It is not what was delivered. Nothing that it says is used.
    Invalid(Problem),
}

/// What came of a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where it is, or should be.
    pub place: Place,
    /// What it is worth.
    pub verdict: Verdict,
    /// Its content, unless it is not valid.
    pub digest: Option<Digest>,
    /// The chain begins with this digest, and there is an older one, of another chain: files that were delivered between
    /// them are in no digest.
    pub gap_before: bool,
    /// Whether its interval was asked for. Newer ones are read only for what they say of older ones.
    pub is_asked: bool,
}

/// Of which time digests are asked for, as they write it in their names; both ends included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Range {
    /// No digest whose interval ended before.
    pub since: Option<String>,
    /// No digest whose interval ended after.
    pub until: Option<String>,
}

impl Range {
    fn is_over(&self, name: &DigestName) -> bool {
        self.since.as_ref().is_some_and(|since| name.time < *since)
    }

    fn is_asked(&self, name: &DigestName) -> bool {
        !self.is_over(name) && self.until.as_ref().is_none_or(|until| name.time <= *until)
    }
}

/// What the digest after it says of a digest.
#[derive(Debug, Clone)]
struct Vouched {
    hash: Option<String>,
    signature: Option<String>,
    by: Successor,
}

/// What the digest that says it is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Successor {
    Proven,
    Unproven,
    Invalid,
}

/// A walk along one chain.
#[derive(Debug)]
pub struct Walk<'k> {
    keys: Option<&'k PublicKeys>,
    range: Range,
    bucket: String,
    /// Keys that are in the list and older than all that was read, the newest last.
    older: Vec<(DigestName, String)>,
    next: Option<(DigestName, Place)>,
    vouched: Option<Vouched>,
    is_newest: bool,
}

impl<'k> Walk<'k> {
    /// Begins with the newest of these keys, which are digests of one chain in one bucket, in any order. Without public
    /// keys nothing is proven, but each digest is compared with what the one after it says.
    pub fn new(bucket: &str, digests: impl IntoIterator<Item = String>, keys: Option<&'k PublicKeys>) -> Self {
        let named = digests.into_iter().filter_map(|key| Some((DigestName::parse(&key)?, key)));
        let mut older: Vec<_> = named.collect();
        older.sort_by(|(one, one_key), (other, other_key)| one.time.cmp(&other.time).then(one_key.cmp(other_key)));
        let mut walk = Self {
            keys,
            range: Range::default(),
            bucket: bucket.to_owned(),
            older,
            next: None,
            vouched: None,
            is_newest: true,
        };
        walk.next = walk.next_in_list(None);
        walk
    }

    /// Asks only for a range of time.
    #[must_use]
    pub fn within(mut self, range: Range) -> Self {
        self.range = range;
        self
    }

    /// The place to read next; `None` at the end.
    pub fn next(&self) -> Option<&Place> {
        let (name, place) = self.next.as_ref()?;
        (!self.range.is_over(name)).then_some(place)
    }

    /// Takes what was found at [`Self::next`], and goes on. `None` if there was nothing to read.
    pub fn feed(&mut self, read: &Read<'_>) -> Option<Finding> {
        let (name, place) = self.next.take()?;
        let vouched = self.vouched.take();
        let (verdict, digest) = match read {
            Read::Missing => (Verdict::Invalid(Problem::missing()), None),
            Read::NotAFile => (Verdict::Invalid(Problem::not_a_file()), None),
            Read::Unreadable(why) => (invalid(ProblemKind::Changed, format!("cannot be read: {why}")), None),
            Read::Failed(why) => (invalid(ProblemKind::Unreadable, why.as_str()), None),
            Read::Elsewhere => (Verdict::Unproven(Unproven::Elsewhere), None),
            Read::Content(content, beside) => self.judge(&place, content, *beside, vouched.as_ref()),
        };
        let is_asked = self.range.is_asked(&name);
        let gap_before = self.go_on(&name, &verdict, digest.as_ref());
        // Before a gap another chain ends. Who is not proven does not make one: all older digests could be passed off so.
        self.is_newest = gap_before && verdict == Verdict::Valid;
        let digest = digest.filter(|_| !matches!(verdict, Verdict::Invalid(_)));
        Some(Finding { place, verdict, digest, gap_before, is_asked })
    }

    /// The next place, and whether the chain has a gap before it.
    fn go_on(&mut self, name: &DigestName, verdict: &Verdict, digest: Option<&Digest>) -> bool {
        let is_invalid = matches!(verdict, Verdict::Invalid(_));
        let named = digest.and_then(|digest| {
            let place = Place {
                bucket: digest.previous_digest_s3_bucket.clone()?,
                key: digest.previous_digest_s3_object.clone()?,
            };
            Some((DigestName::parse(&place.key)?, place))
        });
        // Only an older one, so that the walk comes to an end.
        let named = named.filter(|(older, _)| older.time.cmp(&name.time) == Ordering::Less);
        let vouched = digest.map(|digest| Vouched {
            hash: digest.previous_digest_hash_value.clone(),
            signature: digest.previous_digest_signature.clone(),
            by: match verdict {
                Verdict::Valid => Successor::Proven,
                Verdict::Unproven(_) => Successor::Unproven,
                Verdict::Invalid(_) => Successor::Invalid,
            },
        });
        if let Some(next) = named.clone().filter(|_| !is_invalid) {
            // The newest are last: only what is dropped is looked at.
            while self.older.last().is_some_and(|(older, _)| older.time >= next.0.time) {
                self.older.pop();
            }
            (self.next, self.vouched) = (Some(next), vouched);
            return false;
        }
        self.next = self.next_in_list(Some(name));
        // What a digest that is not valid says of the one before it may still help to prove that one.
        let is_same = named.is_some_and(|(_, place)| self.next.as_ref().is_some_and(|(_, next)| *next == place));
        self.vouched = vouched.filter(|_| is_same);
        digest.is_some() && !is_invalid && self.next.is_some()
    }

    fn next_in_list(&mut self, before: Option<&DigestName>) -> Option<(DigestName, Place)> {
        loop {
            let (name, key) = self.older.pop()?;
            if before.is_none_or(|before| name.time < before.time) {
                return Some((name, Place { bucket: self.bucket.clone(), key }));
            }
        }
    }

    fn judge(
        &self,
        place: &Place,
        content: &[u8],
        beside: Beside<'_>,
        vouched: Option<&Vouched>,
    ) -> (Verdict, Option<Digest>) {
        let digest: Digest = match serde_json::from_slice(content) {
            Ok(digest) => digest,
            Err(error) => return (invalid(ProblemKind::Changed, format!("not a digest: {error}")), None),
        };
        if (&digest.digest_s3_bucket, &digest.digest_s3_object) != (&place.bucket, &place.key) {
            let at = format!("it was delivered to s3://{}/{}", digest.digest_s3_bucket, digest.digest_s3_object);
            return (invalid(ProblemKind::WrongPlace, at), Some(digest));
        }
        let content_hash = hash(content);
        let is_as_vouched =
            |vouched: &Vouched| vouched.hash.as_ref().is_none_or(|vouched| vouched.eq_ignore_ascii_case(&content_hash));
        if vouched.is_some_and(|vouched| vouched.by == Successor::Proven && !is_as_vouched(vouched)) {
            let detail = "its hash is not the one that the digest after it names";
            return (invalid(ProblemKind::Changed, detail), Some(digest));
        }
        let verdict = match self.keys {
            Some(keys) => self.judge_signature(&digest, &content_hash, keys, beside, vouched),
            None if vouched.is_some_and(|vouched| !is_as_vouched(vouched)) => {
                invalid(ProblemKind::Changed, "its hash is not the one that the digest after it names")
            }
            None => Verdict::Unproven(Unproven::NoKeys),
        };
        (verdict, Some(digest))
    }

    fn judge_signature(
        &self,
        digest: &Digest,
        content_hash: &str,
        keys: &PublicKeys,
        beside: Beside<'_>,
        vouched: Option<&Vouched>,
    ) -> Verdict {
        if digest.digest_signature_algorithm != SIGNATURE_ALGORITHM {
            return invalid(ProblemKind::Signature, format!("it is not signed with {SIGNATURE_ALGORITHM}"));
        }
        let fingerprint = &digest.digest_public_key_fingerprint;
        let Some(key) = keys.get(fingerprint) else {
            let detail = format!("there is no public key with the fingerprint {fingerprint}");
            return invalid(ProblemKind::Signature, detail);
        };
        let text = digest.string_to_sign(content_hash);
        let of_successor = vouched.and_then(|vouched| vouched.signature.as_deref());
        let (candidates, is_own): (Vec<&str>, bool) = match beside {
            Beside::Signature(signature) => (vec![signature], true),
            Beside::Absent => return invalid(ProblemKind::Signature, "no signature is in the object's metadata"),
            Beside::NotKept(given) => {
                (of_successor.into_iter().chain(given.iter().map(String::as_str)).collect(), false)
            }
        };
        if candidates.iter().any(|signature| key.proves(&text, signature)) {
            return Verdict::Valid;
        }
        let does_not_fit = invalid(
            ProblemKind::Signature,
            if is_own {
                "its content or its signature was changed"
            } else {
                "its content was changed, or its signature in the digest after it"
            },
        );
        match vouched {
            _ if is_own => does_not_fit,
            // One of the two is not what it was, and nothing is known against the other.
            Some(vouched) if vouched.signature.is_some() && vouched.by != Successor::Invalid => does_not_fit,
            None if self.is_newest => Verdict::Unproven(Unproven::Newest),
            _ => Verdict::Unproven(Unproven::Successor),
        }
    }
}

fn invalid(kind: ProblemKind, detail: impl Into<String>) -> Verdict {
    Verdict::Invalid(Problem::new(kind, detail))
}

/// What is wrong with a log file that a digest names, if anything is.
pub fn judge_log(file: &LogFile, read: &LogRead) -> Option<Problem> {
    match read {
        _ if file.hash_algorithm != HASH_ALGORITHM => {
            Some(Problem::new(ProblemKind::Changed, format!("its digest does not name a {HASH_ALGORITHM} hash")))
        }
        LogRead::Hash(found) if found.eq_ignore_ascii_case(&file.hash_value) => None,
        LogRead::Hash(_) => Some(Problem::new(ProblemKind::Changed, "its hash is not the one that its digest names")),
        LogRead::Missing => Some(Problem::missing()),
        LogRead::NotAFile => Some(Problem::not_a_file()),
        LogRead::Failed(why) => Some(Problem::new(ProblemKind::Unreadable, why.as_str())),
        LogRead::Unreadable(why) => Some(Problem::new(ProblemKind::Changed, format!("cannot be read: {why}"))),
    }
}
