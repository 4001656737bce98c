//! Writing to the client's socket: hyper's own responses are held back, and a client that accepts
//! no bytes has a time limit.

use std::{
    io::{self, ErrorKind, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::StatusCode;
use hyper::rt::Write;
use tokio::time::{Instant, sleep};

use crate::edge::http::connection::socket::ClientSocket;

impl ClientSocket {
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
    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let activity = self.peer.activity();
        if activity.responding.get() && activity.in_flight() == 0 {
            activity.responding.set(false);
        }
        if self.parked.is_some() {
            self.wake_parked();
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
