//! The head of the page: what was looked for, and how it stands.

use maud::{Markup, html};

use super::chart::Series;
use super::{Context, instant, shown};
use crate::findings::calendar::{self, Span, day, days_between, last_day};
use crate::findings::{CheckTitle, Findings};
use crate::number::{counted, separated};
use crate::sanitize::sanitize;

/// Titles of checks that a headline names; of more it gives the number.
const TITLES_MAX: usize = 3;

/// The headline.
pub(super) fn title(findings: &Findings) -> String {
    match findings.checks.as_slice() {
        [] => "Findings".to_owned(),
        checks if checks.len() > TITLES_MAX => format!("{} checks", checks.len()),
        checks => checks.iter().map(|check| sanitize(&check.title)).collect::<Vec<_>>().join(", "),
    }
}

pub(super) fn section(context: &Context<'_>, series: &[Series<'_>]) -> Markup {
    let findings = context.findings;
    html! {
        header {
            p.kicker { "Who must migrate" }
            h1 { (title(findings)) }
            @if let Some(span) = context.span {
                p.dim {
                    "CloudTrail records from " span.day { (calendar::shown(span.first)) } " to " span.day { (calendar::shown(span.last)) }
                    ", " (counted(span.days(), "day"))
                }
            }
            @if let [check] = findings.checks.as_slice() { p { (term(check, &findings.generated)) } }
        }
        p.lead { (lead(context, series.len())) }
        @if findings.skipped_count() > 0 {
            p.warning {
                strong { (counted(findings.skipped_count(), "file")) " could not be read." }
                " What they hold is not in this report. " a href="#coverage" { "Which, and why" }
            }
        }
        (tiles(context, series.len()))
        @if findings.has_several_checks() { (checks(context)) }
    }
}

/// When a check ends, if that is known.
fn term(check: &CheckTitle, generated: &str) -> Markup {
    let today = day(generated);
    let end = check.date.as_deref().and_then(day);
    let left = today.zip(end).map(|(today, end)| days_between(today, end));
    html! {
        @if check.hygiene {
            span.badge { "Good practice" } " AWS has announced no end."
        } @else if let Some(date) = &check.date {
            @match left {
                Some(left @ 1..) => { span.badge.late { "Ends " (sanitize(date)) } " That is in " (counted(left, "day")) "." }
                Some(0) => { span.badge.over { "Ended " (sanitize(date)) } }
                None => { span.badge { "End: " (sanitize(date)) } }
            }
        }
    }
}

/// The last day with a match, and how many days of the archive came after it.
fn last_match(context: &Context<'_>) -> Option<(String, u64)> {
    let Span { last, .. } = context.span?;
    let matched = context.findings.callers.iter().filter_map(|found| last_day(&found.days)).max()?;
    Some((calendar::shown(matched), days_between(matched, last)))
}

fn lead(context: &Context<'_>, callers: usize) -> Markup {
    let matched = context.findings.matched;
    html! {
        @if matched == 0 {
            strong { "Nothing matched" } " in " (counted(context.findings.records, "record")) "."
        } @else {
            strong { (counted(matched, "request")) } " of " strong { (counted(callers as u64, "caller")) } " matched. "
            @match last_match(context) {
                Some((day, 0)) => { "The last was on " span.day { (day) } ", the last day of the archive." }
                Some((day, quiet)) => { "The last was on " span.day { (day) } ", " (counted(quiet, "day")) " before the archive ends." }
                None => {}
            }
        }
    }
}

fn tiles(context: &Context<'_>, callers: usize) -> Markup {
    let findings = context.findings;
    let matched_buckets = findings.buckets.iter().filter(|bucket| bucket.matched > 0).count() as u64;
    let last = last_match(context);
    html! {
        dl.tiles {
            div { dt { "Matching requests" } dd { (separated(findings.matched)) }
                dd.dim { "of " (counted(findings.records, "record")) } }
            div { dt { "Callers" } dd { (separated(callers as u64)) } dd.dim { "to migrate" } }
            div { dt { "Buckets" } dd { (separated(matched_buckets)) }
                dd.dim { "of " (separated(findings.buckets.len() as u64)) " have matches" } }
            div { dt { "Days without a match" }
                @match last {
                    Some((day, quiet)) => { dd { (separated(quiet)) } dd.dim { "since the last on " span.day { (day) } } }
                    None => { dd { (separated(context.span.map_or(0, Span::days))) } dd.dim { "in the whole archive" } }
                }
            }
        }
    }
}

/// How each check stands.
fn checks(context: &Context<'_>) -> Markup {
    let findings = context.findings;
    let of = |check: &CheckTitle| {
        let groups = context.grouped.groups.iter().filter(|found| found.check == Some(&*check.name));
        groups.fold((0_u64, 0_u64), |(rows, count), found| (rows + 1, count.saturating_add(found.group.count)))
    };
    html! {
        section aria-labelledby="checks" {
            h2 id="checks" { "Checks" }
            div.scroll tabindex="0" role="region" aria-label="Table of the checks" {
                table {
                    thead { tr {
                        th scope="col" { "Check" } th scope="col" { "End" }
                        th.number scope="col" { "Callers" } th.number scope="col" { "Requests" }
                    } }
                    tbody {
                        @for check in &findings.checks {
                            @let (rows, count) = of(check);
                            tr {
                                th scope="row" { (shown(&check.title)) " " code.dim { (sanitize(&check.name)) } }
                                td { (term(check, &findings.generated)) }
                                td.number { (separated(rows)) }
                                td.number { (separated(count)) }
                            }
                        }
                    }
                }
            }
            p.note { "A request that matched several checks counts for each of them." }
        }
    }
}

/// First and last, for a cell.
pub(super) fn seen(first: &str, last: &str) -> Markup {
    html! {
        div { (instant(last)) }
        div.dim { "since " (instant(first)) }
    }
}
