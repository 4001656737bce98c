//! A client's connection, from accept to close.
//!
//! A connection without a request is [`idle`]: a socket and a timer, about two kilobytes. The first
//! bytes determine the protocol, and [`http1`] or [`http2`] serves them. An HTTP/1.1 connection
//! without further requests becomes [`idle`] again; an HTTP/2 connection has too much state for
//! that, and keeps its 21 KiB.
//!
//! **Time limits without a timer per request.** A timer for each request head and each idle phase,
//! as hyper sets them, costs 5 % of a small request. Here every connection has one alarm that fires
//! now and then, however many requests pass, and compares the [`Activity`](activity::Activity) with
//! the last check.

mod activity;
mod check;
mod exchange;
mod flood;
mod http1;
mod http2;
pub(super) mod refusal;
mod socket;
mod stall;

use std::{
    future::poll_fn,
    net::SocketAddr,
    pin::{Pin, pin},
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use hyper::server::conn;
use hyper_util::rt::TokioTimer;
use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, futures::Notified},
    task::coop::unconstrained,
    time::{Instant, Sleep, sleep_until, timeout},
};

pub use crate::edge::http::connection::activity::Peer;
pub(super) use crate::edge::http::connection::activity::ShutdownSignal;
use crate::edge::http::{
    Handler,
    connection::{
        http1::Http1Remainder,
        http2::{Accepted, LocalExecutor},
        socket::ClientSocket,
    },
    limits::{DEFAULT_HEADER_COUNT, HttpLimits},
};

/// The state that all connections of one worker share.
pub(super) struct ServerState<H> {
    handler: Arc<H>,
    limits: HttpLimits,
    stopping: Arc<ShutdownSignal>,
    http1: conn::http1::Builder,
    http1_large: conn::http1::Builder,
    http2: conn::http2::Builder<LocalExecutor>,
    /// The stall state of the next stream that hyper spawns.
    accepted: Accepted,
}

/// Maximum that hyper buffers of a body in either direction, on one connection (HTTP/2: stream).
const BUFFER_BYTES: usize = 64 * 1024;

impl<H: Handler> ServerState<H> {
    /// Creates the state of a worker, with hyper configured by `limits`.
    pub(super) fn new(handler: H, limits: HttpLimits, stopping: Arc<ShutdownSignal>) -> Self {
        let header_bytes = limits.header_bytes as usize;
        let mut http1 = conn::http1::Builder::new();
        // Not `pipeline_flush`: it buffers a stream without bound, and delays a response while the
        // client has begun to send its next request. Its gain, one `write` of head and body
        // together, comes from `writev`.
        http1.max_buf_size(BUFFER_BYTES.max(header_bytes)).max_header_size(header_bytes);
        if limits.header_count != DEFAULT_HEADER_COUNT {
            http1.max_headers(limits.header_count);
        }
        let mut http1_large = http1.clone();
        http1.writev(false);
        http1_large.writev(true);
        let accepted = Accepted::default();
        let executor =
            LocalExecutor { accepted: Rc::clone(&accepted), write_timeout: limits.write_timeout };
        let mut http2 = conn::http2::Builder::new(executor);
        http2
            .timer(TokioTimer::new())
            .max_header_list_size(limits.header_bytes)
            .max_concurrent_streams(limits.http2.streams)
            .max_pending_accept_reset_streams(limits.http2.resets)
            .max_local_error_reset_streams(limits.http2.resets)
            .keep_alive_interval(limits.http2.ping_interval)
            .keep_alive_timeout(limits.http2.ping_timeout)
            .max_send_buf_size(BUFFER_BYTES)
            .initial_stream_window_size(256 * 1024)
            .initial_connection_window_size(512 * 1024);
        Self { handler: Arc::new(handler), limits, stopping, http1, http1_large, http2, accepted }
    }
}

/// Serves a connection to its end.
pub(super) async fn serve<H: Handler>(
    shared: Rc<ServerState<H>>,
    stream: TcpStream,
    address: SocketAddr,
    slot: OwnedSemaphorePermit,
) {
    let peer = Peer::connected(address, shared.stopping.clone());
    let mut io = ClientSocket::new(stream, peer.clone(), shared.limits.write_timeout, slot);
    let mut until = Instant::now() + shared.limits.header_timeout;
    let notified = pin!(shared.stopping.notified());
    let alarm = pin!(sleep_until(until));
    let mut wake = Wakeups::new(alarm, notified, &shared.stopping).await;
    loop {
        match idle(&mut io, until, &shared.limits, &mut wake).await {
            Some(Protocol::Http1) => match http1::serve(io, &shared, &peer, &mut wake).await {
                Http1Remainder::Idle(idle) => io = idle,
                Http1Remainder::Sending(io) => return linger(io).await,
                Http1Remainder::Nothing => return,
            },
            Some(Protocol::Http2) => return http2::serve(io, &shared, &peer, &mut wake).await,
            None => return,
        }
        until = Instant::now() + shared.limits.keep_alive;
    }
}

/// The protocol of a connection.
enum Protocol {
    Http1,
    Http2,
}

impl Protocol {
    /// Returns the protocol of a connection that begins with these bytes; `None` until it is
    /// certain.
    fn of(bytes: &[u8]) -> Option<Self> {
        /// The client's connection preface (RFC 9113 §3.4).
        const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        if bytes.starts_with(PREFACE) {
            Some(Self::Http2)
        } else if PREFACE.starts_with(bytes) {
            None
        } else {
            Some(Self::Http1)
        }
    }
}

/// Waits for the first bytes of a request, and reads them ahead. Returns `None` when the client
/// disconnected or was too slow, or when the server shuts down and there is no request.
async fn idle(
    io: &mut ClientSocket,
    until: Instant,
    limits: &HttpLimits,
    wake: &mut Wakeups<'_>,
) -> Option<Protocol> {
    let mut until = until;
    poll_fn(|cx| {
        loop {
            if let Some(protocol) = Protocol::of(io.ahead()) {
                return Poll::Ready(Some(protocol));
            }
            let begins = io.ahead().is_empty();
            match io.poll_read_ahead(cx) {
                Poll::Ready(Ok(1..)) if begins => until = Instant::now() + limits.header_timeout,
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(None),
                Poll::Pending => break,
            }
        }
        if wake.stopping() && io.ahead().is_empty() || Instant::now() >= until {
            return Poll::Ready(None);
        }
        wake.at(until);
        Poll::Pending
    })
    .await
}

/// Discards what the client is still sending, for up to 2 s. Closing a socket with unread bytes
/// resets it, and the client might never receive an early response (RFC 9112 §9.6).
async fn linger(mut io: ClientSocket) {
    const LINGER_TIMEOUT: Duration = Duration::from_secs(2);
    let discard = async { while let Ok(1..) = poll_fn(|cx| io.poll_discard(cx)).await {} };
    // The timeout is an end as good as the client's close.
    let _ = timeout(LINGER_TIMEOUT, discard).await;
}

/// The wake-ups of a connection besides its socket: its alarm, and the server's shutdown.
///
/// Each future is polled once and afterwards only checked, which costs a load. Therefore the same
/// task must poll the connection for its whole life.
struct Wakeups<'a> {
    alarm: Pin<&'a mut Sleep>,
    stopping: &'a ShutdownSignal,
    task: Waker,
}

impl<'a> Wakeups<'a> {
    /// Creates the wake-ups of the connection that the current task polls.
    async fn new(
        alarm: Pin<&'a mut Sleep>,
        notified: Pin<&mut Notified<'_>>,
        stopping: &'a ShutdownSignal,
    ) -> Self {
        let task = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
        let _ = poll_unconstrained(notified, &task);
        Self { alarm, stopping, task }
    }

    /// Returns whether the server shuts down.
    fn stopping(&self) -> bool {
        self.stopping.is_triggered()
    }

    /// Sets the alarm.
    fn at(&mut self, time: Instant) {
        self.alarm.as_mut().reset(time);
        if poll_unconstrained(self.alarm.as_mut(), &self.task).is_ready() {
            self.task.wake_by_ref();
        }
    }

    /// Returns whether the alarm has fired since it was set.
    fn rang(&self) -> bool {
        self.alarm.is_elapsed()
    }
}

/// Polls a future without tokio's cooperative budget: `Pending` means that the future will wake the
/// task, never that the task has used its share.
fn poll_unconstrained<F: Future>(future: Pin<&mut F>, task: &Waker) -> Poll<F::Output> {
    pin!(unconstrained(future)).poll(&mut Context::from_waker(task))
}

#[cfg(test)]
mod tests {
    use super::Protocol;

    #[test]
    fn first_bytes_determine_the_protocol() {
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        for n in 0..preface.len() {
            assert!(
                Protocol::of(&preface[..n]).is_none(),
                "{n} bytes of the preface decide nothing"
            );
        }
        assert!(matches!(Protocol::of(preface), Some(Protocol::Http2)));
        assert!(matches!(Protocol::of(b"G"), Some(Protocol::Http1)));
        assert!(matches!(Protocol::of(b"PRI * HTTP/1.1\r\n"), Some(Protocol::Http1)));
    }
}
