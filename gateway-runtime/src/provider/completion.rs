//! Completion of an attempt: a value completes it on return, a stream with its first item.
//!
//! An attempt can fail over until it is complete. The mode follows from the type of the reply, not
//! from its name: an inherent constant, which exists for streams alone, takes precedence over the
//! trait's, which exists for every type.

use std::{future::Future, marker::PhantomData};

use futures_util::StreamExt;

use crate::{
    base::reply::Streaming,
    provider::{
        active_attempt::ActiveAttempt, attempt_stream::AttemptStream, error::ProviderError,
    },
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
    type Complete: Send;

    /// Waits until the reply is complete. This is part of the attempt, and may fail.
    #[doc(hidden)]
    fn first(self, reply: T) -> impl Future<Output = Result<Self::Complete, ProviderError>> + Send;

    /// Returns the reply, and ends the attempt, now or with the stream.
    #[doc(hidden)]
    fn finish(self, complete: Self::Complete, attempt: AttemptGuard) -> T;
}

/// Completion on return: the reply is a whole value.
#[derive(Clone, Copy, Debug)]
pub struct OnReturn;

/// Completion with the first item: the reply is a stream.
#[derive(Clone, Copy, Debug)]
pub struct OnFirstItem;

/// A stream whose first item has arrived.
#[derive(Debug)]
pub struct BegunStream<T> {
    /// The first item; `None` stands for an empty stream, which is a reply too.
    first: Option<T>,
    rest: Streaming<T>,
}

/// The attempt that a reply belongs to.
#[derive(Debug)]
pub struct AttemptGuard(ActiveAttempt);

impl From<ActiveAttempt> for AttemptGuard {
    fn from(attempt: ActiveAttempt) -> Self {
        Self(attempt)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::OnReturn {}
    impl Sealed for super::OnFirstItem {}
}

impl<T: Send> Completion<T> for OnReturn {
    type Complete = T;

    async fn first(self, reply: T) -> Result<T, ProviderError> {
        Ok(reply)
    }

    fn finish(self, reply: T, AttemptGuard(attempt): AttemptGuard) -> T {
        attempt.fulfilled();
        reply
    }
}

impl<T: Send + 'static> Completion<Streaming<T>> for OnFirstItem {
    type Complete = BegunStream<T>;

    async fn first(self, mut stream: Streaming<T>) -> Result<Self::Complete, ProviderError> {
        match stream.next().await {
            Some(Ok(item)) => Ok(BegunStream { first: Some(item), rest: stream }),
            Some(Err(error)) => Err(ProviderError::from_item(&error)),
            None => Ok(BegunStream { first: None, rest: stream }),
        }
    }

    fn finish(
        self,
        complete: Self::Complete,
        AttemptGuard(mut attempt): AttemptGuard,
    ) -> Streaming<T> {
        let BegunStream { first, rest } = complete;
        let Some(first) = first else {
            attempt.fulfilled();
            return rest;
        };
        attempt.streaming();
        Streaming::new(AttemptStream::new(first, rest, attempt))
    }
}
