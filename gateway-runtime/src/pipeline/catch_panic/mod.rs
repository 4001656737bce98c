//! Panics: a panic is the failure of the call in which it happened, and of no other.

#[cfg(test)]
mod tests;

use std::{
    any::Any,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{
    StreamExt,
    future::{Either, Ready, ready},
};
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use crate::{
    base::{
        error::Error,
        reply::{Chunks, Reply},
    },
    pipeline::invocation::Invocation,
};

/// The layer that adds [`CatchPanic`].
#[derive(Clone, Copy, Debug)]
pub(super) struct UnwindLayer;

impl<S> Layer<S> for UnwindLayer {
    type Service = CatchPanic<S>;

    fn layer(&self, inner: S) -> CatchPanic<S> {
        CatchPanic { inner }
    }
}

/// The service that turns a panic of a call into an internal error.
#[derive(Clone, Copy, Debug)]
pub(super) struct CatchPanic<S> {
    inner: S,
}

impl<S> Service<Invocation> for CatchPanic<S>
where
    S: Service<Invocation, Response = Reply, Error = Error>,
{
    type Response = Reply;
    type Error = Error;
    type Future = Either<UnwindFuture<S::Future>, Ready<Result<Reply, Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, invocation: Invocation) -> Self::Future {
        match catch_unwind(AssertUnwindSafe(|| self.inner.call(invocation))) {
            Ok(inner) => Either::Left(UnwindFuture { inner }),
            Err(panic) => Either::Right(ready(Err(panicked(&*panic)))),
        }
    }
}

pin_project! {
    /// A call, which is not polled again after a panic.
    pub(super) struct UnwindFuture<F> {
        #[pin]
        inner: F,
    }
}

impl<F: Future<Output = Result<Reply, Error>>> Future for UnwindFuture<F> {
    type Output = Result<Reply, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let inner = self.project().inner;
        // The call that panicked is dropped. State that it shares with other calls, such as a
        // mutex, is poisoned by itself.
        let polled = catch_unwind(AssertUnwindSafe(|| inner.poll(context)));
        polled.unwrap_or_else(|panic| Poll::Ready(Err(panicked(&*panic)))).map_ok(|reply| {
            match reply {
                Reply::Items(chunks) => Reply::Items(catch_stream_panics(chunks)),
                Reply::RawStream(media, chunks) => {
                    Reply::RawStream(media, catch_stream_panics(chunks))
                }
                whole => whole,
            }
        })
    }
}

fn catch_stream_panics(chunks: Chunks) -> Chunks {
    let chunks = AssertUnwindSafe(chunks).catch_unwind();
    Box::pin(chunks.map(|chunk| chunk.unwrap_or_else(|panic| Err(panicked(&*panic)))))
}

/// Returns the error of a panic. The client reads that the call failed, the log has the text of the
/// panic.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    Error::internal(format!("panicked: {}", text.unwrap_or("(not a text)")))
}
