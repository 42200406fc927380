//! Findings as one page that needs nothing else: no network, no font, no script of others.
//!
//! Strangers' text is made visible by `shown` and escaped by `maud`. Should that ever fail, the page's own Content Security
//! Policy lets no style and no script run but those whose hashes it names, and loads nothing.

mod buckets;
mod callers;
mod chart;
mod coverage;
mod summary;

use std::borrow::Cow;
use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::Findings;
use super::advice::{self, Bucket};
use super::calendar::Span;
use super::grouped::Grouped;
use crate::Field;
use crate::sanitize::{sanitize, sanitize_lines};

const STYLE: &str = include_str!("html/page.css");
/// Sorts and filters tables that are there without it.
const SCRIPT: &str = include_str!("html/page.js");

/// Writes the page. It is made in memory first; the number of its rows is bounded.
pub fn write(findings: &Findings, by: &[Field], out: &mut impl Write) -> io::Result<()> {
    let page = page(findings, by).into_string();
    out.write_all(sanitize_lines(&page).as_bytes())
}

/// What all sections are made of.
struct Context<'a> {
    findings: &'a Findings,
    /// The days that the archive covers.
    span: Option<Span>,
    grouped: Grouped<'a>,
    buckets: Vec<Bucket<'a>>,
}

fn page(findings: &Findings, by: &[Field]) -> Markup {
    let span = Span::of(findings);
    let buckets = span.map(|span| advice::buckets(findings, span)).unwrap_or_default();
    let context = Context { findings, span, grouped: Grouped::new(findings, by), buckets };
    let series = chart::series(&context);
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(&summary::title(findings)))
            body {
                a.skip href="#callers" { "Skip to the callers" }
                main {
                    (summary::section(&context, &series))
                    (chart::section(&context, &series))
                    (callers::section(&context))
                    (buckets::section(&context))
                    (coverage::section(&context))
                }
                footer {
                    "Made by Sigtrail on " (instant(&findings.generated)) ". All times are UTC."
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

fn head(title: &str) -> Markup {
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    );
    html! {
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(policy);
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            meta name="referrer" content="no-referrer";
            title { (title) " - Sigtrail" }
            style { (PreEscaped(STYLE)) }
        }
    }
}

/// As the policy names an inline style or script. Source: W3C, Content Security Policy Level 3, "hash-source".
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

/// Strangers' text as it may be seen. `maud` escapes what is HTML in it.
fn shown(text: &str) -> Cow<'_, str> {
    if text.is_empty() { Cow::Borrowed("(none)") } else { sanitize(text) }
}

/// `2026-03-14T09:00:00Z` without what needs no saying.
fn instant(time: &str) -> String {
    sanitize(time).replacen('T', " ", 1).trim_end_matches('Z').to_owned()
}

/// An identity with what tells it from others standing out.
fn identity(text: &str) -> Markup {
    let (account, name) = match text.rfind(':') {
        Some(at) if text.starts_with("arn:") && at + 1 < text.len() => text.split_at(at + 1),
        _ => ("", text),
    };
    html! {
        @if !account.is_empty() { span.dim { (sanitize(account)) } wbr; }
        (shown(name))
    }
}

#[cfg(test)]
mod tests;
