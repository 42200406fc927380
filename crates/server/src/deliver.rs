//! Between the decisions of `pipeline` and the rows of `store`: messages from publications and events.

use aws_api::{ApiError, RequestContext, Timestamp};
use bus::{Arrival, EventKind, PutEvent};
use pipeline::{Counts, Surroundings, Tally};
use queue::Effect;
use store::StoreError;
use topic::Published;

use crate::app::{App, unavailable};
use crate::counters::add;

impl App {
    /// What publications to a topic put into queues.
    pub fn deliver_published(
        &self,
        now: Timestamp,
        endpoint: &str,
        topic: &str,
        published: &[Published],
    ) -> Result<Vec<Effect>, ApiError> {
        let (mut effects, mut tally) = (Vec::new(), Tally::default());
        self.surrounded(now, endpoint, &self.signing_cert_url(endpoint), &mut tally, |around| {
            let registry = self.registry();
            for publication in published {
                let messages = pipeline::messages(publication, around);
                let placed = pipeline::place(&registry, messages, around, &mut effects);
                around.tally.published(topic, publication.size, &publication.summary, &placed);
                add(&self.counters.notifications, placed.delivered);
                add(&self.counters.filtered, publication.summary.filtered());
                add(&self.counters.failed_notifications, placed.dead_lettered + placed.lost);
                add(&self.counters.dead_lettered, placed.dead_lettered);
                add(&self.counters.lost, placed.lost);
            }
        })
        .map_err(|error| unavailable(&error))?;
        add(&self.counters.messages_sent, effects.len());
        self.meter.count(now, |all| all.merge(tally));
        Ok(effects)
    }

    /// What events of `PutEvents` put into queues.
    pub fn dispatch_events(&self, ctx: &RequestContext, events: &[PutEvent]) -> Result<Vec<Effect>, ApiError> {
        let (mut step, mut tally) = (pipeline::Step::default(), Tally::default());
        self.surrounded(ctx.now, &ctx.endpoint, &self.signing_cert_url(&ctx.endpoint), &mut tally, |around| {
            let registry = self.registry();
            for event in events {
                let arrival = Arrival {
                    account: &event.account,
                    region: &ctx.region,
                    bus: &event.bus,
                    envelope: &event.envelope,
                    kind: EventKind::other(),
                    ingested: ctx.now,
                };
                pipeline::dispatch(&registry, &arrival, &event.id.to_string(), around, &mut step);
            }
        })
        .map_err(|error| unavailable(&error))?;
        self.count(&step.counts, step.effects.len());
        self.meter.count(ctx.now, |all| all.merge(tally));
        Ok(step.effects)
    }

    /// Gives `work` what it needs from outside; fails if the store could not number a message.
    pub fn surrounded<T>(
        &self,
        now: Timestamp,
        endpoint: &str,
        signing_cert_url: &str,
        tally: &mut Tally,
        work: impl FnOnce(&mut Surroundings<'_>) -> T,
    ) -> Result<T, StoreError> {
        let mut failed = None;
        let mut next_seq = || {
            self.store.queues().next_seq().unwrap_or_else(|error| {
                failed = Some(error);
                u64::MAX
            })
        };
        let done = work(&mut Surroundings {
            now,
            endpoint,
            signing_cert_url,
            sign: &|version, canonical| self.signer.sign(version, canonical),
            next_seq: &mut next_seq,
            forbidden: &mut |refusal| self.forbidden.tell(refusal, now),
            tally,
        });
        match failed {
            Some(error) => Err(error),
            None => Ok(done),
        }
    }

    /// Where the certificate is that notifications are checked with.
    pub fn signing_cert_url(&self, endpoint: &str) -> String {
        format!("{endpoint}{}", self.signer.path())
    }

    /// Adds what a step did to the metrics.
    pub fn count(&self, counts: &Counts, messages: usize) {
        let counters = &self.counters;
        add(&counters.matched, counts.matched);
        add(&counters.undecided, counts.undecided);
        add(&counters.invocations, counts.invocations);
        add(&counters.failed_invocations, counts.failed_invocations);
        add(&counters.notifications, counts.notifications);
        add(&counters.filtered, counts.filtered);
        add(&counters.failed_notifications, counts.failed_notifications);
        add(&counters.dead_lettered, counts.dead_lettered);
        add(&counters.lost, counts.lost);
        add(&counters.messages_sent, messages);
    }
}
