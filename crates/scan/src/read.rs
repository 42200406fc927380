//! Files, unpacked: small ones at once, large ones and pipes in pieces.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use libdeflater::Decompressor;
use memchr::memmem;
use ruzstd::decoding::StreamingDecoder;

use crate::extract::{Broken, Extractor, Sink};
use crate::literal::Needle;

/// A file up to this length is read at once.
const FILE_WHOLE_MAX: u64 = 4 << 20;
/// And unpacked at once, if its content is not longer than this.
const TEXT_WHOLE_MAX: usize = 16 << 20;
/// Of longer ones so much is at hand.
const WINDOW: usize = 1 << 20;
/// The longest object or line, not longer than what is unpacked at once. CloudTrail's are at most 256 KiB, in messages of
/// messages a few times that.
const OBJECT_MAX: usize = 8 << 20;
/// Content that is so many times as long as its file is no log. Logs are 5 to 50 times as long.
const RATIO_MAX: u64 = 300;
/// Up to this length it may be.
const RATIO_FREE: u64 = 64 << 20;

const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Also with the one method of compression that there is.
const GZIP_MEMBER: [u8; 3] = [0x1f, 0x8b, 8];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Why a file was not read, or not to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Content(#[from] Broken),
    #[error("it is cut short or damaged: {0}")]
    Unpack(io::Error),
    #[error("an object or a line of more than {} MiB", OBJECT_MAX >> 20)]
    TooLong,
    #[error("its content is more than {RATIO_MAX} times as long: it is not read further")]
    Bomb,
    #[error("it is empty")]
    Empty,
    /// Nothing of it was told.
    #[error("it has grown while it was read")]
    Grown,
}

/// Whether a file of this length, if that is known, is not at hand as a whole.
pub(crate) fn comes_in_pieces(len: Option<u64>) -> bool {
    len.is_none_or(|len| len > FILE_WHOLE_MAX)
}

/// Buffers that are used again for each file.
pub(crate) struct Reader<'q> {
    needle: Needle<'q>,
    file: Vec<u8>,
    /// Its pages are the system's until something is written there.
    text: Vec<u8>,
    gzip: Decompressor,
}

impl<'q> Reader<'q> {
    pub fn new(needle: Needle<'q>) -> Self {
        Self { needle, file: Vec::new(), text: vec![0; TEXT_WHOLE_MAX], gzip: Decompressor::new() }
    }

    /// Reads a file of this length, if that is known, and has its records found. Tells how long its content was, as far as it
    /// was read.
    pub fn read(
        &mut self,
        mut file: impl Read,
        len: Option<u64>,
        sink: &mut impl Sink<'q>,
        bytes: &mut u64,
    ) -> Result<(), ReadError> {
        if comes_in_pieces(len) {
            return self.stream(file, sink, bytes);
        }
        self.file.clear();
        file.by_ref().take(FILE_WHOLE_MAX + 1).read_to_end(&mut self.file)?;
        if self.file.len() as u64 > FILE_WHOLE_MAX {
            return Err(ReadError::Grown);
        }
        if self.file.is_empty() {
            return Err(ReadError::Empty);
        }
        if self.file.starts_with(&GZIP) {
            if let Some(len) = self.unpack_whole() {
                *bytes += len as u64;
                return self.whole(&self.text[..len], sink);
            }
        } else if !self.file.starts_with(&ZSTD) {
            *bytes += self.file.len() as u64;
            return self.whole(&self.file, sink);
        }
        let file = std::mem::take(&mut self.file);
        let read = self.stream(&file[..], sink, bytes);
        self.file = file;
        read
    }

    /// The length of the content; `None` if it is something else than one member of a bounded length, or damaged.
    fn unpack_whole(&mut self) -> Option<usize> {
        let len = self.file.last_chunk::<4>().map(|len| u32::from_le_bytes(*len) as usize)?;
        let is_likely = len <= TEXT_WHOLE_MAX && len as u64 <= RATIO_FREE.max(RATIO_MAX * self.file.len() as u64);
        if !is_likely || has_second_member(&self.file) {
            return None;
        }
        let unpacked = self.gzip.gzip_decompress(&self.file, &mut self.text[..len]);
        unpacked.ok().filter(|unpacked| *unpacked == len)
    }

    fn whole(&self, text: &[u8], sink: &mut impl Sink<'q>) -> Result<(), ReadError> {
        Extractor::new(self.needle).run(text, true, sink)?;
        Ok(())
    }

    fn stream(&mut self, source: impl Read, sink: &mut impl Sink<'q>, bytes: &mut u64) -> Result<(), ReadError> {
        let mut source = Counted { inner: source, count: 0, has_failed: false };
        let mut head = Vec::with_capacity(ZSTD.len());
        source.by_ref().take(ZSTD.len() as u64).read_to_end(&mut head)?;
        if head.is_empty() {
            return Err(ReadError::Empty);
        }
        let source = io::Cursor::new(head.clone()).chain(source);
        if head.starts_with(&GZIP) {
            let unpacked = MultiGzDecoder::new(io::BufReader::with_capacity(1 << 17, source));
            self.windows(unpacked, |unpacked| unpacked.get_ref().get_ref().get_ref().1.state(), sink, bytes)
        } else if head.starts_with(&ZSTD) {
            let unpacked = StreamingDecoder::new(io::BufReader::with_capacity(1 << 17, source));
            let unpacked = unpacked.map_err(|error| ReadError::Unpack(io::Error::other(error)))?;
            self.windows(unpacked, |unpacked| unpacked.get_ref().get_ref().get_ref().1.state(), sink, bytes)
        } else {
            self.windows(source, |source| (u64::MAX, source.get_ref().1.has_failed), sink, bytes)
        }
    }

    /// `packed` tells how much was read of what is unpacked, and whether reading failed.
    fn windows<R: Read>(
        &mut self,
        mut source: R,
        packed: impl Fn(&R) -> (u64, bool),
        sink: &mut impl Sink<'q>,
        bytes: &mut u64,
    ) -> Result<(), ReadError> {
        let (mut extractor, mut filled, mut window, mut total) = (Extractor::new(self.needle), 0, WINDOW, 0_u64);
        loop {
            if filled == window {
                if filled >= OBJECT_MAX {
                    return Err(ReadError::TooLong);
                }
                window *= 2;
            }
            let read = match fill(&mut source, &mut self.text[filled..window]) {
                Ok(read) => read,
                Err((_, error)) if packed(&source).1 => return Err(ReadError::Io(error)),
                Err((read, error)) => {
                    // What was whole counts.
                    *bytes += read as u64;
                    extractor.run_cut(&self.text[..filled + read], sink)?;
                    return Err(ReadError::Unpack(error));
                }
            };
            filled += read;
            total += read as u64;
            *bytes += read as u64;
            if total > RATIO_FREE && total / RATIO_MAX > packed(&source).0 {
                return Err(ReadError::Bomb);
            }
            let last = read == 0;
            let keep = extractor.run(&self.text[..filled], last, sink)?;
            if last {
                return Ok(());
            }
            self.text.copy_within(keep..filled, 0);
            filled -= keep;
        }
    }
}

/// Whether something in a gzip file looks like the head of a second member (RFC 1952): the library reads the first alone. By chance
/// hardly anything does, and then the file is read in pieces, which is slower and finds the same.
fn has_second_member(file: &[u8]) -> bool {
    memmem::find_iter(&file[GZIP.len()..], &GZIP_MEMBER).any(|at| {
        let head = &file[GZIP.len() + at..];
        let flags_are_known = head.get(3).is_some_and(|flags| flags & 0xe0 == 0);
        let effort_is_known = head.get(8).is_some_and(|effort| [0, 2, 4].contains(effort));
        let system_is_known = head.get(9).is_some_and(|system| *system <= 13 || *system == 255);
        flags_are_known && effort_is_known && system_is_known
    })
}

/// Fills the buffer, unless the source ends.
fn fill(source: &mut impl Read, buffer: &mut [u8]) -> Result<usize, (usize, io::Error)> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err((filled, error)),
        }
    }
    Ok(filled)
}

/// Counts what is read, and knows whether that failed.
struct Counted<R> {
    inner: R,
    count: u64,
    /// It was the source that failed, not what unpacks it.
    has_failed: bool,
}

impl<R> Counted<R> {
    fn state(&self) -> (u64, bool) {
        (self.count, self.has_failed)
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer);
        match &read {
            Ok(read) => self.count += *read as u64,
            Err(error) => self.has_failed |= error.kind() != io::ErrorKind::Interrupted,
        }
        read
    }
}
