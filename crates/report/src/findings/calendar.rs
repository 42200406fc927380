//! Days of the calendar, and the bars of a chart over them.

use time::Date;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::{Days, Findings};

const FORMAT: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");
/// Bars that a chart has at most; more would not be told apart. Longer archives have bars of several days.
const BINS_MAX: i32 = 184;

/// A day, or `None` if the text is none. Of an RFC 3339 time it is the day of the time.
pub(super) fn day(text: &str) -> Option<Date> {
    Date::parse(text.get(..10)?, FORMAT).ok()
}

/// The first with a request. Days sort as their texts do.
fn first_day(days: &Days) -> Option<Date> {
    days.iter().filter(|(_, count)| **count > 0).find_map(|(text, _)| day(text))
}

/// The last with a request.
pub(super) fn last_day(days: &Days) -> Option<Date> {
    days.iter().rev().filter(|(_, count)| **count > 0).find_map(|(text, _)| day(text))
}

/// `2026-03-14`
pub(super) fn shown(day: Date) -> String {
    day.format(FORMAT).unwrap_or_default()
}

/// From the first day to the last, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub first: Date,
    pub last: Date,
}

impl Span {
    /// That of all records, and of all days with a match. `None` if no day is known.
    pub fn of(findings: &Findings) -> Option<Self> {
        let ends = [&findings.first_time, &findings.last_time];
        let ends = ends.into_iter().flatten().map(String::as_str);
        let matched = || findings.callers.iter().map(|found| &found.days);
        let first = ends.clone().filter_map(day).chain(matched().filter_map(first_day)).min()?;
        let last = ends.filter_map(day).chain(matched().filter_map(last_day)).max()?;
        Some(Self { first, last })
    }

    /// How many.
    pub fn days(self) -> u64 {
        days_between(self.first, self.last) + 1
    }
}

/// Days after `first` up to and with `last`; 0 if it is not later.
pub(super) fn days_between(first: Date, last: Date) -> u64 {
    u64::try_from(last.to_julian_day() - first.to_julian_day()).unwrap_or(0)
}

/// A span divided into bars of the same number of days; the last may be cut short.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bins {
    span: Span,
    /// Days of a bar: 1, 7, 28, or as many as it takes.
    pub width: i32,
    pub count: usize,
}

impl Bins {
    pub fn new(span: Span) -> Self {
        let days = i32::try_from(span.days()).unwrap_or(i32::MAX);
        let least = days.div_euclid(BINS_MAX) + i32::from(days % BINS_MAX > 0);
        let width = [1, 7, 28].into_iter().find(|width| *width >= least).unwrap_or(least);
        let count = days / width + i32::from(days % width > 0);
        Self { span, width, count: usize::try_from(count).unwrap_or(0) }
    }

    /// Requests in each bar. Texts that are no day are passed over.
    pub fn fill(&self, days: &Days) -> Vec<u64> {
        let mut bins = vec![0_u64; self.count];
        for (text, count) in days {
            let at = day(text).map(|day| (day.to_julian_day() - self.span.first.to_julian_day()) / self.width);
            if let Some(bin) = at.and_then(|at| bins.get_mut(usize::try_from(at).ok()?)) {
                *bin = bin.saturating_add(*count);
            }
        }
        bins
    }

    /// The days from one bar to another.
    pub fn label(&self, from: usize, to: usize) -> String {
        let (first, last) = (self.start(from), self.start(to + 1).and_then(Date::previous_day));
        let first = first.unwrap_or(self.span.first);
        let last = last.map_or(self.span.last, |last| last.min(self.span.last));
        if first >= last { shown(first) } else { format!("{} to {}", shown(first), shown(last)) }
    }

    /// The first day of a bar.
    pub fn start(&self, bin: usize) -> Option<Date> {
        let days = i32::try_from(bin).ok()?.checked_mul(self.width)?;
        Date::from_julian_day(self.span.first.to_julian_day().checked_add(days)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(first: &str, last: &str) -> Span {
        Span { first: day(first).unwrap(), last: day(last).unwrap() }
    }

    #[test]
    fn texts_that_are_no_day_are_none() {
        for text in ["", "2026-02-30", "2026-13-01", "26-1-1", "2026-03-1é", "<script>x", "9999999999"] {
            assert_eq!(day(text), None, "{text}");
        }
        assert_eq!(day("2026-03-14T09:00:00Z").map(shown).as_deref(), Some("2026-03-14"));
    }

    #[test]
    fn days_without_a_match_are_zero() {
        let bins = Bins::new(span("2026-02-27", "2026-03-03"));
        let days = Days::from([("2026-02-27".into(), 3), ("2026-03-02".into(), 1), ("no day".into(), 9)]);
        assert_eq!(bins.fill(&days), [3, 0, 0, 1, 0]);
        assert_eq!((bins.label(1, 1), bins.label(1, 4)), ("2026-02-28".into(), "2026-02-28 to 2026-03-03".into()));
    }

    #[test]
    fn long_archives_have_bars_of_several_days() {
        let cases = [
            ("2026-01-01", "2026-01-01", 1, 1),
            ("2026-01-01", "2026-07-03", 1, 184),
            ("2026-01-01", "2026-07-04", 7, 27),
            ("2020-01-01", "2026-01-01", 28, 79),
            ("0000-01-01", "9999-12-31", 19_851, 184),
        ];
        for (first, last, width, count) in cases {
            let bins = Bins::new(span(first, last));
            assert_eq!((bins.width, bins.count), (width, count), "{first} {last}");
            assert_eq!(bins.fill(&Days::from([(last.into(), 1)])).last(), Some(&1), "{first} {last}");
        }
        assert_eq!(Bins::new(span("2026-01-01", "2026-07-04")).label(26, 26), "2026-07-02 to 2026-07-04");
    }

    #[test]
    fn the_span_is_that_of_all_records() {
        let findings = crate::samples::findings();
        assert_eq!(Span::of(&findings), Some(span("2026-11-20", "2026-11-24")));
        let untimed = Findings { first_time: None, last_time: None, ..findings };
        assert_eq!(Span::of(&untimed), Some(span("2026-11-22", "2026-11-23")));
        assert_eq!(Span::of(&Findings::default()), None);
    }
}
