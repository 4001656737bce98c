//! The client's socket as hyper uses it: with bytes that were read ahead, and a time limit on a
//! client that accepts no bytes.

use std::{
    future::poll_fn,
    io::{self, ErrorKind, IoSlice},
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, Bytes, BytesMut};
use http::StatusCode;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, ReadBuf},
    net::TcpStream,
    sync::OwnedSemaphorePermit,
    time::{Instant, Sleep, sleep},
};

use crate::edge::http::connection::{Peer, flood::FrameMeter};

/// Bytes that are read ahead at once: the whole head of a usual request.
const READ_AHEAD_BYTES: usize = 2048;

/// Bytes of an HTTP/2 connection that are read at once.
const METERED_READ_BYTES: usize = 16 * 1024;

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
            frames: None,
            stalled: None,
            _slot: slot,
        }
    }

    /// Holds back the responses that hyper itself makes, on HTTP/1.1, to a head that it cannot
    /// parse.
    pub(super) fn hold_refusals(&mut self) {
        self.holds_refusals = true;
    }

    /// Enables the frame meter, which ends the connection when frames flood it that advance no
    /// request.
    pub(super) fn meter_frames(&mut self) {
        self.frames = Some(FrameMeter::new());
    }

    /// Counts the frames in bytes that hyper is about to read.
    fn check_frames(&mut self, bytes: &[u8]) -> io::Result<()> {
        let activity = self.peer.activity();
        let Some(frames) = &mut self.frames else { return Ok(()) };
        if frames.admits(bytes, activity.steps()) {
            return Ok(());
        }
        tracing::debug!(
            peer = %self.peer.address(),
            "connection closed: the client floods it with HTTP/2 frames"
        );
        // A reset makes the kernel, too, drop the bytes that are still coming.
        activity.reset.set(true);
        Err(ErrorKind::ConnectionAborted.into())
    }

    /// Reads through a buffer of our own: the bytes in hyper's cannot be inspected.
    fn poll_read_metered(
        &mut self,
        cx: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let mut space = [MaybeUninit::uninit(); METERED_READ_BYTES];
        let wanted = buf.remaining().min(METERED_READ_BYTES);
        let mut read = ReadBuf::uninit(&mut space[..wanted]);
        ready!(Pin::new(self.stream.inner_mut()).poll_read(cx, &mut read))?;
        self.check_frames(read.filled())?;
        buf.put_slice(read.filled());
        Poll::Ready(Ok(()))
    }

    /// Returns the status of the response that was held back. The socket is still open.
    pub(super) fn take_refused(&mut self) -> Option<StatusCode> {
        self.holds_refusals = false;
        self.refused.take()
    }

    /// Returns whether `bytes` belong to a response of hyper's own, which is then held back.
    fn holds(&mut self, bytes: &[u8]) -> bool {
        if self.refused.is_some() {
            return true;
        }
        let activity = self.peer.activity();
        if !self.holds_refusals
            || activity.responding.get()
            || activity.switching.get()
            || activity.in_flight() > 0
        {
            return false;
        }
        self.refused = bytes.get(9..12).and_then(|digits| StatusCode::from_bytes(digits).ok());
        self.refused.is_some()
    }

    /// Returns the bytes that were read ahead.
    pub(super) fn ahead(&self) -> &[u8] {
        &self.ahead
    }

    /// Returns bytes to the socket that hyper had read and not used. They are copied, since `bytes`
    /// keeps the whole buffer alive, however few they are.
    pub(super) fn unread(&mut self, bytes: &[u8]) {
        debug_assert!(self.ahead.is_empty(), "hyper reads on only after what was read ahead");
        self.ahead = Bytes::copy_from_slice(bytes);
    }

    /// Reads more bytes ahead, and returns their number. A socket without readable bytes occupies
    /// no buffer.
    pub(super) fn poll_read_ahead(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut space = [0; READ_AHEAD_BYTES];
        let mut read = ReadBuf::new(&mut space);
        ready!(Pin::new(self.stream.inner_mut()).poll_read(cx, &mut read))?;
        let read = read.filled();
        self.ahead = if self.ahead.is_empty() {
            Bytes::copy_from_slice(read)
        } else {
            let mut joined = BytesMut::from(&*self.ahead);
            joined.extend_from_slice(read);
            joined.freeze()
        };
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

    /// Returns the outcome of a write, or an error if the client has accepted no bytes for
    /// `write_timeout`.
    fn progress(
        &mut self,
        cx: &mut Context<'_>,
        wrote: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let blocked = &self.peer.activity().blocked;
        if wrote.is_ready() {
            if blocked.get() {
                blocked.set(false);
            }
            return wrote;
        }
        if !blocked.get() {
            blocked.set(true);
            match &mut self.stalled {
                Some(stalled) => stalled.as_mut().reset(Instant::now() + self.write_timeout),
                None => self.stalled = Some(Box::pin(sleep(self.write_timeout))),
            }
        }
        if let Some(stalled) = &mut self.stalled {
            ready!(stalled.as_mut().poll(cx));
        }
        tracing::debug!(
            peer = %self.peer.address(),
            "connection closed: the client does not read its response"
        );
        // A reset makes the kernel, too, drop the bytes that the client does not read.
        self.peer.activity().reset.set(true);
        Poll::Ready(Err(ErrorKind::TimedOut.into()))
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

impl Read for ClientSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if self.ahead.is_empty() {
            return match self.frames {
                Some(_) => self.poll_read_metered(cx, buf),
                None => Pin::new(&mut self.stream).poll_read(cx, buf),
            };
        }
        let n = self.ahead.len().min(buf.remaining());
        let ahead = self.ahead.slice(..n);
        self.check_frames(&ahead)?;
        buf.put_slice(&self.ahead[..n]);
        if n == self.ahead.len() {
            self.ahead = Bytes::new()
        } else {
            self.ahead.advance(n)
        }
        Poll::Ready(Ok(()))
    }
}

impl Write for ClientSocket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.holds(buf) {
            return Poll::Ready(Ok(buf.len()));
        }
        let wrote = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.progress(cx, wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.holds(pieces.first().map_or(&[], |piece| piece)) {
            return Poll::Ready(Ok(pieces.iter().map(|piece| piece.len()).sum()));
        }
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.progress(cx, wrote)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Marks the response as written once no request is in flight: hyper flushes when it has
    /// written all that it had.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let activity = self.peer.activity();
        if activity.responding.get() && activity.in_flight() == 0 {
            activity.responding.set(false);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.peer.activity().detaching.get() || self.refused.is_some() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
