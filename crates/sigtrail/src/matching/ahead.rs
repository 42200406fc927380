//! Input that is read, and unpacked, on a thread of its own while what was read before is matched.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

/// Chunks that may wait. With the one that is being read and the one that is worked on there are two more.
const WAITING_MAX: usize = 2;

/// How large the pieces are in which an input is read.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Bytes left free before those that are read, for the start of a line that the chunk before ended with.
    pub room: usize,
    /// Bytes that are read at once.
    pub read: usize,
}

/// A piece of the input: `bytes[room..end]`. Nothing is the end of the input.
#[derive(Debug)]
pub struct Chunk {
    pub bytes: Vec<u8>,
    pub end: usize,
}

pub struct Ahead {
    sizes: Sizes,
    chunks: Receiver<io::Result<Chunk>>,
    spare: Sender<Vec<u8>>,
}

impl Ahead {
    pub fn new(input: impl Read + Send + 'static, sizes: Sizes) -> io::Result<Self> {
        let (filled, chunks) = sync_channel(WAITING_MAX);
        let (spare, empty) = channel();
        let ahead = Self { sizes, chunks, spare };
        for _ in 0..=WAITING_MAX {
            ahead.give_back(Vec::new());
        }
        thread::Builder::new().name("input".to_owned()).spawn(move || read(input, sizes.room, &empty, &filled))?;
        Ok(ahead)
    }

    /// Waits for the next chunk.
    pub fn next(&self) -> io::Result<Chunk> {
        self.chunks.recv().unwrap_or_else(|_| Err(io::Error::other("reading has stopped")))
    }

    /// Takes back the bytes of a chunk that was worked on.
    pub fn give_back(&self, mut bytes: Vec<u8>) {
        let length = self.sizes.room + self.sizes.read;
        bytes.resize(length, 0);
        bytes.shrink_to(length);
        // At the end of the input nobody wants them.
        let _ = self.spare.send(bytes);
    }
}

/// Reads to the end, to the first error, or until nobody listens.
fn read(mut input: impl Read, room: usize, empty: &Receiver<Vec<u8>>, filled: &SyncSender<io::Result<Chunk>>) {
    while let Ok(mut bytes) = empty.recv() {
        let read = loop {
            match input.read(&mut bytes[room..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        let is_last = !matches!(read, Ok(1..));
        if filled.send(read.map(|read| Chunk { bytes, end: room + read })).is_err() || is_last {
            return;
        }
    }
}
