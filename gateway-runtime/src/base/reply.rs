//! The reply of a method, before an edge writes it: JSON, bytes of a media type, or a stream of
//! either.

use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use serde::Serialize;

use crate::base::error::Error;

/// A stream of byte chunks, each a whole JSON value or a piece of a body.
pub type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>;

/// A reply, in the form in which layers pass it to the edge.
pub enum Reply {
    /// Empty: the reply of a method that returns `()`.
    Empty,
    /// A JSON value, serialised.
    Json(Bytes),
    /// Bytes of a media type.
    Raw(&'static str, Bytes),
    /// JSON values one after another, sent as Server-Sent Events or NDJSON.
    Items(Chunks),
    /// Bytes of a media type, piece by piece.
    RawStream(&'static str, Chunks),
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Json(json) => f.debug_tuple("Json").field(json).finish(),
            Self::Raw(media, bytes) => f.debug_tuple("Raw").field(media).field(bytes).finish(),
            Self::Items(_) => f.write_str("Items(..)"),
            Self::RawStream(media, _) => f.debug_tuple("RawStream").field(media).finish(),
        }
    }
}

/// A reply of many items, sent as Server-Sent Events or NDJSON according to the client's `Accept`.
///
/// ```
/// use gateway_runtime::{Error, Streaming};
///
/// let ticks = Streaming::new(futures_util::stream::iter([1, 2, 3].map(Ok::<_, Error>)));
/// # let _: Streaming<i32> = ticks;
/// ```
pub struct Streaming<T>(Pin<Box<dyn Stream<Item = Result<T, Error>> + Send>>);

impl<T: Send + 'static> Streaming<T> {
    /// Streams what `items` yields; its first error ends the stream.
    pub fn new<S, E>(items: S) -> Self
    where
        S: Stream<Item = Result<T, E>> + Send + 'static,
        E: Into<Error>,
    {
        Self(Box::pin(items.map(|item| item.map_err(Into::into))))
    }

    /// Serialises each item as JSON.
    pub(crate) fn into_json(self) -> Chunks
    where
        T: Serialize,
    {
        Box::pin(self.0.map(|item| Ok(serde_json::to_vec(&item?)?.into())))
    }
}

impl<T> Stream for Streaming<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context)
    }
}

impl<T> fmt::Debug for Streaming<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Streaming(..)")
    }
}

/// A media type of [`Raw`] replies.
///
/// ```
/// struct Svg;
/// impl gateway_runtime::MediaType for Svg {
///     const NAME: &'static str = "image/svg+xml";
/// }
/// ```
pub trait MediaType: Send + 'static {
    /// Value of `Content-Type`.
    const NAME: &'static str;
}

/// Common media types of replies.
///
/// ```
/// use gateway_runtime::{MediaType, prelude::*};
///
/// const LOGO: &[u8] = b"\x89PNG\r\n\x1a\n";
///
/// #[service]
/// struct Pages;
///
/// #[service]
/// impl Pages {
///     /// Returns a page.
///     #[expose_method(GET)]
///     async fn front(&self) -> Result<Raw<media::Html>> {
///         Ok(Raw::new("<!doctype html><title>Rates</title>"))
///     }
///
///     /// Returns the picture on the page.
///     #[expose_method(GET)]
///     async fn logo(&self) -> Result<Raw<media::Png>> {
///         Ok(Raw::new(LOGO))
///     }
///
///     /// Returns the licence, which browsers show as it is.
///     #[expose_method(GET)]
///     async fn licence(&self) -> Result<Raw<media::PlainText>> {
///         Ok(Raw::new("Licensed under either of …"))
///     }
///
///     /// Returns a key file, which browsers save.
///     #[expose_method(GET)]
///     async fn key_file(&self) -> Result<Raw<media::OctetStream>> {
///         Ok(Raw::new(vec![0; 32]))
///     }
/// }
///
/// # fn main() {
/// assert_eq!(media::PlainText::NAME, "text/plain; charset=utf-8");
/// # }
/// ```
pub mod media {
    use super::MediaType;

    macro_rules! media_types {
        ($($(#[$doc:meta])* $name:ident = $value:literal;)*) => {$(
            $(#[$doc])*
            #[derive(Debug)]
            pub enum $name {}

            impl MediaType for $name {
                const NAME: &'static str = $value;
            }
        )*};
    }

    media_types! {
        /// Bytes of no known kind.
        OctetStream = "application/octet-stream";
        /// Plain text in UTF-8.
        PlainText = "text/plain; charset=utf-8";
        /// HTML in UTF-8.
        Html = "text/html; charset=utf-8";
        /// Comma-separated values in UTF-8 (RFC 4180).
        Csv = "text/csv; charset=utf-8";
        /// A PDF document.
        Pdf = "application/pdf";
        /// A PNG picture.
        Png = "image/png";
    }
}

/// A reply that is not JSON: bytes of the media type `M`, whole or streamed.
///
/// ```
/// use bytes::Bytes;
/// use futures_util::stream;
/// use gateway_runtime::prelude::*;
///
/// #[service]
/// struct Invoices;
///
/// #[service]
/// impl Invoices {
///     /// Returns the latest invoice.
///     #[expose_method(GET)]
///     async fn latest(&self) -> Result<Raw<media::Pdf>> {
///         Ok(Raw::new("%PDF-1.7"))
///     }
///
///     /// Returns a list of all invoices; each row is sent as soon as it is available.
///     #[expose_method(GET)]
///     async fn all(&self) -> Result<Raw<media::Csv>> {
///         let rows = (1..=3).map(|number| format!("{number},paid\r\n"));
///         let rows = rows.map(|row| Ok::<Bytes, Error>(row.into()));
///         Ok(Raw::stream(stream::iter(rows)))
///     }
/// }
/// # fn main() {}
/// ```
pub struct Raw<M> {
    content: RawContent,
    media: PhantomData<fn() -> M>,
}

enum RawContent {
    Whole(Bytes),
    Stream(Chunks),
}

impl<M: MediaType> Raw<M> {
    /// Creates a reply of bytes that are sent at once.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self { content: RawContent::Whole(bytes.into()), media: PhantomData }
    }

    /// Creates a reply that is streamed piece by piece. An error cuts the connection, so that no
    /// client takes a part for the whole.
    pub fn stream<S, E>(pieces: S) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<Error>,
    {
        let pieces = pieces.map(|piece| piece.map_err(Into::into));
        Self { content: RawContent::Stream(Box::pin(pieces)), media: PhantomData }
    }

    /// Returns the reply in the form in which layers pass it to the edge.
    pub(crate) fn into_reply(self) -> Reply {
        match self.content {
            RawContent::Whole(bytes) => Reply::Raw(M::NAME, bytes),
            RawContent::Stream(pieces) => Reply::RawStream(M::NAME, pieces),
        }
    }
}

impl<M: MediaType> fmt::Debug for Raw<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Raw").field(&M::NAME).finish()
    }
}
