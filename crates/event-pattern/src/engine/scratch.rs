//! Buffers of one matching run, kept for the next.

use super::choices::Choices;
use super::conditions::Answer;
use super::prefilter::Worth;
use super::{RuleId, SubId};
use crate::event::Frame;
use crate::fields::{Fields, MAX_KEPT};

#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) fields: Fields,
    pub(super) frames: Vec<Frame>,
    /// The run in which a sub-rule was last looked at, and a rule last matched.
    pub(super) seen: Vec<u32>,
    matched: Vec<u32>,
    /// What was found out of each condition, and in which run.
    pub(super) answers: Vec<(u32, Answer)>,
    pub(super) run: u32,
    pub(super) candidates: Vec<SubId>,
    pub(super) canonical: Vec<u8>,
    pub(super) choices: Choices,
    pub(super) worth: Worth,
    /// The rules that match.
    pub(crate) hits: Vec<RuleId>,
}

impl Scratch {
    /// Whether the buffers that grow with the event are small enough to be kept.
    pub(crate) fn is_small(&self) -> bool {
        self.fields.is_small()
            && self.frames.capacity() <= MAX_KEPT
            && self.canonical.capacity() <= MAX_KEPT
            && self.choices.is_small()
    }

    pub(super) fn start_run(&mut self, subs: usize, rules: usize, conditions: usize) {
        if self.run == u32::MAX {
            self.seen.fill(0);
            self.matched.fill(0);
            self.answers.fill((0, Answer::default()));
            self.run = 0;
        }
        self.run += 1;
        if self.seen.len() < subs {
            self.seen.resize(subs, 0);
        }
        if self.matched.len() < rules {
            self.matched.resize(rules, 0);
        }
        if self.answers.len() < conditions {
            self.answers.resize(conditions, (0, Answer::default()));
        }
        self.candidates.clear();
        self.hits.clear();
    }

    pub(super) fn has_matched(&self, rule: RuleId) -> bool {
        self.matched[rule as usize] == self.run
    }

    pub(super) fn hit(&mut self, rule: RuleId) {
        self.matched[rule as usize] = self.run;
        self.hits.push(rule);
    }
}
