//! The client's socket as hyper uses it.
//!
//! - [`read`]: checked bytes, and those that were read ahead.
//! - [`write`]: a time limit on a client that accepts no bytes, and hyper's own responses, which
//!   are held back.

mod read;
mod write;

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use hyper::rt::Write;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, ReadBuf},
    net::TcpStream,
    sync::OwnedSemaphorePermit,
    time::Sleep,
};

use crate::edge::http::{
    connection::{
        Peer,
        flood::FrameMeter,
        framing::{FramingGuard, Standing, Violation},
    },
    limits::HttpLimits,
};

/// Bytes that are read ahead at once: the whole head of a usual request.
const READ_AHEAD_BYTES: usize = 2048;

/// The bytes that hyper reads in place of those that violate the framing of a head. They are
/// malformed at each place of a head, and look like the end of one: hyper refuses the head when all
/// requests before it have their responses.
const MALFORMED: &[u8] = b"\r\0\r\n\r\n";

/// A client's socket. While open, also after an upgrade, it occupies one of the server's connection
/// slots.
pub(super) struct ClientSocket {
    stream: TokioIo<TcpStream>,
    /// Bytes that were read from the socket, and not yet by hyper.
    ahead: Bytes,
    peer: Peer,
    write_timeout: Duration,
    /// Holds hyper's own responses back, instead of sending them.
    holds_refusals: bool,
    /// Status of the response that was held back.
    refused: Option<StatusCode>,
    /// The framing guard of an HTTP/1.1 connection.
    framing: Option<FramingGuard>,
    /// The part of [`MALFORMED`] that hyper has not read.
    malformed: &'static [u8],
    /// The task of a read that waits for the response to an offered upgrade.
    parked: Option<Waker>,
    /// The frame meter of an HTTP/2 connection.
    frames: Option<FrameMeter>,
    /// The timeout of a blocked write, created at the first write that had to wait.
    stalled: Option<Pin<Box<Sleep>>>,
    _slot: OwnedSemaphorePermit,
}

impl ClientSocket {
    /// Creates the socket of an accepted connection.
    pub(super) fn new(
        stream: TcpStream,
        peer: Peer,
        write_timeout: Duration,
        slot: OwnedSemaphorePermit,
    ) -> Self {
        Self {
            stream: TokioIo::new(stream),
            ahead: Bytes::new(),
            peer,
            write_timeout,
            holds_refusals: false,
            refused: None,
            framing: None,
            malformed: MALFORMED,
            parked: None,
            frames: None,
            stalled: None,
            _slot: slot,
        }
    }

    /// Guards the framing of requests from here on, on HTTP/1.1, and holds back the responses that
    /// hyper itself makes to a head that it cannot parse.
    pub(super) fn guard_framing(&mut self, limits: &HttpLimits) {
        self.holds_refusals = true;
        self.framing = Some(FramingGuard::new(limits, self.peer.activity().responses()));
    }

    /// Enables the frame meter, which ends the connection when frames flood it that advance no
    /// request.
    pub(super) fn meter_frames(&mut self) {
        self.frames = Some(FrameMeter::new());
    }

    /// Ends the guard. Returns the status of the response that was held back, and the violation
    /// that it responds to if the guard found one. The socket is still open.
    pub(super) fn take_refused(&mut self) -> Option<(StatusCode, Option<Violation>)> {
        self.holds_refusals = false;
        let standing = self.framing.take().map(|framing| framing.standing());
        let status = self.refused.take()?;
        let violation = match standing {
            // hyper may have refused another head before.
            Some(Standing::HeadRefused(violation)) if status == StatusCode::BAD_REQUEST => {
                Some(violation)
            }
            _ => None,
        };
        Some((status, violation))
    }

    /// Returns the bytes that were read ahead.
    pub(super) fn ahead(&self) -> &[u8] {
        &self.ahead
    }

    /// Returns bytes to the socket that hyper had read and not used. They are copied, since `bytes`
    /// keeps the whole buffer alive, however few they are.
    pub(super) fn unread(&mut self, bytes: &[u8]) {
        self.ahead = joined(bytes, &self.ahead);
    }

    /// Reads more bytes ahead, and returns their number. A socket without readable bytes occupies
    /// no buffer.
    pub(super) fn poll_read_ahead(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut space = [0; READ_AHEAD_BYTES];
        let mut read = ReadBuf::new(&mut space);
        ready!(Pin::new(self.stream.inner_mut()).poll_read(cx, &mut read))?;
        let read = read.filled();
        self.ahead = joined(&self.ahead, read);
        Poll::Ready(Ok(read.len()))
    }

    /// Writes all of `bytes`, and ends the sending half.
    pub(super) async fn finish(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let written = poll_fn(|cx| Pin::new(&mut *self).poll_write(cx, rest)).await?;
            rest = &rest[written..];
        }
        poll_fn(|cx| Pin::new(&mut *self).poll_shutdown(cx)).await
    }

    /// Reads and discards bytes, and returns their number.
    pub(super) fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut space = [0; 16 * 1024];
        let mut read = ReadBuf::new(&mut space);
        ready!(Pin::new(self.stream.inner_mut()).poll_read(cx, &mut read))?;
        Poll::Ready(Ok(read.filled().len()))
    }
}

impl Drop for ClientSocket {
    fn drop(&mut self) {
        if self.peer.activity().reset.get() {
            // An error means that the socket is already gone.
            let _ = self.stream.inner().set_zero_linger();
        }
    }
}

/// Returns a copy of both.
fn joined(first: &[u8], second: &[u8]) -> Bytes {
    let mut joined = BytesMut::with_capacity(first.len() + second.len());
    joined.extend_from_slice(first);
    joined.extend_from_slice(second);
    joined.freeze()
}
