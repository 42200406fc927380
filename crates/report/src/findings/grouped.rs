//! Found callers grouped by the fields of a report.

use std::collections::HashMap;

use super::{Days, Findings};
use crate::group::{distinct, key_of, order};
use crate::{Field, Group};

/// The callers that the fields do not tell apart, found by one check.
pub(super) struct FoundGroup<'a> {
    /// Its name, where several ran.
    pub check: Option<&'a str>,
    pub group: Group,
    pub days: Days,
}

/// The groups of each check, in the order of the checks, the most active first.
pub(super) struct Grouped<'a> {
    pub fields: Vec<Field>,
    pub groups: Vec<FoundGroup<'a>>,
}

impl<'a> Grouped<'a> {
    pub fn new(findings: &'a Findings, by: &[Field]) -> Self {
        let fields = distinct(by);
        let mut groups: HashMap<(Option<&str>, Vec<String>), FoundGroup<'a>> = HashMap::new();
        for found in &findings.callers {
            let check = findings.has_several_checks().then_some(found.check.as_str());
            let key = key_of(&fields, &found.caller);
            let entry = groups.entry((check, key.clone())).or_insert_with(|| FoundGroup {
                check,
                group: Group::new(key, &found.caller),
                days: Days::new(),
            });
            entry.group.add(&found.caller);
            add_days(&mut entry.days, &found.days);
        }
        let mut groups: Vec<_> = groups.into_values().collect();
        // One that is not among the checks comes last.
        let places: HashMap<_, _> =
            findings.checks.iter().enumerate().rev().map(|(at, title)| (&*title.name, at)).collect();
        let place = |check: Option<&str>| check.and_then(|check| places.get(check)).copied().unwrap_or(usize::MAX);
        groups.sort_by(|a, b| {
            let checks = (place(a.check), a.check).cmp(&(place(b.check), b.check));
            checks.then_with(|| order(&fields, &a.group, &b.group))
        });
        Self { fields, groups }
    }
}

/// Adds requests up. Most days are there already, so that their texts need no copy.
pub(super) fn add_days(days: &mut Days, more: &Days) {
    if days.is_empty() {
        days.clone_from(more);
        return;
    }
    for (day, count) in more {
        match days.get_mut(day) {
            Some(total) => *total = total.saturating_add(*count),
            None => {
                days.insert(day.clone(), *count);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{BACKUP, ETL, findings};

    #[test]
    fn days_are_added_up_and_checks_kept_apart() {
        let mut findings = findings();
        let one = Grouped::new(&findings, &[Field::Identity]);
        let backup = &one.groups[0];
        assert_eq!((backup.check, &backup.group.key[0][..], backup.group.count), (None, BACKUP, 10));
        assert_eq!(backup.days, Days::from([("2026-11-22".into(), 1), ("2026-11-23".into(), 9)]));

        findings.checks.insert(0, crate::findings::CheckTitle { name: "tls".into(), ..Default::default() });
        let mut tls = findings.callers[3].clone();
        tls.check = "tls".into();
        findings.callers.push(tls);
        let two = Grouped::new(&findings, &[Field::Identity]);
        let told: Vec<_> = two.groups.iter().map(|found| (found.check, &found.group.key[0][..])).collect();
        assert_eq!(told, [(Some("tls"), ETL), (Some("sigv2"), BACKUP), (Some("sigv2"), ETL)]);
    }
}
