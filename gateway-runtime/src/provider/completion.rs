//! When is an answer an answer? A value at once; a stream with its first item.
//!
//! Until then an attempt can fail over. The type of an answer decides, by its type and not by its name: an inherent
//! constant, which exists for streams alone, is found before the trait's, which exists for everything.

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

/// How attempts settle whose method returns `R`:
///
/// ```
/// use gateway_runtime::{
///     ProviderError, Streaming,
///     provider::{FirstItem, SettleWhole as _, Settling, Whole},
/// };
///
/// let _: Whole = Settling::<Result<u32, ProviderError>>::MODE;
/// let _: FirstItem = Settling::<Result<Streaming<u32>, ProviderError>>::MODE;
/// ```
#[derive(Debug)]
pub struct CompletionOf<R>(PhantomData<fn() -> R>);

impl<T: Send + 'static> CompletionOf<Result<Streaming<T>, ProviderError>> {
    /// By the first item.
    pub const MODE: OnFirstItem = OnFirstItem;
}

/// Everything that is no stream settles as a whole. What is no answer at all is reported elsewhere, once:
/// [`Provided`](crate::private::support::Provided).
pub trait DefaultCompletion {
    /// As a whole.
    const MODE: OnReturn = OnReturn;
}

impl<R> DefaultCompletion for CompletionOf<R> {}

/// How an answer of type `T` settles.
pub trait Completion<T>: Copy + Send + Sync + sealed::Sealed {
    /// The answer while it waits to be handed out.
    type Held: Send;

    /// Waits for what makes it an answer; this is part of the attempt, and may fail.
    #[doc(hidden)]
    fn first(self, answer: T) -> impl Future<Output = Result<Self::Held, ProviderError>> + Send;

    /// Hands it out; the attempt ends, now or with the stream.
    #[doc(hidden)]
    fn finish(self, held: Self::Held, attempt: AttemptGuard) -> T;
}

/// The answer is there as a whole.
#[derive(Clone, Copy, Debug)]
pub struct OnReturn;

/// The answer is a stream, and an answer with its first item.
#[derive(Clone, Copy, Debug)]
pub struct OnFirstItem;

/// The attempt that an answer belongs to.
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
    /// None in front: the stream was empty, which is an answer too.
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
/// provider's silence. Dropped before that, the attempt was cancelled by the client.
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

/// The error at the end of a stream whose provider was silent for longer than `item_timeout`.
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

/// A limit that the clock can represent, for settings that are longer.
const MAX_LATENCY: Duration = Duration::from_secs(365 * 86_400);

/// The time since a stream's provider was last seen to have nothing ready. It runs only while the
/// stream is waited for, so that a client that reads slowly is not taken for a silent provider.
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

    /// Notes that an item came.
    fn broken(&mut self) {
        self.is_running = false;
    }

    /// Completes, with the limit, when the silence has lasted too long.
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

/// Nothing in it is pinned.
impl<T> Unpin for AttemptStream<T> {}
