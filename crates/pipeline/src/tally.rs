//! What AWS's own metrics say of queues, topics and rules, counted by resource.
//!
//! Names and dimensions: "Available CloudWatch metrics for Amazon SQS", "Monitoring Amazon SNS topics using CloudWatch" and
//! "Monitoring Amazon EventBridge". Counting an event looks a text up for each resource that it touches; names of metrics are
//! made only when the counts are taken ([`Tally::take`]).

use aws_api::{Arn, Timestamp};
use hashbrown::HashMap;
use metric::{Metric, Put, Series, Statistics, Tier, Unit};
use queue::Place;
use topic::Summary;

use crate::deliver::Placed;

/// Counts by the ARN of a queue, a topic, a rule.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    queues: HashMap<String, QueueCounts>,
    topics: HashMap<String, TopicCounts>,
    rules: HashMap<String, RuleCounts>,
    /// By account and region, which are few.
    events: Vec<EventCounts>,
}

/// What happened to a queue's messages.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct QueueCounts {
    /// Messages that came, and their bytes.
    pub sent: Option<Statistics>,
    /// Messages that were received.
    pub received: usize,
    /// Messages that were deleted.
    pub deleted: usize,
    /// Receives that got none.
    pub empty_receives: usize,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct TopicCounts {
    published: Option<Statistics>,
    delivered: usize,
    failed: usize,
    redriven: usize,
    failed_to_redrive: usize,
    filtered: Summary,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct RuleCounts {
    matched: usize,
    attempts: usize,
    succeeded: usize,
    failed: usize,
    redriven: usize,
    failed_to_redrive: usize,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct EventCounts {
    account: String,
    region: String,
    matched: usize,
    calls: usize,
    entries: usize,
    failed_entries: usize,
    size: Option<Statistics>,
}

/// The counts of a key, made if it is new: a text is copied only then.
fn of<'m, T: Default>(map: &'m mut HashMap<String, T>, key: &str) -> &'m mut T {
    map.entry_ref(key).or_default()
}

/// Sizes stay far below where floats are not exact.
#[expect(clippy::cast_precision_loss, reason = "see above")]
fn number(count: usize) -> f64 {
    count as f64
}

fn sample(samples: &mut Option<Statistics>, value: f64) {
    match samples {
        Some(samples) => samples.merge(Statistics::one(value)),
        None => *samples = Some(Statistics::one(value)),
    }
}

fn merge_samples(samples: &mut Option<Statistics>, others: Option<Statistics>) {
    match (samples, others) {
        (Some(samples), Some(others)) => samples.merge(others),
        (samples, Some(others)) => *samples = Some(others),
        (_, None) => {}
    }
}

impl TopicCounts {
    fn merge(&mut self, other: &Self) {
        merge_samples(&mut self.published, other.published);
        self.delivered += other.delivered;
        self.failed += other.failed;
        self.redriven += other.redriven;
        self.failed_to_redrive += other.failed_to_redrive;
        self.filter(&other.filtered);
    }

    fn filter(&mut self, summary: &Summary) {
        let filtered = &mut self.filtered;
        filtered.filtered_attributes += summary.filtered_attributes;
        filtered.filtered_no_attributes += summary.filtered_no_attributes;
        filtered.filtered_invalid_attributes += summary.filtered_invalid_attributes;
        filtered.filtered_body += summary.filtered_body;
        filtered.filtered_invalid_body += summary.filtered_invalid_body;
    }
}

impl RuleCounts {
    fn merge(&mut self, other: Self) {
        self.matched += other.matched;
        self.attempts += other.attempts;
        self.succeeded += other.succeeded;
        self.failed += other.failed;
        self.redriven += other.redriven;
        self.failed_to_redrive += other.failed_to_redrive;
    }
}

impl Tally {
    /// A message came to a queue, from whomever. `size` in bytes.
    pub fn sent(&mut self, queue: &str, size: usize) {
        sample(&mut of(&mut self.queues, queue).sent, number(size));
    }

    /// Something else happened to a queue's messages.
    pub fn queue(&mut self, queue: &str) -> &mut QueueCounts {
        of(&mut self.queues, queue)
    }

    /// A topic was published to. `size` in bytes.
    pub fn published(&mut self, topic: &str, size: usize, summary: &Summary, placed: &Placed) {
        let counts = of(&mut self.topics, topic);
        sample(&mut counts.published, number(size));
        // What cannot be delivered as the subscription wants it goes to the dead-letter queue as any other delivery would.
        counts.delivered += placed.delivered.saturating_sub(summary.redriven);
        counts.failed += placed.dead_lettered + placed.lost + summary.redriven + summary.discarded;
        counts.redriven += placed.dead_lettered + summary.redriven;
        counts.failed_to_redrive += placed.failed_to_redrive;
        counts.filter(summary);
    }

    /// Rules matched an event.
    pub fn matched(&mut self, account: &str, region: &str, rules: &[String]) {
        if rules.is_empty() {
            return;
        }
        self.events(account, region).matched += 1;
        for rule in rules {
            of(&mut self.rules, rule).matched += 1;
        }
    }

    /// A rule's target was, or could not be, told of an event. `has_queue`: there is a dead-letter queue for what failed.
    pub fn invoked(&mut self, rule: &str, placed: &Placed, has_queue: bool) {
        let counts = of(&mut self.rules, rule);
        counts.attempts += placed.delivered + placed.dead_lettered + placed.lost;
        counts.succeeded += placed.delivered;
        counts.failed += placed.dead_lettered + placed.lost;
        counts.redriven += placed.dead_lettered;
        counts.failed_to_redrive += if has_queue { placed.lost } else { 0 };
    }

    /// `PutEvents` was called with so many entries, of which some were refused. `size` in bytes.
    pub fn put_events(&mut self, account: &str, region: &str, entries: usize, failed: usize, size: usize) {
        let counts = self.events(account, region);
        counts.calls += 1;
        counts.entries += entries;
        counts.failed_entries += failed;
        sample(&mut counts.size, number(size));
    }

    fn events(&mut self, account: &str, region: &str) -> &mut EventCounts {
        let known = self.events.iter().position(|counts| counts.region == region && counts.account == account);
        let place = known.unwrap_or_else(|| {
            let (account, region) = (account.to_owned(), region.to_owned());
            self.events.push(EventCounts { account, region, ..EventCounts::default() });
            self.events.len() - 1
        });
        &mut self.events[place]
    }

    /// Nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.queues.is_empty() && self.topics.is_empty() && self.rules.is_empty() && self.events.is_empty()
    }

    /// The queues of which something was counted, by their ARNs.
    pub fn queues(&self) -> impl Iterator<Item = (&str, &QueueCounts)> {
        self.queues.iter().map(|(arn, counts)| (arn.as_str(), counts))
    }

    /// Takes in what was counted elsewhere.
    pub fn merge(&mut self, other: Self) {
        for (arn, counts) in other.queues {
            let mine = of(&mut self.queues, &arn);
            merge_samples(&mut mine.sent, counts.sent);
            mine.received += counts.received;
            mine.deleted += counts.deleted;
            mine.empty_receives += counts.empty_receives;
        }
        for (arn, counts) in other.topics {
            of(&mut self.topics, &arn).merge(&counts);
        }
        for (arn, counts) in other.rules {
            of(&mut self.rules, &arn).merge(counts);
        }
        for counts in other.events {
            let mine = self.events(&counts.account, &counts.region);
            mine.matched += counts.matched;
            mine.calls += counts.calls;
            mine.entries += counts.entries;
            mine.failed_entries += counts.failed_entries;
            merge_samples(&mut mine.size, counts.size);
        }
    }

    /// The counts as values of AWS's metrics, all of one moment. Nothing is counted afterwards.
    pub fn take(&mut self, moment: Timestamp) -> Vec<Put> {
        let mut values = Values { moment, puts: Vec::new() };
        for (arn, counts) in self.queues.drain() {
            if let Some(place) = Place::from_arn(&arn) {
                values.of_queue(&place, &counts);
            }
        }
        for (arn, counts) in self.topics.drain() {
            if let Ok(arn) = arn.parse::<Arn>() {
                values.of_topic(&arn, &counts);
            }
        }
        for (arn, counts) in self.rules.drain() {
            if let Ok(arn) = arn.parse::<Arn>() {
                values.of_rule(&arn, &counts);
            }
        }
        for counts in self.events.drain(..) {
            values.of_events(&counts);
        }
        values.puts
    }
}

/// Whose metrics, and where.
struct Whose<'a> {
    account: &'a str,
    region: &'a str,
    namespace: &'a str,
    dimensions: &'a [(&'a str, &'a str)],
}

struct Values {
    moment: Timestamp,
    puts: Vec<Put>,
}

impl Values {
    fn put(&mut self, whose: &Whose<'_>, name: &str, unit: Unit, values: Statistics) {
        let metric = Metric::of_service(whose.account, whose.region, whose.namespace, name, whose.dimensions);
        self.puts.push(Put { series: Series { metric, unit }, tier: Tier::Minute, moment: self.moment, values });
    }

    /// Each thing counted is a value of 1.
    fn count(&mut self, whose: &Whose<'_>, counts: &[(&str, usize)]) {
        for (name, count) in counts.iter().filter(|(_, count)| *count > 0) {
            self.put(whose, name, Unit::COUNT, Statistics::repeated(1.0, number(*count)));
        }
    }

    fn of_queue(&mut self, place: &Place, counts: &QueueCounts) {
        let dimensions = [("QueueName", place.name.as_str())];
        let whose = Whose { account: &place.account, region: &place.region, namespace: SQS, dimensions: &dimensions };
        if let Some(sent) = counts.sent {
            self.put(&whose, "NumberOfMessagesSent", Unit::COUNT, Statistics::repeated(1.0, sent.count));
            self.put(&whose, "SentMessageSize", Unit::BYTES, sent);
        }
        self.count(
            &whose,
            &[
                ("NumberOfMessagesReceived", counts.received),
                ("NumberOfMessagesDeleted", counts.deleted),
                ("NumberOfEmptyReceives", counts.empty_receives),
            ],
        );
    }

    fn of_topic(&mut self, arn: &Arn, counts: &TopicCounts) {
        let dimensions = [("TopicName", arn.resource.as_str())];
        let whose = Whose { account: &arn.account, region: &arn.region, namespace: SNS, dimensions: &dimensions };
        if let Some(published) = counts.published {
            self.put(&whose, "NumberOfMessagesPublished", Unit::COUNT, Statistics::repeated(1.0, published.count));
            self.put(&whose, "PublishSize", Unit::BYTES, published);
        }
        let filtered = &counts.filtered;
        self.count(
            &whose,
            &[
                ("NumberOfNotificationsDelivered", counts.delivered),
                ("NumberOfNotificationsFailed", counts.failed),
                ("NumberOfNotificationsRedrivenToDlq", counts.redriven),
                ("NumberOfNotificationsFailedToRedriveToDlq", counts.failed_to_redrive),
                ("NumberOfNotificationsFilteredOut", filtered.filtered()),
                ("NumberOfNotificationsFilteredOut-MessageAttributes", filtered.filtered_attributes),
                ("NumberOfNotificationsFilteredOut-NoMessageAttributes", filtered.filtered_no_attributes),
                ("NumberOfNotificationsFilteredOut-InvalidAttributes", filtered.filtered_invalid_attributes),
                ("NumberOfNotificationsFilteredOut-MessageBody", filtered.filtered_body),
                ("NumberOfNotificationsFilteredOut-InvalidMessageBody", filtered.filtered_invalid_body),
            ],
        );
    }

    /// A rule of the default bus has its name as dimension, one of another bus also the bus's.
    fn of_rule(&mut self, arn: &Arn, counts: &RuleCounts) {
        let Some(rule) = arn.resource.strip_prefix("rule/") else { return };
        let (bus, name) = rule.rsplit_once('/').unwrap_or(("", rule));
        let on_bus = [("EventBusName", bus), ("RuleName", name)];
        let dimensions = if bus.is_empty() { &on_bus[1..] } else { &on_bus[..] };
        let whose = Whose { account: &arn.account, region: &arn.region, namespace: EVENTS, dimensions };
        self.count(
            &whose,
            &[
                ("MatchedEvents", counts.matched),
                ("TriggeredRules", counts.matched),
                ("InvocationsCreated", counts.attempts),
                ("Invocations", counts.attempts),
                ("InvocationAttempts", counts.attempts),
                ("SuccessfulInvocationAttempts", counts.succeeded),
                ("FailedInvocations", counts.failed),
                ("InvocationsSentToDlq", counts.redriven),
                ("InvocationsFailedToBeSentToDlq", counts.failed_to_redrive),
            ],
        );
    }

    fn of_events(&mut self, counts: &EventCounts) {
        let whose = Whose { account: &counts.account, region: &counts.region, namespace: EVENTS, dimensions: &[] };
        let failed_calls = usize::from(counts.entries > 0 && counts.failed_entries == counts.entries);
        self.count(
            &whose,
            &[
                ("MatchedEvents", counts.matched),
                ("PutEventsApproximateCallCount", counts.calls),
                ("PutEventsApproximateSuccessCount", counts.calls.saturating_sub(failed_calls)),
                ("PutEventsApproximateFailedCount", failed_calls),
                ("PutEventsEntriesCount", counts.entries),
                ("PutEventsFailedEntriesCount", counts.failed_entries),
            ],
        );
        if let Some(size) = counts.size {
            self.put(&whose, "PutEventsRequestSize", Unit::BYTES, size);
        }
    }
}

const SQS: &str = "AWS/SQS";
const SNS: &str = "AWS/SNS";
const EVENTS: &str = "AWS/Events";

/// The gauges of a queue at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueGauges {
    /// Messages that can be received.
    pub visible: u64,
    /// Messages that were received and not deleted.
    pub in_flight: u64,
    /// Messages whose delay is not over.
    pub delayed: u64,
    /// Seconds since the oldest message was sent.
    pub oldest_age_s: u64,
}

/// The counters that an active queue tells as zero where nothing was counted.
pub const QUEUE_COUNTERS: [(&str, Unit); 4] = [
    ("NumberOfMessagesSent", Unit::COUNT),
    ("NumberOfMessagesReceived", Unit::COUNT),
    ("NumberOfMessagesDeleted", Unit::COUNT),
    ("NumberOfEmptyReceives", Unit::COUNT),
];

/// A queue's metric.
pub fn queue_metric(place: &Place, name: &str) -> Metric {
    Metric::of_service(&place.account, &place.region, SQS, name, &[("QueueName", &place.name)])
}

impl QueueGauges {
    /// The gauges as values of AWS's metrics.
    pub fn values(&self, place: &Place, moment: Timestamp) -> Vec<Put> {
        let gauges = [
            ("ApproximateNumberOfMessagesVisible", Unit::COUNT, self.visible),
            ("ApproximateNumberOfMessagesNotVisible", Unit::COUNT, self.in_flight),
            ("ApproximateNumberOfMessagesDelayed", Unit::COUNT, self.delayed),
            ("ApproximateAgeOfOldestMessage", Unit::SECONDS, self.oldest_age_s),
        ];
        gauges.map(|(name, unit, value)| queue_value(place, name, unit, value, moment)).into()
    }
}

/// One value of a queue's metric.
#[expect(clippy::cast_precision_loss, reason = "counts and ages stay far below where floats are not exact")]
pub fn queue_value(place: &Place, name: &str, unit: Unit, value: u64, moment: Timestamp) -> Put {
    let series = Series { metric: queue_metric(place, name), unit };
    Put { series, tier: Tier::Minute, moment, values: Statistics::one(value as f64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:sigtrail-sigv2";
    const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:sigtrail-sigv2";
    const RULE: &str = "arn:aws:events:us-east-1:111122223333:rule/sigtrail-sigv2";

    fn count_one(tally: &mut Tally, rules: &[String]) {
        let placed = Placed { delivered: 1, ..Placed::default() };
        tally.matched("111122223333", "us-east-1", rules);
        tally.sent(QUEUE, 1800);
        tally.published(TOPIC, 1800, &Summary::default(), &placed);
        tally.invoked(RULE, &placed, true);
    }

    #[test]
    fn counts_of_two_tallies_are_those_of_both() {
        let rules = [RULE.to_owned()];
        let (mut one, mut two, mut both) = (Tally::default(), Tally::default(), Tally::default());
        count_one(&mut one, &rules);
        two.put_events("111122223333", "us-east-1", 3, 1, 90);
        two.queue(QUEUE).received += 2;
        count_one(&mut two, &rules);
        count_one(&mut both, &rules);
        both.put_events("111122223333", "us-east-1", 3, 1, 90);
        both.queue(QUEUE).received += 2;
        count_one(&mut both, &rules);
        one.merge(two);
        assert_eq!(one, both);
    }

    /// What counting costs for a record that goes all the way, beside what the whole way costs (`tests/way.rs`).
    #[test]
    #[ignore = "a measure, not a check"]
    #[expect(clippy::disallowed_methods, reason = "it measures")]
    fn what_counting_costs() {
        const RECORDS: u32 = 1_000_000;
        let (rules, mut tally, mut values) = ([RULE.to_owned()], Tally::default(), 0);
        let begun = std::time::Instant::now();
        for record in 1..=RECORDS {
            count_one(&mut tally, &rules);
            if record % 256 == 0 {
                values += tally.take(Timestamp::default()).len();
            }
        }
        println!("{} ns a record, {values} values", begun.elapsed().as_nanos() / u128::from(RECORDS));
    }
}
