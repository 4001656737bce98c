//! A WebSocket's connection that charges the bytes of incomplete messages to the budget of buffered
//! bodies.
//!
//! SEMANTICS §10: "Everything a client can make the gateway queue or buffer is bounded". The
//! library buffers a message until its last fragment has arrived, and does not expose the buffer;
//! therefore the bytes are counted where they are read. A complete message carries its charge with
//! it.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::base::body::Charge;

/// A connection that counts the bytes of incomplete messages.
pub(super) struct ChargedIo {
    io: TokioIo<Upgraded>,
    /// A function that creates an empty charge.
    new_charge: Box<dyn Fn() -> Charge + Send>,
    charge: Charge,
    /// Number of bytes of incomplete messages.
    bytes: usize,
    is_exhausted: bool,
}

/// Size of a masked control frame without its payload (RFC 6455 §5.2, §5.5).
const CONTROL_HEADER_BYTES: usize = 6;

impl ChargedIo {
    /// Creates a charged connection; `new_charge` creates an empty charge for each message.
    pub(super) fn new(
        upgraded: Upgraded,
        new_charge: impl Fn() -> Charge + Send + 'static,
    ) -> Self {
        let charge = new_charge();
        Self {
            io: TokioIo::new(upgraded),
            new_charge: Box::new(new_charge),
            charge,
            bytes: 0,
            is_exhausted: false,
        }
    }

    /// Attaches the charge to a complete message. Bytes of the next message that were already read,
    /// at most one read buffer, are not charged.
    pub(super) fn complete(&mut self, message: Bytes) -> Bytes {
        self.bytes = 0;
        std::mem::replace(&mut self.charge, (self.new_charge)()).attach(message)
    }

    /// Subtracts a control frame from the count: it is not part of a message, and is not buffered.
    pub(super) fn forget_control(&mut self, payload: &[u8]) {
        self.bytes = self.bytes.saturating_sub(payload.len() + CONTROL_HEADER_BYTES);
    }

    /// Returns whether the budget had no room for bytes that were read.
    pub(super) fn is_exhausted(&self) -> bool {
        self.is_exhausted
    }
}

impl AsyncRead for ChargedIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.io).poll_read(cx, buf))?;
        this.bytes += buf.filled().len() - before;
        // Bytes that are read after exhaustion are discarded.
        if !this.is_exhausted && this.charge.cover(this.bytes).is_err() {
            this.is_exhausted = true;
            return Poll::Ready(Err(io::ErrorKind::OutOfMemory.into()));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ChargedIo {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
