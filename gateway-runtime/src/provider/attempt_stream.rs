//! The stream of an attempt: the attempt ends with it, with its failure or with the provider's
//! silence.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::{Stream, StreamExt};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::{
    base::{
        attempt::AttemptClass,
        error::{Code, Error},
        reply::Streaming,
        spec::Effect,
    },
    provider::{active_attempt::ActiveAttempt, error::ProviderError},
};

/// A stream that owns its attempt: the attempt ends with the stream, with its failure or with the
/// provider's silence. If the stream is dropped before, the attempt was cancelled by the client.
pub(super) struct AttemptStream<T> {
    first: Option<T>,
    rest: Option<RemainingItems<T>>,
    silence: Silence,
}

/// The items after the first, and the attempt that ends with them.
struct RemainingItems<T> {
    stream: Streaming<T>,
    attempt: ActiveAttempt,
}

/// No field is pinned.
impl<T> Unpin for AttemptStream<T> {}

impl<T> AttemptStream<T> {
    pub(super) fn new(first: T, rest: Streaming<T>, attempt: ActiveAttempt) -> Self {
        let silence = Silence::new(attempt.core.settings.item_timeout);
        Self { first: Some(first), rest: Some(RemainingItems { stream: rest, attempt }), silence }
    }
}

impl<T: Send + 'static> Stream for AttemptStream<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if let Some(first) = this.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        let Some(rest) = &mut this.rest else { return Poll::Ready(None) };
        let (item, failure) = match rest.stream.poll_next_unpin(context) {
            Poll::Ready(Some(Ok(item))) => {
                this.silence.reset();
                return Poll::Ready(Some(Ok(item)));
            }
            Poll::Ready(Some(Err(error))) => {
                let failure = ProviderError::from_item(&error).log("after the first item");
                (Some(Err(error)), Some(failure))
            }
            Poll::Ready(None) => (None, None),
            Poll::Pending => {
                let timeout = ready!(this.silence.poll_timeout(context));
                let failure = ProviderError::timed_out(format!("no item for {timeout:?}"));
                (Some(Err(silent(rest.attempt.effect()))), Some(failure))
            }
        };
        if let Some(RemainingItems { attempt, .. }) = this.rest.take() {
            match failure {
                Some(error) => attempt.failed(&error),
                None => attempt.fulfilled(),
            }
        }
        Poll::Ready(item)
    }
}

/// Returns the error at the end of a stream whose provider was silent for longer than
/// `item_timeout`.
fn silent(effect: Effect) -> Error {
    let error = match effect {
        Effect::Read | Effect::Idempotent => Error::new(
            Code::TIMEOUT,
            "the provider sent nothing for too long; the call can be retried",
        ),
        Effect::Keyed | Effect::Once => Error::new(
            Code::OUTCOME_UNKNOWN,
            "the provider sent nothing for too long; the outcome is unknown",
        ),
    };
    error.with_attempt(AttemptClass::Ambiguous, None)
}

/// The limit for settings that are longer than the clock can represent.
const MAX_ITEM_TIMEOUT: Duration = Duration::from_secs(365 * 86_400);

/// The time since a stream's provider was last found to have no item ready. It runs only while the
/// stream is polled, so that a client that reads slowly is not taken for a silent provider.
struct Silence {
    timeout: Duration,
    /// Created at the first wait; streams that never wait need none.
    timer: Option<Pin<Box<Sleep>>>,
    is_running: bool,
}

impl Silence {
    fn new(timeout: Duration) -> Self {
        Self { timeout, timer: None, is_running: false }
    }

    /// Resets the time after an item.
    fn reset(&mut self) {
        self.is_running = false;
    }

    /// Completes with the limit when the silence has lasted too long.
    fn poll_timeout(&mut self, context: &mut Context<'_>) -> Poll<Duration> {
        let end = || Instant::now() + self.timeout.min(MAX_ITEM_TIMEOUT);
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(end())));
        if !self.is_running {
            self.is_running = true;
            timer.as_mut().reset(end());
        }
        timer.as_mut().poll(context).map(|()| self.timeout)
    }
}
