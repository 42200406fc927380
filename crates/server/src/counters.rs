//! Counts since the start, for `/_sigtrail/metrics`.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($(#[doc = $help:literal] $name:ident = $metric:literal,)*) => {
        /// What was counted since the start.
        #[derive(Debug, Default)]
        pub struct Counters {
            $(#[doc = $help] pub $name: AtomicU64,)*
        }

        impl Counters {
            /// Each count with its name in Prometheus, and what it is.
            pub fn all(&self) -> Vec<(&'static str, &'static str, u64)> {
                vec![$(($metric, $help.trim_ascii(), self.$name.load(Ordering::Relaxed)),)*]
            }
        }
    };
}

counters! {
    /// Records that the pipeline has passed on.
    records = "sigtrail_records_total",
    /// Of those, the ones that a trail chose.
    events = "sigtrail_events_total",
    /// Rules that matched, counted for each event.
    matched = "sigtrail_rule_matches_total",
    /// Events on which the engine gave up for some rule; they went to dead-letter queues where there are any.
    undecided = "sigtrail_rule_undecided_total",
    /// Targets that took an event.
    invocations = "sigtrail_invocations_total",
    /// Targets that could not take an event: it went to the dead-letter queue, or is lost to that target.
    failed_invocations = "sigtrail_failed_invocations_total",
    /// Messages to subscribed queues.
    notifications = "sigtrail_notifications_delivered_total",
    /// Messages that a filter policy held back.
    filtered = "sigtrail_notifications_filtered_total",
    /// Messages that a subscribed queue could not take.
    failed_notifications = "sigtrail_notifications_failed_total",
    /// Messages that went to a dead-letter queue instead.
    dead_lettered = "sigtrail_dead_lettered_total",
    /// Messages and events that are lost to their target: there was no dead-letter queue, or it did not take them.
    lost = "sigtrail_undelivered_lost_total",
    /// Messages sent to queues, by whomever.
    messages_sent = "sigtrail_messages_sent_total",
    /// Messages received.
    messages_received = "sigtrail_messages_received_total",
    /// Messages deleted.
    messages_deleted = "sigtrail_messages_deleted_total",
    /// Log files delivered.
    log_files = "sigtrail_log_files_total",
    /// Log files that a bucket would not take.
    failed_log_files = "sigtrail_log_files_failed_total",
    /// Records that waited for a log file of a trail when it was deleted, and that its bucket did not take.
    undelivered_records = "sigtrail_log_file_records_undelivered_total",
    /// Digests of log files delivered.
    digests = "sigtrail_digests_total",
    /// Digests that a bucket would not take.
    failed_digests = "sigtrail_digests_failed_total",
    /// Control-plane requests answered.
    api_requests = "sigtrail_api_requests_total",
    /// Control-plane requests that failed authentication.
    api_refused = "sigtrail_api_refused_total",
    /// Of those, the ones beyond what is recorded of one address.
    api_refused_not_kept = "sigtrail_api_refused_not_kept_total",
}

/// Adds to a count.
pub fn add(counter: &AtomicU64, amount: usize) {
    counter.fetch_add(amount as u64, Ordering::Relaxed);
}
