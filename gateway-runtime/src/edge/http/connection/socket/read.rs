//! Reading from the client's socket: on HTTP/1.1 through the framing guard, on HTTP/2 through the
//! meter of frames.

use std::{
    io::{self, ErrorKind},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use hyper::rt::{Read, ReadBufCursor};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, ReadBuf};

use crate::edge::http::connection::{
    framing::Standing,
    socket::{ClientSocket, joined},
};

/// The socket for tokio's reader. hyper's own buffer does not show the bytes that it receives, and
/// tokio's does.
struct Visible<'s>(&'s mut ClientSocket);

impl AsyncRead for Visible<'_> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.get_mut().0.poll_read_checked(cx, buf)
    }
}

impl Read for ClientSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut TokioIo::new(Visible(&mut self))).poll_read(cx, buf)
    }
}

impl ClientSocket {
    /// Reads bytes, and returns those that hyper may have.
    fn poll_read_checked(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if let Some(polled) = self.poll_stopped(cx, buf) {
                return polled;
            }
            let before = buf.filled().len();
            ready!(self.poll_fill(cx, buf))?;
            let read = &buf.filled()[before..];
            let Some(framing) = &mut self.framing else {
                return Poll::Ready(self.check_frames(read));
            };
            let admitted = framing.admit(read);
            let is_over = read.is_empty();
            match framing.standing() {
                Standing::BodyRefused(_) => self.peer.activity().cut_request(framing.requests()),
                Standing::Body if is_over => self.peer.activity().cut_request(framing.requests()),
                Standing::Undecided if admitted < read.len() => {
                    self.ahead = joined(&read[admitted..], &self.ahead);
                }
                _ => {}
            }
            buf.set_filled(before + admitted);
            if admitted > 0 || is_over {
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Reads bytes: those that were read ahead, then those of the client.
    fn poll_fill(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.ahead.is_empty() {
            return Pin::new(self.stream.inner_mut()).poll_read(cx, buf);
        }
        let n = self.ahead.len().min(buf.remaining());
        buf.put_slice(&self.ahead[..n]);
        if n == self.ahead.len() {
            self.ahead = Bytes::new();
        } else {
            self.ahead.advance(n);
        }
        Poll::Ready(Ok(()))
    }

    /// Returns the result of a read behind the last byte that the guard admits; none if it admits
    /// more.
    fn poll_stopped(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Option<Poll<io::Result<()>>> {
        let framing = self.framing.as_mut()?;
        let activity = self.peer.activity();
        match framing.standing() {
            _ if activity.switching.get() => {
                self.framing = None;
                None
            }
            Standing::Head | Standing::Body => None,
            Standing::Undecided if activity.responses() == framing.requests() => {
                framing.decline_upgrade();
                None
            }
            // The end of the stream is read at once: the client has left.
            Standing::Undecided if self.ahead.is_empty() => None,
            Standing::Undecided => {
                self.parked = Some(cx.waker().clone());
                Some(Poll::Pending)
            }
            Standing::Ended => Some(Poll::Ready(Ok(()))),
            Standing::HeadRefused(_) => {
                let (now, later) =
                    self.malformed.split_at(self.malformed.len().min(buf.remaining()));
                buf.put_slice(now);
                self.malformed = later;
                Some(if now.is_empty() { Poll::Pending } else { Poll::Ready(Ok(())) })
            }
            Standing::BodyRefused(violation) => {
                let error = io::Error::new(ErrorKind::InvalidData, violation.detail());
                Some(Poll::Ready(Err(error)))
            }
        }
    }

    /// Wakes a read that waits for the response to an offered upgrade, if that is decided.
    pub(super) fn wake_parked(&mut self) {
        let activity = self.peer.activity();
        let requests = self.framing.as_ref().map(|framing| framing.requests());
        let is_decided = activity.switching.get() || requests == Some(activity.responses());
        if let Some(parked) = self.parked.take_if(|_| is_decided) {
            parked.wake();
        }
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
}
