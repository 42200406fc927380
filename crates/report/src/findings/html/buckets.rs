//! The buckets: which are clean, and what it costs to watch them.

use maud::{Markup, html};

use super::callers::ROWS_MAX;
use super::{Context, shown};
use crate::findings::advice::{Advice, Bucket, CLEAN_DAYS_MIN, cost_a_month, events_a_month};
use crate::findings::calendar::Span;
use crate::number::{counted, separated};

pub(super) fn section(context: &Context<'_>) -> Markup {
    let Some(span) = context.span else { return html! {} };
    html! {
        section aria-labelledby="buckets" {
            h2 id="buckets" { "Buckets, and what recording them costs" }
            (cost(context, span))
            @if !context.buckets.is_empty() { (table(&context.buckets, span)) }
        }
    }
}

fn cost(context: &Context<'_>, span: Span) -> Markup {
    let days = span.days();
    let events = context.findings.data_events;
    let done: Vec<_> = context.buckets.iter().filter(|bucket| bucket.advice == Advice::TakeOut).collect();
    let saved = done.iter().fold(0_u64, |sum, bucket| sum.saturating_add(bucket.days.data_events));
    html! {
        p {
            "The archive has " (counted(events, "data event")) " in " (counted(days, "day")) ". At this rate a month has "
            (separated(events_a_month(events, days))) ", for which CloudTrail charges about "
            strong { (cost_a_month(events, days)) } " (0.10 USD for 100,000)."
        }
        p {
            @if !done.is_empty() {
                strong { (counted(done.len() as u64, "bucket")) } " had no match in the last " (CLEAN_DAYS_MIN)
                " days or longer and could be taken out of the trail's data events. That saves about "
                strong { (cost_a_month(saved, days)) } " a month."
            } @else if days < CLEAN_DAYS_MIN {
                "No bucket is suggested to be taken out of the trail's data events: the archive covers "
                (counted(days, "day")) ", and it takes " (CLEAN_DAYS_MIN) " clean ones."
            } @else {
                "No bucket can be taken out of the trail's data events yet: none has " (CLEAN_DAYS_MIN)
                " clean days at the end of the archive."
            }
        }
    }
}

fn table(buckets: &[Bucket<'_>], span: Span) -> Markup {
    let more = buckets.len().saturating_sub(ROWS_MAX) as u64;
    html! {
        div.scroll tabindex="0" role="region" aria-label="Table of the buckets" {
            table.sortable {
                thead { tr {
                    th scope="col" data-sort="text" { "Bucket" }
                    th.number scope="col" data-sort="number" { "Clean days" }
                    th scope="col" data-sort="text" { "What follows" }
                    th scope="col" data-sort="text" { "Last match" }
                    th.number scope="col" data-sort="number" { "Matched" }
                    th.number scope="col" data-sort="number" { "Data events" }
                    th.number scope="col" data-sort="number" { "Cost a month" }
                } }
                tbody {
                    @for bucket in buckets.iter().take(ROWS_MAX) {
                        @let days = bucket.days;
                        tr {
                            th.name scope="row" { (shown(&days.bucket)) }
                            td.number data-value=(bucket.clean_days) { (separated(bucket.clean_days)) }
                            td { (advice(bucket)) }
                            td.time { @if let Some(day) = &days.last_matched_day { (shown(day)) } @else { span.dim { "never" } } }
                            td.number data-value=(days.matched) { (separated(days.matched)) }
                            td.number data-value=(days.data_events) { (separated(days.data_events)) }
                            td.number data-value=(days.data_events) { (cost_a_month(days.data_events, span.days())) }
                        }
                    }
                }
            }
        }
        @if more > 0 { p.note { (counted(more, "more bucket")) ": in the report as JSON." } }
        p.note {
            "Clean days are those without a match at the end of the archive, from the bucket's first data event at the earliest. "
            "A client that calls less often than that is not seen in them."
        }
    }
}

fn advice(bucket: &Bucket<'_>) -> Markup {
    html! {
        @match bucket.advice {
            Advice::TakeOut => { span.badge.good { "Clean" } " could be taken out" }
            Advice::Silent => { span.badge { "Silent" } " no data event since " (shown(&bucket.days.last_day)) ": too few to tell" }
            Advice::Wait => { span.badge.late { "Wait" } " until it has " (CLEAN_DAYS_MIN) " clean days" }
            Advice::Matched => { span.badge.over { "In use" } " matched on the last day" }
        }
    }
}
