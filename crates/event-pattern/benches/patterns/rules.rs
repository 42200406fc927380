//! What rules cost: compiling, adding, removing, memory.

use std::alloc::System;
use std::time::Instant;

use event_pattern::{Matcher, Pattern, SharedMatcher};
use quamina::Quamina;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

use crate::Plan;
use crate::corpora::Rules;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Bytes on the heap that `build` leaves.
fn kept<T>(build: impl FnOnce() -> T) -> (T, usize) {
    let region = Region::new(ALLOCATOR);
    let made = build();
    let change = region.change();
    (made, change.bytes_allocated.saturating_sub(change.bytes_deallocated))
}

fn timed<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let made = run();
    println!("{what:<50} {:>9.1} ms", start.elapsed().as_secs_f64() * 1e3);
    made
}

pub fn report(plan: &Plan) {
    if !plan.wants("rules") {
        return;
    }
    println!("10,001 rules");
    let rules = Rules::file("rules-ct_10001");
    let (patterns, text_bytes) = kept(|| timed("compile", || rules.patterns()));
    let (mut matcher, bytes) = kept(|| timed("add", || add_all(&patterns)));
    println!("{:<50} {:>9}", "bytes a rule, compiled", text_bytes / patterns.len());
    println!("{:<50} {:>9}", "bytes a rule, in the matcher", bytes / patterns.len());
    timed("replace each by another", || {
        for (index, pattern) in patterns.iter().rev().enumerate() {
            matcher.add(index, pattern.clone());
        }
    });
    timed("remove one by one", || (0..patterns.len()).for_each(|index| drop(matcher.remove(&index))));
    assert!(matcher.is_empty());
    timed("add one by one while others may match", || {
        let shared = SharedMatcher::new();
        for (index, pattern) in patterns.iter().enumerate() {
            shared.add(index, pattern.clone());
        }
    });
    let (_, rival) = kept(|| {
        timed("  quamina: add", || {
            let mut rival = Quamina::<usize>::new();
            for (index, text) in rules.texts.iter().enumerate() {
                rival.add_pattern(index, text).expect("a rule that quamina takes");
            }
            rival
        })
    });
    println!("{:<50} {:>9}", "  quamina: bytes a rule", rival / patterns.len());
}

fn add_all(patterns: &[Pattern]) -> Matcher<usize> {
    let mut matcher = Matcher::new();
    for (index, pattern) in patterns.iter().enumerate() {
        matcher.add(index, pattern.clone());
    }
    matcher
}
