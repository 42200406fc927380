//! `aws-chunked`: the framing inside the body, with or without a signature on each chunk.
//!
//! Sources: "Transferring payload in multiple chunks (chunked upload)" and "… with trailing headers", Amazon S3 API Reference.

use crate::claim::{Attempt, Scope};
use crate::crypto::{EMPTY_SHA256, SigningKey, constant_time_eq, lower_hex_32, sha256};
use crate::denied::{Denied, Mismatch};
use crate::head::RequestHead;
use bytes::{Buf, Bytes, BytesMut};
use sha2::{Digest, Sha256};
use std::fmt;

/// Largest signed chunk, in bytes: so much is held back until its signature is proven.
pub const CHUNK_LEN_MAX: u64 = 16 * 1024 * 1024;
/// Longest trailer section, in bytes.
pub const TRAILER_LEN_MAX: usize = 4 * 1024;
/// Longest line before a chunk: 16 hex digits and a signature.
const CHUNK_LINE_LEN_MAX: usize = 128;
/// Input shorter than this is copied together instead of being kept as a piece of its own.
const PIECE_LEN_MIN: usize = 4 * 1024;
const TRAILER_SIGNATURE: &str = "x-amz-trailer-signature";

/// Trailing headers in the order they came, names lower-case.
pub type Trailers = Vec<(String, String)>;

/// The chain of chunk signatures, which starts at the signature of the head.
#[derive(Clone)]
pub struct ChunkSigner {
    key: SigningKey,
    amz_date: String,
    scope: String,
    previous: String,
}

impl fmt::Debug for ChunkSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkSigner").field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl ChunkSigner {
    pub(crate) fn new(key: SigningKey, amz_date: String, scope: &Scope, seed: &str) -> Self {
        Self { key, amz_date, scope: scope.text(), previous: seed.to_owned() }
    }

    /// The signature of the next chunk, in hex; moves the chain on.
    pub fn sign_chunk(&mut self, data: &[u8]) -> String {
        let text = self.chunk_text(&sha256(data));
        self.advance(&text)
    }

    /// The signature of the trailing headers, in hex: `name:value` lines, each with one line feed.
    pub fn sign_trailer(&mut self, lines: &[u8]) -> String {
        let text = self.trailer_text(&sha256(lines));
        self.advance(&text)
    }

    fn advance(&mut self, text: &str) -> String {
        self.previous = hex::encode(self.key.sign(text.as_bytes()));
        self.previous.clone()
    }

    fn chunk_text(&self, hash: &[u8; 32]) -> String {
        let Self { amz_date, scope, previous, .. } = self;
        let hash = hex::encode(hash);
        format!("AWS4-HMAC-SHA256-PAYLOAD\n{amz_date}\n{scope}\n{previous}\n{EMPTY_SHA256}\n{hash}")
    }

    fn trailer_text(&self, hash: &[u8; 32]) -> String {
        let Self { amz_date, scope, previous, .. } = self;
        format!("AWS4-HMAC-SHA256-TRAILER\n{amz_date}\n{scope}\n{previous}\n{}", hex::encode(hash))
    }

    fn check(&mut self, text: &str, provided: &str, access_key_id: &str) -> Result<(), Denied> {
        let expected = self.key.sign(text.as_bytes());
        let given = lower_hex_32(provided.as_bytes());
        if !given.is_some_and(|given| constant_time_eq(&given, &expected)) {
            return Err(Denied::signature_mismatch(
                access_key_id,
                &Mismatch { string_to_sign: text.as_bytes(), canonical_request: None, signature_provided: provided },
            ));
        }
        self.previous = hex::encode(expected);
        Ok(())
    }
}

/// Where the decoder is in the body.
enum State {
    /// Before a line with a chunk's length.
    Line,
    /// Inside a chunk.
    Data(Chunk),
    /// Before the line break that ends a chunk.
    DataEnd,
    /// After the last chunk's line.
    Trailer,
    /// After the last byte.
    Done,
    /// A refusal was given; nothing more is read.
    Failed,
}

struct Chunk {
    left: u64,
    /// Of a signed chunk.
    held: Option<Held>,
}

/// A signed chunk so far.
struct Held {
    signature: String,
    hash: Sha256,
    pieces: Vec<Bytes>,
    small: BytesMut,
}

impl Held {
    fn take(&mut self, piece: Bytes) {
        self.hash.update(&piece);
        if piece.len() < PIECE_LEN_MIN {
            self.small.extend_from_slice(&piece);
        } else {
            self.flush();
            self.pieces.push(piece);
        }
    }

    fn flush(&mut self) {
        if !self.small.is_empty() {
            self.pieces.push(self.small.split().freeze());
        }
    }
}

/// Takes `aws-chunked` framing off a body as it comes in, and proves what is signed before it releases it.
///
/// The caller pushes what it reads and passes on what it gets, then asks [`finish`](Self::finish) for the trailing headers. What
/// was released must not take effect before `finish` has agreed: only there is a body that was cut short refused.
pub struct ChunkDecoder {
    signer: Option<ChunkSigner>,
    with_trailer: bool,
    expected_trailers: Vec<String>,
    attempt: Attempt,
    decoded_len: u64,
    released: u64,
    state: State,
    /// An unfinished line.
    line: BytesMut,
    trailer_len: usize,
    trailers: Trailers,
    trailer_proven: bool,
}

impl fmt::Debug for ChunkDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkDecoder")
            .field("signed", &self.signer.is_some())
            .field("with_trailer", &self.with_trailer)
            .field("decoded_len", &self.decoded_len)
            .field("released", &self.released)
            .finish_non_exhaustive()
    }
}

impl ChunkDecoder {
    pub(crate) fn signed(
        head: &RequestHead<'_>,
        attempt: &Attempt,
        signer: ChunkSigner,
        with_trailer: bool,
    ) -> Result<Self, Denied> {
        Self::new(head, attempt, Some(signer), with_trailer)
    }

    pub(crate) fn unsigned(head: &RequestHead<'_>, attempt: &Attempt) -> Result<Self, Denied> {
        Self::new(head, attempt, None, true)
    }

    fn new(
        head: &RequestHead<'_>,
        attempt: &Attempt,
        signer: Option<ChunkSigner>,
        with_trailer: bool,
    ) -> Result<Self, Denied> {
        let len = head.text("x-amz-decoded-content-length");
        let digits = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let decoded_len = len.as_deref().filter(digits).and_then(|text| text.parse().ok());
        let decoded_len = decoded_len.ok_or_else(|| Denied::missing_content_length().by(attempt))?;
        let names = head.text("x-amz-trailer").unwrap_or_default().to_ascii_lowercase();
        let names = names.split(',').map(str::trim).filter(|name| !name.is_empty() && with_trailer);
        Ok(Self {
            signer,
            with_trailer,
            expected_trailers: names.map(str::to_owned).collect(),
            attempt: attempt.clone(),
            decoded_len,
            released: 0,
            state: State::Line,
            line: BytesMut::new(),
            trailer_len: 0,
            trailers: Trailers::new(),
            trailer_proven: false,
        })
    }

    /// The length of the body without its framing, in bytes, as `x-amz-decoded-content-length` has it.
    pub fn decoded_len(&self) -> u64 {
        self.decoded_len
    }

    /// The names that `x-amz-trailer` announces, lower-case.
    pub fn expected_trailers(&self) -> &[String] {
        &self.expected_trailers
    }

    /// Takes the next bytes of the body and gives those that are decoded and, if signed, proven.
    ///
    /// Errors: `SignatureDoesNotMatch` for a chunk or the trailer, `InvalidChunkSizeError` for a length that is none or too
    /// large, `IncompleteBody` for more data than announced, `MalformedTrailerError`. After an error every call fails.
    pub fn push(&mut self, mut input: Bytes) -> Result<Vec<Bytes>, Denied> {
        let mut released = Vec::new();
        while !input.is_empty() {
            if let Err(denied) = self.step(&mut input, &mut released) {
                self.state = State::Failed;
                return Err(denied.by(&self.attempt));
            }
        }
        Ok(released)
    }

    /// The trailing headers, once the whole body is there.
    ///
    /// Errors: `IncompleteBody` if it is not; `MalformedTrailerError` if an announced trailer is missing.
    pub fn finish(self) -> Result<Trailers, Denied> {
        let complete = matches!(self.state, State::Done) && self.released == self.decoded_len;
        if !complete {
            return Err(incomplete_body().by(&self.attempt));
        }
        let has = |name: &String| self.trailers.iter().any(|(given, _)| given == name);
        if !self.expected_trailers.iter().all(has) {
            return Err(malformed_trailer().by(&self.attempt));
        }
        Ok(self.trailers)
    }

    fn step(&mut self, input: &mut Bytes, released: &mut Vec<Bytes>) -> Result<(), Denied> {
        match &mut self.state {
            State::Line => match take_line(&mut self.line, input, CHUNK_LINE_LEN_MAX).map_err(|()| invalid_chunk())? {
                Some(line) => self.start_chunk(&line, released),
                None => Ok(()),
            },
            State::Data(_) => self.data(input, released),
            State::DataEnd => match take_line(&mut self.line, input, 2).map_err(|()| invalid_chunk())? {
                Some(line) if &line[..] == b"\r\n" => {
                    self.state = State::Line;
                    Ok(())
                }
                Some(_) => Err(invalid_chunk()),
                None => Ok(()),
            },
            State::Trailer => {
                let line = take_line(&mut self.line, input, TRAILER_LEN_MAX).map_err(|()| malformed_trailer())?;
                line.map_or(Ok(()), |line| self.trailer_line(&line))
            }
            State::Done => Err(if self.with_trailer { malformed_trailer() } else { invalid_chunk() }),
            State::Failed => Err(incomplete_body()),
        }
    }

    /// `<hex length>;chunk-signature=<64 hex>`, or only the length where chunks are not signed.
    fn start_chunk(&mut self, line: &[u8], released: &mut Vec<Bytes>) -> Result<(), Denied> {
        let line = line.strip_suffix(b"\r\n").ok_or_else(invalid_chunk)?;
        let text = std::str::from_utf8(line).map_err(|_| invalid_chunk())?;
        let (len, signature) = match (&self.signer, text.split_once(";chunk-signature=")) {
            (Some(_), Some((len, signature))) => (len, Some(signature)),
            (None, None) => (text, None),
            _ => return Err(invalid_chunk()),
        };
        if !(1..=16).contains(&len.len()) || !len.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(invalid_chunk());
        }
        let len = u64::from_str_radix(len, 16).map_err(|_| invalid_chunk())?;
        if signature.is_some() && len > CHUNK_LEN_MAX {
            return Err(invalid_chunk());
        }
        if len > self.decoded_len - self.released {
            return Err(wrong_length());
        }
        let held = signature.map(|signature| Held {
            signature: signature.to_owned(),
            hash: Sha256::new(),
            pieces: Vec::new(),
            small: BytesMut::new(),
        });
        if len == 0 {
            return self.end_chunk(held, true, released);
        }
        self.state = State::Data(Chunk { left: len, held });
        Ok(())
    }

    fn data(&mut self, input: &mut Bytes, released: &mut Vec<Bytes>) -> Result<(), Denied> {
        let State::Data(chunk) = &mut self.state else { return Ok(()) };
        let len = usize::try_from(chunk.left).map_or(input.len(), |left| left.min(input.len()));
        let piece = input.split_to(len);
        chunk.left -= piece.len() as u64;
        let ended = chunk.left == 0;
        if let Some(held) = &mut chunk.held {
            held.take(piece);
        } else {
            self.released += piece.len() as u64;
            released.push(piece);
        }
        if !ended {
            return Ok(());
        }
        let held = chunk.held.take();
        self.end_chunk(held, false, released)
    }

    /// Proves a chunk and releases what was held back.
    fn end_chunk(&mut self, held: Option<Held>, last: bool, released: &mut Vec<Bytes>) -> Result<(), Denied> {
        if let (Some(mut held), Some(signer)) = (held, &mut self.signer) {
            held.flush();
            let text = signer.chunk_text(&held.hash.finalize().into());
            signer.check(&text, &held.signature, self.attempt.access_key_id.as_deref().unwrap_or_default())?;
            self.released += held.pieces.iter().map(|piece| piece.len() as u64).sum::<u64>();
            released.append(&mut held.pieces);
        }
        self.state = if last { State::Trailer } else { State::DataEnd };
        Ok(())
    }

    /// One line after the last chunk: a trailing header, their signature, or the empty line at the end.
    fn trailer_line(&mut self, line: &[u8]) -> Result<(), Denied> {
        self.trailer_len += line.len();
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let signed = self.with_trailer && self.signer.is_some();
        if line.is_empty() {
            // Some clients end each trailing header with an empty line of its own, so before the signature it ends nothing.
            if !signed || self.trailer_proven {
                self.state = State::Done;
            }
            return if self.trailer_len > TRAILER_LEN_MAX { Err(malformed_trailer()) } else { Ok(()) };
        }
        if !self.with_trailer || self.trailer_proven || self.trailer_len > TRAILER_LEN_MAX {
            return Err(malformed_trailer());
        }
        let text = std::str::from_utf8(line).map_err(|_| malformed_trailer())?;
        let (name, value) = text.split_once(':').ok_or_else(malformed_trailer)?;
        let value = value.trim_matches([' ', '\t']);
        let name = name.to_ascii_lowercase();
        if signed && name == TRAILER_SIGNATURE {
            return self.prove_trailer(value);
        }
        let known = self.expected_trailers.contains(&name) && !self.trailers.iter().any(|(given, _)| *given == name);
        if !known || value.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(malformed_trailer());
        }
        self.trailers.push((name, value.to_owned()));
        Ok(())
    }

    fn prove_trailer(&mut self, signature: &str) -> Result<(), Denied> {
        let lines = self.trailers.iter().flat_map(|(name, value)| [name, ":", value, "\n"]).collect::<String>();
        if let Some(signer) = &mut self.signer {
            let text = signer.trailer_text(&sha256(lines.as_bytes()));
            signer.check(&text, signature, self.attempt.access_key_id.as_deref().unwrap_or_default())?;
        }
        self.trailer_proven = true;
        Ok(())
    }
}

/// Moves bytes up to and with the next line feed from `input` to `line`, and gives the line once it is whole.
fn take_line(line: &mut BytesMut, input: &mut Bytes, max: usize) -> Result<Option<Bytes>, ()> {
    let end = input.iter().take(max + 1).position(|byte| *byte == b'\n');
    let len = end.map_or(input.len(), |end| end + 1);
    if line.len() + len > max {
        return Err(());
    }
    line.extend_from_slice(&input[..len]);
    input.advance(len);
    Ok(end.map(|_| line.split().freeze()))
}

fn invalid_chunk() -> Denied {
    Denied::payload(400, "InvalidChunkSizeError", "The chunk framing of the aws-chunked body is not valid.")
}

fn incomplete_body() -> Denied {
    Denied::payload(400, "IncompleteBody", "The request body terminated unexpectedly")
}

fn wrong_length() -> Denied {
    let message = "You did not provide the number of bytes specified by the x-amz-decoded-content-length HTTP header";
    Denied::payload(400, "IncompleteBody", message)
}

fn malformed_trailer() -> Denied {
    let message =
        "The request contained trailing data that was not well-formed or did not conform to our published schema.";
    Denied::payload(400, "MalformedTrailerError", message)
}
