//! Completion of an attempt: a value completes it on return, a stream with its first item.
//!
//! An attempt can fail over until it is complete. The mode follows from the type of the reply, not
//! from its name: an inherent constant, which exists for streams alone, takes precedence over the
//! trait's, which exists for every type.

use std::{
    future::Future,
    marker::PhantomData,
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

/// The completion mode of attempts whose method returns `R`:
///
/// ```
/// use gateway_runtime::{
///     ProviderError, Streaming,
///     provider::{CompletionOf, DefaultCompletion as _, OnFirstItem, OnReturn},
/// };
///
/// let _: OnReturn = CompletionOf::<Result<u32, ProviderError>>::MODE;
/// let _: OnFirstItem = CompletionOf::<Result<Streaming<u32>, ProviderError>>::MODE;
/// ```
#[derive(Debug)]
pub struct CompletionOf<R>(PhantomData<fn() -> R>);

impl<T: Send + 'static> CompletionOf<Result<Streaming<T>, ProviderError>> {
    /// Completion with the first item.
    pub const MODE: OnFirstItem = OnFirstItem;
}

/// The default mode: every type except a stream completes on return. A type that is no reply at all
/// is reported elsewhere, once:
/// [`CapabilityResult`](crate::private::support::CapabilityResult).
pub trait DefaultCompletion {
    /// Completion on return.
    const MODE: OnReturn = OnReturn;
}

impl<R> DefaultCompletion for CompletionOf<R> {}

/// A completion mode for replies of type `T`.
pub trait Completion<T>: Copy + Send + Sync + sealed::Sealed {
    /// The complete reply, before it is returned.
    type Held: Send;

    /// Waits until the reply is complete. This is part of the attempt, and may fail.
    #[doc(hidden)]
    fn first(self, answer: T) -> impl Future<Output = Result<Self::Held, ProviderError>> + Send;

    /// Returns the reply, and ends the attempt, now or with the stream.
    #[doc(hidden)]
    fn finish(self, held: Self::Held, attempt: AttemptGuard) -> T;
}

/// Completion on return: the reply is a whole value.
#[derive(Clone, Copy, Debug)]
pub struct OnReturn;

/// Completion with the first item: the reply is a stream.
#[derive(Clone, Copy, Debug)]
pub struct OnFirstItem;

/// The attempt that a reply belongs to.
#[derive(Debug)]
pub struct AttemptGuard(ActiveAttempt);

impl From<ActiveAttempt> for AttemptGuard {
    fn from(running: ActiveAttempt) -> Self {
        Self(running)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::OnReturn {}
    impl Sealed for super::OnFirstItem {}
}

impl<T: Send> Completion<T> for OnReturn {
    type Held = T;

    async fn first(self, answer: T) -> Result<T, ProviderError> {
        Ok(answer)
    }

    fn finish(self, answer: T, AttemptGuard(running): AttemptGuard) -> T {
        running.fulfilled();
        answer
    }
}

impl<T: Send + 'static> Completion<Streaming<T>> for OnFirstItem {
    /// The first item and the rest of the stream. `None` stands for an empty stream, which is a
    /// reply too.
    type Held = (Option<T>, Streaming<T>);

    async fn first(self, mut stream: Streaming<T>) -> Result<Self::Held, ProviderError> {
        match stream.next().await {
            Some(Ok(item)) => Ok((Some(item), stream)),
            Some(Err(error)) => Err(ProviderError::from_item(&error)),
            None => Ok((None, stream)),
        }
    }

    fn finish(
        self,
        (first, rest): Self::Held,
        AttemptGuard(mut running): AttemptGuard,
    ) -> Streaming<T> {
        let Some(first) = first else {
            running.fulfilled();
            return rest;
        };
        running.streaming();
        let silence = Silence::new(running.core.settings.item_timeout);
        Streaming::new(AttemptStream { first: Some(first), rest: Some((rest, running)), silence })
    }
}

/// A stream that owns its attempt: the attempt ends with the stream, with its failure or with the
/// provider's silence. If the stream is dropped before, the attempt was cancelled by the client.
struct AttemptStream<T> {
    first: Option<T>,
    rest: Option<(Streaming<T>, ActiveAttempt)>,
    silence: Silence,
}

impl<T: Send + 'static> Stream for AttemptStream<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if let Some(first) = this.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        let Some((rest, running)) = &mut this.rest else { return Poll::Ready(None) };
        let (item, end) = match rest.poll_next_unpin(context) {
            Poll::Ready(Some(Ok(item))) => {
                this.silence.broken();
                return Poll::Ready(Some(Ok(item)));
            }
            Poll::Ready(Some(Err(error))) => {
                let end = ProviderError::from_item(&error).log("after the first item");
                (Some(Err(error)), Some(end))
            }
            Poll::Ready(None) => (None, None),
            Poll::Pending => {
                let timeout = ready!(this.silence.poll_too_long(context));
                let end = ProviderError::timed_out(format!("no item for {timeout:?}"));
                (Some(Err(silent(running.effect()))), Some(end))
            }
        };
        if let Some((_, running)) = this.rest.take() {
            match end {
                Some(error) => running.failed(&error),
                None => running.fulfilled(),
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
            "the provider sent nothing for too long; send the request again",
        ),
        Effect::Keyed | Effect::Once => Error::new(
            Code::OUTCOME_UNKNOWN,
            "the provider sent nothing for too long; whether the call was executed is not known",
        ),
    };
    error.with_attempt(AttemptClass::Ambiguous, None)
}

/// The limit for settings that are longer than the clock can represent.
const MAX_LATENCY: Duration = Duration::from_secs(365 * 86_400);

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
    fn broken(&mut self) {
        self.is_running = false;
    }

    /// Completes with the limit when the silence has lasted too long.
    fn poll_too_long(&mut self, context: &mut Context<'_>) -> Poll<Duration> {
        let over = || Instant::now() + self.timeout.min(MAX_LATENCY);
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(over())));
        if !self.is_running {
            self.is_running = true;
            timer.as_mut().reset(over());
        }
        timer.as_mut().poll(context).map(|()| self.timeout)
    }
}

/// No field is pinned.
impl<T> Unpin for AttemptStream<T> {}
