//! The body of a request on its way to an instance: what the client sends, with its progress
//! recorded.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::Version;
use http_body::{Frame, SizeHint};
use tokio::time::Instant;

use crate::{
    base::body::{Body, BoxError},
    edge::proxy::{clock::AtomicTime, trailers},
};

/// The progress of an upload, which the clock of the exchange reads.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The time of the last progress.
    last: AtomicTime,
    /// The next bytes are the client's to send; otherwise the instance has not taken the last ones.
    waits_for_client: AtomicBool,
    /// The client's bytes are malformed, or its connection was lost.
    has_failed: AtomicBool,
    /// The connection has taken the whole body, or takes no more of it.
    has_ended: AtomicBool,
}

impl Progress {
    /// Records progress now.
    pub(super) fn step(&self) {
        self.last.set_after(Duration::ZERO);
    }

    /// Returns the time of the last progress.
    pub(super) fn last(&self) -> Instant {
        self.last.get()
    }

    /// Returns whether the client's body is malformed, or ended early.
    pub(super) fn has_failed(&self) -> bool {
        self.has_failed.load(Relaxed)
    }

    /// Returns whether the connection takes no more of the body.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.load(Relaxed)
    }

    /// Returns whether the next bytes are the client's to send.
    pub(super) fn waits_for_client(&self) -> bool {
        self.waits_for_client.load(Relaxed)
    }
}

/// The body of a request, as the connection to the instance polls it.
pub(super) struct Upload {
    body: Body,
    /// None for an empty body.
    progress: Option<Arc<Progress>>,
    /// The end of the body is marked. The library yields the same end for a stream that the client
    /// has reset without an error, which has no mark.
    is_end_marked: bool,
}

impl Upload {
    /// Wraps the body of a request of this version, and returns its progress; none if the body is
    /// empty.
    pub(super) fn new(body: Body, version: Version) -> (Self, Option<Arc<Progress>>) {
        if http_body::Body::is_end_stream(&body) {
            return (Self::empty(), None);
        }
        let progress = Arc::new(Progress::default());
        progress.step();
        let is_end_marked = version == Version::HTTP_2;
        let upload = Self { body, progress: Some(Arc::clone(&progress)), is_end_marked };
        (upload, Some(progress))
    }

    /// Creates an upload of no bytes.
    pub(super) fn empty() -> Self {
        Self { body: Body::empty(), progress: None, is_end_marked: false }
    }

    /// Returns the error of a body that has ended without its mark.
    fn cut(&self) -> Option<BoxError> {
        let is_cut = self.is_end_marked && !http_body::Body::is_end_stream(&self.body);
        is_cut.then(|| "the client reset its request".into())
    }
}

/// The library drops a body when it has its last byte.
impl Drop for Upload {
    fn drop(&mut self) {
        if let Some(progress) = &self.progress {
            progress.has_ended.store(true, Relaxed);
        }
    }
}

impl http_body::Body for Upload {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let mut polled = Pin::new(&mut this.body).poll_frame(cx);
        if matches!(polled, Poll::Ready(None)) {
            polled = Poll::Ready(this.cut().map(Err));
        }
        if let Some(progress) = &this.progress {
            progress.waits_for_client.store(polled.is_pending(), Relaxed);
            if let Poll::Ready(frame) = &polled {
                progress.step();
                if matches!(frame, Some(Err(_))) {
                    progress.has_failed.store(true, Relaxed);
                }
            }
        }
        polled.map(|frame| frame.map(|frame| frame.map(trailers::filtered)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
