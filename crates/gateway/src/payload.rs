//! A request's body between the connection and the backend: counted, unframed and proven on the way.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use s3_embedded::Trailers;
use sha2::{Digest, Sha256};
use signature::{ChunkDecoder, Denied, Payload, Verified};

use crate::backend::{Body, BodyError};

/// What a backend leaves unread of a body is read up to here, so that it is proven too; more is refused.
const UNREAD_LEN_MAX: u64 = 1024 * 1024;

/// How the bytes that come in are held to what was signed.
pub(crate) enum Check {
    /// Nothing was signed.
    None,
    /// The hash of all of it was.
    Sha256 { so_far: Box<Sha256>, signed: Box<Verified> },
    /// Each chunk was, or there are trailers behind the last.
    Chunks(Option<Box<ChunkDecoder>>),
}

impl Check {
    /// From what the head's signature says of the body.
    pub fn of(mut verified: Verified) -> Self {
        if matches!(verified.payload, Payload::Sha256(_)) {
            return Self::Sha256 { so_far: Box::default(), signed: Box::new(verified) };
        }
        Self::of_framing(std::mem::replace(&mut verified.payload, Payload::Unsigned))
    }

    /// From the framing alone, where nobody signed.
    pub fn of_framing(payload: Payload) -> Self {
        match payload {
            Payload::Unsigned | Payload::Sha256(_) => Self::None,
            Payload::Chunked(decoder) | Payload::UnsignedTrailer(decoder) => Self::Chunks(Some(decoder)),
        }
    }

    /// The payload's length where the framing says it.
    pub fn decoded_len(&self) -> Option<u64> {
        match self {
            Self::Chunks(Some(decoder)) => Some(decoder.decoded_len()),
            _ => None,
        }
    }
}

/// The body, in the hands of the backend and of the audit layer: whoever reads, reads the same bytes once.
#[derive(Clone)]
pub(crate) struct Inbound(Arc<Mutex<Reader>>);

struct Reader {
    raw: Body,
    check: Check,
    ready: VecDeque<Bytes>,
    bytes_in: u64,
    ended: bool,
    failure: Option<Broken>,
    trailers: Trailers,
    kept: Option<Kept>,
}

/// A copy of a body that is short enough; `bytes` is `None` once it is not.
struct Kept {
    bytes: Option<Vec<u8>>,
    len_max: usize,
}

/// Why a body was not taken to its end.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Broken {
    /// It is not what was signed.
    #[error("{0}")]
    Denied(Denied),
    /// The connection ended before it did.
    #[error("the body ended early")]
    Cut,
    /// More of it than the operation had use for.
    #[error("the body is longer than the operation reads")]
    TooLong,
}

impl Inbound {
    pub fn new(raw: Body, check: Check) -> Self {
        let trailers = Trailers(Arc::new(OnceLock::new()));
        let ready = VecDeque::new();
        let (bytes_in, ended, failure, kept) = (0, false, None, None);
        Self(Arc::new(Mutex::new(Reader { raw, check, ready, bytes_in, ended, failure, trailers, kept })))
    }

    /// From now on what is read is kept, too, if it is not longer.
    pub fn keep(&self, len_max: usize) {
        self.lock().kept = Some(Kept { bytes: Some(Vec::new()), len_max });
    }

    /// What was kept, if the body was read to its end and is what was signed.
    pub fn kept(&self) -> Option<Vec<u8>> {
        let mut reader = self.lock();
        let whole = reader.ended && reader.failure.is_none();
        reader.kept.take().filter(|_| whole)?.bytes
    }

    /// A view for the backend.
    pub fn body(&self) -> Body {
        let size = self.lock().size_hint();
        InboundBody { inbound: self.clone(), size }.boxed_unsync()
    }

    /// Where the trailing headers will stand once the body was read to its end.
    pub fn trailers(&self) -> Trailers {
        self.lock().trailers.clone()
    }

    /// Payload bytes so far.
    pub fn bytes_in(&self) -> u64 {
        self.lock().bytes_in
    }

    /// Why the body was refused, if it was.
    pub fn failure(&self) -> Option<Broken> {
        self.lock().failure.clone()
    }

    /// Reads what the backend left, so that an operation without a body is not done under a body that nobody proved.
    pub async fn drain(&self) -> Result<(), Broken> {
        let start = self.bytes_in();
        loop {
            match std::future::poll_fn(|cx| self.lock().poll(cx)).await {
                None => return Ok(()),
                Some(Err(broken)) => return Err(broken),
                Some(Ok(_)) if self.bytes_in() - start > UNREAD_LEN_MAX => return Err(Broken::TooLong),
                Some(Ok(_)) => {}
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Reader> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn take(&mut self, more: &[u8]) {
        let len_max = self.len_max;
        self.bytes = self.bytes.take().filter(|bytes| bytes.len() + more.len() <= len_max);
        if let Some(bytes) = &mut self.bytes {
            bytes.extend_from_slice(more);
        }
    }
}

impl Reader {
    fn size_hint(&self) -> SizeHint {
        match (self.check.decoded_len(), &self.check) {
            (Some(len), _) => SizeHint::with_exact(len),
            (None, Check::Chunks(_)) => SizeHint::default(),
            (None, _) => self.raw.size_hint(),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        loop {
            if let Some(failure) = &self.failure {
                return Poll::Ready(Some(Err(failure.clone())));
            }
            if let Some(bytes) = self.ready.pop_front() {
                self.bytes_in += bytes.len() as u64;
                if let Some(kept) = &mut self.kept {
                    kept.take(&bytes);
                }
                return Poll::Ready(Some(Ok(bytes)));
            }
            if self.ended {
                return Poll::Ready(None);
            }
            let taken = match ready!(Pin::new(&mut self.raw).poll_frame(cx)) {
                Some(Ok(frame)) => frame.into_data().map_or(Ok(()), |data| self.take(data)),
                Some(Err(error)) => Err(error.0.downcast().map_or(Broken::Cut, |broken| *broken)),
                None => {
                    self.ended = true;
                    self.finish()
                }
            };
            self.failure = taken.err();
        }
    }

    fn take(&mut self, data: Bytes) -> Result<(), Broken> {
        match &mut self.check {
            Check::None => self.ready.push_back(data),
            Check::Sha256 { so_far, .. } => {
                so_far.update(&data);
                self.ready.push_back(data);
            }
            Check::Chunks(decoder) => {
                let decoder = decoder.as_mut().ok_or(Broken::Cut)?;
                self.ready.extend(decoder.push(data).map_err(Broken::Denied)?);
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Broken> {
        match &mut self.check {
            Check::None => Ok(()),
            Check::Sha256 { so_far, signed } => {
                let computed: [u8; 32] = std::mem::take(so_far.as_mut()).finalize().into();
                signed.check_body_sha256(&computed).map_err(Broken::Denied)
            }
            Check::Chunks(decoder) => {
                let trailers = decoder.take().ok_or(Broken::Cut)?.finish().map_err(Broken::Denied)?;
                let trailers: HeaderMap = trailers.iter().filter_map(|(name, value)| header(name, value)).collect();
                // The only place that sets them.
                let _ = self.trailers.0.set(trailers);
                Ok(())
            }
        }
    }
}

pub(crate) fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((name.parse().ok()?, HeaderValue::from_bytes(value.as_bytes()).ok()?))
}

struct InboundBody {
    inbound: Inbound,
    size: SizeHint,
}

impl http_body::Body for InboundBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = ready!(self.inbound.lock().poll(cx));
        Poll::Ready(polled.map(|bytes| bytes.map(Frame::data).map_err(|broken| BodyError(broken.into()))))
    }

    fn size_hint(&self) -> SizeHint {
        self.size
    }
}
