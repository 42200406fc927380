//! `sigtrail verify`: the digest chains of log files, and every log file that they name.

mod keys;
mod report;
mod source;
mod unpack;

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashSet};
use std::env;
use std::hash::BuildHasher;
use std::io::{BufWriter, stdout};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use aws_api::Timestamp;
use futures::{StreamExt, TryStreamExt};
use trail::digest::{
    Beside, Coverage, DigestName, Finding, LogFile, LogRead, Place, Problem, ProblemKind, PublicKeys, Range, Read,
    Unproven, Verdict, Walk, is_log_file_name, judge_log,
};

use self::report::{Count, Report, Totals};
use self::source::{Buckets, Folder, Found, Listed, Signature, Source};
use self::unpack::Hash;
use crate::args::VerifyArguments;
use crate::bucket::{self, endpoint_from_env};

/// The exit status after any error, and if signatures could not be checked.
pub const EXIT_ERROR: u8 = 2;
/// Something was changed or is missing.
const EXIT_INVALID: u8 = 1;

/// Log files that are read at the same time.
const PARALLEL: usize = 8;
/// Log files that no digest has to name and that are shown; the others are counted.
const UNNAMED_SHOWN: u64 = 20;
/// Digests of each chain that are asked where they were delivered, so that one that was changed does not decide.
const VOTERS: usize = 9;
/// `validate-logs` looks an hour further: the digest of the last files ends later than they were delivered.
const SPILL_S: i64 = 3600;

/// Digests of one chain: whether they were made up for later, and their names without the time.
type ChainName = (bool, String);
/// Folders, and why they cannot be listed.
type Unlisted = Vec<(String, String)>;

pub fn run(arguments: &VerifyArguments) -> Result<ExitCode> {
    let totals = match tokio::runtime::Runtime::new()?.block_on(verify(arguments)) {
        // Not success, as it is elsewhere: nobody has seen whether something was found.
        Err(error) if crate::is_broken_pipe(&error) => return Ok(EXIT_ERROR.into()),
        totals => totals?,
    };
    if totals.has_problems() {
        return Ok(EXIT_INVALID.into());
    }
    if !totals.signatures_checked {
        bail!("signatures were not checked: give the public keys with --keys FILE, or --endpoint URL to ask for them");
    }
    if totals.unprovable > 0 {
        bail!("nothing was found to be wrong, but there are files that could not be verified: see above");
    }
    Ok(ExitCode::SUCCESS)
}

async fn verify(arguments: &VerifyArguments) -> Result<Totals> {
    let mut source = open(arguments).await?;
    let (mut chains, unlisted) = chains(&source).await?;
    if chains.is_empty() {
        if let Some((folder, why)) = unlisted.first() {
            bail!("{folder}: {why}");
        }
        bail!("{}: no digest of log files is there", arguments.target);
    }
    if let Source::Folder(folder) = &mut source {
        if !folder.learn(chains.values().flat_map(|keys| keys.iter().rev().take(VOTERS))) {
            bail!("{}: no digest there can be read, or is where it was delivered", arguments.target);
        }
        (chains, _) = self::chains(&source).await?;
    }
    let keys = public_keys(arguments, &source, &chains).await?;
    let mut out = BufWriter::new(stdout().lock());
    let mut check = Check {
        source: &source,
        keys: keys.as_ref(),
        given: &arguments.signature,
        range: range(arguments),
        named: HashSet::new(),
        coverage: Coverage::default(),
        hasher: RandomState::new(),
        report: Report::new(&mut out, arguments.format, keys.is_some()),
    };
    let done = check.all(chains, unlisted).await;
    let totals = check.report.finish()?;
    done.map(|()| totals)
}

async fn open(arguments: &VerifyArguments) -> Result<Source> {
    let Some(place) = arguments.target.strip_prefix("s3://") else {
        let root = Path::new(&arguments.target);
        if !root.is_dir() {
            bail!("{}: no such folder; a bucket is given as s3://bucket/prefix", arguments.target);
        }
        return Ok(Source::Folder(Folder::new(root)));
    };
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    let endpoint = arguments.endpoint.clone().or_else(|| endpoint_from_env("AWS_ENDPOINT_URL_S3"));
    Ok(Source::Bucket(Arc::new(Buckets::open(bucket, prefix, endpoint, arguments.insecure).await?)))
}

/// The digests of each chain, and the folders that cannot be listed.
async fn chains(source: &Source) -> Result<(BTreeMap<ChainName, Vec<String>>, Unlisted)> {
    let mut chains: BTreeMap<ChainName, Vec<(String, String)>> = BTreeMap::new();
    let (mut list, mut unlisted) = (source.list(), Vec::new());
    while let Some(listed) = list.try_next().await? {
        match listed {
            Listed::Key(key) => {
                if let Some(name) = DigestName::parse(&key) {
                    chains.entry((name.is_backfill, name.chain)).or_default().push((name.time, key));
                }
            }
            Listed::Failed { folder, why } => unlisted.push((folder, why)),
        }
    }
    let sorted = chains.into_iter().map(|(chain, mut keys)| {
        keys.sort_unstable();
        (chain, keys.into_iter().map(|(_, key)| key).collect())
    });
    Ok((sorted.collect(), unlisted))
}

/// From files if some are given, else from CloudTrail, if it is known how to ask it. `None`: from nowhere.
async fn public_keys(
    arguments: &VerifyArguments,
    source: &Source,
    chains: &BTreeMap<ChainName, Vec<String>>,
) -> Result<Option<PublicKeys>> {
    if !arguments.keys.is_empty() {
        return keys::from_files(&arguments.keys).map(Some);
    }
    let endpoint = arguments.endpoint.clone().or_else(|| endpoint_from_env("AWS_ENDPOINT_URL_CLOUDTRAIL"));
    let credential = match source {
        Source::Bucket(buckets) => buckets.credentials().await?,
        Source::Folder(_) if endpoint.is_some() || env::var_os("AWS_ACCESS_KEY_ID").is_some() => {
            // Nothing is asked of S3: it only knows where credentials come from.
            let none = bucket::from_env("none").with_region("us-east-1").build()?;
            none.credentials().get_credential().await.context("there are no credentials to ask for public keys with")?
        }
        Source::Folder(_) => return Ok(None),
    };
    let mut regions: BTreeMap<String, String> = BTreeMap::new();
    for ((_, chain), keys) in chains {
        let region = chain.split_once("_CloudTrail-Digest_").and_then(|(_, rest)| rest.split('_').next());
        let oldest = keys.first().and_then(|key| DigestName::parse(key)).map(|name| name.time);
        if let (Some(region), Some(oldest)) = (region, oldest) {
            let since = regions.entry(region.to_owned()).or_insert_with(|| oldest.clone());
            *since = oldest.min(since.clone());
        }
    }
    let insecure = arguments.insecure;
    let asked = move || keys::ask(&regions, endpoint.as_deref(), insecure, &credential);
    tokio::task::spawn_blocking(asked).await?.map(Some)
}

fn range(arguments: &VerifyArguments) -> Range {
    Range {
        since: arguments.since.map(Timestamp::to_iso8601_basic),
        until: arguments.until.map(|until| until.plus_secs(SPILL_S).to_iso8601_basic()),
    }
}

struct Check<'a> {
    source: &'a Source,
    keys: Option<&'a PublicKeys>,
    given: &'a [String],
    range: Range,
    /// Hashes of the keys that digests name: many keys would not fit into memory.
    named: HashSet<u64>,
    hasher: RandomState,
    coverage: Coverage,
    report: Report<'a>,
}

impl Check<'_> {
    async fn all(&mut self, chains: BTreeMap<ChainName, Vec<String>>, unlisted: Unlisted) -> Result<()> {
        for (folder, why) in unlisted {
            self.report.totals.unprovable += 1;
            self.report.problem(&folder, ProblemKind::Unreadable.as_str(), &why)?;
        }
        for keys in chains.into_values() {
            self.coverage.next_chain();
            let mut walk = Walk::new(self.source.bucket(), keys, self.keys).within(self.range.clone());
            while let Some(place) = walk.next() {
                let found = self.source.digest(place).await?;
                let Some(finding) = walk.feed(&self.read(&found)) else { continue };
                self.coverage.add(&finding);
                if finding.is_asked {
                    self.digest(finding).await?;
                }
            }
        }
        if self.range == Range::default() { self.unnamed().await } else { Ok(()) }
    }

    fn read<'f>(&'f self, found: &'f Found<Vec<u8>>) -> Read<'f> {
        match found {
            Found::Content(content, signature) => {
                let beside = match signature {
                    Signature::NotKept => Beside::NotKept(self.given),
                    Signature::Absent => Beside::Absent,
                    Signature::Is(signature) => Beside::Signature(signature),
                };
                Read::Content(content, beside)
            }
            Found::Missing => Read::Missing,
            Found::NotAFile => Read::NotAFile,
            Found::Unreadable(why) => Read::Unreadable(why.clone()),
            Found::Failed(why) => Read::Failed(why.clone()),
            Found::Elsewhere => Read::Elsewhere,
        }
    }

    async fn digest(&mut self, finding: Finding) -> Result<()> {
        let shown = self.source.shown(&finding.place);
        let counts = &mut self.report.totals.digests;
        match &finding.verdict {
            Verdict::Valid => counts.valid += 1,
            Verdict::Unproven(why) => {
                counts.not_verified += 1;
                // Without keys it is said once at the end for all of them.
                if self.keys.is_some() {
                    let names_files = finding.digest.as_ref().is_some_and(|digest| !digest.log_files.is_empty());
                    self.report.totals.unprovable += u64::from(*why != Unproven::Newest || names_files);
                    self.report.note(&shown, "not verified", why.as_str())?;
                }
            }
            Verdict::Invalid(problem) => {
                count_problem(counts, &mut self.report.totals.unprovable, problem);
                self.report.problem(&shown, problem.kind.as_str(), &problem.detail)?;
            }
        }
        if finding.gap_before {
            let detail = "a chain begins here: log files that were delivered between the digest before it and this one \
                          are in none";
            self.report.note(&shown, "gap", detail)?;
        }
        let Some(digest) = finding.digest else { return Ok(()) };
        self.log_files(digest.log_files, finding.verdict == Verdict::Valid).await
    }

    async fn log_files(&mut self, files: Vec<LogFile>, is_proven: bool) -> Result<()> {
        for file in &files {
            self.named.insert(self.hasher.hash_one(&file.s3_object));
        }
        let source = self.source;
        let reads = futures::stream::iter(files).map(|file| {
            let source = source.clone();
            // In tasks, so that all cores unpack.
            tokio::spawn(async move {
                let place = Place { bucket: file.s3_bucket.clone(), key: file.s3_object.clone() };
                let found = source.log_file(&place).await;
                (file, place, found)
            })
        });
        let mut reads = reads.buffered(PARALLEL);
        while let Some(read) = reads.next().await {
            let (file, place, found) = read?;
            self.log_file(&file, &place, found?, is_proven)?;
        }
        Ok(())
    }

    fn log_file(&mut self, file: &LogFile, place: &Place, found: Found<Hash>, is_proven: bool) -> Result<()> {
        let totals = &mut self.report.totals;
        let counts = &mut totals.log_files;
        let read = match found {
            Found::Content(hash, _) => LogRead::Hash(hash.into_hex()),
            Found::Missing => LogRead::Missing,
            Found::NotAFile => LogRead::NotAFile,
            Found::Unreadable(why) => LogRead::Unreadable(why),
            Found::Failed(why) => LogRead::Failed(why),
            Found::Elsewhere => {
                counts.not_verified += 1;
                totals.unprovable += 1;
                return Ok(self.report.note(&place.to_string(), "not verified", "it is in another bucket")?);
            }
        };
        match judge_log(file, &read) {
            None if is_proven => counts.valid += 1,
            // It is what its digest says, but nobody knows whether that is true.
            None => counts.not_verified += 1,
            Some(problem) => {
                count_problem(counts, &mut totals.unprovable, &problem);
                self.report.problem(&self.source.shown(place), problem.kind.as_str(), &problem.detail)?;
            }
        }
        Ok(())
    }

    /// Tells of log files that no digest names. If all digests of its time are there, nobody delivered it.
    async fn unnamed(&mut self) -> Result<()> {
        let mut list = self.source.list();
        while let Some(listed) = list.try_next().await? {
            let Listed::Key(key) = listed else { continue };
            if !is_log_file_name(&key) || self.named.contains(&self.hasher.hash_one(&key)) {
                continue;
            }
            let (is_covered, totals) = (self.coverage.has_time_of(&key), &mut self.report.totals);
            totals.unnamed += 1;
            totals.unnamed_covered += u64::from(is_covered);
            let shown = self.source.shown(&Place { bucket: self.source.bucket().to_owned(), key });
            if is_covered {
                let detail = "the digests of its time do not name it; no trail that writes digests delivered it";
                self.report.problem(&shown, "not named", detail)?;
            } else if totals.unnamed - totals.unnamed_covered <= UNNAMED_SHOWN {
                let detail = "no digest that can be used names it; one may not be due yet";
                self.report.note(&shown, "not named", detail)?;
            }
        }
        Ok(())
    }
}

/// Who cannot read a file does not know that it was changed.
fn count_problem(counts: &mut Count, unprovable: &mut u64, problem: &Problem) {
    if problem.kind == ProblemKind::Unreadable {
        (counts.not_verified, *unprovable) = (counts.not_verified + 1, *unprovable + 1);
    } else {
        counts.invalid += 1;
    }
}
