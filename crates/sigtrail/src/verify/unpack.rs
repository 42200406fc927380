//! Unpacks gzip into a hash or into memory, with bounds.

use std::io::{self, ErrorKind, Write};

use flate2::write::GzDecoder;
use sha2::{Digest, Sha256};

/// The largest log file, unpacked: a hundred times what CloudTrail packs.
const LOG_BYTES_MAX: u64 = 100 * 50 * 1024 * 1024;
/// The largest digest, unpacked.
const DIGEST_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Takes what was unpacked.
pub trait Target: Write {
    /// Bytes that are taken.
    const BYTES_MAX: u64;
}

/// Hashes what is unpacked.
#[derive(Default)]
pub struct Hash(Sha256);

impl Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Target for Hash {
    const BYTES_MAX: u64 = LOG_BYTES_MAX;
}

impl Target for Vec<u8> {
    const BYTES_MAX: u64 = DIGEST_BYTES_MAX;
}

struct Bounded<T> {
    target: T,
    left: u64,
}

impl<T: Target> Write for Bounded<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(bytes.len() as u64).ok_or_else(|| {
            io::Error::new(ErrorKind::FileTooLarge, format!("more than {} bytes, unpacked", T::BYTES_MAX))
        })?;
        self.target.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.target.flush()
    }
}

/// One gzip stream, given piece by piece; nothing may follow it.
pub struct Unpack<T: Target>(GzDecoder<Bounded<T>>);

impl<T: Target + Default> Unpack<T> {
    pub fn new() -> Self {
        Self(GzDecoder::new(Bounded { target: T::default(), left: T::BYTES_MAX }))
    }

    /// The next piece.
    pub fn feed(&mut self, piece: &[u8]) -> Result<(), String> {
        self.0.write_all(piece).map_err(|error| match error.kind() {
            ErrorKind::WriteZero => "something follows the end of the gzip stream".to_owned(),
            _ => format!("gzip: {error}"),
        })
    }

    /// Nothing more comes.
    pub fn finish(self) -> Result<T, String> {
        let bounded = self.0.finish().map_err(|error| format!("gzip: {error}"))?;
        Ok(bounded.target)
    }
}

impl Hash {
    /// In hexadecimal.
    pub fn into_hex(self) -> String {
        hex::encode(self.0.finalize())
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    fn pack(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn unpack(packed: &[u8], piece: usize) -> Result<Vec<u8>, String> {
        let mut unpack = Unpack::<Vec<u8>>::new();
        for piece in packed.chunks(piece) {
            unpack.feed(piece)?;
        }
        unpack.finish()
    }

    #[test]
    fn what_is_cut_or_longer_is_an_error() {
        let packed = pack(b"{\"Records\":[]}");
        for piece in [1, 7, 1000] {
            assert_eq!(unpack(&packed, piece).as_deref(), Ok(&b"{\"Records\":[]}"[..]));
            for cut in 0..packed.len() {
                assert!(unpack(&packed[..cut], piece).is_err(), "cut to {cut} bytes");
            }
            assert!(unpack(&[&packed[..], b"x"].concat(), piece).is_err());
            assert!(unpack(&[&packed[..], &packed[..]].concat(), piece).is_err());
        }
        assert!(unpack(b"no gzip", 100).is_err());
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        #[derive(Default)]
        struct Small;
        impl Write for Small {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        impl Target for Small {
            const BYTES_MAX: u64 = 1000;
        }
        let unpack = |len: usize| {
            let mut unpack = Unpack::<Small>::new();
            unpack.feed(&pack(&vec![b'x'; len]))?;
            unpack.finish().map(|_| ())
        };
        assert_eq!(unpack(1000), Ok(()));
        assert!(unpack(1001).unwrap_err().contains("more than 1000 bytes"));
    }

    proptest! {
        /// A changed byte of a packed file is an error, or changes nothing of the content, or changes its hash.
        #[test]
        fn every_change_of_a_byte_is_found(at in any::<prop::sample::Index>(), flip in 1..=u8::MAX) {
            let content = br#"{"Records":[{"eventName":"GetObject"},{"eventName":"PutObject"}]}"#;
            let mut packed = pack(content);
            let at = at.index(packed.len());
            packed[at] ^= flip;
            let mut hashed = Unpack::<Hash>::new();
            let hash = hashed.feed(&packed).and_then(|()| hashed.finish()).map(Hash::into_hex);
            if let Ok(unpacked) = unpack(&packed, 16) {
                prop_assert_eq!(hash.unwrap() == trail::digest::hash(content), unpacked == content);
            } else {
                prop_assert!(hash.is_err());
            }
        }
    }
}
