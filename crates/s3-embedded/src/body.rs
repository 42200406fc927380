//! Bodies on their way in and out. Small ones ride in the unit, larger ones stream through a file; at no time is more than a
//! chunk of a large one in memory.

use std::ops::Range;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use http_body::{Frame, SizeHint};
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3Result, StdError};
use store::{BlobId, BlobWriter, Space, Store, Unit};

use crate::EmbeddedS3;
use crate::checksum::{Algorithm, Claimed, Digests, Hasher};
use crate::context::Trailers;
use crate::error::{entity_too_large, incomplete_body, internal, no_room, store_error};
use crate::row::{BodyRow, PartRow, decode};

/// Bodies up to this many bytes are rows.
pub(crate) const INLINE_MAX: usize = 64 * 1024;
/// Objects of up to so many parts are read with all their files open.
const OPEN_AT_ONCE: usize = 64;

/// What is known of a body before it is read.
pub(crate) struct Expect<'a> {
    /// Bytes announced.
    pub length: Option<u64>,
    /// Most bytes accepted.
    pub max: u64,
    pub claimed: &'a Claimed,
    /// Computed besides MD5 and what the client claims.
    pub algorithm: Algorithm,
    pub trailers: Option<&'a Trailers>,
}

/// A body that was read to its end, verified, and is on the disk if it is large.
pub(crate) struct Received {
    pub size: u64,
    pub digests: Digests,
    pub stored: Stored,
}

/// Where a received body waits for its row.
pub(crate) enum Stored {
    Inline(Bytes),
    Blob(Unnamed),
}

/// A finished file that no unit names yet. Dropped so, because the write was refused or its client went away, it is deleted.
pub(crate) struct Unnamed {
    store: Store,
    blob: BlobId,
    named: AtomicBool,
}

impl Drop for Unnamed {
    fn drop(&mut self) {
        if !*self.named.get_mut() {
            self.store.blobs().discard(self.blob);
        }
    }
}

impl Stored {
    /// Adds it to the unit that names it. `id` is for this body alone.
    pub fn place(&self, unit: &mut Unit, id: [u8; 16]) -> BodyRow {
        match self {
            Self::Inline(bytes) if bytes.is_empty() => BodyRow::Empty,
            Self::Inline(bytes) => {
                unit.put(Space::Bodies, id, bytes.clone());
                BodyRow::Inline(id)
            }
            Self::Blob(file) => {
                unit.link(file.blob);
                file.named.store(true, Ordering::Relaxed);
                BodyRow::Blob(file.blob.0)
            }
        }
    }
}

/// Collects a body: in memory while it is small, then in a file.
struct Sink<'s> {
    s3: &'s EmbeddedS3,
    small: BytesMut,
    large: Option<BlobWriter>,
    size: u64,
}

impl Sink<'_> {
    async fn write(&mut self, chunk: Bytes) -> S3Result<()> {
        self.size += chunk.len() as u64;
        if let Some(writer) = &mut self.large {
            return writer.write(chunk).await.map_err(store_error);
        }
        if self.small.len() + chunk.len() <= INLINE_MAX {
            self.small.extend_from_slice(&chunk);
            return Ok(());
        }
        let mut writer = self.s3.store().blobs().create().await.map_err(store_error)?;
        writer.write(self.small.split().freeze()).await.map_err(store_error)?;
        writer.write(chunk).await.map_err(store_error)?;
        self.large = Some(writer);
        Ok(())
    }

    async fn finish(self) -> S3Result<Stored> {
        match self.large {
            None => Ok(Stored::Inline(self.small.freeze())),
            Some(writer) => {
                let blob = writer.finish().await.map_err(store_error)?;
                Ok(Stored::Blob(Unnamed { store: self.s3.store().clone(), blob, named: AtomicBool::new(false) }))
            }
        }
    }
}

impl EmbeddedS3 {
    /// Reads a body to its end and checks all that was said of it. Nothing refers to it yet.
    pub(crate) async fn receive<S>(&self, mut body: S, expect: Expect<'_>) -> S3Result<Received>
    where
        S: Stream<Item = Result<Bytes, StdError>> + Unpin,
    {
        if expect.length.is_some_and(|length| length > expect.max) {
            return Err(entity_too_large());
        }
        self.check_room()?;
        let mut algorithms = vec![expect.algorithm];
        algorithms.extend(expect.claimed.algorithm());
        let mut hasher = Hasher::new(&algorithms);
        let mut sink = Sink { s3: self, small: BytesMut::new(), large: None, size: 0 };
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(body_error)?;
            hasher.update(&chunk);
            sink.write(chunk).await?;
            if sink.size > expect.max {
                return Err(entity_too_large());
            }
            if expect.length.is_some_and(|length| sink.size > length) {
                return Err(incomplete_body());
            }
        }
        if expect.length.is_some_and(|length| sink.size != length) {
            return Err(incomplete_body());
        }
        let digests = hasher.finish();
        expect.claimed.verify(&digests, expect.trailers.and_then(|trailers| trailers.0.get()))?;
        let size = sink.size;
        Ok(Received { size, digests, stored: sink.finish().await? })
    }

    /// Refuses writes before the disk is full.
    pub(crate) fn check_room(&self) -> S3Result<()> {
        if self.store().has_room() {
            return Ok(());
        }
        Err(no_room())
    }

    /// Gives up the bytes of an object or part.
    pub(crate) fn free(&self, unit: &mut Unit, body: &BodyRow) -> S3Result<()> {
        match body {
            BodyRow::Empty => {}
            BodyRow::Inline(id) => unit.delete(Space::Bodies, *id),
            BodyRow::Blob(blob) => unit.unlink(BlobId(*blob)),
            BodyRow::Parts(id) => {
                for part in self.manifest(id)?.unwrap_or_default() {
                    self.free(unit, &part.body)?;
                }
                unit.delete(Space::Bodies, *id);
            }
        }
        Ok(())
    }

    /// The parts of an object, in order. `None` if the object was replaced meanwhile.
    pub(crate) fn manifest(&self, id: &[u8; 16]) -> S3Result<Option<Vec<PartRow>>> {
        self.store().get(Space::Bodies, id).map_err(store_error)?.map(|row| decode(&row)).transpose()
    }

    /// The bytes of a body in this range. `None` if it was replaced meanwhile.
    pub(crate) async fn read(&self, body: &BodyRow, size: u64, range: Range<u64>) -> S3Result<Option<Reading>> {
        let length = range.end - range.start;
        let stream = match body {
            _ if length == 0 => stream::empty().boxed(),
            BodyRow::Parts(id) => {
                let Some(parts) = self.manifest(id)? else { return Ok(None) };
                match self.read_parts(slices(&parts, &range)).await? {
                    Some(stream) => stream,
                    None => return Ok(None),
                }
            }
            _ => match self.read_piece(body, size, range).await? {
                Some(stream) => stream,
                None => return Ok(None),
            },
        };
        Ok(Some(Reading { stream, remaining: length }))
    }

    /// Reads one part after the other. A few are opened at once, so that the object can be replaced under its readers; each of
    /// many when its turn comes.
    async fn read_parts(&self, slices: Vec<Slice>) -> S3Result<Option<Piece>> {
        if slices.len() > OPEN_AT_ONCE {
            return Ok(Some(self.clone().read_later(slices).boxed()));
        }
        let mut pieces = Vec::with_capacity(slices.len());
        for slice in slices {
            match self.read_piece(&slice.body, slice.size, slice.range).await? {
                Some(piece) => pieces.push(piece),
                None => return Ok(None),
            }
        }
        Ok(Some(stream::iter(pieces).flatten().boxed()))
    }

    fn read_later(self, slices: Vec<Slice>) -> impl Stream<Item = Result<Bytes, StdError>> + Send + 'static {
        let open = move |slice: Slice| {
            let s3 = self.clone();
            async move {
                match s3.read_piece(&slice.body, slice.size, slice.range).await {
                    Ok(Some(stream)) => stream,
                    Ok(None) => failed(internal("a part went away while its object was read")),
                    Err(error) => failed(error),
                }
            }
        };
        stream::iter(slices).then(open).flatten()
    }

    async fn read_piece(&self, body: &BodyRow, size: u64, range: Range<u64>) -> S3Result<Option<Piece>> {
        match body {
            BodyRow::Inline(id) => {
                let Some(bytes) = self.store().get(Space::Bodies, id).map_err(store_error)? else { return Ok(None) };
                if bytes.len() as u64 != size {
                    return Err(internal("a stored body has another length than its row says"));
                }
                let bounds = to_usize(range.start)?..to_usize(range.end)?;
                Ok(Some(stream::iter([Ok(bytes.slice(bounds))]).boxed()))
            }
            BodyRow::Blob(blob) => self.read_blob(BlobId(*blob), range).await,
            BodyRow::Empty | BodyRow::Parts(_) => Err(internal("a part has no bytes of its own")),
        }
    }

    async fn read_blob(&self, blob: BlobId, range: Range<u64>) -> S3Result<Option<Piece>> {
        match self.store().blobs().open_range(blob, range).await {
            Ok(reader) => {
                let chunks = reader.into_stream();
                Ok(Some(chunks.map(|chunk| chunk.map_err(|error| Box::new(error) as StdError)).boxed()))
            }
            Err(store::StoreError::NoSuchBlob { .. }) => Ok(None),
            Err(error) => Err(store_error(error)),
        }
    }
}

type Piece = BoxStream<'static, Result<Bytes, StdError>>;

fn failed(error: S3Error) -> Piece {
    stream::iter([Err(Box::new(error) as StdError)]).boxed()
}

fn to_usize(number: u64) -> S3Result<usize> {
    usize::try_from(number).map_err(internal)
}

/// A body that ends in an [`S3Error`] (a chunk with a wrong signature) fails with it; any other end is a client that went away.
pub(crate) fn body_error(error: StdError) -> S3Error {
    match error.downcast::<S3Error>() {
        Ok(error) => *error,
        Err(error) => {
            tracing::debug!(%error, "a request's body broke off");
            incomplete_body()
        }
    }
}

/// Part of a part.
#[derive(Debug, PartialEq, Eq)]
struct Slice {
    body: BodyRow,
    /// Of the whole part.
    size: u64,
    range: Range<u64>,
}

/// Which bytes of which parts make up a range of the whole.
fn slices(parts: &[PartRow], range: &Range<u64>) -> Vec<Slice> {
    let mut start = 0;
    let mut slices = Vec::new();
    for part in parts {
        let end = start + part.size;
        let (from, to) = (range.start.max(start), range.end.min(end));
        if from < to {
            slices.push(Slice { body: part.body, size: part.size, range: from - start..to - start });
        }
        start = end;
    }
    slices
}

/// Bytes of an object, of known length.
pub(crate) struct Reading {
    stream: Piece,
    remaining: u64,
}

impl Reading {
    /// As the body of an answer.
    pub fn into_blob(self) -> StreamingBlob {
        StreamingBlob::from(s3s::Body::http_body_unsync(self))
    }
}

impl Stream for Reading {
    type Item = Result<Bytes, StdError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.stream.poll_next_unpin(cx);
        if let Poll::Ready(Some(Ok(chunk))) = &next {
            self.remaining = self.remaining.saturating_sub(chunk.len() as u64);
        }
        next
    }
}

impl http_body::Body for Reading {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        self.poll_next(cx).map_ok(Frame::data)
    }

    fn is_end_stream(&self) -> bool {
        self.remaining == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_api::Timestamp;

    #[test]
    fn ranges_fall_on_parts() {
        let part = |number: u16, size| PartRow {
            number,
            size,
            etag: String::new(),
            modified: Timestamp::default(),
            body: BodyRow::Blob(u64::from(number)),
            sums: Vec::new(),
        };
        let parts = [part(1, 10), part(2, 5), part(7, 1)];
        let named = |range: Range<u64>| -> Vec<(u64, Range<u64>)> {
            let blob = |body| if let BodyRow::Blob(blob) = body { blob } else { 0 };
            slices(&parts, &range).into_iter().map(|slice| (blob(slice.body), slice.range)).collect()
        };
        assert_eq!(named(0..16), [(1, 0..10), (2, 0..5), (7, 0..1)]);
        assert_eq!(named(3..4), [(1, 3..4)]);
        assert_eq!(named(9..11), [(1, 9..10), (2, 0..1)]);
        assert_eq!(named(10..15), [(2, 0..5)]);
        assert_eq!(named(15..16), [(7, 0..1)]);
        assert_eq!(named(5..5), []);
    }
}
