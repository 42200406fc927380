//! Lines of any input, in memory that is bounded by the longest event there can be.
//!
//! A line that lies whole in a chunk is lent from there; only what one chunk ends with is copied, to stand before the next.

use std::io::{self, Read};

use event_pattern::{EventError, MAX_EVENT_BYTES};
use memchr::memchr;

use super::ahead::{Ahead, Sizes};
use super::input::MARK;

/// So large that handing a chunk from thread to thread costs little, and so small that the chunks stay in the processor's
/// cache.
const SIZES: Sizes = Sizes { room: 1 << 16, read: 1 << 20 };

/// What is between two line ends.
#[derive(Debug)]
pub struct Line<'b> {
    /// From 1.
    pub number: u64,
    /// Its bytes without the line end; [`EventError::TooLong`] if they are more than an event may have.
    pub bytes: Result<&'b [u8], EventError>,
}

impl Line<'_> {
    pub fn is_blank(&self) -> bool {
        self.bytes.as_ref().is_ok_and(|bytes| bytes.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')))
    }
}

pub struct Lines {
    ahead: Ahead,
    sizes: Sizes,
    buffer: Vec<u8>,
    /// What was read and not yet lent is here in the buffer …
    start: usize,
    end: usize,
    /// … and has no line end before here.
    searched: usize,
    /// Bytes that the line has before the buffer: it is too long, and they are forgotten.
    dropped: usize,
    /// The number of the last line.
    number: u64,
    line_bytes_max: usize,
    ended: bool,
}

impl Lines {
    pub fn new(input: impl Read + Send + 'static) -> io::Result<Self> {
        Self::with_sizes(input, SIZES, MAX_EVENT_BYTES)
    }

    fn with_sizes(input: impl Read + Send + 'static, sizes: Sizes, line_bytes_max: usize) -> io::Result<Self> {
        let (ahead, buffer) = (Ahead::new(input, sizes)?, Vec::new());
        let (start, end, searched, dropped, number) = (0, 0, 0, 0, 0);
        Ok(Self { ahead, sizes, buffer, start, end, searched, dropped, number, line_bytes_max, ended: false })
    }

    /// The next line, if its end was read.
    pub fn next(&mut self) -> Option<Line<'_>> {
        let unread = self.start..self.end;
        let line = match memchr(b'\n', &self.buffer[self.searched..self.end]) {
            Some(at) => {
                let line = self.start..self.searched + at;
                self.start = line.end + 1;
                line
            }
            None if self.ended && unread.len() + self.dropped > 0 => {
                self.start = self.end;
                unread
            }
            None => {
                self.searched = self.end;
                return None;
            }
        };
        self.searched = self.start;
        self.number += 1;
        let dropped = std::mem::take(&mut self.dropped);
        let mut bytes = &self.buffer[line];
        if self.number == 1 {
            bytes = bytes.strip_prefix(MARK).unwrap_or(bytes);
        }
        let length = dropped + bytes.len();
        let bytes = if length > self.line_bytes_max { Err(EventError::TooLong { bytes: length }) } else { Ok(bytes) };
        Some(Line { number: self.number, bytes })
    }

    /// Reads on; `false` at the end of the input. Not to be called before [`Lines::next`] has lent all it has.
    pub fn fill(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        let mut chunk = self.ahead.next()?;
        let room = self.sizes.room;
        if chunk.end == room {
            self.ended = true;
            return Ok(true);
        }
        let mut unread = self.end - self.start;
        if self.dropped + unread > self.line_bytes_max {
            self.dropped += unread;
            self.start = self.end;
            unread = 0;
        }
        if unread <= room {
            let start = room - unread;
            chunk.bytes[start..room].copy_from_slice(&self.buffer[self.start..self.end]);
            (self.start, self.searched, self.end) = (start, room, chunk.end);
            self.ahead.give_back(std::mem::replace(&mut self.buffer, chunk.bytes));
        } else {
            self.buffer.truncate(self.end);
            self.buffer.drain(..self.start);
            self.buffer.extend_from_slice(&chunk.bytes[room..chunk.end]);
            (self.start, self.searched, self.end) = (0, unread, self.buffer.len());
            self.ahead.give_back(chunk.bytes);
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives a few bytes at a time, and is interrupted between.
    struct Drops {
        bytes: Vec<u8>,
        sizes: std::iter::Cycle<std::vec::IntoIter<usize>>,
    }

    impl Read for Drops {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let size = self.sizes.next().unwrap_or(1);
            if size == 0 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let size = size.min(self.bytes.len()).min(out.len());
            out[..size].copy_from_slice(&self.bytes[..size]);
            self.bytes.drain(..size);
            Ok(size)
        }
    }

    fn read(mut lines: Lines) -> Vec<Result<Vec<u8>, usize>> {
        let mut all = Vec::new();
        loop {
            while let Some(line) = lines.next() {
                all.push(match line.bytes {
                    Ok(bytes) => Ok(bytes.to_vec()),
                    Err(EventError::TooLong { bytes }) => Err(bytes),
                    Err(error) => panic!("{error}"),
                });
                assert_eq!(line.number, all.len() as u64);
            }
            if !lines.fill().expect("bytes") {
                return all;
            }
        }
    }

    #[test]
    fn a_long_line_does_not_stay_in_memory() {
        let sizes = Sizes { room: 4, read: 16 };
        let input = [vec![b'x'; 90], b"\na\n".repeat(40)].concat();
        let mut lines = Lines::with_sizes(io::Cursor::new(input), sizes, 100).expect("a thread");
        while lines.next().is_none() {
            assert!(lines.fill().expect("bytes"));
        }
        assert!(lines.buffer.len() > 90);
        while lines.next().is_some() {}
        assert!(lines.fill().expect("bytes"));
        assert_eq!((lines.buffer.len(), lines.buffer.capacity()), (20, 20));
        let mut endless = Lines::with_sizes(io::repeat(b'x'), sizes, 100).expect("a thread");
        for _ in 0..1_000 {
            assert!(endless.next().is_none() && endless.fill().expect("bytes"));
            assert!(endless.buffer.len() <= 100 + 2 * sizes.read, "{}", endless.buffer.len());
        }
    }

    #[test]
    fn what_was_read_before_an_error_is_lent() {
        struct Broken(bool);
        impl Read for Broken {
            fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
                if std::mem::replace(&mut self.0, true) {
                    return Err(io::ErrorKind::InvalidData.into());
                }
                out[..4].copy_from_slice(b"a\nbc");
                Ok(4)
            }
        }
        let mut lines = Lines::new(Broken(false)).expect("a thread");
        assert!(lines.next().is_none() && lines.fill().expect("bytes"));
        assert!(lines.next().is_some() && lines.next().is_none());
        assert_eq!(lines.fill().expect_err("broken").kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn a_mark_is_skipped_at_the_start_only() {
        let lines = read(Lines::new("\u{feff}a\n\u{feff}b".as_bytes()).expect("a thread"));
        assert_eq!(lines, [Ok(b"a".to_vec()), Ok("\u{feff}b".as_bytes().to_vec())]);
    }

    proptest! {
        #[test]
        fn lines_are_what_is_between_line_ends(text in "[ab\r\n]{0,80}", sizes in prop::collection::vec(0..9_usize, 1..9)) {
            let sizes = sizes.into_iter().chain([1]).collect::<Vec<_>>().into_iter().cycle();
            let input = Drops { bytes: text.clone().into_bytes(), sizes };
            let lines = read(Lines::with_sizes(input, Sizes { room: 2, read: 4 }, 7).expect("a thread"));
            let mut expected: Vec<&str> = text.split('\n').collect();
            if expected.last() == Some(&"") {
                expected.pop();
            }
            let expected = expected.into_iter().map(|line| if line.len() > 7 { Err(line.len()) } else { Ok(line.into()) });
            prop_assert_eq!(lines, expected.collect::<Vec<_>>());
        }
    }
}
