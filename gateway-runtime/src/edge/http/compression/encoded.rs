//! A body that is compressed piece by piece. It is flushed after each frame, so that an item of a
//! stream reaches the client at once.

use std::{
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;
use tokio::{sync::OwnedSemaphorePermit, task::yield_now};

use crate::{
    base::body::{Body, BoxError},
    edge::http::compression::encoder::Encoder,
};

/// Number of bytes that are compressed at once, about 1 ms of work; then other connections of the
/// worker run.
pub(super) const PIECE_BYTES: usize = 64 * 1024;

/// Minimum number of bytes that a frame counts as, for its flush.
const MIN_FRAME_BYTES: usize = 2 * 1024;

/// A body that compresses another.
pub(super) struct Encoded {
    body: Body,
    /// The compressor; `None` when the content has ended.
    encoder: Option<Encoder>,
    /// The part of the current frame that is not compressed yet.
    input: Bytes,
    /// Number of bytes that were compressed since other connections last ran.
    worked_bytes: usize,
    trailers: Option<HeaderMap>,
    _slot: OwnedSemaphorePermit,
}

impl Encoded {
    /// Creates a compressed body, which occupies `slot` until it is dropped.
    pub(super) fn new(body: Body, encoder: Encoder, slot: OwnedSemaphorePermit) -> Self {
        Self {
            body,
            encoder: Some(encoder),
            input: Bytes::new(),
            worked_bytes: 0,
            trailers: None,
            _slot: slot,
        }
    }

    /// Compresses the next piece of the input.
    fn compress(&mut self) -> Result<Bytes, BoxError> {
        let Some(encoder) = &mut self.encoder else { return Ok(Bytes::new()) };
        let piece = self.input.split_to(self.input.len().min(PIECE_BYTES));
        encoder.write(&piece)?;
        if self.input.is_empty() {
            encoder.flush()?;
        }
        Ok(encoder.take())
    }

    /// Consumes the next frame of the body. After the last frame, returns the end of the compressed
    /// content.
    fn read(
        &mut self,
        frame: Option<Result<Frame<Bytes>, BoxError>>,
    ) -> Result<Option<Bytes>, BoxError> {
        match frame.transpose()?.map(Frame::into_data) {
            Some(Ok(data)) => {
                self.input = data;
                return Ok(None);
            }
            Some(Err(frame)) => self.trailers = frame.into_trailers().ok(),
            None => {}
        }
        Ok(self.encoder.take().map(Encoder::finish).transpose()?)
    }
}

impl http_body::Body for Encoded {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        while this.encoder.is_some() {
            if this.worked_bytes >= PIECE_BYTES {
                this.worked_bytes = 0;
                // Wakes this task after the worker has polled its sockets; meanwhile hyper sends
                // the buffered bytes.
                ready!(pin!(yield_now()).poll(cx));
            }
            let output = if this.input.is_empty() {
                let frame = ready!(Pin::new(&mut this.body).poll_frame(cx));
                this.worked_bytes += MIN_FRAME_BYTES;
                this.read(frame)?.unwrap_or_default()
            } else {
                this.worked_bytes += this.input.len().min(PIECE_BYTES);
                this.compress()?
            };
            if !output.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(output))));
            }
        }
        Poll::Ready(this.trailers.take().map(|trailers| Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.encoder.is_none() && self.trailers.is_none()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::{FutureExt, StreamExt, stream};
    use http_body_util::{BodyExt, StreamBody};
    use tokio::sync::Semaphore;

    use super::*;
    use crate::edge::http::compression::{
        accept_encoding::Coding,
        encoder::{Effort, tests::decode},
    };

    fn encoded(body: Body, slots: &Arc<Semaphore>) -> Encoded {
        let slot = Arc::clone(slots).try_acquire_owned().unwrap();
        Encoded::new(body, Encoder::new(Coding::Gzip, Effort::Moderate), slot)
    }

    #[tokio::test]
    async fn frames_are_compressed_as_they_come_and_trailers_pass() {
        let slots = Arc::new(Semaphore::new(1));
        let trailers = HeaderMap::from_iter([(http::header::EXPIRES, "0".parse().unwrap())]);
        let frames = [
            Frame::data(Bytes::from_static(b"one ")),
            Frame::data(Bytes::from_static(b"two")),
            Frame::trailers(trailers.clone()),
        ];
        let body = StreamBody::new(stream::iter(frames).map(Ok::<_, BoxError>));
        let whole = encoded(Body::wrap(body), &slots).collect().await.unwrap();
        assert_eq!(whole.trailers(), Some(&trailers));
        assert_eq!(decode(Coding::Gzip, &whole.to_bytes()), b"one two");
        assert_eq!(slots.available_permits(), 1, "the slot is free again");
    }

    #[tokio::test]
    async fn many_ready_frames_leave_room_for_others() {
        let slots = Arc::new(Semaphore::new(1));
        let items =
            stream::iter(0..1000).map(|item| Ok::<_, BoxError>(Bytes::from(format!("{item}\n"))));
        let mut body = encoded(Body::stream(items), &slots);
        let (mut frames, mut longest, mut pauses) = (0, 0, 0);
        loop {
            match body.frame().now_or_never() {
                None => (frames, pauses) = (0, pauses + 1),
                Some(Some(_)) => frames += 1,
                Some(None) => break,
            }
            longest = longest.max(frames);
        }
        assert!(longest <= 32 && pauses >= 1000 / 32, "{longest} {pauses}");
    }

    #[tokio::test]
    async fn large_frames_leave_room_for_others_between_their_pieces() {
        let slots = Arc::new(Semaphore::new(1));
        let content: Vec<u8> = (0..3 * PIECE_BYTES).map(|n| (n % 251) as u8).collect();
        let mut body = encoded(Body::from(content.clone()), &slots);
        let (mut sent, mut pauses) = (Vec::new(), 0);
        loop {
            match body.frame().now_or_never() {
                None => pauses += 1,
                Some(Some(frame)) => sent.extend_from_slice(&frame.unwrap().into_data().unwrap()),
                Some(None) => break,
            }
        }
        assert_eq!(
            (pauses, decode(Coding::Gzip, &sent) == content),
            (3, true),
            "one after each piece"
        );
    }

    #[tokio::test]
    async fn a_failure_is_passed_on_and_the_content_stays_without_its_end() {
        let slots = Arc::new(Semaphore::new(1));
        let items = stream::iter([Ok(Bytes::from_static(b"one")), Err("gone")]);
        let mut body = encoded(Body::stream(items), &slots);
        assert!(body.frame().await.unwrap().is_ok());
        assert_eq!(body.frame().await.unwrap().unwrap_err().to_string(), "gone");
    }
}
