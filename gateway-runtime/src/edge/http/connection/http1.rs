//! An HTTP/1.1 connection while it has something to do.

use std::{
    future::{poll_fn, ready},
    mem,
    pin::Pin,
    task::Poll,
    time::Duration,
};

use futures_util::future::Either;
use hyper::service::service_fn;
use tokio::time::Instant;

use crate::{
    base::duration::tick_from,
    edge::http::{
        Handler,
        connection::{Io, Peer, Shared, Wake, activity::Activity, check::check, exchange::Begun, refusal::Unread},
    },
};

/// An idle connection is looked at after this, and then half as often each time that it was used in between: one that
/// is used once gives its buffers back soon, and one that is used all the time is not bothered.
const SOONEST: Duration = Duration::from_millis(100);
const LATEST: Duration = Duration::from_secs(2);

/// How a HEAD request begins, whose response has no body.
const HEAD: &[u8] = b"HEAD ";

/// Serves the requests that the client sends one after the other, until none came for a while. hyper's buffers, 16 KiB and
/// more, live no longer than this call.
pub(super) async fn serve<H: Handler>(mut io: Io, shared: &Shared<H>, peer: &Peer, wake: &mut Wake<'_>) -> Left {
    let limits = &shared.limits;
    let activity = peer.activity();
    let service = service_fn(|request| {
        let begun = Begun::new(&request, peer);
        begun.with(match check(&request, peer) {
            None => Either::Left(shared.handler.handle(request, peer.clone())),
            Some(response) => Either::Right(ready(response)),
        })
    });
    let begins_with_head = io.ahead().starts_with(HEAD);
    io.hold_refusals();
    let large = activity.large.get();
    let builder = if large { &shared.http1_large } else { &shared.http1 };
    let mut http = Box::pin(builder.serve_connection(io, service).with_upgrades());

    let at_start = activity.steps();
    let mut watch = Watch::new(activity, Instant::now() + limits.header_timeout);
    wake.at(watch.next());
    let mut told = false;
    let over = poll_fn(|cx| {
        loop {
            let stop = wake.stopping() && !told;
            if stop && activity.in_flight() > 0 {
                // The answer will say `Connection: close`.
                told = true;
                http.as_mut().graceful_shutdown();
            }
            if let Poll::Ready(end) = http.as_mut().poll(cx) {
                return Poll::Ready(Over::of(end, peer));
            }
            if stop && !told {
                // A request that was already here has been read by now, and is answered.
                told = true;
                http.as_mut().graceful_shutdown();
                continue;
            }
            let look = if wake.rang() {
                watch.look(activity)
            } else if activity.large.get() != large && !activity.busy() {
                Look::Idle
            } else {
                return Poll::Pending;
            };
            match look {
                Look::Busy => {}
                Look::Late => {
                    tracing::debug!(peer = %peer.address(), "gave up a client that does not finish its request head");
                    return Poll::Ready(Over::Late);
                }
                Look::Idle => {
                    // Only hyper knows for sure. If it is busy after all, its answer will say `Connection: close`.
                    told = true;
                    activity.parking.set(true);
                    http.as_mut().graceful_shutdown();
                    let parked = http.as_mut().poll(cx);
                    activity.parking.set(false);
                    if let Poll::Ready(end) = parked {
                        return Poll::Ready(if end.is_ok() { Over::Idle } else { Over::of(end, peer) });
                    }
                }
            }
            wake.at(watch.next());
            return Poll::Pending;
        }
    })
    .await;

    let Some(parts) = Pin::into_inner(http).into_parts() else { return Left::Nothing }; // upgraded
    let mut io = parts.io;
    let unread = match (&over, io.take_refused()) {
        (Over::Late, _) => Some(Unread::Late),
        (_, refused) => refused.map(|status| Unread::Refused(status, &parts.read_buf)),
    };
    if let Some(unread) = unread {
        let is_head = match parts.read_buf.trim_ascii_start() {
            [] => begins_with_head && activity.steps() == at_start,
            head => head.starts_with(HEAD),
        };
        let response = unread.encode(limits, peer, !is_head);
        return if io.finish(&response).await.is_ok() { Left::Sending(io) } else { Left::Nothing };
    }
    match over {
        Over::Idle => {
            io.unread(&parts.read_buf);
            Left::Idle(io)
        }
        Over::Closed { early: true } if !wake.stopping() => Left::Sending(io),
        Over::Closed { .. } | Over::Late => Left::Nothing,
    }
}

/// What is left of a connection when there is nothing to do.
pub(super) enum Left {
    /// A socket for further requests.
    Idle(Io),
    /// A socket that is closed already, to which the client may still be sending.
    Sending(Io),
    Nothing,
}

/// Why hyper is done.
enum Over {
    /// The connection is idle, and may be used again.
    Idle,
    /// It was closed, perhaps `early`: before the client had sent all of its request.
    Closed { early: bool },
    /// A request head did not arrive in time.
    Late,
}

impl Over {
    fn of(end: hyper::Result<()>, peer: &Peer) -> Self {
        let Err(error) = end else { return Self::Closed { early: peer.activity().has_body.get() } };
        tracing::debug!(peer = %peer.address(), %error, "an HTTP/1.1 connection broke off");
        Self::Closed { early: error.is_parse() }
    }
}

/// Looks at a connection now and then.
struct Watch {
    /// When the head must be here that the connection begins with.
    head_due: Instant,
    at_start: u32,
    seen: u32,
    pace: Duration,
}

/// What is seen of a connection.
enum Look {
    Busy,
    /// Nothing happened since the last look.
    Idle,
    /// There should have been a request by now.
    Late,
}

impl Watch {
    fn new(activity: &Activity, head_due: Instant) -> Self {
        Self { head_due, at_start: activity.steps(), seen: activity.steps(), pace: SOONEST }
    }

    fn look(&mut self, activity: &Activity) -> Look {
        let steps = activity.steps();
        if steps == self.at_start {
            return if Instant::now() >= self.head_due { Look::Late } else { Look::Busy };
        }
        let moved = mem::replace(&mut self.seen, steps) != steps;
        if moved || activity.busy() { Look::Busy } else { Look::Idle }
    }

    /// When to look again.
    fn next(&mut self) -> Instant {
        let next = tick_from(Instant::now() + self.pace, SOONEST);
        self.pace = LATEST.min(self.pace * 2);
        if self.seen == self.at_start { next.min(self.head_due) } else { next }
    }
}
