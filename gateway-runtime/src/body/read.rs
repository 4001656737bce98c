//! Reading a request's body whole.

use std::{error, fmt, future::poll_fn, mem, pin::pin, task::Poll, time::Duration};

use bytes::{Bytes, BytesMut};
use tokio::time::sleep;

use super::BoxError;
use crate::error::{Code, Error};

/// Why a request body could not be read.
#[derive(Debug)]
pub enum BodyError {
    /// It is longer than this many bytes ; 413.
    TooLarge(usize),
    /// It did not arrive within this time ; 408.
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

impl BodyError {
    /// As the client reads it.
    #[must_use]
    pub fn into_error(self) -> Error {
        match self {
            Self::TooLarge(_) => Error::new(Code::PAYLOAD_TOO_LARGE, self.to_string()),
            Self::Timeout(_) => Error::new(Code::REQUEST_TIMEOUT, self.to_string()),
            Self::Broken(_) => Error::new(Code::INVALID_REQUEST, "the request body broke off").log(self),
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

/// Reads a request body whole, of at most `limit` bytes, within the time. One that arrived in one piece is not copied, and needs no timer.
///
/// # Errors
///
/// When it is too large (judged by `Content-Length` before anything is read), too slow, or breaks off. The connection
/// closes after the answer if the client is still sending.
pub async fn read_body<B>(body: B, limit: usize, timeout: Duration) -> Result<Bytes, BodyError>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
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
            let timer = out_of_time.get_or_insert_with(|| Box::pin(sleep(timeout)));
            timer.as_mut().poll(cx).map(|()| Err(BodyError::Timeout(timeout)))
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
    use crate::body::Body;

    const LONG: Duration = Duration::from_secs(30);

    fn chunks(chunks: Vec<Vec<u8>>) -> Body {
        Body::stream(stream::iter(chunks.into_iter().map(|chunk| Ok::<_, BoxError>(chunk.into()))))
    }

    #[tokio::test]
    async fn a_body_in_one_piece_is_not_copied() {
        let sent = Bytes::from(vec![b'x'; 1000]);
        let read = read_body(Full::new(sent.clone()), 1000, LONG).await.unwrap();
        assert_eq!(read.as_ptr(), sent.as_ptr());
        assert!(matches!(read_body(Full::new(sent), 999, LONG).await, Err(BodyError::TooLarge(999))));
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_is_for_the_whole_body() {
        let drip = stream::unfold((), |()| async {
            sleep(Duration::from_secs(9)).await;
            Some((Ok::<_, BoxError>(Bytes::from_static(b"x")), ()))
        });
        let begun = tokio::time::Instant::now();
        let error = read_body(Body::stream(drip), 1000, LONG).await.unwrap_err();
        assert!(matches!(error, BodyError::Timeout(limit) if limit == LONG), "{error}");
        assert_eq!(begun.elapsed().as_secs(), 30);
    }

    #[tokio::test]
    async fn a_broken_body_says_why() {
        let broken = Body::stream(stream::iter([Ok(Bytes::from_static(b"x")), Err("line cut")]));
        let error = read_body(broken, 10, LONG).await.unwrap_err();
        assert_eq!(error.to_string(), "the request body broke off: line cut");
    }

    proptest! {
        #[test]
        fn chunks_are_joined_in_order_up_to_the_limit(pieces: Vec<Vec<u8>>, limit in 0usize..300) {
            let whole = pieces.concat();
            let read = read_body(chunks(pieces), limit, LONG);
            match tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(read) {
                Ok(bytes) => prop_assert!(bytes == whole && whole.len() <= limit),
                Err(BodyError::TooLarge(over)) => prop_assert!(over == limit && whole.len() > limit),
                Err(other) => prop_assert!(false, "{other}"),
            }
        }
    }
}
