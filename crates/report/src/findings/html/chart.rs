//! Matching requests over time: a bar a day, and under it who they were.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt::Write as _;

use maud::{Markup, html};

use super::{Context, identity, shown};
use crate::findings::Days;
use crate::findings::calendar::{self, Bins, Span, days_between, last_day};
use crate::findings::grouped::add_days;
use crate::number::{counted, separated};
use crate::{Field, Group};

/// Callers that have a colour of their own.
const SERIES_MAX: usize = 8;
/// Units of the chart's height; the page gives it its height.
const HEIGHT: u128 = 1_000;
/// A bar with anything in it is at least as high, so that it is not taken for none.
const HEIGHT_MIN: u128 = 14;
/// Stands for a name where no field tells callers apart.
const ALL: &str = "All callers";
/// The height of the small charts.
const TREND_HEIGHT: u128 = 20;

/// A caller as the chart tells them apart: by identity if that is among the fields, else by all fields.
pub(super) struct Series<'a> {
    pub name: Vec<(Field, &'a str)>,
    pub count: u64,
    pub days: Days,
}

/// All of them, the most active first.
pub(super) fn series<'a>(context: &'a Context<'_>) -> Vec<Series<'a>> {
    let fields = &context.grouped.fields;
    let of_identity = fields.iter().position(|field| *field == Field::Identity);
    let name = |group: &'a Group| -> Vec<(Field, &'a str)> {
        let all = fields.iter().copied().zip(group.key.iter().map(String::as_str));
        all.enumerate().filter(|(at, _)| of_identity.is_none_or(|place| place == *at)).map(|(_, part)| part).collect()
    };
    let mut places = HashMap::new();
    let mut series: Vec<Series<'a>> = Vec::new();
    for found in &context.grouped.groups {
        let name = name(&found.group);
        let key: Vec<&str> = name.iter().map(|(_, value)| *value).collect();
        let at = *places.entry(key).or_insert(series.len());
        if at == series.len() {
            series.push(Series { name, count: 0, days: Days::new() });
        }
        series[at].count = series[at].count.saturating_add(found.group.count);
        add_days(&mut series[at].days, &found.days);
    }
    series.sort_by_key(|series| Reverse(series.count));
    series
}

/// One colour of the chart.
struct Row<'a> {
    /// `None` for all others together.
    series: Option<&'a Series<'a>>,
    others: usize,
    count: u64,
    bins: Vec<u64>,
    last: Option<time::Date>,
}

fn rows<'a>(series: &'a [Series<'a>], bins: Bins) -> Vec<Row<'a>> {
    let own = &series[..series.len().min(SERIES_MAX)];
    let mut rows: Vec<_> = own
        .iter()
        .map(|series| Row {
            series: Some(series),
            others: 0,
            count: series.count,
            bins: bins.fill(&series.days),
            last: last_day(&series.days),
        })
        .collect();
    let others = &series[own.len()..];
    if !others.is_empty() {
        let mut days = Days::new();
        for series in others {
            add_days(&mut days, &series.days);
        }
        let count = others.iter().fold(0_u64, |sum, series| sum.saturating_add(series.count));
        rows.push(Row { series: None, others: others.len(), count, bins: bins.fill(&days), last: last_day(&days) });
    }
    rows
}

pub(super) fn section(context: &Context<'_>, series: &[Series<'_>]) -> Markup {
    let Some(span) = context.span else { return html! {} };
    let bins = Bins::new(span);
    let rows = rows(series, bins);
    html! {
        section aria-labelledby="time" {
            h2 id="time" { (nouns(context)) @match bins.width {
                1 => { " a day" }
                7 => { " a week" }
                days => { " in each " (days) " days" }
            } }
            (bars(&rows, bins, span))
            @if !rows.is_empty() { (legend(&rows, bins, span, context.findings.has_several_checks())) }
        }
    }
}

/// What is counted: a request counts for each of several checks.
fn nouns(context: &Context<'_>) -> &'static str {
    if context.findings.has_several_checks() { "Matches of checks" } else { "Matching requests" }
}

fn name(row: &Row<'_>) -> Markup {
    html! {
        @match row.series {
            Some(series) => {
                @if series.name.is_empty() { (ALL) }
                @for (at, (field, value)) in series.name.iter().enumerate() {
                    @if at > 0 { span.dim { " / " } }
                    @if *field == Field::Identity { (identity(value)) } @else { (shown(value)) }
                }
            }
            None => { (counted(row.others as u64, "other caller")) }
        }
    }
}

fn plain_name(row: &Row<'_>) -> String {
    match row.series {
        Some(series) if series.name.is_empty() => ALL.to_owned(),
        Some(series) => series.name.iter().map(|(_, value)| shown(value)).collect::<Vec<_>>().join(" / "),
        None => counted(row.others as u64, "other caller"),
    }
}

fn bars(rows: &[Row<'_>], bins: Bins, span: Span) -> Markup {
    let total = |bin: usize| rows.iter().fold(0_u64, |sum, row| sum.saturating_add(row.bins[bin]));
    let totals: Vec<u64> = (0..bins.count).map(total).collect();
    let highest = totals.iter().copied().max().unwrap_or(0);
    let top = axis_top(highest);
    let wide = bins.count * 10;
    let empty = totals.iter().filter(|total| **total == 0).count() as u64;
    let bar = match bins.width {
        1 => "day",
        7 => "week",
        _ => "period",
    };
    let told = format!(
        "Bar chart from {} to {}: at most {} in a {bar}; {} without any.",
        calendar::shown(span.first),
        calendar::shown(span.last),
        counted(highest, "request"),
        counted(empty, bar),
    );
    html! {
        figure.chart.none[highest == 0] {
            div.axis aria-hidden="true" {
                span { (separated(clamp(top))) } span { (separated(clamp(top / 2))) } span { "0" }
            }
            svg.bars viewBox=(format!("0 0 {wide} {HEIGHT}")) preserveAspectRatio="none" role="img" aria-label=(told) {
                @for y in [0, HEIGHT / 2, HEIGHT] { line.grid x1="0" x2=(wide) y1=(y) y2=(y) {} }
                @for (bin, total) in totals.iter().enumerate() { (column(rows, bin, *total, top, &bins.label(bin, bin))) }
            }
            svg.clean viewBox=(format!("0 0 {wide} 10")) preserveAspectRatio="none" aria-hidden="true" {
                @for (from, to) in empty_runs(&totals) {
                    rect x=(from * 10 + 1) y="0" width=((to - from + 1) * 10 - 2) height="10" {
                        title { (bins.label(from, to)) ": no match" }
                    }
                }
            }
            div.days aria-hidden="true" {
                span { (calendar::shown(span.first)) }
                @if let Some(middle) = bins.start(bins.count / 2).filter(|_| bins.count > 4) { span { (calendar::shown(middle)) } }
                @if bins.count > 1 { span { (calendar::shown(span.last)) } }
            }
            @if empty > 0 { figcaption { span.swatch.free {} (counted(empty, bar)) " without a match" } }
        }
    }
}

/// The callers of a bar above each other, the most active at the bottom.
fn column(rows: &[Row<'_>], bin: usize, total: u64, top: u128, label: &str) -> Markup {
    let height = |count: u64| u128::from(count) * HEIGHT / top;
    // One colour is enough for a bar that is hardly seen.
    let is_low = height(total) < HEIGHT_MIN;
    let most = rows.iter().enumerate().max_by_key(|(at, row)| (row.bins[bin], Reverse(*at))).map(|(at, _)| at);
    let mut parts = Vec::new();
    let mut below = 0_u64;
    for (at, row) in rows.iter().enumerate().filter(|(_, row)| row.bins[bin] > 0) {
        let base = height(below);
        below = below.saturating_add(row.bins[bin]);
        if !is_low {
            parts.push((at, HEIGHT.saturating_sub(height(below)), height(below) - base));
        } else if Some(at) == most {
            parts.push((at, HEIGHT - HEIGHT_MIN, HEIGHT_MIN));
        }
    }
    let x = bin * 10;
    html! {
        g {
            title {
                (label) ": " (counted(total, "request"))
                @for row in rows.iter().filter(|row| row.bins[bin] > 0) { "\n" (separated(row.bins[bin])) "  " (plain_name(row)) }
            }
            rect.reach x=(x) y="0" width="10" height=(HEIGHT) {}
            @for (at, y, height) in parts {
                rect class=(format!("s{at}")) x=(x + 1) y=(y) width="8" height=(height) {}
            }
        }
    }
}

/// Who the colours are, each with its own course, which may be lost in the bars of more active ones.
fn legend(rows: &[Row<'_>], bins: Bins, span: Span, several_checks: bool) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="The callers of the chart" {
            table.legend {
                thead { tr {
                    th scope="col" { "Caller" } th.trend scope="col" { "Trend" }
                    th.number scope="col" { @if several_checks { "Matches" } @else { "Requests" } } th scope="col" { "Last match" } th.number scope="col" { "Quiet for" }
                } }
                tbody {
                    @for (at, row) in rows.iter().enumerate() {
                        tr {
                            th scope="row" { div { span class=(format!("swatch s{at}")) {} span { (name(row)) } } }
                            td.trend { (trend(row, at, bins)) }
                            td.number { (separated(row.count)) }
                            @match row.last {
                                Some(last) => {
                                    @let quiet = days_between(last, span.last);
                                    td { (calendar::shown(last)) }
                                    td.number { @if quiet == 0 { span.dim { "active" } } @else { span.good { (counted(quiet, "day")) } } }
                                }
                                None => { td { "unknown" } td.number {} }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn trend(row: &Row<'_>, at: usize, bins: Bins) -> Markup {
    let highest = u128::from(row.bins.iter().copied().max().unwrap_or(0).max(1));
    let mut path = String::new();
    for (bin, count) in row.bins.iter().enumerate().filter(|(_, count)| **count > 0) {
        let height = (u128::from(*count) * TREND_HEIGHT / highest).max(2);
        // Writing to a string does not fail.
        let _ = write!(path, "M{} {TREND_HEIGHT}v-{height}h4v{height}z", bin * 5);
    }
    html! {
        svg.trend viewBox=(format!("0 0 {} {TREND_HEIGHT}", bins.count * 5)) preserveAspectRatio="none" aria-hidden="true" {
            line.grid x1="0" x2=(bins.count * 5) y1=(TREND_HEIGHT) y2=(TREND_HEIGHT) {}
            path class=(format!("s{at}")) d=(path) {}
        }
    }
}

/// The smallest of 2, 4, 6, 8, 10, 20, 40, … that is not below: its half is a whole number, too.
fn axis_top(highest: u64) -> u128 {
    let highest = u128::from(highest);
    let mut unit = 1;
    loop {
        if let Some(top) = [2, 4, 6, 8, 10].map(|factor| factor * unit).into_iter().find(|top| *top >= highest) {
            return top;
        }
        unit *= 10;
    }
}

fn clamp(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// The bars without anything, those next to each other as one: from, to.
fn empty_runs(totals: &[u64]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (bin, _) in totals.iter().enumerate().filter(|(_, total)| **total == 0) {
        match runs.last_mut() {
            Some((_, to)) if *to + 1 == bin => *to = bin,
            _ => runs.push((bin, bin)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_ends_at_an_even_number() {
        let cases = [(0, 2), (2, 2), (3, 4), (9, 10), (11, 20), (101, 200), (650, 800), (801, 1_000)];
        for (highest, top) in cases {
            assert_eq!(axis_top(highest), top);
        }
        assert_eq!(axis_top(u64::MAX), 20_000_000_000_000_000_000);
    }

    #[test]
    fn bars_without_anything_are_joined() {
        assert_eq!(empty_runs(&[0, 0, 1, 0, 2, 0, 0]), [(0, 1), (3, 3), (5, 6)]);
        assert_eq!(empty_runs(&[1]), []);
    }
}
