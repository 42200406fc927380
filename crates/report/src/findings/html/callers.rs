//! The table of the callers.

use maud::{Markup, html};

use super::summary::seen;
use super::{Context, identity, shown};
use crate::findings::grouped::FoundGroup;
use crate::number::{counted, separated};
use crate::sanitize::sanitize;
use crate::{Counts, Field, by_count};

/// Rows of the page at most: browsers grow slow, and nobody reads on.
pub(super) const ROWS_MAX: usize = 5_000;
/// Operations and errors of a caller that are listed.
const COUNTS_MAX: usize = 12;

pub(super) fn section(context: &Context<'_>) -> Markup {
    let groups = &context.grouped.groups;
    if groups.is_empty() {
        return html! { section aria-labelledby="callers" { h2 id="callers" { "Callers" } p { "None." } } };
    }
    let has = |fields: &[Field]| context.grouped.fields.iter().any(|field| fields.contains(field));
    let columns = Columns {
        check: context.findings.has_several_checks(),
        who: has(&[Field::Identity, Field::AccessKeyId]),
        whence: has(&[Field::SourceIp, Field::UserAgent]),
        bucket: has(&[Field::Bucket]),
    };
    let more = groups.len().saturating_sub(ROWS_MAX) as u64;
    html! {
        section aria-labelledby="callers" {
            h2 id="callers" { "Callers" }
            div.tools hidden {
                label for="filter" { "Filter" }
                input id="filter" type="search" autocomplete="off" spellcheck="false" placeholder="identity, address, software, bucket";
                p id="shown" role="status" {}
            }
            div.scroll tabindex="0" role="region" aria-label="Table of the callers" {
                table.sortable.filtered {
                    (columns.head())
                    tbody { @for found in groups.iter().take(ROWS_MAX) { (columns.row(&context.grouped.fields, found)) } }
                }
            }
            @if more > 0 { p.note { (counted(more, "more caller")) " with fewer requests: in the reports as JSON and CSV." } }
        }
    }
}

/// Which there are, as the fields have it.
#[allow(clippy::struct_excessive_bools, reason = "each column is there or not")]
struct Columns {
    check: bool,
    who: bool,
    whence: bool,
    bucket: bool,
}

impl Columns {
    fn head(&self) -> Markup {
        html! {
            thead { tr {
                @if self.check { th scope="col" data-sort="text" { "Check" } }
                @if self.who { th scope="col" data-sort="text" { "Caller" } }
                @if self.whence { th scope="col" data-sort="text" { "From" } }
                @if self.bucket { th scope="col" data-sort="text" { "Bucket" } }
                th scope="col" data-sort="text" { "Operations" }
                th.number scope="col" data-sort="number" { "Requests" }
                th scope="col" data-sort="text" { "Last seen" }
            } }
        }
    }

    fn row(&self, fields: &[Field], found: &FoundGroup<'_>) -> Markup {
        let group = &found.group;
        let value = |field| fields.iter().position(|other| *other == field).map(|at| group.key[at].as_str());
        html! {
            tr {
                @if self.check { td { code { (shown(found.check.unwrap_or_default())) } } }
                @if self.who {
                    td.wide {
                        @if let Some(arn) = value(Field::Identity) { div { (identity(arn)) } }
                        @if let Some(key) = value(Field::AccessKeyId) { code.dim { (shown(key)) } }
                    }
                }
                @if self.whence {
                    td.wide {
                        @if let Some(ip) = value(Field::SourceIp) { div { (shown(ip)) } }
                        @if let Some(agent) = value(Field::UserAgent) { div.dim { (shown(agent)) } }
                    }
                }
                @if self.bucket { td.name { (shown(value(Field::Bucket).unwrap_or_default())) } }
                td {
                    div { (counts(&group.actions)) }
                    @if !group.auth_methods.is_empty() { div.dim { (counts(&group.auth_methods)) } }
                    @if !group.errors.is_empty() { div.bad { (counts(&group.errors)) } }
                }
                td.number data-value=(group.count) { (separated(group.count)) }
                td.time data-value=(sanitize(&group.last_seen)) { (seen(&group.first_seen, &group.last_seen)) }
            }
        }
    }
}

fn counts(counts: &Counts) -> Markup {
    let sorted = by_count(counts);
    let more = sorted.len().saturating_sub(COUNTS_MAX);
    html! {
        @for (at, (name, count)) in sorted.into_iter().take(COUNTS_MAX).enumerate() {
            @if at > 0 { ", " }
            span.count { (shown(name)) " " (separated(count)) }
        }
        @if more > 0 { ", and " (separated(more as u64)) " more" }
    }
}
