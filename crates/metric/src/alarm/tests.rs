//! States from data, as the user guide's tables have them, and against a naive reading of its rules.

use proptest::prelude::*;

use super::*;
use crate::{Periods, Statistics, Window};

const NOW: Timestamp = Timestamp::from_secs(1_773_480_420);

fn alarm(needed: u32, periods: u32, missing: Option<Missing>) -> Alarm {
    Alarm {
        name: "a".into(),
        settings: Settings {
            description: None,
            actions_enabled: true,
            ok_actions: Vec::new(),
            alarm_actions: vec!["arn:aws:sns:eu-central-1:111122223333:t".into()],
            insufficient_data_actions: Vec::new(),
            metric: Metric::of_service("111122223333", "eu-central-1", "AWS/SQS", "m", &[("QueueName", "q")]),
            unit: None,
            statistic: Statistic::Sum,
            period_s: 300,
            evaluation_periods: periods,
            datapoints_to_alarm: Some(needed),
            threshold: 0.0,
            comparison: Comparison::GreaterThanThreshold,
            missing,
        },
        tags: BTreeMap::new(),
        configured: NOW,
        state: State {
            value: StateValue::Ok,
            reason: String::new(),
            reason_data: None,
            updated: NOW,
            transitioned: NOW,
        },
    }
}

/// `0`, `X` and `-`, the latest last.
fn judged(alarm: &Alarm, row: &str) -> Verdict {
    let count = i64::try_from(row.len()).unwrap();
    let window = Window { start: 0, end: 300 * count, period: 300 };
    let mut periods = Periods::new();
    for (n, c) in (0..).zip(row.chars()).filter(|(_, c)| *c != '-') {
        periods.insert(n * 300, Statistics::one(if c == 'X' { 3.0 } else { 0.0 }));
    }
    alarm.settings.judge(window, &periods)
}

/// The tables of "Configuring how CloudWatch alarms treat missing data": three periods of which five are looked at.
#[test]
fn the_tables_of_the_user_guide() {
    const INSUFFICIENT: Option<StateValue> = Some(StateValue::InsufficientData);
    const ALARM: Option<StateValue> = Some(StateValue::Alarm);
    const OK: Option<StateValue> = Some(StateValue::Ok);
    const KEEP: Option<StateValue> = None;
    // Missing, ignore, breaching, not breaching.
    let rows = [
        (3, "0-X-X", [OK, OK, OK, OK]),
        (3, "0----", [OK, OK, OK, OK]),
        (3, "-----", [INSUFFICIENT, KEEP, ALARM, OK]),
        (3, "0XX-X", [ALARM, ALARM, ALARM, ALARM]),
        (3, "----X", [INSUFFICIENT, KEEP, ALARM, OK]),
        (3, "X----", [ALARM, KEEP, ALARM, OK]),
        (3, "--X--", [ALARM, KEEP, ALARM, OK]),
        (2, "0-X-X", [ALARM, ALARM, ALARM, ALARM]),
        (2, "00X0X", [ALARM, ALARM, ALARM, ALARM]),
        (2, "0-X--", [OK, OK, ALARM, OK]),
        (2, "----0", [OK, OK, ALARM, OK]),
        (2, "----X", [INSUFFICIENT, KEEP, ALARM, OK]),
        (2, "---X-", [ALARM, KEEP, ALARM, OK]),
    ];
    let treatments = [Missing::Missing, Missing::Ignore, Missing::Breaching, Missing::NotBreaching];
    for (needed, row, expected) in rows {
        for (missing, expected) in treatments.into_iter().zip(expected) {
            assert_eq!(
                judged(&alarm(needed, 3, Some(missing)), row).state,
                expected,
                "{needed} of 3, {row}, {missing:?}"
            );
        }
        assert_eq!(judged(&alarm(needed, 3, None), row).state, expected[0], "missing if nothing is said");
    }
}

#[test]
fn reasons() {
    let rows = [
        (
            alarm(1, 1, None),
            "--X",
            "Threshold Crossed: 1 out of the last 1 datapoints [3.0 (01/01/70 00:10:00)] was greater than the threshold (0.0) \
             (minimum 1 datapoint for OK -> ALARM transition).",
        ),
        (
            alarm(2, 2, Some(Missing::Breaching)),
            "----",
            "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as [Breaching].",
        ),
        (alarm(1, 1, None), "---", "Insufficient Data: 1 datapoint was unknown."),
        (alarm(3, 3, None), "-----", "Insufficient Data: 3 datapoints were unknown."),
    ];
    for (alarm, row, expected) in rows {
        let verdict = judged(&alarm, row);
        let transition = alarm.follow(&verdict, NOW).unwrap();
        assert_eq!(transition.alarm.state.reason, expected);
        let data: serde_json::Value =
            serde_json::from_str(transition.alarm.state.reason_data.as_deref().unwrap()).unwrap();
        assert_eq!(
            (&data["version"], &data["statistic"], &data["period"]),
            (&"1.0".into(), &"Sum".into(), &300.into())
        );
        assert_eq!(data["queryDate"], "2026-03-14T09:27:00.000+0000");
    }
    let mut in_alarm = alarm(1, 1, None);
    in_alarm.state.value = StateValue::Alarm;
    assert!(in_alarm.follow(&judged(&in_alarm, "--X"), NOW).is_none(), "no news");
    let ok = in_alarm.follow(&judged(&in_alarm, "--0"), NOW).unwrap();
    assert_eq!(
        ok.alarm.state.reason,
        "Threshold Crossed: 1 out of the last 1 datapoints [0.0 (01/01/70 00:10:00)] was not greater than the threshold (0.0) \
         (minimum 1 datapoint for ALARM -> OK transition)."
    );
}

/// What counts up raises an alarm at once; what may still come back waits for the end of its period.
#[test]
fn a_period_that_is_not_over_can_only_raise_an_alarm_for_certain() {
    let now = NOW.plus_secs(25);
    let mut alarm = alarm(1, 1, Some(Missing::NotBreaching));
    alarm.settings.period_s = 60;
    let outlook = alarm.outlook(now);
    assert_eq!((outlook.closed.window.end, outlook.early.window.end), (NOW.as_secs(), NOW.as_secs() + 60));
    let early = Periods::from([(NOW.as_secs(), Statistics::one(1.0))]);
    let state = |alarm: &Alarm, early: &Periods| alarm.evaluate(&outlook, &Periods::new(), early).state;
    assert_eq!(state(&alarm, &early), Some(StateValue::Alarm));
    let negative = Periods::from([(NOW.as_secs(), Statistics { count: 2.0, sum: 1.0, min: -1.0, max: 2.0 })]);
    assert_eq!(state(&alarm, &negative), Some(StateValue::Ok));
    alarm.settings.statistic = Statistic::Average;
    assert_eq!(state(&alarm, &early), Some(StateValue::Ok));
    alarm.settings.statistic = Statistic::Sum;
    alarm.settings.comparison = Comparison::LessThanThreshold;
    alarm.settings.threshold = 5.0;
    assert_eq!(state(&alarm, &early), Some(StateValue::Ok));
}

#[test]
fn who_is_told_what() {
    let before = alarm(1, 1, None);
    let transition = before.follow(&judged(&before, "--X"), NOW).unwrap();
    let (action,) = (transition.actions().remove(0),);
    assert_eq!(action.subject, "ALARM: \"a\" in EU (Frankfurt)");
    let message: serde_json::Value = serde_json::from_str(&action.message).unwrap();
    let keys: Vec<_> = message.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys[..4], ["AlarmName", "AlarmDescription", "AWSAccountId", "AlarmConfigurationUpdatedTimestamp"]);
    assert_eq!(message["Trigger"]["Dimensions"], serde_json::json!([{"value": "q", "name": "QueueName"}]));
    assert_eq!(
        (&message["Trigger"]["Statistic"], &message["Trigger"]["Unit"]),
        (&"SUM".into(), &serde_json::Value::Null)
    );
    assert_eq!((&message["OldStateValue"], &message["NewStateValue"]), (&"OK".into(), &"ALARM".into()));
    let mut silent = before;
    silent.settings.actions_enabled = false;
    assert!(silent.follow(&judged(&silent, "--X"), NOW).unwrap().actions().is_empty());
}

#[test]
fn keys_of_history_read_back() {
    let mut one = alarm(1, 1, None);
    one.name = "with/slash".into();
    assert_eq!(Item::read_key(&Item::key(&one, NOW, 3)), Some(("with/slash".into(), NOW)));
}

/// A naive reading of the rules, from the oldest period on.
fn naive(needed: usize, periods: usize, missing: Missing, row: &[Option<bool>]) -> Option<StateValue> {
    let real: Vec<bool> = row.iter().rev().copied().flatten().take(periods).collect();
    let mut points: Vec<bool> = real.clone();
    while points.len() < periods {
        match missing {
            Missing::Breaching => points.push(true),
            Missing::NotBreaching => points.push(false),
            Missing::Ignore | Missing::Missing => break,
        }
    }
    let breaching = points.iter().filter(|breaching| **breaching).count();
    if points.len() == periods || breaching >= needed {
        return Some(if breaching >= needed { StateValue::Alarm } else { StateValue::Ok });
    }
    if real.contains(&false) {
        return Some(StateValue::Ok);
    }
    if missing == Missing::Ignore {
        return None;
    }
    let oldest = row.iter().position(|point| *point == Some(true));
    let old_enough = oldest.is_some_and(|place| row.len() - place >= needed);
    Some(if old_enough { StateValue::Alarm } else { StateValue::InsufficientData })
}

proptest! {
    #[test]
    fn verdicts_are_those_of_a_naive_reading(
        row in proptest::collection::vec(proptest::option::of(any::<bool>()), 3..9),
        needed in 1..8_usize,
        treatment in 0..4_usize,
    ) {
        let periods = row.len() - 2;
        let needed = needed.min(periods);
        let missing = [Missing::Missing, Missing::Ignore, Missing::Breaching, Missing::NotBreaching][treatment];
        let text: String = row.iter().map(|point| match point { None => '-', Some(true) => 'X', Some(false) => '0' }).collect();
        let alarm = alarm(u32::try_from(needed).unwrap(), u32::try_from(periods).unwrap(), Some(missing));
        prop_assert_eq!(judged(&alarm, &text).state, naive(needed, periods, missing, &row), "{}", text);
    }
}
