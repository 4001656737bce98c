//! The body of an answer, and the reading of a request's.

use std::{
    error, fmt,
    future::poll_fn,
    mem,
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::{BodyExt, StreamBody, combinators::UnsyncBoxBody};
use tokio::time::sleep;

use super::limits::HttpLimits;

/// Any error, boxed.
pub type BoxError = Box<dyn error::Error + Send + Sync>;

/// The body of an answer: bytes, or a stream of them.
///
/// When the client leaves, the body is dropped, and its stream with it. A stream that yields an error cuts the
/// connection (HTTP/2: resets the stream): what was yielded before is sent, and no client can take it for a whole answer.
pub struct Body(Kind);

enum Kind {
    Full(Bytes),
    Stream(UnsyncBoxBody<Bytes, BoxError>),
    Failed(Option<BoxError>),
}

impl Body {
    /// No bytes.
    #[must_use]
    pub const fn empty() -> Self {
        Self(Kind::Full(Bytes::new()))
    }

    /// The chunks of a stream, each sent as soon as it is there.
    pub fn stream<S, E>(chunks: S) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        Self::wrap(StreamBody::new(chunks.map(|chunk| chunk.map(Frame::data))))
    }

    /// Another library's body, its trailers included.
    pub fn wrap<B>(body: B) -> Self
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self(Kind::Stream(body.map_err(Into::into).boxed_unsync()))
    }

    /// A body that fails.
    pub(super) fn failed(error: BoxError) -> Self {
        Self(Kind::Failed(Some(error)))
    }

    /// Takes the error of a body that fails.
    pub(super) fn take_failure(&mut self) -> Option<BoxError> {
        match &mut self.0 {
            Kind::Failed(error) => error.take(),
            Kind::Full(_) | Kind::Stream(_) => None,
        }
    }

    /// The bytes of a body that is no stream.
    pub(super) fn bytes_mut(&mut self) -> Option<&mut Bytes> {
        match &mut self.0 {
            Kind::Full(bytes) => Some(bytes),
            Kind::Stream(_) | Kind::Failed(_) => None,
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            Kind::Full(bytes) if bytes.is_empty() => Poll::Ready(None),
            Kind::Full(bytes) => Poll::Ready(Some(Ok(Frame::data(mem::take(bytes))))),
            Kind::Stream(body) => Pin::new(body).poll_frame(cx),
            Kind::Failed(error) => Poll::Ready(error.take().map(Err)),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Full(bytes) => bytes.is_empty(),
            Kind::Stream(body) => body.is_end_stream(),
            Kind::Failed(error) => error.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Stream(body) => body.size_hint(),
            Kind::Failed(_) => SizeHint::default(),
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
        Self(Kind::Full(bytes))
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
            Kind::Full(bytes) => f.debug_tuple("Body").field(&bytes.len()).finish(),
            Kind::Stream(_) => f.write_str("Body(stream)"),
            Kind::Failed(_) => f.write_str("Body(failed)"),
        }
    }
}

/// Why a request body could not be read.
#[derive(Debug)]
pub enum BodyError {
    /// It is longer than this many bytes ([`HttpLimits::body_bytes`]); 413.
    TooLarge(usize),
    /// It did not arrive within this time ([`HttpLimits::body_timeout`]); 408.
    Timeout(Duration),
    /// The client left, or broke the protocol; nobody may be there to answer to.
    Broken(BoxError),
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge(limit) => write!(f, "the request body is longer than the limit of {limit} bytes"),
            Self::Timeout(limit) => write!(f, "the request body did not arrive within {limit:?}"),
            Self::Broken(error) => write!(f, "the request body broke off: {error}"),
        }
    }
}

impl error::Error for BodyError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Broken(error) => Some(&**error),
            Self::TooLarge(_) | Self::Timeout(_) => None,
        }
    }
}

/// Reads a request body whole. One that arrived in one piece is not copied, and needs no timer.
///
/// # Errors
///
/// When it is too large (judged by `Content-Length` before anything is read), too slow, or breaks off. The connection
/// closes after the answer if the client is still sending.
pub async fn read_body<B>(body: B, limits: &HttpLimits) -> Result<Bytes, BodyError>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let limit = limits.body_bytes;
    if body.size_hint().lower() > limit as u64 {
        return Err(BodyError::TooLarge(limit));
    }
    let mut body = pin!(body);
    let mut out_of_time = None;
    let mut whole = Whole::default();
    while !body.is_end_stream() {
        let next = poll_fn(|cx| {
            if let Poll::Ready(frame) = body.as_mut().poll_frame(cx) {
                return Poll::Ready(Ok(frame));
            }
            let timer = out_of_time.get_or_insert_with(|| Box::pin(sleep(limits.body_timeout)));
            timer.as_mut().poll(cx).map(|()| Err(BodyError::Timeout(limits.body_timeout)))
        });
        let Some(frame) = next.await? else { break };
        let frame = frame.map_err(|error| BodyError::Broken(error.into()))?;
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > limit - whole.len() {
            return Err(BodyError::TooLarge(limit));
        }
        whole.push(data);
    }
    Ok(whole.into_bytes())
}

/// Chunks on their way to being one: the first is kept as it came, and copied only if a second follows.
#[derive(Default)]
struct Whole {
    only: Bytes,
    joined: BytesMut,
}

impl Whole {
    fn len(&self) -> usize {
        self.only.len() + self.joined.len()
    }

    fn push(&mut self, data: Bytes) {
        if self.len() == 0 {
            self.only = data;
            return;
        }
        if self.joined.is_empty() {
            self.joined.extend_from_slice(&mem::take(&mut self.only));
        }
        self.joined.extend_from_slice(&data);
    }

    fn into_bytes(self) -> Bytes {
        if self.joined.is_empty() { self.only } else { self.joined.freeze() }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http_body_util::Full;
    use proptest::prelude::*;

    use super::*;

    fn limits(body_bytes: usize) -> HttpLimits {
        HttpLimits { body_bytes, ..HttpLimits::default() }
    }

    fn chunks(chunks: Vec<Vec<u8>>) -> Body {
        Body::stream(stream::iter(chunks.into_iter().map(|chunk| Ok::<_, BoxError>(chunk.into()))))
    }

    #[tokio::test]
    async fn a_body_in_one_piece_is_not_copied() {
        let sent = Bytes::from(vec![b'x'; 1000]);
        let read = read_body(Full::new(sent.clone()), &limits(1000)).await.unwrap();
        assert_eq!(read.as_ptr(), sent.as_ptr());
        assert!(matches!(read_body(Full::new(sent), &limits(999)).await, Err(BodyError::TooLarge(999))));
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_is_for_the_whole_body() {
        let drip = stream::unfold((), |()| async {
            sleep(Duration::from_secs(9)).await;
            Some((Ok::<_, BoxError>(Bytes::from_static(b"x")), ()))
        });
        let begun = tokio::time::Instant::now();
        let error = read_body(Body::stream(drip), &limits(1000)).await.unwrap_err();
        assert!(matches!(error, BodyError::Timeout(limit) if limit == Duration::from_secs(30)), "{error}");
        assert_eq!(begun.elapsed().as_secs(), 30);
    }

    #[tokio::test]
    async fn a_broken_body_says_why() {
        let broken = Body::stream(stream::iter([Ok(Bytes::from_static(b"x")), Err("line cut")]));
        let error = read_body(broken, &limits(10)).await.unwrap_err();
        assert_eq!(error.to_string(), "the request body broke off: line cut");
    }

    #[test]
    fn what_is_known_of_a_size_is_told() {
        assert_eq!(Body::from("four").size_hint().exact(), Some(4));
        assert_eq!(Body::empty().size_hint().exact(), Some(0));
        assert!(Body::empty().is_end_stream() && !Body::from("four").is_end_stream());
        assert_eq!(chunks(vec![b"four".to_vec()]).size_hint().exact(), None);
        assert_eq!(Body::wrap(Full::new(Bytes::from_static(b"four"))).size_hint().exact(), Some(4));
    }

    proptest! {
        #[test]
        fn chunks_are_joined_in_order_up_to_the_limit(pieces: Vec<Vec<u8>>, limit in 0usize..300) {
            let whole = pieces.concat();
            let limits = limits(limit);
            let read = read_body(chunks(pieces), &limits);
            match tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(read) {
                Ok(bytes) => prop_assert!(bytes == whole && whole.len() <= limit),
                Err(BodyError::TooLarge(over)) => prop_assert!(over == limit && whole.len() > limit),
                Err(other) => prop_assert!(false, "{other}"),
            }
        }
    }
}
