//! An HTTP/1.1 connection while it has something to do.

use std::{future::poll_fn, pin::Pin, task::Poll, time::Duration};

use hyper::service::service_fn;
use tokio::time::{Instant, timeout};

use super::{Io, Peer, Shared, Wake, exchange};
use crate::http::Handler;

/// An idle connection is looked at after this, and then half as often each time that it was used in between: one that
/// is used once gives its buffers back soon, and one that is used all the time is not bothered.
const SOONEST: Duration = Duration::from_millis(10);
const LATEST: Duration = Duration::from_secs(2);

/// Serves the requests that the client sends one after the other. Returns the socket when the connection fell idle, and
/// nothing when it is over. hyper's buffers, 16 KiB and more, live no longer than this call.
pub(super) async fn serve<H: Handler>(io: Io, shared: &Shared<H>, peer: &Peer, wake: &mut Wake<'_>) -> Option<Io> {
    let limits = &shared.limits;
    let activity = peer.activity();
    let service =
        service_fn(|request| exchange::answer(shared.handler.clone(), request, peer.clone(), limits.header_count));
    let mut http = Box::pin(shared.http1.serve_connection(io, service).with_upgrades());

    let head_due = Instant::now() + limits.header_timeout;
    let at_start = activity.steps();
    let mut seen = at_start;
    let mut pace = SOONEST;
    let mut told = false;
    let mut first = true;
    let over = poll_fn(|cx| {
        loop {
            let stop = wake.stopping() && !told;
            if stop && activity.in_flight() > 0 {
                // The answer will say `Connection: close`.
                told = true;
                http.as_mut().graceful_shutdown();
            }
            if let Poll::Ready(end) = http.as_mut().poll(cx) {
                let early = match &end {
                    Ok(()) => activity.has_body.get(),
                    Err(error) => {
                        tracing::debug!(peer = %peer.address(), %error, "an HTTP/1.1 connection broke off");
                        error.is_parse()
                    }
                };
                return Poll::Ready(Over::Closed { early });
            }
            if stop && !told {
                // A request that was already here has been read by now, and is answered.
                told = true;
                http.as_mut().graceful_shutdown();
                continue;
            }
            if !first && !wake.rang() {
                return Poll::Pending;
            }
            let now = Instant::now();
            let steps = activity.steps();
            if activity.in_flight() > 0 || activity.blocked.get() || steps != seen || first {
                seen = steps;
                first = false;
            } else if steps == at_start {
                if now >= head_due {
                    tracing::debug!(peer = %peer.address(), "gave up a client that does not finish its request head");
                    return Poll::Ready(Over::Closed { early: false });
                }
            } else {
                // Only hyper knows for sure. If it is busy after all, its answer will say `Connection: close`.
                activity.parking.set(true);
                http.as_mut().graceful_shutdown();
                let parked = http.as_mut().poll(cx);
                activity.parking.set(false);
                told = true;
                if let Poll::Ready(end) = parked {
                    return Poll::Ready(if end.is_ok() { Over::Idle } else { Over::Closed { early: false } });
                }
            }
            wake.at(if steps == at_start { head_due.min(now + pace) } else { now + pace }, cx);
            pace = LATEST.min(pace * 2);
            return Poll::Pending;
        }
    })
    .await;

    // Nothing, if the connection was upgraded.
    let parts = Pin::into_inner(http).into_parts()?;
    let mut io = parts.io;
    match over {
        Over::Idle => {
            io.unread(parts.read_buf);
            return Some(io);
        }
        Over::Closed { early: true } if !wake.stopping() => linger(io).await,
        Over::Closed { .. } => {}
    }
    None
}

/// Why hyper is done.
enum Over {
    /// The connection is idle, and may be used again.
    Idle,
    /// It was closed, perhaps `early`: before the client had sent all of its request.
    Closed { early: bool },
}

/// Takes what the client is still sending, for a while: closing a socket with unread bytes resets it, and the client
/// may then never see an early answer (RFC 9112 §9.6).
async fn linger(mut io: Io) {
    const LONGEST: Duration = Duration::from_secs(2);
    let discard = async { while let Ok(1..) = poll_fn(|cx| io.poll_discard(cx)).await {} };
    // Out of time is as good an end as any.
    let _ = timeout(LONGEST, discard).await;
}
