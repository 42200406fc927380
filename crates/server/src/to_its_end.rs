//! Work that is done to its end, also when nobody waits for it any more.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::FutureExt as _;
use futures::future::CatchUnwind;

/// The work, polled by whoever waits for it; where it is dropped before its end, a task of its own takes it over. A task for
/// each piece of work from its beginning would cost more than the piece.
///
/// `None` if it panicked.
pub fn to_its_end<F>(work: F) -> ToItsEnd<F>
where
    F: Future<Output: Send> + Send + 'static,
{
    ToItsEnd(Some(Box::pin(AssertUnwindSafe(work).catch_unwind())))
}

/// See [`to_its_end`].
pub struct ToItsEnd<F: Future<Output: Send> + Send + 'static>(Option<Pin<Box<CatchUnwind<AssertUnwindSafe<F>>>>>);

impl<F: Future<Output: Send> + Send + 'static> Future for ToItsEnd<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(work) = &mut self.0 else { return Poll::Ready(None) };
        let done = ready!(work.as_mut().poll(cx));
        self.0 = None;
        // Its message has gone where panics are told.
        Poll::Ready(done.ok())
    }
}

impl<F: Future<Output: Send> + Send + 'static> Drop for ToItsEnd<F> {
    fn drop(&mut self) {
        // Without a runtime the process is ending.
        if let Some(work) = self.0.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(work);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn done_though_nobody_waits() {
        let ((go, gone), (done, seen)) = (oneshot::channel::<()>(), oneshot::channel());
        let mut work = to_its_end(async move {
            gone.await.unwrap();
            done.send(7).unwrap();
        });
        let waited = tokio::time::timeout(std::time::Duration::ZERO, &mut work);
        assert!(waited.await.is_err(), "it is begun, and has not ended");
        drop(work);
        go.send(()).unwrap();
        assert_eq!(seen.await, Ok(7));
    }

    #[tokio::test]
    async fn a_panic_ends_the_work_alone() {
        assert_eq!(to_its_end(async { 1 }).await, Some(1));
        let mut work = to_its_end(async { panic!("of the test") });
        let ended: Option<()> = (&mut work).await;
        assert_eq!(ended, None);
        assert_eq!(work.await, None, "it is not begun anew");
    }
}
