//! Which buckets a trail need not watch any more, and what watching costs.

use super::calendar::{Span, day, days_between};
use super::{BucketDays, Findings};
use crate::number::separated;

/// Clean days before a bucket is said to be done: a month, so that what runs once a month has been seen.
pub(super) const CLEAN_DAYS_MIN: u64 = 30;
/// The days of a month, for costs.
const MONTH_DAYS: u128 = 30;
/// What CloudTrail charges for data events, in US cents for [`PRICE_EVENTS`]. Source: AWS CloudTrail pricing.
const PRICE_CENTS: u128 = 10;
const PRICE_EVENTS: u128 = 100_000;

/// What is to be done with a bucket, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Advice {
    /// It was clean for long enough: it could be taken out of the trail's data events.
    TakeOut,
    /// No match for long enough, but for lack of data events: nothing is known.
    Silent,
    /// Clean, but not for long enough.
    Wait,
    /// Requests on its last day matched.
    Matched,
}

/// A bucket and what follows for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bucket<'a> {
    pub days: &'a BucketDays,
    /// Days without a match at the end of the archive, from the bucket's first data event at the earliest.
    pub clean_days: u64,
    pub advice: Advice,
}

/// The buckets, those that could be taken out first, then by their data events.
pub(super) fn buckets(findings: &Findings, span: Span) -> Vec<Bucket<'_>> {
    let mut buckets: Vec<_> = findings.buckets.iter().map(|days| judge(days, span)).collect();
    buckets.sort_by(|a, b| {
        let by_events = b.days.data_events.cmp(&a.days.data_events);
        a.advice.cmp(&b.advice).then(by_events).then_with(|| a.days.bucket.cmp(&b.days.bucket))
    });
    buckets
}

fn judge(days: &BucketDays, span: Span) -> Bucket<'_> {
    // A day that cannot be read counts as the worst: a match on the last day.
    let clean_until = |end| match &days.last_matched_day {
        Some(matched) => day(matched).map_or(0, |matched| days_between(matched, end)),
        None if days.matched > 0 => 0,
        None => day(&days.first_day).map_or(0, |first| days_between(first, end) + 1),
    };
    let clean_days = clean_until(span.last);
    // After its last data event nothing proves that the trail still recorded it, or that somebody would have used it.
    let proven_days = day(&days.last_day).map_or(0, |last| clean_until(last.min(span.last)));
    let advice = match (proven_days, clean_days) {
        (CLEAN_DAYS_MIN.., _) => Advice::TakeOut,
        (_, CLEAN_DAYS_MIN..) => Advice::Silent,
        (_, 1..) => Advice::Wait,
        (_, 0) => Advice::Matched,
    };
    Bucket { days, clean_days, advice }
}

/// What so many data events in so many days cost in a month.
pub(super) fn cost_a_month(data_events: u64, days: u64) -> String {
    let per = u128::from(days.max(1)) * PRICE_EVENTS;
    let cents = (u128::from(data_events) * MONTH_DAYS * PRICE_CENTS + per / 2) / per;
    if cents == 0 && data_events > 0 {
        return "under 0.01 USD".to_owned();
    }
    let dollars = u64::try_from(cents / 100).unwrap_or(u64::MAX);
    format!("{}.{:02} USD", separated(dollars), cents % 100)
}

/// What so many data events in so many days are in a month.
pub(super) fn events_a_month(data_events: u64, days: u64) -> u64 {
    u64::try_from(u128::from(data_events) * MONTH_DAYS / u128::from(days.max(1))).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_done_after_a_month_that_was_seen() {
        let span = Span { first: day("2026-01-01").unwrap(), last: day("2026-03-31").unwrap() };
        let cases = [
            // never matched
            (0, ["2026-01-01", "2026-03-31"], None, 90, Advice::TakeOut),
            (0, ["2026-03-02", "2026-03-31"], None, 30, Advice::TakeOut),
            (0, ["2026-03-03", "2026-03-31"], None, 29, Advice::Wait),
            // matched
            (5, ["2026-01-01", "2026-03-31"], Some("2026-03-01"), 30, Advice::TakeOut),
            (5, ["2026-01-01", "2026-03-31"], Some("2026-03-02"), 29, Advice::Wait),
            (5, ["2026-01-01", "2026-03-31"], Some("2026-03-31"), 0, Advice::Matched),
            // no data events at the end
            (5, ["2026-01-01", "2026-02-20"], Some("2026-02-01"), 58, Advice::Silent),
            (0, ["2026-01-01", "2026-01-02"], None, 90, Advice::Silent),
            // what cannot be read is not clean
            (5, ["2026-01-01", "2026-03-31"], Some("?"), 0, Advice::Matched),
            (5, ["2026-01-01", "2026-03-31"], None, 0, Advice::Matched),
            (0, ["?", "2026-03-31"], None, 0, Advice::Matched),
            (0, ["2026-01-01", "?"], None, 90, Advice::Silent),
        ];
        for (matched, [first_day, last_day], last_matched_day, clean_days, advice) in cases {
            let days = BucketDays {
                matched,
                first_day: first_day.into(),
                last_day: last_day.into(),
                last_matched_day: last_matched_day.map(str::to_owned),
                ..BucketDays::default()
            };
            let bucket = judge(&days, span);
            assert_eq!((bucket.clean_days, bucket.advice), (clean_days, advice), "{days:?}");
        }
    }

    #[test]
    fn costs_are_rounded_to_a_cent() {
        let cases = [
            (0, 30, "0.00 USD"),
            (1, 30, "under 0.01 USD"),
            (100_000, 30, "0.10 USD"),
            (100_000, 0, "3.00 USD"),
            (2_345_678_901, 90, "781.89 USD"),
            (100_000_000_000, 3, "1,000,000.00 USD"),
        ];
        for (events, days, cost) in cases {
            assert_eq!(cost_a_month(events, days), cost, "{events} in {days}");
        }
        assert_eq!(events_a_month(90, 90), 30);
    }
}
