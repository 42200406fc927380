//! A line for each new caller, where stdout is no terminal.

use std::collections::HashSet;

use pipeline::{Caller, CallerKey};
use report::by_count;
use report::sanitize::sanitize;

/// Knows whom it has told of. Bounded as the server's callers are.
pub struct Lines {
    told: HashSet<CallerKey>,
}

impl Lines {
    /// Those who called in an earlier run are not new.
    pub fn new(known: &[Caller]) -> Self {
        Self { told: proven(known).map(|caller| caller.key.clone()).collect() }
    }

    /// The lines of those seen for the first time, in the order they came. Who was refused is not among them: anybody can
    /// send a name.
    pub fn new_callers(&mut self, callers: &[Caller]) -> String {
        let mut new: Vec<_> = proven(callers).filter(|caller| !self.told.contains(&caller.key)).collect();
        new.sort_by(|a, b| (&a.first_seen, &a.key).cmp(&(&b.first_seen, &b.key)));
        self.told.extend(new.iter().map(|caller| caller.key.clone()));
        new.into_iter().map(line).collect()
    }
}

fn proven(callers: &[Caller]) -> impl Iterator<Item = &Caller> {
    callers.iter().filter(|caller| !caller.refused)
}

fn line(caller: &Caller) -> String {
    let key = &caller.key;
    let names = |counts| by_count(counts).into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(",");
    let (actions, methods) = (names(&caller.actions), names(&caller.auth_methods));
    let cells = [&key.identity, &key.access_key_id, &key.source_ip, &key.user_agent, &key.bucket, &actions, &methods];
    let cells = cells.map(|cell| if cell.is_empty() { "-".into() } else { sanitize(cell) });
    format!("SigV2  {}\n", cells.join("  "))
}

#[cfg(test)]
mod tests {
    use report::samples::{BACKUP, BOTO, caller, callers};

    use super::*;

    #[test]
    fn a_caller_is_told_once() {
        let mut lines = Lines::new(&[]);
        let first =
            caller([BACKUP, "AKIABACKUP", "127.0.0.1", BOTO, "lake"], &[("PutObject", 1)], ["10:00:00", "10:00:00"]);
        let told = "SigV2  arn:aws:iam::111122223333:user/nightly-backup  AKIABACKUP  127.0.0.1  \
                    Boto/2.49.0 Python/2.7.18 Linux/5.10.0-33-amd64  lake  PutObject  AuthHeader\n";
        assert_eq!(lines.new_callers(std::slice::from_ref(&first)), told);
        let again =
            caller([BACKUP, "AKIABACKUP", "127.0.0.1", BOTO, "lake"], &[("PutObject", 9)], ["10:00:00", "10:01:00"]);
        assert_eq!(lines.new_callers(&[again]), "");
    }

    #[test]
    fn new_ones_come_in_the_order_they_were_seen() {
        let told = Lines::new(&callers()[..1]).new_callers(&callers());
        let addresses: Vec<_> = told.lines().map(|line| line.split("  ").nth(3).unwrap()).collect();
        assert_eq!(addresses, ["10.0.0.2", "10.0.0.9", "10.0.0.1"]);
        assert!(told.ends_with("  -  ListBuckets  AuthHeader\n"), "{told}");
    }

    #[test]
    fn strangers_cannot_make_lines() {
        let mut refused = caller(["", "AKIAVICTIM", "10.0.0.1", "x", ""], &[("GetObject", 1)], ["1", "1"]);
        refused.refused = true;
        let liar = caller([BACKUP, "A", "10.0.0.1", "x\nSigV2  root\u{1b}[2J", ""], &[("GetObject", 1)], ["1", "1"]);
        let told = Lines::new(&[]).new_callers(&[refused, liar]);
        assert_eq!(told.lines().count(), 1);
        assert!(told.contains(r"x\nSigV2  root\u{1b}[2J"), "{told}");
    }
}
