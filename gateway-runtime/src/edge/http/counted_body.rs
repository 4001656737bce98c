//! The body of a request on a route, whose bytes are counted for the access log, and whose failure
//! is told from a malformed body.

use std::{
    error::Error,
    io::{self, ErrorKind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::base::body::{Body, BoxError};

/// The bytes of a request's body, and its failure.
#[derive(Debug, Default)]
pub(super) struct RequestBytes {
    /// The number of bytes that have arrived.
    pub(super) count: AtomicU64,
    /// The body did not arrive whole.
    pub(super) has_failed: AtomicBool,
    /// The body failed since the client disconnected, or reset the stream.
    pub(super) is_broken_off: AtomicBool,
}

/// A request's body whose bytes are counted.
pub(super) struct CountedBody {
    pub(super) body: Body,
    pub(super) bytes: Arc<RequestBytes>,
}

impl http_body::Body for CountedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                self.bytes.count.fetch_add(length, Relaxed);
            }
            Poll::Ready(Some(Err(error))) => {
                self.bytes.has_failed.store(true, Relaxed);
                self.bytes.is_broken_off.store(!is_malformed(&**error), Relaxed);
            }
            Poll::Ready(None) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Returns whether a body failed since its bytes are malformed: a bad chunk, or frames of another
/// length than the one declared. All other failures are those of the connection or the stream.
fn is_malformed(error: &(dyn Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.any(|cause| {
        if let Some(error) = cause.downcast_ref::<h2::Error>() {
            return !error.is_remote() && !error.is_io();
        }
        let io = cause.downcast_ref::<io::Error>();
        io.is_some_and(|io| matches!(io.kind(), ErrorKind::InvalidInput | ErrorKind::InvalidData))
    })
}
