//! The time limit on an HTTP/2 client that accepts no bytes of one response.
//!
//! Flow control (RFC 9113 §5.2) lets a client read all responses of a connection but one. That
//! stream then waits, with everything that feeds it, and is reset here while the others continue.
//! The timer is set once a chunk has to wait, so that a response without delays needs none.

use std::{
    cell::Cell,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

/// The stall state of a stream: the number of the chunk that waits for the client, if one does.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pieces: Cell<u32>,
    waits: Cell<bool>,
}

impl Waiting {
    /// Records that a chunk was handed to hyper.
    pub(super) fn offered(&self) {
        self.pieces.set(self.pieces.get().wrapping_add(1));
        self.waits.set(true);
    }

    /// Records that hyper accepted the chunk.
    pub(super) fn taken(&self) {
        self.waits.set(false);
    }

    /// Returns the number of the waiting chunk.
    fn piece(&self) -> Option<u32> {
        self.waits.get().then(|| self.pieces.get())
    }
}

pin_project! {
    /// A stream that ends itself when its client accepts no chunk of the response for
    /// `write_timeout`. Dropping it resets the stream.
    pub(super) struct Watched<F> {
        #[pin]
        stream: F,
        waiting: Rc<Waiting>,
        write_timeout: Duration,
        // The chunk that the timer is set for.
        piece: Option<u32>,
        timer: Option<Pin<Box<Sleep>>>,
    }
}

impl<F> Watched<F> {
    pub(super) fn new(stream: F, waiting: Rc<Waiting>, write_timeout: Duration) -> Self {
        Self { stream, waiting, write_timeout, piece: None, timer: None }
    }
}

impl<F: Future> Future for Watched<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        if this.stream.poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let piece = this.waiting.piece();
        if piece.is_none() {
            *this.piece = None;
            return Poll::Pending;
        }
        let until = Instant::now() + *this.write_timeout;
        let is_set = piece == *this.piece;
        let timer = match this.timer {
            Some(timer) => {
                if !is_set {
                    timer.as_mut().reset(until);
                }
                timer
            }
            none => none.insert(Box::pin(sleep_until(until))),
        };
        *this.piece = piece;
        let polled = timer.as_mut().poll(cx);
        if polled.is_ready() {
            tracing::debug!("HTTP/2 stream reset: the client does not read its response");
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, time::Duration};

    use tokio::time::{sleep, timeout};

    use super::*;

    const STALL_TIMEOUT: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn ends_when_one_piece_waits_too_long() {
        let waiting = Rc::new(Waiting::default());
        let mut watched = std::pin::pin!(Watched::new(
            std::future::pending::<()>(),
            Rc::clone(&waiting),
            STALL_TIMEOUT
        ));
        let mut pass = async |time: Duration| {
            timeout(time, poll_fn(|cx| watched.as_mut().poll(cx))).await.is_ok()
        };
        assert!(!pass(STALL_TIMEOUT * 10).await, "nothing waits");
        waiting.offered();
        assert!(!pass(STALL_TIMEOUT - Duration::from_secs(1)).await);
        waiting.taken();
        waiting.offered();
        assert!(!pass(STALL_TIMEOUT - Duration::from_secs(1)).await, "another piece");
        waiting.taken();
        assert!(!pass(STALL_TIMEOUT * 2).await, "nothing waits");
        waiting.offered();
        assert!(pass(STALL_TIMEOUT + Duration::from_secs(1)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn ends_with_its_stream() {
        let begun = Instant::now();
        Watched::new(sleep(STALL_TIMEOUT / 2), Rc::default(), STALL_TIMEOUT).await;
        assert_eq!(begun.elapsed(), STALL_TIMEOUT / 2);
    }
}
