//! A WebSocket's connection that charges what the library below buffers of a message to the budget of buffered bodies.
//!
//! SEMANTICS §10: "Everything a client can make the gateway queue or buffer is bounded". The library keeps a message until its
//! last fragment is here, and shows none of it before; so the bytes are counted where they are read. A message that is
//! complete takes its charge along.

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

pub(super) struct ChargedIo {
    io: TokioIo<Upgraded>,
    /// An empty charge, as often as it is needed.
    new_charge: Box<dyn Fn() -> Charge + Send>,
    charge: Charge,
    /// Bytes of messages that are not complete.
    bytes: usize,
    is_exhausted: bool,
}

/// The bytes of a masked control frame besides its payload (RFC 6455 §5.2, §5.5).
const CONTROL_HEADER_BYTES: usize = 6;

impl ChargedIo {
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

    /// Attaches the charge to a message that is complete. What was read of the next, a read buffer at most, is free.
    pub(super) fn complete(&mut self, message: Bytes) -> Bytes {
        self.bytes = 0;
        std::mem::replace(&mut self.charge, (self.new_charge)()).attach(message)
    }

    /// Takes a control frame out of the count: it is no part of a message, and nothing of it is kept.
    pub(super) fn forget_control(&mut self, payload: &[u8]) {
        self.bytes = self.bytes.saturating_sub(payload.len() + CONTROL_HEADER_BYTES);
    }

    /// Whether the budget had no room for what was read.
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
        // What is read after that is for nobody, and not kept.
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
