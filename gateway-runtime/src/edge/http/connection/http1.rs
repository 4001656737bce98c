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
        connection::{
            ClientSocket, Peer, ServerState, Wakeups, activity::Activity, check::check,
            exchange::ExchangeStart, refusal::Unread,
        },
    },
};

/// An idle connection is looked at after this, and then half as often each time that it was used in between: one that
/// is used once gives its buffers back soon, and one that is used all the time is not bothered.
const MIN_IDLE_CHECK: Duration = Duration::from_millis(100);
const MAX_IDLE_CHECK: Duration = Duration::from_secs(2);

/// How a HEAD request begins, whose response has no body.
const HEAD: &[u8] = b"HEAD ";

/// Serves the requests that the client sends one after the other, until none came for a while. hyper's buffers, 16 KiB and
/// more, live no longer than this call.
pub(super) async fn serve<H: Handler>(
    mut io: ClientSocket,
    shared: &ServerState<H>,
    peer: &Peer,
    wake: &mut Wakeups<'_>,
) -> Http1Remainder {
    let limits = &shared.limits;
    let activity = peer.activity();
    let service = service_fn(|request| {
        let begun = ExchangeStart::new(&request, peer);
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
    let mut watch = IdleWatch::new(activity, Instant::now() + limits.header_timeout);
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
                return Poll::Ready(Http1End::of(end, peer));
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
                Observation::Idle
            } else {
                return Poll::Pending;
            };
            match look {
                Observation::Busy => {}
                Observation::Late => {
                    tracing::debug!(peer = %peer.address(), "gave up a client that does not finish its request head");
                    return Poll::Ready(Http1End::Late);
                }
                Observation::Idle => {
                    // Only hyper knows for sure. If it is busy after all, its answer will say `Connection: close`.
                    told = true;
                    activity.detaching.set(true);
                    http.as_mut().graceful_shutdown();
                    let parked = http.as_mut().poll(cx);
                    activity.detaching.set(false);
                    if let Poll::Ready(end) = parked {
                        return Poll::Ready(if end.is_ok() { Http1End::Idle } else { Http1End::of(end, peer) });
                    }
                }
            }
            wake.at(watch.next());
            return Poll::Pending;
        }
    })
    .await;

    let Some(parts) = Pin::into_inner(http).into_parts() else { return Http1Remainder::Nothing }; // upgraded
    let mut io = parts.io;
    let unread = match (&over, io.take_refused()) {
        (Http1End::Late, _) => Some(Unread::Late),
        (_, refused) => refused.map(|status| Unread::Refused(status, &parts.read_buf)),
    };
    if let Some(unread) = unread {
        let is_head = match parts.read_buf.trim_ascii_start() {
            [] => begins_with_head && activity.steps() == at_start,
            head => head.starts_with(HEAD),
        };
        let response = unread.encode(limits, peer, !is_head);
        return if io.finish(&response).await.is_ok() {
            Http1Remainder::Sending(io)
        } else {
            Http1Remainder::Nothing
        };
    }
    match over {
        Http1End::Idle => {
            io.unread(&parts.read_buf);
            Http1Remainder::Idle(io)
        }
        Http1End::Closed { early: true } if !wake.stopping() => Http1Remainder::Sending(io),
        Http1End::Closed { .. } | Http1End::Late => Http1Remainder::Nothing,
    }
}

/// What is left of a connection when there is nothing to do.
pub(super) enum Http1Remainder {
    /// A socket for further requests.
    Idle(ClientSocket),
    /// A socket that is closed already, to which the client may still be sending.
    Sending(ClientSocket),
    Nothing,
}

/// Why hyper is done.
enum Http1End {
    /// The connection is idle, and may be used again.
    Idle,
    /// It was closed, perhaps `early`: before the client had sent all of its request.
    Closed { early: bool },
    /// A request head did not arrive in time.
    Late,
}

impl Http1End {
    fn of(end: hyper::Result<()>, peer: &Peer) -> Self {
        let Err(error) = end else { return Self::Closed { early: peer.activity().has_body.get() } };
        tracing::debug!(peer = %peer.address(), %error, "an HTTP/1.1 connection broke off");
        Self::Closed { early: error.is_parse() }
    }
}

/// Looks at a connection now and then.
struct IdleWatch {
    /// When the head must be here that the connection begins with.
    head_due: Instant,
    at_start: u32,
    seen: u32,
    pace: Duration,
}

/// What is seen of a connection.
enum Observation {
    Busy,
    /// Nothing happened since the last look.
    Idle,
    /// There should have been a request by now.
    Late,
}

impl IdleWatch {
    fn new(activity: &Activity, head_due: Instant) -> Self {
        Self { head_due, at_start: activity.steps(), seen: activity.steps(), pace: MIN_IDLE_CHECK }
    }

    fn look(&mut self, activity: &Activity) -> Observation {
        let steps = activity.steps();
        if steps == self.at_start {
            return if Instant::now() >= self.head_due {
                Observation::Late
            } else {
                Observation::Busy
            };
        }
        let moved = mem::replace(&mut self.seen, steps) != steps;
        if moved || activity.busy() { Observation::Busy } else { Observation::Idle }
    }

    /// When to look again.
    fn next(&mut self) -> Instant {
        let next = tick_from(Instant::now() + self.pace, MIN_IDLE_CHECK);
        self.pace = MAX_IDLE_CHECK.min(self.pace * 2);
        if self.seen == self.at_start { next.min(self.head_due) } else { next }
    }
}
