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
pub(super) mod framing;
mod http1;
mod http2;
mod local_executor;
pub(super) mod refusal;
mod server_state;
mod socket;
mod stall;
mod tunnel_client;
mod wakeups;

use std::{future::poll_fn, net::SocketAddr, pin::pin, rc::Rc, task::Poll, time::Duration};

use tokio::{
    net::TcpStream,
    sync::OwnedSemaphorePermit,
    time::{Instant, sleep_until, timeout},
};

pub use crate::edge::http::connection::activity::Peer;
pub(super) use crate::edge::http::connection::{
    activity::ShutdownSignal, server_state::ServerState, tunnel_client::ClientConnection,
};
use crate::edge::http::{
    connection::{http1::Http1Remainder, socket::ClientSocket, wakeups::Wakeups},
    handler::Handler,
    limits::HttpLimits,
};

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
