//! Event patterns against their rivals, in one run: `cargo bench -p event-pattern [-- [--quick] [NAME]]`.
//!
//! Every cell counts its matches and compares them with [`EXPECTED`]; a wrong count stops the run. Rounds of ours and of
//! the rivals alternate, so that what else the machine does meets all of them.

#![allow(clippy::print_stdout, clippy::cast_precision_loss, reason = "a report of figures for a person")]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads its corpus and the clock")]

mod corpora;
mod hostile;
mod rules;

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::time::{Duration, Instant};

use corpora::{Rules, city_groups, lines};
use event_pattern::{Pattern, validate};
use quamina::Quamina;

/// How many matches each cell has, over all events and rules. Obtained by asking the oracle of `tests/oracle`, a matcher
/// written from the rules alone, one rule and one event at a time; `cargo bench -p event-pattern -- --oracle` does it again.
/// It is too slow for more than 50 rules on all events: those counts are one rule at a time, and the oracle agrees on every
/// 200th event.
const EXPECTED: [(&str, usize); 18] = [
    ("ct_1", 996),
    ("ct_half", 10_777),
    ("ct_1001", 1_344),
    ("ct_rich_1001", 1_446),
    ("ct_10001", 6_033),
    ("ct_wild_101", 5_998),
    ("city_EXACT", 62),
    ("city_WILDCARD", 218),
    ("city_PREFIX", 291),
    ("city_SUFFIX", 2_454),
    ("city_EQUALS_IGNORE_CASE", 502),
    ("city_NUMERIC", 31_850),
    ("city_ANYTHING_BUT", 68_727),
    ("city_COMPLEX_ARRAYS", 32_021),
    ("city_simple_groups", 104_104),
    ("city_all_groups", 136_125),
    ("ct_valid", 20_000),
    ("city_valid", 20_000),
];

#[path = "../../tests/oracle/mod.rs"]
mod oracle;

/// A pass over all events that takes longer is not repeated.
const TEDIOUS_MS: f64 = 3_000.0;

/// What the command line asks for.
pub struct Plan {
    rounds: usize,
    round: Duration,
    name: String,
}

impl Plan {
    fn wants(&self, name: &str) -> bool {
        name.contains(&self.name)
    }

    fn is_quick(&self) -> bool {
        self.rounds == 1
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let (rounds, round) = if has("--quick") { (1, Duration::ZERO) } else { (7, Duration::from_millis(200)) };
    let name = arguments.iter().find(|argument| !argument.starts_with("--")).cloned().unwrap_or_default();
    let plan = Plan { rounds, round, name };
    let (trail, lots) = (lines("cloudtrail-events-20k"), lines("citylots2-like-20k"));
    if has("--oracle") {
        return ask_the_oracle(&trail, &lots);
    }
    println!("{:<26} {:>9} {:>8} {:>19} {:>9}", "", "k/s", "ns", "(least–most) k/s", "ratio");
    cloud_trail(&plan, &trail);
    city_lots(&plan, &lots);
    rules::report(&plan);
    hostile::report(&plan);
}

/// The cells on CloudTrail events: a name and its rules.
fn trail_cells() -> Vec<(&'static str, Rules)> {
    let half = r#"{"detail":{"eventSource":["s3.amazonaws.com"],"readOnly":[true]}}"#;
    let files = ["ct_1", "ct_1001", "ct_rich_1001", "ct_10001", "ct_wild_101"];
    let mut cells: Vec<_> = files.map(|name| (name, Rules::file(&format!("rules-{name}")))).into();
    cells.insert(1, ("ct_half", Rules::of([half.to_owned()])));
    cells
}

fn city_cells() -> Vec<(String, Rules)> {
    let groups = city_groups();
    let all = |groups: &[(&str, Vec<String>)]| Rules::of(groups.iter().flat_map(|(_, rules)| rules.clone()));
    let (simple, complex) = (all(&groups[..groups.len() - 1]), all(&groups));
    let mut cells: Vec<_> =
        groups.into_iter().map(|(name, rules)| (format!("city_{name}"), Rules::of(rules))).collect();
    cells.push(("city_simple_groups".to_owned(), simple));
    cells.push(("city_all_groups".to_owned(), complex));
    cells
}

fn cloud_trail(plan: &Plan, events: &[Vec<u8>]) {
    println!("CloudTrail events, 20,000 of 1.9 KB");
    for (name, rules) in trail_cells() {
        cell(plan, name, &rules, events);
    }
    let sig = Pattern::compile(&Rules::file("rules-ct_1").texts[0]).expect("the SigV2 rule");
    let literal = memchr::memmem::Finder::new("SigV2");
    let mut contenders = [
        Contender::new("ct_1 strict", || events.iter().filter(|event| sig.matches_strict(event) == Ok(true)).count()),
        Contender::new("  serde_json, by hand", || events.iter().filter(|event| by_hand(event)).count()),
        Contender::new("  memmem, no JSON at all", || {
            events.iter().filter(|event| literal.find(event).is_some()).count()
        }),
    ];
    run(plan, "ct_1", &mut contenders, events.len());
    let mut valid = [Contender::new("validate", || events.iter().filter(|event| validate(event).is_ok()).count())];
    run(plan, "ct_valid", &mut valid, events.len());
}

fn city_lots(plan: &Plan, events: &[Vec<u8>]) {
    println!("city lots, 20,000 of 1 KB, 21 coordinates each");
    for (name, rules) in city_cells() {
        cell(plan, &name, &rules, events);
    }
    let mut valid = [Contender::new("validate", || events.iter().filter(|event| validate(event).is_ok()).count())];
    run(plan, "city_valid", &mut valid, events.len());
}

/// What one would write without this crate.
fn by_hand(event: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(event).is_ok_and(|event| {
        event["detail-type"] == "AWS API Call via CloudTrail"
            && event["detail"]["eventSource"] == "s3.amazonaws.com"
            && event["detail"]["additionalEventData"]["SignatureVersion"] == "SigV2"
    })
}

/// Rules in ours, all of the event validated or not, and in the rival.
fn cell(plan: &Plan, name: &str, rules: &Rules, events: &[Vec<u8>]) {
    if !plan.wants(name) {
        return;
    }
    let (matcher, mut found, mut found_strictly) = (rules.matcher(), Vec::new(), Vec::new());
    let single = (rules.texts.len() == 1).then(|| rules.patterns().remove(0));
    let mut rival = Quamina::<usize>::new();
    let refused = rules.texts.iter().enumerate().find_map(|(index, text)| rival.add_pattern(index, text).err());
    let mut contenders = vec![
        Contender::new(name, || match &single {
            Some(pattern) => events.iter().filter(|event| pattern.matches(event) == Ok(true)).count(),
            None => count(events, |event| {
                matcher.matches(event, &mut found).expect("an event");
                found.len()
            }),
        }),
        Contender::new("  strict", || {
            count(events, |event| {
                matcher.matches_strict(event, &mut found_strictly).expect("an event");
                found_strictly.len()
            })
        }),
    ];
    match refused {
        None => contenders.push(Contender {
            rival: true,
            ..Contender::new("  quamina", || {
                count(events, |event| rival.matches_for_event(event).map_or(0, |found| found.len()))
            })
        }),
        Some(error) => println!("  (quamina takes not all rules: {error:?})"),
    }
    run(plan, name, &mut contenders, events.len());
}

fn count(events: &[Vec<u8>], of_one: impl FnMut(&Vec<u8>) -> usize) -> usize {
    events.iter().map(of_one).sum()
}

struct Contender<'c> {
    name: String,
    pass: Box<dyn FnMut() -> usize + 'c>,
    /// May miss matches; ours may not.
    rival: bool,
    failed: bool,
    rates: Vec<f64>,
    matches: usize,
}

impl<'c> Contender<'c> {
    fn new(name: &str, pass: impl FnMut() -> usize + 'c) -> Self {
        Self { name: name.to_owned(), pass: Box::new(pass), rival: false, failed: false, rates: Vec::new(), matches: 0 }
    }

    /// One round, unless one took so long that more would make the whole run tedious.
    fn play(&mut self, plan: &Plan, events: usize) {
        if self.failed || self.rates.last().is_some_and(|rate| (events as f64) / rate > TEDIOUS_MS) {
            return;
        }
        let (start, mut passes) = (Instant::now(), 0_usize);
        while passes == 0 || start.elapsed() < plan.round {
            let Some(matches) = self.pass() else {
                self.failed = true;
                return;
            };
            self.matches = matches;
            passes += 1;
        }
        self.rates.push((passes * events) as f64 / start.elapsed().as_secs_f64() / 1e3);
    }

    /// All events once. `None`: the rival panicked, as it does on some sets. Ours may not.
    fn pass(&mut self) -> Option<usize> {
        if !self.rival {
            return Some((self.pass)());
        }
        // The table says "panics"; the rival's backtrace says nothing to its reader.
        let hook = take_hook();
        set_hook(Box::new(|_| ()));
        let matches = catch_unwind(AssertUnwindSafe(&mut self.pass)).ok();
        set_hook(hook);
        matches
    }

    fn median(&mut self) -> f64 {
        self.rates.sort_by(f64::total_cmp);
        self.rates[self.rates.len() / 2]
    }
}

/// Lets all play in turns and prints what came of it; ratios are of the first to each other.
fn run(plan: &Plan, cell: &str, contenders: &mut [Contender<'_>], events: usize) {
    if !plan.wants(cell) {
        return;
    }
    for _ in 0..plan.rounds {
        for contender in &mut *contenders {
            contender.play(plan, events);
        }
    }
    let expected = EXPECTED.iter().find(|(name, _)| *name == cell).map(|(_, matches)| *matches);
    let expected = expected.unwrap_or_else(|| panic!("{cell} has no expected count"));
    let first = contenders[0].median();
    for (index, contender) in contenders.iter_mut().enumerate() {
        if contender.failed {
            println!("{:<26} panics", contender.name);
            continue;
        }
        let median = contender.median();
        let spread = format!("({:.0}–{:.0})", contender.rates[0], contender.rates[contender.rates.len() - 1]);
        let ratio = if index == 0 { String::new() } else { format!("{:.2}", first / median) };
        let wrong = contender.matches != expected;
        let note = if wrong { format!("  {} matches instead of {expected}", contender.matches) } else { String::new() };
        println!("{:<26} {median:>9.0} {:>8.0} {spread:>19} {ratio:>9}{note}", contender.name, 1e6 / median);
        assert!(!wrong || contender.rival, "{cell}: {} matches instead of {expected}", contender.matches);
    }
}

/// Counts by the oracle, which is slow: of many rules only on every 200th event, beside ours on the same.
fn ask_the_oracle(trail: &[Vec<u8>], lots: &[Vec<u8>]) {
    let cells = trail_cells().into_iter().map(|(name, rules)| (name.to_owned(), rules, trail));
    for (name, rules, events) in cells.chain(city_cells().into_iter().map(|(name, rules)| (name, rules, lots))) {
        let read = |text: &[u8]| serde_json::from_slice::<serde_json::Value>(text).expect("JSON");
        let patterns: Vec<_> = rules.texts.iter().map(|text| read(text.as_bytes())).collect();
        let of_one = |event: &Vec<u8>| {
            let event = read(event);
            patterns.iter().filter(|pattern| oracle::matches(pattern, &event)).count()
        };
        let (matcher, mut found) = (rules.matcher(), Vec::new());
        let of_ours = |event: &Vec<u8>| {
            matcher.matches(event, &mut found).expect("an event");
            found.len()
        };
        let step = if patterns.len() > 50 { 200 } else { 1 };
        let sample: Vec<Vec<u8>> = events.iter().step_by(step).cloned().collect();
        let (oracles, ours) = (count(&sample, of_one), count(&sample, of_ours));
        let alone = |pattern: &Pattern| count(events, |event| usize::from(pattern.matches(event) == Ok(true)));
        let one_by_one: usize = rules.patterns().iter().map(alone).sum();
        println!("{name}: {oracles} by the oracle on {} events, {ours} ours; {one_by_one} in all", sample.len());
    }
}
