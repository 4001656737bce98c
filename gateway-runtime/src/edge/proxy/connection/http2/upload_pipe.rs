//! The body of a request on its way into a stream, as fast as the instance's windows allow.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use h2::{Reason, SendStream};
use http_body::Body;

use crate::edge::proxy::upload::{Progress, Upload};

/// The body of a request, and the stream that it is sent on.
pub(super) struct UploadPipe {
    upload: Upload,
    stream: SendStream<Bytes>,
    /// Bytes that wait for the window.
    waiting: Bytes,
    /// A frame of the body has been taken.
    has_begun: bool,
    progress: Option<Arc<Progress>>,
}

impl UploadPipe {
    /// Creates the pipe of a body.
    pub(super) fn new(
        upload: Upload,
        stream: SendStream<Bytes>,
        progress: Option<Arc<Progress>>,
    ) -> Self {
        Self { upload, stream, waiting: Bytes::new(), has_begun: false, progress }
    }

    /// Returns whether a frame of the body has been taken.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Returns the body if none of it was sent.
    pub(super) fn into_untouched(self) -> Option<Upload> {
        (!self.has_begun).then_some(self.upload)
    }

    /// Moves bytes into the stream. Ready when all are sent, or the instance takes no more: its
    /// response says why.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.stream.poll_reset(cx).is_ready() {
                return Poll::Ready(());
            }
            if !self.waiting.is_empty() {
                if ready!(self.poll_send(cx)).is_none() {
                    return Poll::Ready(());
                }
                continue;
            }
            let frame = ready!(Pin::new(&mut self.upload).poll_frame(cx));
            self.has_begun = true;
            match frame.map(|frame| frame.map(http_body::Frame::into_data)) {
                Some(Ok(Ok(data))) if self.upload.is_end_stream() && data.is_empty() => {
                    return self.end();
                }
                Some(Ok(Ok(data))) => self.waiting = data,
                Some(Ok(Err(frame))) => {
                    let trailers = frame.into_trailers().unwrap_or_default();
                    self.stream.reserve_capacity(0);
                    // An error is that of the response too.
                    let _ = self.stream.send_trailers(trailers);
                    return Poll::Ready(());
                }
                // The instance must not take what was sent for a whole body.
                Some(Err(_)) => {
                    self.stream.send_reset(Reason::CANCEL);
                    return Poll::Ready(());
                }
                None => return self.end(),
            }
        }
    }

    /// Sends as many of the waiting bytes as the window allows; none if the stream has ended.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Option<()>> {
        self.stream.reserve_capacity(self.waiting.len());
        while self.stream.capacity() == 0 {
            match ready!(self.stream.poll_capacity(cx)) {
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Poll::Ready(None),
            }
        }
        let length = self.stream.capacity().min(self.waiting.len());
        let bytes = self.waiting.split_to(length);
        let is_last = self.waiting.is_empty() && self.upload.is_end_stream();
        if let Some(progress) = &self.progress {
            progress.step();
        }
        let sent = self.stream.send_data(bytes, is_last);
        Poll::Ready((sent.is_ok() && !is_last).then_some(()))
    }

    fn end(&mut self) -> Poll<()> {
        let _ = self.stream.send_data(Bytes::new(), true);
        Poll::Ready(())
    }
}
