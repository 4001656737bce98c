//! When is an answer an answer? A value at once; a stream with its first item.
//!
//! Until then an attempt can fail over. The type of an answer decides, by its type and not by its name: an inherent
//! constant, which exists for streams alone, is found before the trait's, which exists for everything.

use std::{
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::{Stream, StreamExt};

use super::{error::ProviderError, running::Running};
use crate::{error::Error, reply::Streaming};

/// How attempts settle whose method returns `R`:
///
/// ```
/// use gateway_runtime::{
///     ProviderError, Streaming,
///     provider::{FirstItem, SettleWhole as _, Settling, Whole},
/// };
///
/// let _: Whole = Settling::<Result<u32, ProviderError>>::HOW;
/// let _: FirstItem = Settling::<Result<Streaming<u32>, ProviderError>>::HOW;
/// ```
#[derive(Debug)]
pub struct Settling<R>(PhantomData<fn() -> R>);

impl<T: Send + 'static> Settling<Result<Streaming<T>, ProviderError>> {
    /// By the first item.
    pub const HOW: FirstItem = FirstItem;
}

/// Everything that is no stream settles as a whole. What is no answer at all is reported elsewhere, once:
/// [`Provided`](crate::support::Provided).
pub trait SettleWhole {
    /// As a whole.
    const HOW: Whole = Whole;
}

impl<R> SettleWhole for Settling<R> {}

/// How an answer of type `T` settles.
pub trait Settle<T>: Copy + Send + Sync + sealed::Sealed {
    /// The answer while it waits to be handed out.
    type Held: Send;

    /// Waits for what makes it an answer; this is part of the attempt, and may fail.
    #[doc(hidden)]
    fn first(self, answer: T) -> impl Future<Output = Result<Self::Held, ProviderError>> + Send;

    /// Hands it out; the attempt ends, now or with the stream.
    #[doc(hidden)]
    fn finish(self, held: Self::Held, attempt: Attending) -> T;
}

/// The answer is there as a whole.
#[derive(Clone, Copy, Debug)]
pub struct Whole;

/// The answer is a stream, and an answer with its first item.
#[derive(Clone, Copy, Debug)]
pub struct FirstItem;

/// The attempt that an answer belongs to.
#[derive(Debug)]
pub struct Attending(Running);

impl From<Running> for Attending {
    fn from(running: Running) -> Self {
        Self(running)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Whole {}
    impl Sealed for super::FirstItem {}
}

impl<T: Send> Settle<T> for Whole {
    type Held = T;

    async fn first(self, answer: T) -> Result<T, ProviderError> {
        Ok(answer)
    }

    fn finish(self, answer: T, Attending(running): Attending) -> T {
        running.fulfilled();
        answer
    }
}

impl<T: Send + 'static> Settle<Streaming<T>> for FirstItem {
    /// None in front: the stream was empty, which is an answer too.
    type Held = (Option<T>, Streaming<T>);

    async fn first(self, mut stream: Streaming<T>) -> Result<Self::Held, ProviderError> {
        match stream.next().await {
            Some(Ok(item)) => Ok((Some(item), stream)),
            Some(Err(error)) => Err(ProviderError::from_item(&error)),
            None => Ok((None, stream)),
        }
    }

    fn finish(self, (first, rest): Self::Held, Attending(mut running): Attending) -> Streaming<T> {
        let Some(first) = first else {
            running.fulfilled();
            return rest;
        };
        running.streaming();
        Streaming::new(Attended { first: Some(first), rest: Some((rest, running)) })
    }
}

/// A stream that takes its attempt along: it ends with the stream, well or not, and dropped before that, it was
/// cancelled by the client.
struct Attended<T> {
    first: Option<T>,
    rest: Option<(Streaming<T>, Running)>,
}

impl<T: Send + 'static> Stream for Attended<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        let Some((rest, _)) = &mut self.rest else { return Poll::Ready(None) };
        let item = ready!(rest.poll_next_unpin(context));
        let end = match &item {
            Some(Ok(_)) => return Poll::Ready(item),
            Some(Err(error)) => Some(ProviderError::from_item(error).log("after the first item")),
            None => None,
        };
        if let Some((_, running)) = self.rest.take() {
            match end {
                Some(error) => running.failed(&error),
                None => running.fulfilled(),
            }
        }
        Poll::Ready(item)
    }
}

/// Nothing in it is pinned.
impl<T> Unpin for Attended<T> {}
