//! `/_sigtrail/metrics`: counts since the start, in the text format of Prometheus.
//!
//! Names follow "Metric and label naming" of Prometheus: base units, `_total` at the end of counters. Each name has its `HELP`
//! and `TYPE` on every page, with or without samples.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};

use aws_api::{Entity, Timestamp};
use gateway::{Audit, Embedded};
use metric::{StateValue, Table};
use record::Entry;
use store::StoreError;

use crate::app::App;
use crate::waiting;

/// Callers that have samples of their own: those with the most requests. What all of them did together is in
/// `sigtrail_s3_sigv2_requests_total`.
const CALLERS_SHOWN_MAX: usize = 50;

/// The whole page.
pub fn page(app: &App, audit: &Audit<Embedded>) -> String {
    let mut page = Page::default();
    front(&mut page, app, audit);
    callers(&mut page, app);
    for (name, help, value) in app.counters.all() {
        page.counter(name, help, value);
    }
    let (refused, by_address) = app.handshakes.counts();
    page.counter("sigtrail_tls_handshakes_refused_total", "TLS handshakes that came to nothing.", refused);
    page.family(
        "sigtrail_tls_handshakes_refused_by_address_total",
        "counter",
        "TLS handshakes that came to nothing, of the first addresses.",
    );
    for (address, value) in by_address {
        page.labelled("sigtrail_tls_handshakes_refused_by_address_total", &[("address", &address.to_string())], value);
    }
    series(&mut page, app);
    // Nothing to show is all that comes of a store that failed; its health says so.
    let _ = waiting_records(&mut page, app);
    page.0
}

fn front(page: &mut Page, app: &App, audit: &Audit<Embedded>) {
    let front = audit.counters();
    let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let rows = [
        (
            "sigtrail_s3_requests_total",
            "Requests to S3 whose signature was proven, or that were anonymous.",
            &front.admitted,
        ),
        ("sigtrail_s3_refused_total", "Requests to S3 that failed authentication.", &front.refused),
        (
            "sigtrail_s3_refused_not_kept_total",
            "Of those, the ones beyond what is recorded of one address.",
            &front.refused_not_kept,
        ),
        ("sigtrail_s3_sigv2_requests_total", "Requests to S3 with a proven signature of version 2.", &front.sigv2),
    ];
    for (name, help, counter) in rows {
        page.counter(name, help, load(counter));
    }
    page.counter("sigtrail_store_syncs_total", "Syncs of the store's journal.", app.store.stats().syncs);
}

/// SigV2 by who signs: the proven ones by who they are, and the refused ones apart, of which anybody can send any.
fn callers(page: &mut Page, app: &App) {
    let (mut admitted, mut refused) = (BTreeMap::<_, u64>::new(), BTreeMap::<_, u64>::new());
    app.with_callers(|callers| {
        for caller in callers.iter() {
            let key = &caller.key;
            if caller.refused {
                *refused.entry([key.access_key_id.clone(), key.source_ip.clone()]).or_default() += caller.count;
            } else {
                *admitted.entry([key.identity.clone(), key.access_key_id.clone()]).or_default() += caller.count;
            }
        }
    });
    page.gauge("sigtrail_sigv2_callers", "Identities and keys that have ever signed with SigV2.", admitted.len());
    let families = [
        (
            "sigtrail_sigv2_caller_requests_total",
            "Requests signed with SigV2 since the first start, of the callers with the most of them.",
            ["identity", "access_key_id"],
            admitted,
        ),
        (
            "sigtrail_sigv2_caller_refused_total",
            "Requests with SigV2 that failed authentication, by the key that they named and their address.",
            ["claimed_access_key_id", "source_ip"],
            refused,
        ),
    ];
    for (name, help, labels, counts) in families {
        page.family(name, "counter", help);
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by(|(a, a_count), (b, b_count)| b_count.cmp(a_count).then_with(|| a.cmp(b)));
        for (key, count) in counts.into_iter().take(CALLERS_SHOWN_MAX) {
            page.labelled(name, &[(labels[0], &key[0]), (labels[1], &key[1])], count);
        }
    }
}

fn series(page: &mut Page, app: &App) {
    page.gauge("sigtrail_metric_series", "Series of CloudWatch.", app.meter.with_table(Table::len));
    let help = "Values of ours for which an account has too many series.";
    page.counter("sigtrail_metric_values_lost_total", help, app.meter.lost());
    page.family("sigtrail_alarms", "gauge", "Alarms of CloudWatch by their state.");
    let registry = app.registry();
    for state in [StateValue::Ok, StateValue::Alarm, StateValue::InsufficientData] {
        let count = registry.alarms.iter().filter(|alarm| alarm.state.value == state).count();
        page.labelled("sigtrail_alarms", &[("state", state.name())], count);
    }
}

/// What trails have not delivered yet, and since when.
fn waiting_records(page: &mut Page, app: &App) -> Result<(), StoreError> {
    let trails: Vec<(String, String)> =
        app.registry().trails.iter().map(|trail| (trail.key(), trail.arn().to_string())).collect();
    let name = "sigtrail_trail_waiting_records";
    page.family(name, "gauge", "Records in no log file yet.");
    for (key, arn) in &trails {
        page.labelled(name, &[("trail", arn)], app.waiting.records(key));
    }
    let name = "sigtrail_trail_oldest_waiting_record_timestamp_seconds";
    page.family(name, "gauge", "When the oldest of them was made.");
    for (key, arn) in &trails {
        let Some(seq) = waiting::oldest_of(app, key)? else { continue };
        let oldest = app.store.log().read(seq, 1, usize::MAX)?;
        let entry = oldest.first().and_then(|(_, bytes)| Entry::decode(bytes).ok());
        if let Some(time) = entry.and_then(|entry| Timestamp::parse_rfc3339(&entry.outline.event_time)) {
            page.labelled(name, &[("trail", arn)], time.as_secs());
        }
    }
    Ok(())
}

/// The text, as far as it is. Writing into memory does not fail.
#[derive(Debug, Default)]
struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ =
            writeln!(self.0, "# HELP {name} {}\n# TYPE {name} {kind}", help.replace('\\', "\\\\").replace('\n', "\\n"));
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, "counter", help);
        let _ = writeln!(self.0, "{name} {value}");
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, "gauge", help);
        let _ = writeln!(self.0, "{name} {value}");
    }

    fn labelled(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> =
            labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
        let _ = writeln!(self.0, "{name}{{{}}} {value}", labels.join(","));
    }
}

/// A label's value, which may be a stranger's text.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strangers_text_stays_in_its_label() {
        let mut page = Page::default();
        page.labelled("m_total", &[("a", "x\"} 1\nm_total{a=\"\\")], 3);
        assert_eq!(page.0, "m_total{a=\"x\\\"} 1\\nm_total{a=\\\"\\\\\"} 3\n");
    }

    #[test]
    fn help_and_type_stand_before_the_samples() {
        let mut page = Page::default();
        page.counter("m_total", "What.", 1);
        page.gauge("g", "How much.", 2);
        let text = "# HELP m_total What.\n# TYPE m_total counter\nm_total 1\n# HELP g How much.\n# TYPE g gauge\ng 2\n";
        assert_eq!(page.0, text);
    }
}
