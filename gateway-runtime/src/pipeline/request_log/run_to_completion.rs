//! Completion of calls whose caller disconnects: a call that must complete goes on in a task of its
//! own.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use tokio::runtime::Handle;

use crate::base::{error::Error, reply::Reply};

/// A future that goes on in a task of its own when it is dropped, if it must complete and has
/// begun.
pub(in crate::pipeline) struct RunToCompletion {
    work: Option<BoxFuture<'static, Result<Reply, Error>>>,
    must_complete: bool,
    has_begun: bool,
}

impl RunToCompletion {
    pub(in crate::pipeline) fn new(
        work: BoxFuture<'static, Result<Reply, Error>>,
        must_end: bool,
    ) -> Self {
        Self { work: Some(work), must_complete: must_end, has_begun: false }
    }
}

impl Future for RunToCompletion {
    type Output = Result<Reply, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.has_begun = true;
        // Taken out, so that a call that panics is dropped and no task polls it again.
        let Some(mut work) = self.work.take() else {
            return Poll::Ready(Err(Error::internal("a call was waited for after it had ended")));
        };
        let outcome = work.as_mut().poll(context);
        if outcome.is_pending() {
            self.work = Some(work);
        }
        outcome
    }
}

impl Drop for RunToCompletion {
    fn drop(&mut self) {
        // The caller has disconnected. Most callers stay, so the task is spawned only now.
        if self.must_complete
            && self.has_begun
            && let Some(work) = self.work.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(work);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, panic::AssertUnwindSafe, sync::Arc};

    use futures_util::FutureExt;
    use tokio::sync::oneshot;

    use super::*;

    /// Returns whether a call completes that is dropped after its first poll.
    async fn ends(must_end: bool) -> bool {
        let (open, gate) = oneshot::channel::<()>();
        let (end, ended) = oneshot::channel();
        let work = async {
            gate.await.unwrap();
            end.send(()).unwrap();
            Ok(Reply::Empty)
        };
        assert!(RunToCompletion::new(Box::pin(work), must_end).now_or_never().is_none());
        let _ = open.send(());
        ended.await.is_ok()
    }

    #[tokio::test]
    async fn call_that_must_complete_goes_on_when_dropped() {
        assert!(ends(true).await);
        assert!(!ends(false).await);
    }

    #[tokio::test]
    async fn call_that_panicked_is_not_polled_again() {
        let held = Arc::new(());
        let by_the_call = Arc::clone(&held);
        let work = poll_fn(move |_| {
            let _still = &by_the_call;
            panic!("broken")
        });
        let panicked =
            AssertUnwindSafe(RunToCompletion::new(Box::pin(work), true)).catch_unwind().await;
        assert!(panicked.is_err());
        assert_eq!(Arc::strong_count(&held), 1, "a task has it");
    }
}
