//! The last lines of a terminal, printed over in place; what was printed before them stays where it is.
//!
//! It only writes: asking the terminal where the cursor is would stop a server that a shell has sent to the background.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

/// Terminals that know synchronised output show all that stands between these at once; the others ignore them.
const BEGIN_UPDATE: &str = "\x1b[?2026h";
const END_UPDATE: &str = "\x1b[?2026l";
const CLEAR_BELOW: &str = "\x1b[J";
const RESET: &str = "\x1b[0m";

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Plain,
    Bold,
    Dim,
}

/// A line without its end. Longer than the terminal is wide, it takes more than one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub style: Style,
    pub text: String,
}

/// What is printed now.
#[derive(Debug, Default)]
pub struct Block {
    lines: Vec<Line>,
}

impl Block {
    /// Prints other lines in place of those that are there.
    pub fn replace(&mut self, out: &mut impl Write, lines: Vec<Line>, columns: usize) -> io::Result<()> {
        let erase = self.erase(columns);
        self.lines = lines;
        write_at_once(out, &format!("{BEGIN_UPDATE}{erase}{}{END_UPDATE}", self.draw()))
    }

    /// Lets something be printed that stays, above the lines.
    pub fn print_above(
        &mut self,
        out: &mut impl Write,
        columns: usize,
        print: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        write_at_once(out, &format!("{BEGIN_UPDATE}{}", self.erase(columns)))?;
        let printed = print();
        write_at_once(out, &format!("{}{END_UPDATE}", self.draw()))?;
        printed
    }

    /// Leaves the lines where they are: the next ones are printed below.
    pub fn forget(&mut self) {
        self.lines.clear();
    }

    /// Back to the first row. After a change of the width the terminal has broken the lines anew.
    fn erase(&self, columns: usize) -> String {
        let rows: usize = self.lines.iter().map(|line| rows(&line.text, columns)).sum();
        if rows == 0 { "\r".to_owned() } else { format!("\r\x1b[{rows}A{CLEAR_BELOW}") }
    }

    fn draw(&self) -> String {
        let lines = self.lines.iter().map(|Line { style, text }| match style {
            Style::Plain => format!("{text}\r\n"),
            Style::Bold => format!("\x1b[1m{text}{RESET}\r\n"),
            Style::Dim => format!("\x1b[2m{text}{RESET}\r\n"),
        });
        lines.collect()
    }
}

/// Rows that a line takes.
pub fn rows(text: &str, columns: usize) -> usize {
    text.width().div_ceil(columns.max(1)).max(1)
}

fn write_at_once(out: &mut impl Write, text: &str) -> io::Result<()> {
    out.write_all(text.as_bytes())?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::num::NonZero;

    use super::*;

    fn plain(text: &str) -> Line {
        Line { style: Style::Plain, text: text.to_owned() }
    }

    fn screen(columns: u16) -> vt100::Parser {
        let [rows, columns] = [10, columns].map(|size| NonZero::new(size).unwrap());
        let mut screen = vt100::Parser::new(rows, columns, 0);
        screen.write_all(b"ready http://127.0.0.1:4566\r\n").unwrap();
        screen
    }

    fn shown(screen: &vt100::Parser) -> Vec<String> {
        let rows: Vec<_> = screen.screen().contents().lines().map(|row| row.trim_end().to_owned()).collect();
        rows
    }

    #[test]
    fn lines_are_printed_over() {
        let mut screen = screen(40);
        let mut block = Block::default();
        block.replace(&mut screen, vec![plain("one"), plain("two"), plain("three")], 40).unwrap();
        assert_eq!(shown(&screen), ["ready http://127.0.0.1:4566", "one", "two", "three"]);
        let bold = Line { style: Style::Bold, text: "1".into() };
        block.replace(&mut screen, vec![bold, plain("2")], 40).unwrap();
        assert_eq!(shown(&screen), ["ready http://127.0.0.1:4566", "1", "2"]);
        assert!(screen.screen().cell(1, 0).unwrap().bold());
        assert!(!screen.screen().cell(2, 0).unwrap().bold());
        assert_eq!(screen.screen().cursor_position(), (3, 0));
    }

    #[test]
    fn long_lines_count_as_the_rows_they_take() {
        let mut screen = screen(30);
        let mut block = Block::default();
        block.replace(&mut screen, vec![plain(&"x".repeat(30)), plain(&"y".repeat(61))], 30).unwrap();
        assert_eq!(screen.screen().cursor_position(), (5, 0));
        block.replace(&mut screen, vec![plain("東京")], 30).unwrap();
        assert_eq!(shown(&screen), ["ready http://127.0.0.1:4566", "東京"]);
        assert_eq!([rows("", 30), rows("東京", 3), rows("abc", 0)], [1, 2, 3]);
    }

    #[test]
    fn log_lines_stay_above() {
        let mut screen = screen(40);
        let mut block = Block::default();
        block.replace(&mut screen, vec![plain("one"), plain("two")], 40).unwrap();
        let log = RefCell::new(Vec::new());
        let mut tee = Tee { screen: &mut screen, log: &log };
        block.print_above(&mut tee, 40, || log.borrow_mut().write_all(b"WARN a log line\r\n")).unwrap();
        block.replace(&mut screen, vec![plain("three")], 40).unwrap();
        assert_eq!(shown(&screen), ["ready http://127.0.0.1:4566", "WARN a log line", "three"]);
    }

    /// The terminal that stdout and stderr share: what was logged is shown before what is written next.
    struct Tee<'a> {
        screen: &'a mut vt100::Parser,
        log: &'a RefCell<Vec<u8>>,
    }

    impl Write for Tee<'_> {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.screen.write_all(&self.log.take())?;
            self.screen.write(text)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_forgotten_block_stays() {
        let mut screen = screen(40);
        let mut block = Block::default();
        block.replace(&mut screen, vec![plain("one")], 40).unwrap();
        block.forget();
        screen.write_all(b"$ fg\r\n").unwrap();
        block.replace(&mut screen, vec![plain("two")], 40).unwrap();
        assert_eq!(shown(&screen), ["ready http://127.0.0.1:4566", "one", "$ fg", "two"]);
    }
}
