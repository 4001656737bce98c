//! Streamed replies.

use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};
use serde::de::DeserializeOwned;

use crate::edge::client::{ClientError, json::read_json, transport::ByteStream};

/// The items of a streamed reply, as they arrive.
///
/// A stream that ends without an error is complete. An aborted connection, and a failure of the
/// service after its first items, is an error, and the last item: an incomplete reply never looks
/// complete. Dropping the stream cancels the call.
///
/// ```
/// use futures_util::TryStreamExt;
/// use gateway_runtime::client::{ClientError, ReplyStream};
///
/// /// Returns the highest rate of a reply; fails if the reply is incomplete.
/// async fn highest(mut rates: ReplyStream<f64>) -> Result<f64, ClientError> {
///     let mut highest = f64::MIN;
///     while let Some(rate) = rates.try_next().await? {
///         highest = highest.max(rate);
///     }
///     Ok(highest)
/// }
/// ```
#[must_use = "a stream does nothing unless it is read"]
pub struct ReplyStream<T> {
    pieces: Option<ByteStream>,
    item: PhantomData<fn() -> T>,
}

impl<T> ReplyStream<T> {
    pub(super) fn new(pieces: ByteStream) -> Self {
        Self { pieces: Some(pieces), item: PhantomData }
    }
}

impl<T: DeserializeOwned> Stream for ReplyStream<T> {
    type Item = Result<T, ClientError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(pieces) = &mut self.pieces else { return Poll::Ready(None) };
        let item = ready!(pieces.as_mut().poll_next(context)).map(|piece| read_json(&piece?));
        if !matches!(item, Some(Ok(_))) {
            self.pieces = None;
        }
        Poll::Ready(item)
    }
}

impl<T> fmt::Debug for ReplyStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Items(..)")
    }
}

/// A reply that is not JSON: its media type, and its bytes as a stream or [at once](Self::bytes).
///
/// As with [`ReplyStream`], a body that ends without an error is complete.
///
/// ```
/// use gateway_runtime::client::{ClientError, ReplyBody};
///
/// /// Returns the text of a reply; fails if the reply is incomplete.
/// async fn text(reply: ReplyBody) -> Result<String, ClientError> {
///     if !reply.media_type().starts_with("text/") {
///         let why = format!("expected text, got {}", reply.media_type());
///         return Err(ClientError::InvalidResponse { status: None, why });
///     }
///     Ok(String::from_utf8_lossy(&reply.bytes().await?).into_owned())
/// }
/// ```
#[must_use = "a body does nothing unless it is read"]
pub struct ReplyBody {
    media: String,
    pieces: ByteStream,
}

impl ReplyBody {
    pub(super) fn new(media: String, pieces: ByteStream) -> Self {
        Self { media, pieces }
    }

    pub(super) fn whole(media: &str, bytes: Bytes) -> Self {
        Self::new(media.to_owned(), Box::pin(stream::iter([Ok(bytes)])))
    }

    /// Returns the media type, as in `Content-Type`.
    #[must_use]
    pub fn media_type(&self) -> &str {
        &self.media
    }

    /// Returns the whole body, without a limit of its length.
    ///
    /// # Errors
    ///
    /// Fails if the connection is aborted before the end.
    pub async fn bytes(mut self) -> Result<Bytes, ClientError> {
        let mut whole = BytesMut::new();
        while let Some(piece) = self.next().await {
            whole.extend_from_slice(&piece?);
        }
        Ok(whole.freeze())
    }
}

impl Stream for ReplyBody {
    type Item = Result<Bytes, ClientError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.pieces.as_mut().poll_next(context)
    }
}

impl fmt::Debug for ReplyBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Body").field(&self.media).finish()
    }
}
