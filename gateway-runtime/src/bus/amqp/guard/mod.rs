//! A filter of received frames (AMQP 0-9-1 §4.2.3). Replaces frames that the client library could
//! not parse, and marks them.
//!
//! Publishers choose header fields, properties and routing keys. The library's parser recurses for
//! each level of a table, until the stack overflows and the process ends. Invalid UTF-8 costs the
//! connection, again at each redelivery. So a [`Guard`] stands between socket and library, above
//! TLS.
//!
//! - `frames`: splits the stream into frames
//! - `properties`: checks content headers
//! - `methods`: checks the short strings of methods
//! - `runtime`: makes the library accept the guarded socket
//!
//! Bodies, and frames that arrive complete and can be parsed, stay in the reader's buffer. Tables
//! in methods are the broker's own and are not checked.

mod frames;
mod methods;
mod properties;
mod runtime;
#[cfg(test)]
mod tests;

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_io::{AsyncRead, AsyncWrite};

use crate::bus::amqp::guard::frames::FrameFilter;
pub(super) use crate::bus::amqp::guard::{frames::MAX_FRAME_BYTES, runtime::guarded_runtime};

/// The capacity that is retained for replaced frames, in bytes.
const KEPT_BYTES: usize = 128 << 10;

/// A stream of frames from a broker, read through a [`FrameFilter`]. Writes pass unchanged.
#[derive(Debug)]
pub(super) struct Guard<S> {
    stream: S,
    filter: FrameFilter,
    /// The bytes to be read next; `read` counts those that were read already.
    out: Vec<u8>,
    read: usize,
}

impl<S> Guard<S> {
    /// Creates a guard; `frame_max` is the largest frame size that the client negotiates, in bytes.
    pub(super) fn new(stream: S, frame_max: u32) -> Self {
        Self { stream, filter: FrameFilter::new(frame_max), out: Vec::new(), read: 0 }
    }

    /// Copies pending bytes to the buffer; returns how many.
    fn read_out(&mut self, buffer: &mut [u8]) -> usize {
        let rest = &self.out[self.read..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.read += length;
        if self.read == self.out.len() {
            self.read = 0;
            self.out.clear();
            self.out.shrink_to(KEPT_BYTES);
        }
        length
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guard<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        loop {
            let length = this.read_out(buffer);
            if length > 0 {
                return Poll::Ready(Ok(length));
            }
            // Reads at most up to the end of the buffered frame, so that the bytes after it can
            // stay in place.
            let room =
                this.filter.missing().map_or(buffer.len(), |missing| missing.min(buffer.len()));
            let length =
                ready!(Pin::new(&mut this.stream).poll_read(context, &mut buffer[..room]))?;
            let passed = this.filter.filter(&mut buffer[..length], &mut this.out);
            if passed > 0 || length == 0 {
                return Poll::Ready(Ok(passed));
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_close(context)
    }
}

/// Filters frames in pieces of this length, for a fuzz target.
#[cfg(fuzzing)]
#[must_use]
pub fn filtered(frames: &[u8], piece: usize) -> Vec<u8> {
    let mut filter = FrameFilter::new(MAX_FRAME_BYTES);
    let mut all = Vec::new();
    for piece in frames.to_vec().chunks_mut(piece.max(1)) {
        let mut out = Vec::new();
        let passed = filter.filter(piece, &mut out);
        all.extend_from_slice(&piece[..passed]);
        all.append(&mut out);
    }
    all
}
