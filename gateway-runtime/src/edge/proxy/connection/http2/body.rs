//! The body of a response over HTTP/2. It ends cleanly only where the instance has ended it, or
//! where its declared length is complete; a reset without an error is a cut too.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use h2::RecvStream;
use http_body::{Body, Frame, SizeHint};

use crate::edge::proxy::connection::http2::place::ConnectionStatus;

/// The body of a response.
pub(in crate::edge::proxy) struct Http2Body {
    /// None for a response that has no body, whatever the instance sends.
    stream: Option<RecvStream>,
    status: Arc<ConnectionStatus>,
    /// The bytes that the declared length leaves.
    remaining: Option<u64>,
    /// All data has been read, and the trailers come next.
    has_data_ended: bool,
}

impl Http2Body {
    /// Creates the body of a stream, of a declared length.
    pub(super) fn new(
        stream: RecvStream,
        declared: Option<u64>,
        status: Arc<ConnectionStatus>,
    ) -> Self {
        let remaining = if stream.is_end_stream() { Some(0) } else { declared };
        Self { stream: Some(stream), status, remaining, has_data_ended: false }
    }

    /// Creates the body of a response that has none: to HEAD, and of status 204 and 304.
    pub(super) fn none(status: Arc<ConnectionStatus>) -> Self {
        Self { stream: None, status, remaining: Some(0), has_data_ended: true }
    }

    /// Returns the end of a body whose stream has failed. Nothing is missing if all bytes of the
    /// declared length are there.
    fn failed(&self, error: h2::Error) -> Option<Result<Frame<Bytes>, h2::Error>> {
        (self.remaining != Some(0)).then_some(Err(error))
    }
}

impl Body for Http2Body {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        let this = &mut *self;
        let Some(stream) = &mut this.stream else { return Poll::Ready(None) };
        if !this.has_data_ended {
            match ready!(stream.poll_data(cx)) {
                Some(Ok(bytes)) => {
                    this.status.received();
                    let length = bytes.len();
                    if let Some(remaining) = &mut this.remaining {
                        // The library has compared them.
                        *remaining = remaining.saturating_sub(length as u64);
                    }
                    // The bytes are the client's now, which takes them as it reads.
                    let _ = stream.flow_control().release_capacity(length);
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Some(Err(error)) => return Poll::Ready(this.failed(error)),
                None => this.has_data_ended = true,
            }
        }
        match ready!(stream.poll_trailers(cx)) {
            Ok(trailers) => Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers)))),
            Err(error) => Poll::Ready(this.failed(error)),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.stream.as_ref().is_none_or(RecvStream::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.remaining.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
