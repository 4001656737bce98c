//! Answers that come piece by piece.

use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};
use serde::de::DeserializeOwned;

use crate::edge::client::{ClientError, reply::read_json, transport::ByteStream};

/// The items of a streamed answer, as they come.
///
/// The end without an error is the end of the answer. A connection that was cut, and a failure of the service's after
/// its first items, are an error, after which nothing comes: a part is never taken for the whole. Dropping it tells the
/// service to stop.
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

/// An answer that is no JSON: its media type, and its bytes as they come or [all at once](Self::bytes).
///
/// As with [`Items`], an end without an error is the whole of it.
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

    /// As in `Content-Type`.
    #[must_use]
    pub fn media_type(&self) -> &str {
        &self.media
    }

    /// All of it, however long it is.
    ///
    /// # Errors
    ///
    /// When the connection is cut before the end.
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
