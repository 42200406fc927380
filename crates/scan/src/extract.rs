//! What a text is, and where its records are: CloudTrail's files, other JSON, or an access log.

use std::ops::Range;

use crate::literal::{Literals, Needle};
use crate::split::{Splitter, Stop};

/// Who is told of what is found.
pub(crate) trait Sink<'q> {
    /// A new text is at hand, or the same a little later; places count from its beginning. One of these literals is wanted, too.
    fn text(&mut self, text: &[u8], several: Option<&'q Literals>);
    /// One element of `Records`, and whether it may be wanted, as far as that was looked for.
    fn record(&mut self, text: &[u8], range: Range<usize>, is_hit: bool);
    /// The text is about to go.
    fn end(&mut self, text: &[u8]);
    /// A JSON object of another kind.
    fn document(&mut self, document: &[u8]);
    /// Whole lines of an access log.
    fn lines(&mut self, lines: &[u8]);
}

/// Why the rest of a text is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Broken {
    /// It begins like nothing that is known.
    #[error("neither JSON nor an S3 access log")]
    Foreign,
    /// There is something between two objects.
    #[error("something else between two JSON objects")]
    Between,
    /// A bracket closes what was not opened.
    #[error("a bracket that closes nothing")]
    Unbalanced,
    /// It ends too early.
    #[error("it ends in the middle of a record")]
    Cut,
}

#[derive(Debug, Clone)]
enum Mode {
    /// Before the first byte, or between two files in one.
    Start,
    /// Within `Records`.
    Records(Splitter),
    /// Behind them, at this depth.
    Behind(Splitter),
    /// Objects one after the other, or in an array if not at depth 0.
    Sequence(Splitter),
    Lines,
}

/// Takes a text apart that comes in pieces.
#[derive(Debug, Clone)]
pub(crate) struct Extractor<'q> {
    needle: Needle<'q>,
    /// The needle was chosen by the first records.
    is_tuned: bool,
    /// The end of the text is not where it should be.
    is_cut: bool,
    mode: Mode,
    /// So far the text at hand was looked at.
    done: usize,
}

/// Enough to see what it is.
const HEAD_LEN: usize = 4096;

impl<'q> Extractor<'q> {
    pub fn new(needle: Needle<'q>) -> Self {
        Self { needle, is_tuned: false, is_cut: false, mode: Mode::Start, done: 0 }
    }

    /// Goes on with the text at hand. Tells how much of its beginning is not needed any more.
    pub fn run(&mut self, text: &[u8], last: bool, sink: &mut impl Sink<'q>) -> Result<usize, Broken> {
        let taken = self.take_apart(text, last, sink);
        // What was found before something broken counts.
        sink.end(text);
        taken?;
        if last {
            self.check_end()?;
        }
        let open = match &self.mode {
            Mode::Records(splitter) | Mode::Sequence(splitter) => splitter.open(),
            _ => None,
        };
        let keep = open.unwrap_or(self.done);
        if let Mode::Records(splitter) | Mode::Sequence(splitter) = &mut self.mode {
            splitter.forget(keep);
        }
        self.done -= keep;
        Ok(keep)
    }

    /// As [`Self::run`], with the last of a text that is known to be cut: what is whole in it is told, but no last line.
    pub fn run_cut(&mut self, text: &[u8], sink: &mut impl Sink<'q>) -> Result<(), Broken> {
        self.is_cut = true;
        match self.run(text, true, sink) {
            Ok(_) | Err(Broken::Cut) => Ok(()),
            Err(broken) => Err(broken),
        }
    }

    fn take_apart(&mut self, text: &[u8], last: bool, sink: &mut impl Sink<'q>) -> Result<(), Broken> {
        sink.text(text, self.needle.several());
        loop {
            let before = self.done;
            let more = match &mut self.mode {
                Mode::Start => self.start(text, last, sink)?,
                Mode::Lines => {
                    self.lines(text, last && !self.is_cut, sink);
                    false
                }
                Mode::Records(_) | Mode::Behind(_) => self.records(text, last, sink)?,
                Mode::Sequence(_) => self.sequence(text, last, sink)?,
            };
            if !more || (self.done == before && self.done == text.len()) {
                return Ok(());
            }
        }
    }

    fn start(&mut self, text: &[u8], last: bool, sink: &mut impl Sink<'q>) -> Result<bool, Broken> {
        let rest = &text[self.done..];
        let rest = rest.strip_prefix(b"\xef\xbb\xbf").unwrap_or(rest);
        let blank = rest.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == 0x1e).count();
        let rest = &rest[blank..];
        let at = text.len() - rest.len();
        if rest.is_empty() || (!last && rest.len() < HEAD_LEN) {
            self.done = at;
            return Ok(false);
        }
        if let Some(len) = records_head(rest) {
            if !self.is_tuned {
                self.needle.tune(rest);
                sink.text(text, self.needle.several());
                self.is_tuned = true;
            }
            (self.mode, self.done) = (Mode::Records(Splitter::new(2)), at + len);
        } else if rest[0] == b'{' {
            (self.mode, self.done) = (Mode::Sequence(Splitter::new(0)), at);
        } else if rest[0] == b'[' {
            (self.mode, self.done) = (Mode::Sequence(Splitter::new(1)), at + 1);
        } else if access_log::is_access_log(first_line(rest)) {
            (self.mode, self.done) = (Mode::Lines, at);
        } else {
            return Err(Broken::Foreign);
        }
        Ok(true)
    }

    fn records(&mut self, text: &[u8], last: bool, sink: &mut impl Sink<'q>) -> Result<bool, Broken> {
        let stop = match &mut self.mode {
            Mode::Records(splitter) => {
                let any = !self.needle.is_choosy();
                splitter
                    .run(text, self.done, last, &self.needle, |range, is_hit| sink.record(text, range, any || is_hit))
            }
            Mode::Behind(splitter) => splitter.run(text, self.done, last, &Needle::new(&[]), |_, _| {}),
            _ => return Ok(false),
        };
        match stop {
            Stop::End(at) => {
                self.done = at;
                Ok(false)
            }
            Stop::Closed(at) => {
                let closes = text[at - 1];
                self.mode = match (&self.mode, closes) {
                    // What stands at depth 1 now ends with the document.
                    (Mode::Records(_), b']') => Mode::Behind(Splitter::new(1)),
                    (Mode::Behind(_), b'}') => Mode::Start,
                    _ => return Err(Broken::Unbalanced),
                };
                self.done = at;
                Ok(true)
            }
        }
    }

    fn sequence(&mut self, text: &[u8], last: bool, sink: &mut impl Sink<'q>) -> Result<bool, Broken> {
        let Mode::Sequence(splitter) = &mut self.mode else { return Ok(false) };
        let (base, mut clean) = (splitter.base(), true);
        let mut end = if splitter.is_within() { splitter.open().unwrap_or(self.done) } else { self.done };
        let stop = splitter.run(text, self.done, last, &Needle::new(&[]), |range, _| {
            clean &= is_between(&text[end.min(range.start)..range.start]);
            end = range.end;
            sink.document(&text[range]);
        });
        let upto = match stop {
            Stop::End(at) => splitter.open().unwrap_or(at),
            Stop::Closed(at) => at - 1,
        };
        if !clean || !is_between(&text[end.min(upto)..upto]) {
            return Err(Broken::Between);
        }
        match stop {
            Stop::End(at) => {
                self.done = at;
                Ok(false)
            }
            Stop::Closed(at) if base == 1 && text[at - 1] == b']' => {
                (self.mode, self.done) = (Mode::Start, at);
                Ok(true)
            }
            Stop::Closed(_) => Err(Broken::Unbalanced),
        }
    }

    fn lines(&mut self, text: &[u8], last: bool, sink: &mut impl Sink<'q>) {
        let rest = &text[self.done..];
        let end = if last { rest.len() } else { memchr::memrchr(b'\n', rest).map_or(0, |at| at + 1) };
        if end > 0 {
            sink.lines(&rest[..end]);
        }
        self.done += end;
    }

    fn check_end(&self) -> Result<(), Broken> {
        match &self.mode {
            Mode::Records(_) | Mode::Behind(_) => Err(Broken::Cut),
            Mode::Sequence(splitter) if splitter.is_within() || splitter.base() > 0 => Err(Broken::Cut),
            Mode::Start | Mode::Sequence(_) | Mode::Lines => Ok(()),
        }
    }
}

/// White space, commas, and the record separators of RFC 7464.
fn is_between(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| byte.is_ascii_whitespace() || [b',', 0x1e].contains(byte))
}

fn first_line(text: &[u8]) -> &[u8] {
    let head = &text[..text.len().min(1 << 16)];
    memchr::memchr(b'\n', head).map_or(head, |end| &head[..end])
}

/// The length of `{"Records":[`, with white space anywhere.
fn records_head(text: &[u8]) -> Option<usize> {
    let mut rest = text;
    for token in ["{", "\"Records\"", ":", "["] {
        rest = rest.trim_ascii_start().strip_prefix(token.as_bytes())?;
    }
    Some(text.len() - rest.len())
}
