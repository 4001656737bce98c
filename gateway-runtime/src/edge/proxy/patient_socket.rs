//! A socket to an instance whose response is read also after a write has failed.
//!
//! An instance may answer early and close its connection while the request is still on the way:
//! 413, for example. The next write then fails, and the HTTP library reports that instead of the
//! response that has already arrived. Here a failed write waits, and the end of the connection
//! comes with the next read, after everything that the instance has sent.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};

use hyper::rt::{Read, ReadBufCursor, Write};

/// A socket whose writes do not fail.
pub(super) struct PatientSocket<S> {
    socket: S,
    /// A write has failed. The socket takes no more bytes.
    is_broken: bool,
}

impl<S> PatientSocket<S> {
    /// Wraps a socket.
    pub(super) fn new(socket: S) -> Self {
        Self { socket, is_broken: false }
    }

    /// Returns the socket.
    pub(super) fn into_inner(self) -> S {
        self.socket
    }

    /// Returns the outcome of a write, or waits in the place of an error. The task wakes for the
    /// read, which ends with the connection.
    fn outcome(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Err(_)) = written {
            self.is_broken = true;
            return Poll::Pending;
        }
        written
    }
}

impl<S: Read + Unpin> Read for PatientSocket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buf)
    }
}

impl<S: Write + Unpin> Write for PatientSocket<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_broken {
            return Poll::Pending;
        }
        let written = Pin::new(&mut self.socket).poll_write(cx, buf);
        self.outcome(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.is_broken {
            return Poll::Pending;
        }
        let written = Pin::new(&mut self.socket).poll_write_vectored(cx, pieces);
        self.outcome(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
