//! A streamed answer that keeps its last bytes back until its record is durable.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::future::BoxFuture;
use http_body::{Body as _, Frame, SizeHint};
use record::Failure;
use store::StoreError;

use crate::backend::{Body, BodyError};
use crate::recorder::OpenAnswer;

/// The body of a streamed answer.
///
/// One chunk is always held back; once the inner body has ended the record is committed, and only then does the held chunk
/// follow. A client that has read the last byte can thus rely on the record. A connection that goes away leaves a record too,
/// with the bytes that were handed to it.
pub(crate) struct AuditedBody {
    inner: Body,
    held: Option<Bytes>,
    answer: Arc<OpenAnswer>,
    state: State,
}

enum State {
    Streaming,
    Recording(BoxFuture<'static, Result<(), StoreError>>),
    Done,
}

/// The connection is closed in the middle of an answer.
#[derive(Debug, thiserror::Error)]
enum Aborted {
    #[error("the answer stood still for too long")]
    Stalled,
    #[error("the request could not be recorded")]
    NotRecorded(#[source] StoreError),
}

impl AuditedBody {
    pub fn new(inner: Body, answer: Arc<OpenAnswer>) -> Self {
        Self { inner, held: None, answer, state: State::Streaming }
    }

    fn start_recording(&mut self, failure: Option<Failure>) {
        if let Some(held) = &self.held {
            self.answer.sent(held.len());
        }
        let answer = Arc::clone(&self.answer);
        self.state = State::Recording(Box::pin(async move { answer.finish(failure).await }));
    }

    /// The next chunk to hand on; the one after it is held back.
    fn poll_streaming(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        loop {
            if self.answer.is_finished() {
                self.state = State::Done;
                return Poll::Ready(Some(Err(BodyError(Aborted::Stalled.into()))));
            }
            match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue };
                    if let Some(before) = self.held.replace(data) {
                        self.answer.sent(before.len());
                        return Poll::Ready(Some(Ok(before)));
                    }
                }
                Some(Err(error)) => {
                    tracing::warn!(%error, "a streamed answer broke off");
                    self.held = None;
                    self.start_recording(Some(Failure {
                        code: "InternalError".into(),
                        message: "We encountered an internal error. Please try again.".into(),
                    }));
                    return Poll::Ready(Some(Err(error)));
                }
                None => {
                    self.start_recording(None);
                    return Poll::Ready(None);
                }
            }
        }
    }
}

impl http_body::Body for AuditedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        loop {
            match &mut this.state {
                State::Streaming => {
                    if let Some(chunk) = ready!(this.poll_streaming(cx)) {
                        return Poll::Ready(Some(chunk.map(Frame::data)));
                    }
                }
                State::Recording(future) => {
                    let recorded = ready!(future.as_mut().poll(cx));
                    this.state = State::Done;
                    if let Err(error) = recorded {
                        return Poll::Ready(Some(Err(BodyError(Aborted::NotRecorded(error).into()))));
                    }
                }
                State::Done => return Poll::Ready(this.held.take().map(|held| Ok(Frame::data(held)))),
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        let held = self.held.as_ref().map_or(0, Bytes::len) as u64;
        match self.inner.size_hint().exact() {
            Some(rest) => SizeHint::with_exact(rest + held),
            None => SizeHint::default(),
        }
    }
}

impl Drop for AuditedBody {
    /// The client went away, or the server stops: what was sent until now is recorded.
    fn drop(&mut self) {
        let unfinished = match std::mem::replace(&mut self.state, State::Done) {
            State::Streaming if !self.answer.is_finished() => {
                let answer = Arc::clone(&self.answer);
                Box::pin(async move { answer.finish(None).await })
            }
            State::Recording(future) => future,
            State::Streaming | State::Done => return,
        };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = unfinished.await {
                    tracing::error!(%error, "the record of an answer that was cut off could not be written");
                }
            });
        }
        // Without a runtime the process is ending; the opening entry is completed at the next start.
    }
}
