use proptest::prelude::*;

use super::*;
use crate::lifecycle::rules::{Form, Noncurrent};
use crate::row::{BodyRow, Meta};

fn object(size: u64, tags: &[(&str, &str)]) -> ObjectRow {
    ObjectRow {
        size,
        modified: Timestamp::from_secs(0),
        etag: String::new(),
        body: BodyRow::Empty,
        parts: None,
        meta: Meta::default(),
        tags: tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        checksum: None,
        version: None,
        order: None,
    }
}

fn rule(expiration: Option<Expiration>) -> Rule {
    Rule {
        id: "r".into(),
        enabled: true,
        form: Form::One,
        filter: Filter::default(),
        expiration,
        noncurrent: None,
        abort_days: None,
    }
}

fn rules(rules: Vec<Rule>) -> Rules {
    Rules { by_administrator: true, rules }
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

/// The example of the user guide.
#[test]
fn the_next_midnight() {
    assert_eq!(days_after(at("2014-01-15T10:30:00Z"), 3), at("2014-01-19T00:00:00Z"));
    assert_eq!(days_after(at("2014-01-15T00:00:00Z"), 1), at("2014-01-17T00:00:00Z"));
    assert_eq!(days_after(at("2024-02-28T23:59:59Z"), 1), at("2024-03-01T00:00:00Z"));
}

#[test]
fn the_first_rule_that_is_due() {
    let mut rules = rules(vec![rule(Some(Expiration::Days(30))), rule(Some(Expiration::Days(3))), rule(None)]);
    rules.rules[1].id = "soon".into();
    let row = object(1, &[]);
    let expiry = |rules: &Rules| {
        rules.expiry(&Subject::of("k", &row), at("2014-01-15T10:30:00Z")).map(|(moment, id)| (moment, id.to_owned()))
    };
    assert_eq!(expiry(&rules), Some((at("2014-01-19T00:00:00Z"), "soon".into())));
    rules.rules[1].enabled = false;
    assert_eq!(expiry(&rules), Some((at("2014-02-15T00:00:00Z"), "r".into())));
    rules.rules[0].expiration = Some(Expiration::Date(at("2000-01-01T00:00:00Z")));
    assert_eq!(expiry(&rules), Some((at("2000-01-01T00:00:00Z"), "r".into())));
    rules.rules[0].expiration = Some(Expiration::ExpiredObjectDeleteMarker(true));
    assert_eq!(expiry(&rules), None);
}

#[test]
fn filters() {
    let row = object(100, &[("a", "1"), ("b", "2")]);
    let tag = |key: &str, value: &str| vec![(key.to_owned(), value.to_owned())];
    let cases = [
        (Filter::default(), true, true),
        (Filter { prefix: Some("logs/".into()), ..Filter::default() }, true, true),
        (Filter { prefix: Some("log/".into()), ..Filter::default() }, false, false),
        (Filter { tags: tag("a", "1"), ..Filter::default() }, true, false),
        (Filter { tags: tag("a", "2"), ..Filter::default() }, false, false),
        (Filter { larger_than: Some(99), smaller_than: Some(101), ..Filter::default() }, true, false),
        (Filter { larger_than: Some(100), ..Filter::default() }, false, false),
        (Filter { smaller_than: Some(100), ..Filter::default() }, false, false),
    ];
    for (filter, of_object, of_marker) in cases {
        assert_eq!(filter.matches(&Subject::of("logs/k", &row)), of_object, "{filter:?}");
        assert_eq!(filter.matches(&Subject::bare("logs/k")), of_marker, "{filter:?}");
    }
}

#[test]
fn markers_and_uploads() {
    let (then, now) = (at("2026-03-01T12:00:00Z"), at("2026-03-03T00:00:00Z"));
    let due = |expiration| rules(vec![rule(Some(expiration))]).marker_is_due("k", then, now);
    assert!(due(Expiration::ExpiredObjectDeleteMarker(true)) && due(Expiration::Days(1)));
    assert!(!due(Expiration::ExpiredObjectDeleteMarker(false)) && !due(Expiration::Days(2)));
    let abort = rules(vec![Rule { abort_days: Some(1), ..rule(None) }]);
    assert!(abort.upload_is_due("k", then, now) && !abort.upload_is_due("k", now, now));
    assert!(!abort.are_about_versions());
}

proptest! {
    #[test]
    fn nothing_goes_early_and_everything_goes(created in 0_i64..4_000_000_000, days in 1_u32..5000) {
        let (created, expiry) = (Timestamp::from_secs(created), days_after(Timestamp::from_secs(created), days));
        let age = expiry.as_secs() - created.as_secs();
        prop_assert_eq!(expiry.as_secs() % DAY_SECS, 0);
        prop_assert!(age > i64::from(days) * DAY_SECS && age <= (i64::from(days) + 1) * DAY_SECS);
    }

    /// Each further condition keeps more.
    #[test]
    fn newer_versions_keep_a_version(
        since in 0_i64..1_000_000_000, now in 0_i64..1_100_000_000, days in 1_u32..400, kept in 1_u32..100, newer in 0_u32..200,
    ) {
        let (since, now) = (Timestamp::from_secs(since), Timestamp::from_secs(now));
        let due = |newer_kept| {
            let noncurrent = Some(Noncurrent { days, newer: newer_kept });
            let rules = rules(vec![Rule { noncurrent, ..rule(None) }]);
            rules.noncurrent_is_due(&Subject::bare("k"), since, newer, now)
        };
        prop_assert_eq!(due(None), days_after(since, days) <= now);
        prop_assert_eq!(due(Some(kept)), due(None) && newer >= kept);
    }
}
