//! Where lines come from.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, stdin};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

/// What a file of gzip starts with.
const GZIP: &[u8] = &[0x1f, 0x8b];
/// The byte-order mark, which a text may start with.
pub const MARK: &[u8] = "\u{feff}".as_bytes();
/// Compressed bytes that are read at once.
const COMPRESSED_BYTES: usize = 1 << 18;

/// A file, or stdin.
#[derive(Debug, PartialEq, Eq)]
pub enum Input {
    Stdin,
    File(PathBuf),
}

impl Input {
    /// `-` is stdin.
    pub fn of(path: &Path) -> Self {
        if path.as_os_str() == "-" { Self::Stdin } else { Self::File(path.to_owned()) }
    }

    /// Its bytes, unpacked if they are gzip.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        match self {
            Self::Stdin => unpacked(stdin()),
            Self::File(path) => unpacked(File::open(path)?),
        }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => write!(out, "(standard input)"),
            Self::File(path) => write!(out, "{}", path.display()),
        }
    }
}

fn unpacked(mut input: impl Read + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
    let mut start = Vec::new();
    input.by_ref().take(GZIP.len() as u64).read_to_end(&mut start)?;
    let packed = start == GZIP;
    let whole = Cursor::new(start).chain(input);
    if !packed {
        return Ok(Box::new(whole));
    }
    Ok(Box::new(MultiGzDecoder::new(BufReader::with_capacity(COMPRESSED_BYTES, whole))))
}
