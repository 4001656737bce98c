//! A call that is recorded, which may have to end whoever waits for it.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::runtime::Handle;

use crate::base::{error::Error, reply::Reply};

type Work = Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send>>;

/// A call that is recorded. One that must end goes on also when nobody waits for it any more.
pub(in crate::pipeline) struct RunToCompletion {
    work: Option<Work>,
    must_complete: bool,
    has_begun: bool,
}

impl RunToCompletion {
    pub(in crate::pipeline) fn new(work: Work, must_end: bool) -> Self {
        Self { work: Some(work), must_complete: must_end, has_begun: false }
    }
}

impl Future for RunToCompletion {
    type Output = Result<Reply, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.has_begun = true;
        // Taken out, so that what panics is gone, and no task goes on with it.
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
        // Its caller has left. Most stay, so only now is it worth a task.
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

    /// Whether a call that begins and is then waited for by nobody comes to its end.
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
    async fn what_must_end_goes_on_when_its_caller_has_left() {
        assert!(ends(true).await);
        assert!(!ends(false).await);
    }

    #[tokio::test]
    async fn what_has_panicked_does_not_go_on() {
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
