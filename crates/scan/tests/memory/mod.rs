//! Files in memory.

use std::io::{self, Read};

use scan::Archive;

pub struct Memory(pub Vec<Vec<u8>>);

impl Archive for Memory {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn name(&self, index: usize) -> String {
        index.to_string()
    }

    fn open(&self, index: usize) -> io::Result<(Box<dyn Read + '_>, Option<u64>)> {
        let file = &self.0[index];
        // Every other one as a pipe.
        Ok((Box::new(&file[..]), index.is_multiple_of(2).then_some(file.len() as u64)))
    }
}
