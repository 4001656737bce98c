//! Bodies: of responses, and of requests that are forwarded as they are.

mod budget;
mod coding;
mod read;

use std::{
    any::Any,
    error, fmt, mem,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, StreamBody, combinators::UnsyncBoxBody};

pub use crate::base::body::{
    budget::BodyBudget,
    read::{BodyError, read_body},
};
pub(crate) use crate::base::body::{budget::Charge, coding::refuse_coded, read::read_body_within};

/// A boxed error of any type.
pub type BoxError = Box<dyn error::Error + Send + Sync>;

/// The body of a response: bytes, or a stream of bytes.
///
/// When the client disconnects, the body is dropped, and its stream with it. A stream that yields
/// an error cuts the connection (HTTP/2: resets the stream): what was yielded before is sent, and
/// no client can take it for a whole response.
pub struct Body(BodyKind);

enum BodyKind {
    Full(Bytes),
    Stream(UnsyncBoxBody<Bytes, BoxError>),
    Failed(Option<BoxError>),
}

impl Body {
    /// Creates a body of no bytes.
    #[must_use]
    pub const fn empty() -> Self {
        Self(BodyKind::Full(Bytes::new()))
    }

    /// Creates a body of the chunks of a stream, each sent as soon as it is yielded.
    pub fn stream<S, E>(chunks: S) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        Self::wrap(StreamBody::new(chunks.map(|chunk| chunk.map(Frame::data))))
    }

    /// Wraps another library's body, its trailers included; returns a [`Body`] as it is.
    pub fn wrap<B>(body: B) -> Self
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let mut body = Some(body);
        if let Some(own) = (&mut body as &mut dyn Any).downcast_mut::<Option<Self>>() {
            return own.take().unwrap_or_default();
        }
        body.map_or_else(Self::empty, |body| {
            Self(BodyKind::Stream(body.map_err(Into::into).boxed_unsync()))
        })
    }

    /// Creates a body that fails.
    pub(crate) fn failed(error: BoxError) -> Self {
        Self(BodyKind::Failed(Some(error)))
    }

    /// Takes the error of a body that fails.
    pub(crate) fn take_failure(&mut self) -> Option<BoxError> {
        match &mut self.0 {
            BodyKind::Failed(error) => error.take(),
            BodyKind::Full(_) | BodyKind::Stream(_) => None,
        }
    }

    /// Returns the bytes of a body that is no stream.
    pub(crate) fn bytes_mut(&mut self) -> Option<&mut Bytes> {
        match &mut self.0 {
            BodyKind::Full(bytes) => Some(bytes),
            BodyKind::Stream(_) | BodyKind::Failed(_) => None,
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            BodyKind::Full(bytes) if bytes.is_empty() => Poll::Ready(None),
            BodyKind::Full(bytes) => Poll::Ready(Some(Ok(Frame::data(mem::take(bytes))))),
            BodyKind::Stream(body) => Pin::new(body).poll_frame(cx),
            BodyKind::Failed(error) => Poll::Ready(error.take().map(Err)),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            BodyKind::Full(bytes) => bytes.is_empty(),
            BodyKind::Stream(body) => body.is_end_stream(),
            BodyKind::Failed(error) => error.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            BodyKind::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            BodyKind::Stream(body) => body.size_hint(),
            BodyKind::Failed(_) => SizeHint::default(),
        }
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::empty()
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(BodyKind::Full(bytes))
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            BodyKind::Full(bytes) => f.debug_tuple("Body").field(&bytes.len()).finish(),
            BodyKind::Stream(_) => f.write_str("Body(stream)"),
            BodyKind::Failed(_) => f.write_str("Body(failed)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http_body::Body as _;
    use http_body_util::Full;

    use super::*;

    #[test]
    fn size_hint_is_exact_for_whole_bodies() {
        assert_eq!(Body::from("four").size_hint().exact(), Some(4));
        assert_eq!(Body::empty().size_hint().exact(), Some(0));
        assert!(Body::empty().is_end_stream() && !Body::from("four").is_end_stream());
        assert_eq!(
            Body::stream(stream::iter([Ok::<_, BoxError>(Bytes::from_static(b"four"))]))
                .size_hint()
                .exact(),
            None
        );
        assert_eq!(Body::wrap(Full::new(Bytes::from_static(b"four"))).size_hint().exact(), Some(4));
        assert_eq!(
            Body::wrap(Body::from("four")).bytes_mut().map(|bytes| bytes.len()),
            Some(4),
            "it is still whole"
        );
    }
}
