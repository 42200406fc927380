//! What a person sees while the server runs: totals, and the callers that were seen last.

use std::cmp::Reverse;

use pipeline::Caller;
use report::sanitize::sanitize;
use report::{Counts, by_count};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::block::{Line, Style, rows};
use crate::terminal::Size;

/// Callers that are shown at most.
const CALLERS_SHOWN_MAX: usize = 10;
/// Rows that are not callers: totals, titles, how many more there are, and the cursor's.
const OTHER_ROWS: usize = 4;
const GAP: usize = 2;

/// The view of one server.
pub struct View {
    hint: String,
    report: String,
}

impl View {
    pub fn new(endpoint: &str, test_key: bool) -> Self {
        Self { hint: hint(endpoint, test_key), report: format!("sigtrail callers --endpoint {endpoint}") }
    }

    /// The lines that fit the terminal. All but the hint are cut to its width.
    pub fn lines(&self, callers: &[Caller], size: Size) -> Vec<Line> {
        let (refused, mut callers): (Vec<_>, Vec<_>) = callers.iter().partition(|caller| caller.refused);
        callers.sort_by(|a, b| (&b.last_seen, b.count, &a.key).cmp(&(&a.last_seen, a.count, &b.key)));
        let totals = totals(&callers, &refused);
        let mut lines = vec![Line { style: Style::Bold, text: cut_right(&totals, size.columns) }];
        if callers.is_empty() {
            if rows(&self.hint, size.columns) + 1 < size.rows {
                lines.push(Line { style: Style::Plain, text: self.hint.clone() });
            }
            return lines;
        }
        let shown = callers.len().min(CALLERS_SHOWN_MAX).min(size.rows.saturating_sub(OTHER_ROWS));
        if shown == 0 {
            return lines;
        }
        lines.extend(table(&callers[..shown], size.columns));
        let more = callers.len() - shown;
        if more > 0 {
            let text = format!("and {more} more: {}", self.report);
            lines.push(Line { style: Style::Dim, text: cut_right(&text, size.columns) });
        }
        lines
    }
}

/// A command that makes a request signed with SigV2.
fn hint(endpoint: &str, test_key: bool) -> String {
    let (tls, address) = match endpoint.split_once("://") {
        Some(("https", address)) => ("--ssl --no-check-certificate", address),
        Some((_, address)) => ("--no-ssl", address),
        None => ("--no-ssl", endpoint),
    };
    let [id, secret] = if test_key { ["test", "test"] } else { ["ID", "SECRET"] };
    format!(
        "To see one: s3cmd --signature-v2 {tls} --host={address} --host-bucket={address} \
         --access_key={id} --secret_key={secret} mb s3://try-sigv2"
    )
}

fn totals(callers: &[&Caller], refused: &[&Caller]) -> String {
    let requests = |callers: &[&Caller]| callers.iter().map(|caller| caller.count).fold(0, u64::saturating_add);
    let text = match callers {
        [] => "No request signed with SigV2 yet".to_owned(),
        [newest, ..] => {
            let last = sanitize(&newest.last_seen).replace('T', " ").replace('Z', " UTC");
            format!(
                "SigV2: {} by {}, last {last}",
                count(requests(callers), "request"),
                count(callers.len() as u64, "caller")
            )
        }
    };
    if refused.is_empty() { text } else { format!("{text}; {} refused", count(requests(refused), "request")) }
}

fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// `1,234,567`
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

struct Column {
    title: &'static str,
    /// Narrower it says nothing.
    width_min: usize,
    width_max: usize,
    /// Columns with the higher numbers go first where there is no room for all.
    goes: u8,
    right: bool,
    cut: fn(&str, usize) -> String,
    cell: fn(&Caller, &str) -> String,
}

const COLUMN: Column = Column {
    title: "",
    width_min: 8,
    width_max: 40,
    goes: 0,
    right: false,
    cut: cut_right,
    cell: |_, _| String::new(),
};

const COLUMNS: [Column; 9] = [
    Column {
        title: "IDENTITY",
        width_min: 20,
        width_max: 64,
        cut: cut_arn,
        cell: |caller, _| text(&caller.key.identity),
        ..COLUMN
    },
    Column {
        title: "ACCESS KEY",
        width_min: 20,
        goes: 6,
        cut: cut_left,
        cell: |caller, _| text(&caller.key.access_key_id),
        ..COLUMN
    },
    Column { title: "ADDRESS", width_min: 9, goes: 1, cell: |caller, _| text(&caller.key.source_ip), ..COLUMN },
    Column { title: "USER AGENT", width_min: 14, goes: 2, cell: |caller, _| text(&caller.key.user_agent), ..COLUMN },
    Column { title: "BUCKET", width_min: 10, goes: 3, cell: |caller, _| text(&caller.key.bucket), ..COLUMN },
    Column { title: "OPERATIONS", width_min: 12, goes: 4, cell: |caller, _| counts(&caller.actions), ..COLUMN },
    Column {
        title: "SIGNATURE",
        width_min: 9,
        width_max: 22,
        goes: 7,
        cell: |caller, _| counts(&caller.auth_methods),
        ..COLUMN
    },
    Column { title: "COUNT", width_min: 5, right: true, cell: |caller, _| grouped(caller.count), ..COLUMN },
    Column {
        title: "LAST SEEN",
        width_min: 10,
        goes: 5,
        cell: |caller, newest| time(&caller.last_seen, newest),
        ..COLUMN
    },
];

fn text(value: &str) -> String {
    if value.is_empty() { "-".to_owned() } else { sanitize(value).into_owned() }
}

/// Names, the most frequent first; with their counts if there is more than one.
fn counts(counts: &Counts) -> String {
    match by_count(counts).as_slice() {
        [] => "-".to_owned(),
        [(name, _)] => sanitize(name).into_owned(),
        several => {
            let parts: Vec<_> = several.iter().map(|(name, count)| format!("{} {count}", sanitize(name))).collect();
            parts.join(", ")
        }
    }
}

/// The time of day on the newest's day, else the day.
fn time(seen: &str, newest: &str) -> String {
    let shown = match (seen.split_once('T'), newest.split_once('T')) {
        (Some((day, time)), Some((today, _))) if day == today => time.trim_end_matches('Z'),
        (Some((day, _)), _) => day,
        (None, _) => seen,
    };
    sanitize(shown).into_owned()
}

/// A line of titles, and one for each caller, the newest first.
fn table(callers: &[&Caller], width: usize) -> Vec<Line> {
    let newest = callers.first().map_or("", |caller| caller.last_seen.as_str());
    let cells: Vec<Vec<String>> =
        callers.iter().map(|caller| COLUMNS.iter().map(|column| (column.cell)(caller, newest)).collect()).collect();
    let widths = widths(&cells, width);
    let render = |row: Vec<String>| {
        let shown = COLUMNS.iter().zip(&widths).zip(row);
        let shown: Vec<_> =
            shown.filter_map(|((column, width), text)| width.map(|width| column.fit(&text, width))).collect();
        cut_right(shown.join(&" ".repeat(GAP)).trim_end(), width)
    };
    let titles = render(COLUMNS.iter().map(|column| column.title.to_owned()).collect());
    let rows = cells.into_iter().map(|row| Line { style: Style::Plain, text: render(row) });
    std::iter::once(Line { style: Style::Dim, text: titles }).chain(rows).collect()
}

impl Column {
    fn fit(&self, text: &str, width: usize) -> String {
        let text = (self.cut)(text, width);
        let space = " ".repeat(width.saturating_sub(text.width()));
        if self.right { space + &text } else { text + &space }
    }
}

/// Each column's width, `None` for those that have no room.
fn widths(cells: &[Vec<String>], width: usize) -> Vec<Option<usize>> {
    let wanted = |at: usize, column: &Column| {
        let widest = cells.iter().map(|row| row[at].width()).max().unwrap_or(0);
        widest.min(column.width_max).max(column.title.width())
    };
    let mut widths: Vec<_> = COLUMNS.iter().enumerate().map(|(at, column)| Some(wanted(at, column))).collect();
    let least = |widths: &[Option<usize>]| {
        let least =
            COLUMNS.iter().zip(widths).filter_map(|(column, width)| width.map(|width| width.min(column.width_min)));
        least.map(|width| width + GAP).sum::<usize>().saturating_sub(GAP)
    };
    let mut going: Vec<_> = (0..COLUMNS.len()).filter(|at| COLUMNS[*at].goes > 0).collect();
    going.sort_by_key(|at| Reverse(COLUMNS[*at].goes));
    for at in going {
        if least(&widths) > width {
            widths[at] = None;
        }
    }
    shrink(&mut widths, width);
    widths
}

/// Takes from the column that has most to give, until all fit.
fn shrink(widths: &mut [Option<usize>], width: usize) {
    let needed = |widths: &[Option<usize>]| widths.iter().flatten().map(|width| width + GAP).sum::<usize>();
    while needed(widths) > width + GAP {
        let giving = widths.iter_mut().zip(&COLUMNS).filter_map(|(width, column)| {
            let width = width.as_mut().filter(|width| **width > column.width_min)?;
            Some((*width - column.width_min, width))
        });
        let Some((_, most)) = giving.max_by_key(|(spare, _)| *spare) else { return };
        *most -= 1;
    }
}

/// The beginning, and `…` if there is more.
fn cut_right(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let mut shown: String = text.chars().take_while(|c| take(&mut left, *c)).collect();
    shown.push('…');
    shown
}

/// The end, and `…` if there is more.
fn cut_left(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let mut shown: Vec<_> = text.chars().rev().take_while(|c| take(&mut left, *c)).collect();
    shown.push('…');
    shown.into_iter().rev().collect()
}

/// Of an ARN, what tells most: `111122223333:user/backup` without the service, then `user/backup`, then `…/backup`.
fn cut_arn(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let parts: Vec<_> = text.splitn(6, ':').collect();
    let &["arn", _, _, _, account, resource] = parts.as_slice() else { return cut_left(text, width) };
    let name = resource.rsplit('/').next().unwrap_or(resource);
    let shorter = [format!("{account}:{resource}"), resource.to_owned(), format!("…/{name}")];
    shorter.into_iter().find(|text| text.width() <= width).unwrap_or_else(|| cut_left(name, width))
}

fn take(left: &mut usize, c: char) -> bool {
    let width = c.width().unwrap_or(0);
    let fits = width <= *left;
    *left = left.saturating_sub(width);
    fits
}

#[cfg(test)]
mod tests {
    use report::samples::{BACKUP, caller, callers};

    use super::*;

    fn shown(callers: &[Caller], columns: usize, rows: usize) -> Vec<String> {
        let lines = View::new("http://127.0.0.1:4566", true).lines(callers, Size { columns, rows });
        lines.into_iter().map(|line| line.text).collect()
    }

    fn many(number: usize) -> Vec<Caller> {
        (0..number)
            .map(|at| {
                let agent = format!("a program with a long name/{at} on a system \u{202e}東京");
                let key = [BACKUP, "AKIAEXAMPLEEXAMPLE00", "10.0.0.1", &agent, "a-bucket"];
                caller(key, &[("GetObject", 12345), ("PutObject", 7)], ["09:00:00", "09:00:01"])
            })
            .collect()
    }

    #[test]
    fn wide() {
        let expected = [
            "SigV2: 12 requests by 4 callers, last 2026-11-23 11:00:00 UTC",
            "IDENTITY                                       ACCESS KEY  ADDRESS   USER AGENT                                BUCKET  OPERATIONS   SIGNATURE    COUNT  LAST SEEN",
            "arn:aws:iam::111122223333:user/nightly-backup  AKIABACKUP  10.0.0.1  Boto/2.49.0 Python/2.7.18 Linux/5.10.0-…  lake    PutObject    AuthHeader       7  11:00:00",
            "arn:aws:iam::111122223333:user/nightly-backup  AKIABACKUP  10.0.0.1  Boto/2.49.0 Python/2.7.18 Linux/5.10.0-…  -       ListBuckets  AuthHeader       2  10:40:00",
            "arn:aws:iam::111122223333:role/etl             ASIAETL     10.0.0.9  s3cmd/2.4.0                               logs    GetObject    QueryString      2  09:00:00",
            "arn:aws:iam::111122223333:user/nightly-backup  AKIABACKUP  10.0.0.2  Boto/2.49.0 Python/2.7.18 Linux/5.10.0-…  lake    PutObject    AuthHeader       1  07:00:00",
        ];
        assert_eq!(shown(&callers(), 200, 24), expected);
    }

    #[test]
    fn narrow() {
        let expected = [
            "SigV2: 12 requests by 4 callers, last 2026-11-23 11:00:00 UTC",
            "IDENTITY                 ADDRESS   USER AGENT         BUCKET  OPERATIONS   COUNT",
            "user/nightly-backup      10.0.0.1  Boto/2.49.0 Pyth…  lake    PutObject        7",
            "user/nightly-backup      10.0.0.1  Boto/2.49.0 Pyth…  -       ListBuckets      2",
            "111122223333:role/etl    10.0.0.9  s3cmd/2.4.0        logs    GetObject        2",
            "user/nightly-backup      10.0.0.2  Boto/2.49.0 Pyth…  lake    PutObject        1",
        ];
        assert_eq!(shown(&callers(), 80, 24), expected);
    }

    #[test]
    fn nobody_yet() {
        let expected = [
            "No request signed with SigV2 yet",
            "To see one: s3cmd --signature-v2 --no-ssl --host=127.0.0.1:4566 --host-bucket=127.0.0.1:4566 \
             --access_key=test --secret_key=test mb s3://try-sigv2",
        ];
        assert_eq!(shown(&[], 80, 24), expected);
        assert_eq!(shown(&[], 80, 3), expected[..1]);
        let hint = hint("https://s3.example:8443", false);
        assert!(hint.contains("--ssl --no-check-certificate --host=s3.example:8443"), "{hint}");
        assert!(hint.contains("--access_key=ID --secret_key=SECRET"), "{hint}");
    }

    #[test]
    fn the_refused_are_counted_apart() {
        let mut refused = many(3);
        for caller in &mut refused {
            caller.refused = true;
        }
        assert_eq!(shown(&refused, 120, 24)[0], "No request signed with SigV2 yet; 37,056 requests refused");
        refused.extend(callers());
        let lines = shown(&refused, 120, 24);
        assert_eq!(lines[0], "SigV2: 12 requests by 4 callers, last 2026-11-23 11:00:00 UTC; 37,056 requests refused");
        assert_eq!(lines.len(), 6);
    }

    #[test]
    fn it_fits_every_terminal() {
        for callers in [callers(), many(1), many(40)] {
            for columns in 1..220 {
                for rows in [1, 2, 4, 5, 9, 24, 100] {
                    let lines = shown(&callers, columns, rows);
                    assert!(lines.len() < rows.max(2), "{rows} rows: {lines:#?}");
                    assert!(lines.iter().all(|line| line.width() <= columns), "{columns} columns: {lines:#?}");
                }
            }
        }
        let lines = shown(&many(40), 120, 24);
        assert_eq!(lines.len(), 2 + CALLERS_SHOWN_MAX + 1);
        assert_eq!(lines.last().unwrap(), "and 30 more: sigtrail callers --endpoint http://127.0.0.1:4566");
    }

    #[test]
    fn strangers_text_does_not_act() {
        let lines = shown(&many(5), 200, 24);
        assert!(lines.iter().all(|line| !line.contains(report::sanitize::is_hidden)), "{lines:#?}");
    }

    #[test]
    fn texts_are_cut_where_they_tell_least() {
        let arns = [
            (45, "arn:aws:iam::111122223333:user/nightly-backup"),
            (44, "111122223333:user/nightly-backup"),
            (32, "111122223333:user/nightly-backup"),
            (31, "user/nightly-backup"),
            (18, "…/nightly-backup"),
            (15, "nightly-backup"),
            (10, "…ly-backup"),
        ];
        for (width, expected) in arns {
            assert_eq!(cut_arn(BACKUP, width), expected, "{width}");
        }
        assert_eq!(cut_arn("anonymous", 5), "…mous");
        assert_eq!([cut_right("abcdef", 4), cut_left("abcdef", 4)], ["abc…", "…def"]);
        assert_eq!([cut_right("東京東京", 4), cut_left("東京東京", 4)], ["東…", "…京"]);
    }

    #[test]
    fn days_are_shown_where_they_differ() {
        let newest = "2026-11-23T11:00:00Z";
        assert_eq!(time(newest, newest), "11:00:00");
        assert_eq!(time("2026-11-22T11:00:00Z", newest), "2026-11-22");
        assert_eq!([grouped(0), grouped(999), grouped(1000), grouped(1_234_567)], ["0", "999", "1,000", "1,234,567"]);
    }
}
