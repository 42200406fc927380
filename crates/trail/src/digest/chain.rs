//! The chain of one trail in one region: which digest is due, and which log files it names.

use aws_api::Timestamp;
use serde::{Deserialize, Serialize};

use super::{LogFile, PreviousDigest};

/// Log files that one digest names, but for those that came in the same second as the last of them.
pub const DIGEST_FILES_MAX: usize = 10_000;

const SECOND_MS: i64 = 1000;

/// A log file that waits for its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotedFile {
    /// When the chain began that it belongs to: [`Trail::digests_since`](crate::Trail::digests_since).
    pub since: Timestamp,
    /// When it was delivered.
    pub delivered: Timestamp,
    /// What the digest says of it.
    pub file: LogFile,
}

/// A chain that has at least one digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// When it began.
    pub since: Timestamp,
    /// The end of its newest digest.
    pub end: Timestamp,
    /// Its newest digest.
    pub newest: PreviousDigest,
}

/// All that decides about the next digest of a trail in a region.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// When the trail's present chain began; `None` if it never had one.
    pub since: Option<Timestamp>,
    /// Whether the trail logs and validates now.
    pub is_active: bool,
    /// Whether this is the trail's home region, where digests are written also if there are no log files.
    pub is_home: bool,
    /// The stored chain; it may be an earlier one.
    pub chain: Option<&'a Chain>,
    /// The log files that wait, in the order in which they were delivered: [`DIGEST_FILES_MAX`] and those of the same
    /// second, and one more.
    pub files: &'a [NotedFile],
    /// Milliseconds from digest to digest.
    pub interval_ms: i64,
    /// Now.
    pub now: Timestamp,
}

/// A digest to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The chain that it belongs to.
    pub since: Timestamp,
    /// The beginning of its interval.
    pub start: Timestamp,
    /// The end of its interval, and the time in its name.
    pub end: Timestamp,
    /// How many of the waiting log files it names: the first so many.
    pub files: usize,
    /// The digest before it; none if the chain begins here.
    pub previous: Option<PreviousDigest>,
}

/// The digest that is due, if one is.
///
/// A digest ends with an interval, counted from the epoch, and begins where the one before it ended, so that a missed
/// interval is made up for. A chain that was ended (validation or logging was switched off and on again) gets a last digest
/// for the files that still wait.
pub fn due(situation: &Situation<'_>) -> Option<Due> {
    let Situation { chain, files, now, .. } = *situation;
    let interval = situation.interval_ms.max(SECOND_MS);
    let first = files.first();
    let since = first.map(|file| file.since).or(situation.since)?;
    let is_ended = Some(since) != situation.since;
    // Also behind the last digest of an earlier chain: the end is in the name, and no two have the same.
    let newest_end = chain.map(|chain| chain.end).unwrap_or_default();
    let chain = chain.filter(|chain| chain.since == since);
    let start = if chain.is_some() { newest_end } else { beginning(situation, since, interval).max(newest_end) };
    let of_chain = files.iter().take_while(|file| file.since == since).count();
    let end = if is_ended {
        let last = files[..of_chain].last()?;
        up(last.delivered.plus_millis(1), SECOND_MS).max(start.plus_millis(SECOND_MS))
    } else {
        down(now, interval)
    };
    if end <= start {
        return None;
    }
    let in_time = files[..of_chain].iter().take_while(|file| file.delivered < end).count();
    let is_kept_up = situation.is_active && (situation.is_home || chain.is_some());
    if in_time == 0 && !is_kept_up {
        return None;
    }
    let (count, end) = bounded(&files[..in_time], start, end);
    Some(Due { since, start, end, files: count, previous: chain.map(|chain| chain.newest.clone()) })
}

/// Where the first digest of a chain begins.
fn beginning(situation: &Situation<'_>, since: Timestamp, interval: i64) -> Timestamp {
    let since = up(since, SECOND_MS);
    match situation.files.first() {
        Some(file) if !situation.is_home => since.max(down(file.delivered, interval)),
        _ => since,
    }
}

/// No more files than a digest names: the rest belongs to the next one, which begins at the second of its first file.
fn bounded(files: &[NotedFile], start: Timestamp, end: Timestamp) -> (usize, Timestamp) {
    let second = |at: usize| files[at].delivered.as_secs();
    let cut = (DIGEST_FILES_MAX..files.len()).find(|at| second(*at) != second(*at - 1));
    let earliest = start.plus_millis(SECOND_MS);
    cut.map_or((files.len(), end), |at| (at, Timestamp::from_secs(second(at)).max(earliest)))
}

fn down(time: Timestamp, unit: i64) -> Timestamp {
    time.plus_millis(-time.as_millis().rem_euclid(unit))
}

fn up(time: Timestamp, unit: i64) -> Timestamp {
    down(time.plus_millis(unit - 1), unit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000 - 1_700_000_000_000 % 3_600_000 + millis)
    }

    fn noted(since: i64, delivered: i64) -> NotedFile {
        NotedFile { since: at(since), delivered: at(delivered), file: LogFile::default() }
    }

    fn newest() -> PreviousDigest {
        PreviousDigest { bucket: "b".into(), object: "o".into(), hash: "h".into(), signature: "s".into() }
    }

    fn chain(since: i64, end: i64) -> Chain {
        Chain { since: at(since), end: at(end), newest: newest() }
    }

    fn situation<'a>(chain: Option<&'a Chain>, files: &'a [NotedFile], now: i64) -> Situation<'a> {
        Situation {
            since: Some(at(500)),
            is_active: true,
            is_home: true,
            chain,
            files,
            interval_ms: 10_000,
            now: at(now),
        }
    }

    fn interval(due: Option<&Due>) -> Option<(Timestamp, Timestamp, usize)> {
        due.map(|due| (due.start, due.end, due.files))
    }

    #[test]
    fn the_home_region_has_digests_also_without_files() {
        assert_eq!(due(&situation(None, &[], 9_999)), None);
        let first = due(&situation(None, &[], 10_000)).unwrap();
        assert_eq!((first.start, first.end, first.files, first.previous), (at(1_000), at(10_000), 0, None));
        let stored = chain(500, 10_000);
        assert_eq!(due(&situation(Some(&stored), &[], 19_999)), None);
        let second = due(&situation(Some(&stored), &[], 20_001)).unwrap();
        assert_eq!((second.start, second.end, second.previous), (at(10_000), at(20_000), Some(newest())));
    }

    #[test]
    fn a_missed_interval_is_made_up_for_by_one_digest() {
        let stored = chain(500, 10_000);
        let files = [noted(500, 11_000), noted(500, 25_000), noted(500, 40_000)];
        let made = due(&situation(Some(&stored), &files, 45_000));
        assert_eq!(interval(made.as_ref()), Some((at(10_000), at(40_000), 2)));
    }

    #[test]
    fn another_region_begins_with_its_first_file() {
        let elsewhere = |chain, files| Situation { is_home: false, ..situation(chain, files, 45_000) };
        assert_eq!(due(&elsewhere(None, &[])), None);
        let files = [noted(500, 31_000)];
        assert_eq!(interval(due(&elsewhere(None, &files)).as_ref()), Some((at(30_000), at(40_000), 1)));
        let stored = chain(500, 30_000);
        assert_eq!(interval(due(&elsewhere(Some(&stored), &[])).as_ref()), Some((at(30_000), at(40_000), 0)));
    }

    #[test]
    fn an_ended_chain_gets_its_last_digest() {
        let stored = chain(100, 10_000);
        let files = [noted(100, 11_000), noted(100, 12_345), noted(500, 14_000)];
        let last = due(&situation(Some(&stored), &files, 15_000)).unwrap();
        assert_eq!(interval(Some(&last)), Some((at(10_000), at(13_000), 2)));
        assert_eq!((last.since, last.previous), (at(100), Some(newest())));
        let first = due(&situation(Some(&stored), &files[2..], 25_000)).unwrap();
        assert_eq!((first.since, first.previous.clone()), (at(500), None));
        // Not before the last digest of the earlier chain ended.
        assert_eq!(interval(Some(&first)), Some((at(10_000), at(20_000), 1)));
    }

    #[test]
    fn a_stopped_trail_gets_digests_only_for_files() {
        let stored = chain(500, 10_000);
        let stopped = |files| Situation { is_active: false, ..situation(Some(&stored), files, 25_000) };
        assert_eq!(due(&stopped(&[])), None);
        let files = [noted(500, 12_000)];
        assert_eq!(interval(due(&stopped(&files)).as_ref()), Some((at(10_000), at(20_000), 1)));
        let late = [noted(500, 21_000)];
        assert_eq!(due(&stopped(&late)), None);
    }

    #[test]
    fn a_digest_is_bounded_at_a_second() {
        let stored = chain(500, 10_000);
        let mut files = vec![noted(500, 11_000); DIGEST_FILES_MAX - 1];
        files.extend([noted(500, 12_100), noted(500, 12_900), noted(500, 13_500), noted(500, 14_000)]);
        let made = due(&situation(Some(&stored), &files, 25_000));
        assert_eq!(interval(made.as_ref()), Some((at(10_000), at(13_000), DIGEST_FILES_MAX + 1)));
        let rest = chain(500, 13_000);
        let made = due(&situation(Some(&rest), &files[DIGEST_FILES_MAX + 1..], 25_000));
        assert_eq!(interval(made.as_ref()), Some((at(13_000), at(20_000), 2)));
    }

    /// What may happen to a trail in a region.
    #[derive(Debug, Clone, Copy)]
    enum Event {
        /// A log file is delivered.
        Deliver,
        /// Digests are looked for, and the bucket takes them or not.
        Round { is_taken: bool },
        /// Validation or logging is switched off, and on again.
        Restart,
        /// It is switched off, or on.
        Switch,
    }

    fn event() -> impl Strategy<Value = (i64, Event)> {
        let event = prop_oneof![
            4 => Just(Event::Deliver),
            4 => prop::bool::weighted(0.8).prop_map(|is_taken| Event::Round { is_taken }),
            1 => Just(Event::Restart),
            1 => Just(Event::Switch),
        ];
        (prop_oneof![0..50i64, 0..2_000i64, 0..9_000i64], event)
    }

    #[derive(Default)]
    struct Model {
        since: Option<Timestamp>,
        is_active: bool,
        chain: Option<Chain>,
        waiting: Vec<NotedFile>,
        delivered: Vec<Timestamp>,
        digests: Vec<(Due, Vec<NotedFile>)>,
    }

    impl Model {
        fn switch(&mut self, now: Timestamp) {
            self.is_active = !self.is_active;
            self.since = if self.is_active { Some(now) } else { self.since };
        }

        fn happen(&mut self, now: Timestamp, event: Event, is_home: bool) {
            match event {
                Event::Switch => self.switch(now),
                Event::Restart => {
                    self.switch(now);
                    self.switch(now);
                }
                Event::Deliver => {
                    let Some(since) = self.since else { return };
                    self.waiting.push(NotedFile { since, delivered: now, file: LogFile::default() });
                    self.delivered.push(now);
                }
                Event::Round { is_taken } => self.round(now, is_taken, is_home),
            }
        }

        fn round(&mut self, now: Timestamp, is_taken: bool, is_home: bool) {
            loop {
                let situation = Situation {
                    since: self.since,
                    is_active: self.is_active,
                    is_home,
                    chain: self.chain.as_ref(),
                    files: &self.waiting,
                    interval_ms: 5_000,
                    now,
                };
                let Some(due) = due(&situation).filter(|_| is_taken) else { return };
                let files = self.waiting.drain(..due.files).collect();
                self.chain = Some(Chain { since: due.since, end: due.end, newest: newest() });
                self.digests.push((due, files));
            }
        }
    }

    proptest! {
        /// Whatever happens in whatever order, each log file comes into one digest, digests follow each other without a gap,
        /// and no two have the same name.
        #[test]
        fn each_file_is_in_one_digest(events in prop::collection::vec(event(), 1..60), is_home in any::<bool>()) {
            let (mut model, mut now) = (Model::default(), at(0));
            for (after, event) in events {
                now = now.plus_millis(after);
                model.happen(now, event, is_home);
            }
            // Chains that end within one second have ends that are seconds apart, so only the same chain's tell.
            if let Some(left) = model.waiting.first() {
                let of_chain = model.digests.iter().filter(|(due, _)| due.since == left.since);
                prop_assert!(of_chain.into_iter().all(|(due, _)| due.end <= left.delivered.plus_millis(1000)));
            }
            model.round(now.plus_millis(10_000), true, is_home);
            prop_assert!(model.waiting.is_empty());
            let named: Vec<_> = model.digests.iter().flat_map(|(_, files)| files).map(|file| file.delivered).collect();
            prop_assert_eq!(named, model.delivered);
            for (due, files) in &model.digests {
                prop_assert!(due.start < due.end);
                for file in files {
                    prop_assert_eq!(file.since, due.since);
                    prop_assert!(file.delivered < due.end);
                }
            }
            for pair in model.digests.windows(2) {
                let [(one, _), (next, _)] = pair else { continue };
                prop_assert!(one.end < next.end, "{:?} {:?}", one, next);
                if one.since == next.since {
                    prop_assert_eq!((next.start, next.previous.is_some()), (one.end, true));
                } else {
                    prop_assert_eq!(&next.previous, &None);
                }
            }
        }
    }
}
