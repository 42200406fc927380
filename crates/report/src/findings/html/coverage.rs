//! What was read, and what was not.

use maud::{Markup, html};

use super::{Context, instant, shown};
use crate::number::{bytes, counted, separated};

pub(super) fn section(context: &Context<'_>) -> Markup {
    let findings = context.findings;
    let time = |time: &Option<String>| time.as_deref().map_or("none".to_owned(), instant);
    html! {
        section aria-labelledby="coverage" {
            h2 id="coverage" { "What was read" }
            dl.facts {
                div { dt { "Files" } dd { (separated(findings.files)) } }
                div { dt { "Records" } dd { (separated(findings.records)) } }
                div { dt { "Size, decompressed" } dd { (bytes(findings.bytes)) } }
                div { dt { "First record" } dd { (time(&findings.first_time)) } }
                div { dt { "Last record" } dd { (time(&findings.last_time)) } }
                div { dt { "Duplicates left out" } dd { (separated(findings.duplicates)) } }
                div { dt { "Files skipped" } dd { (separated(findings.skipped_count())) } }
            }
            @if findings.skipped_count() == 0 {
                p { "Every file was read to its end." }
            } @else {
                (skipped(context))
            }
        }
    }
}

fn skipped(context: &Context<'_>) -> Markup {
    let findings = context.findings;
    html! {
        h3 id="skipped" { "Skipped files" }
        div.scroll tabindex="0" role="region" aria-labelledby="skipped" {
            table {
                thead { tr { th scope="col" { "File" } th scope="col" { "Why" } } }
                tbody {
                    @for skipped in &findings.skipped {
                        tr { th.name scope="row" { code { (shown(&skipped.path)) } } td { (shown(&skipped.error)) } }
                    }
                }
            }
        }
        @if findings.skipped_more > 0 { p.note { "And " (counted(findings.skipped_more, "more file")) "." } }
    }
}
