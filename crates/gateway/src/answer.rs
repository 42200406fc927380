//! A streamed answer, and its record at its end.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use record::Failure;

use crate::backend::{Body, BodyError};
use crate::recorder::OpenAnswer;

/// The body of a streamed answer.
///
/// Its opening entry is durable, so that nothing of it waits for its record. A connection that goes away leaves a record too, with
/// the bytes that were handed to it.
pub(crate) struct AuditedBody {
    inner: Body,
    answer: Arc<OpenAnswer>,
}

/// The connection is closed in the middle of an answer.
#[derive(Debug, thiserror::Error)]
#[error("the answer stood still for too long")]
struct Stalled;

impl AuditedBody {
    pub fn new(inner: Body, answer: Arc<OpenAnswer>) -> Self {
        Self { inner, answer }
    }

    fn record(&self, failure: Option<Failure>) {
        if let Err(error) = self.answer.finish(failure) {
            tracing::error!(%error, "the record of a streamed answer could not be completed; its opening entry stands for it");
        }
    }
}

impl http_body::Body for AuditedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.answer.is_finished() {
            return Poll::Ready(Some(Err(BodyError(Stalled.into()))));
        }
        loop {
            match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue };
                    self.answer.sent(data.len());
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                Some(Err(error)) => {
                    tracing::warn!(%error, "a streamed answer broke off");
                    self.record(Some(Failure {
                        code: "InternalError".into(),
                        message: "We encountered an internal error. Please try again.".into(),
                    }));
                    return Poll::Ready(Some(Err(error)));
                }
                None => return Poll::Ready(None),
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for AuditedBody {
    /// At its end, when the client goes away, or when the server stops: what was sent until now is recorded.
    fn drop(&mut self) {
        self.record(None);
    }
}
