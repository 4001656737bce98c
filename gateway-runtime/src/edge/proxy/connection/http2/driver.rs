//! The task of a connection over HTTP/2. It moves the bytes of all streams, and finds a peer that
//! has vanished without closing the connection.
//!
//! A ping is sent after a silence in which requests wait for an answer, and only one for each such
//! silence: servers of gRPC end a connection whose client pings often while they send nothing.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use h2::{Ping, PingPong};
use tokio::time::{Duration, Instant, Interval, MissedTickBehavior, interval};

use crate::edge::proxy::connection::{
    http2::{
        limits::{PING_AFTER, PING_TIMEOUT},
        place::ConnectionStatus,
    },
    socket::Socket,
};

/// A connection as its driver holds it.
pub(super) type Http2Connection = h2::client::Connection<Socket, Bytes>;

/// The interval at which silence is measured.
const TICK: Duration = Duration::from_secs(1);

/// Drives a connection to its end. The streams that are then open fail.
pub(super) async fn run(
    mut connection: Http2Connection,
    pings: PingPong,
    status: Arc<ConnectionStatus>,
) {
    let mut watch = Watch::new(pings, Arc::clone(&status));
    let ended = poll_fn(|cx| {
        if watch.poll_vanished(cx).is_ready() {
            return Poll::Ready(None);
        }
        Pin::new(&mut connection).poll(cx).map(Some)
    })
    .await;
    status.end();
    match ended {
        None => tracing::warn!("an instance vanished: it has not answered a ping over HTTP/2"),
        Some(Err(error)) => tracing::debug!(%error, "a connection over HTTP/2 ended"),
        Some(Ok(())) => {}
    }
}

/// The watch over the silence of a peer.
struct Watch {
    pings: PingPong,
    status: Arc<ConnectionStatus>,
    ticks: Interval,
    /// The time of the ping that is not answered.
    pinged_at: Option<Instant>,
}

impl Watch {
    fn new(pings: PingPong, status: Arc<ConnectionStatus>) -> Self {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { pings, status, ticks, pinged_at: None }
    }

    /// Sends a ping when one is due. Ready when the last one was not answered in time.
    fn poll_vanished(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.pinged_at.is_some() && self.pings.poll_pong(cx).is_ready() {
            self.pinged_at = None;
            self.status.received();
        }
        while self.ticks.poll_tick(cx).is_ready() {
            let now = Instant::now();
            match self.pinged_at {
                Some(at) if now - at >= PING_TIMEOUT => return Poll::Ready(()),
                Some(_) => {}
                None => self.ping_if_silent(now),
            }
        }
        Poll::Pending
    }

    fn ping_if_silent(&mut self, now: Instant) {
        let is_due = |since| now - since >= PING_AFTER;
        if self.status.waiting_since().is_some_and(is_due)
            && self.pings.send_ping(Ping::opaque()).is_ok()
        {
            self.pinged_at = Some(now);
        }
    }
}
