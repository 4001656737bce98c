//! An HTTP/1.1 connection while it serves requests.

use std::{
    future::{poll_fn, ready},
    mem,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::Either;
use hyper::service::service_fn;
use tokio::time::Instant;

use crate::{
    base::duration::tick_from,
    edge::http::{
        connection::{
            activity::{Activity, Peer},
            check::check,
            exchange::ExchangeStart,
            framing::Violation,
            refusal::Unread,
            server_state::ServerState,
            socket::ClientSocket,
            wakeups::Wakeups,
        },
        handler::Handler,
    },
};

/// Delay of the first idle check; it doubles, up to [`MAX_IDLE_CHECK`], each time that the
/// connection was used in between. A connection that is used once releases its buffers soon, and a
/// busy one is checked rarely.
const MIN_IDLE_CHECK: Duration = Duration::from_millis(100);
const MAX_IDLE_CHECK: Duration = Duration::from_secs(2);

/// Start of a HEAD request, whose response has no body.
const HEAD: &[u8] = b"HEAD ";

/// Serves the requests that the client sends one after the other, until the connection is idle.
/// hyper's buffers, 16 KiB and more, live no longer than this call.
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
    io.guard_framing(limits);
    let large = activity.large.get();
    let builder = if large { &shared.http1_large } else { &shared.http1 };
    let mut http = Box::pin(builder.serve_connection(io, service).with_upgrades());

    let at_start = activity.steps();
    let head_due = Instant::now() + limits.header_timeout;
    let over = drive(http.as_mut(), |http| http.graceful_shutdown(), peer, wake, head_due).await;

    // The connection has no parts after an upgrade.
    let Some(parts) = Pin::into_inner(http).into_parts() else { return Http1Remainder::Nothing };
    let is_first_head = begins_with_head && activity.steps() == at_start;
    remainder(parts.io, &parts.read_buf, over, is_first_head, shared, peer).await
}

/// Polls hyper's connection until it ends, is idle, or its request head is late. `shut_down` begins
/// hyper's graceful shutdown.
async fn drive<C: Future<Output = hyper::Result<()>>>(
    mut http: Pin<&mut C>,
    shut_down: impl Fn(Pin<&mut C>),
    peer: &Peer,
    wake: &mut Wakeups<'_>,
    head_due: Instant,
) -> Http1End {
    let activity = peer.activity();
    let large = activity.large.get();
    let mut watch = IdleWatch::new(activity, head_due);
    wake.at(watch.next());
    let mut closing = false;
    poll_fn(|cx| {
        loop {
            let stop = wake.stopping() && !closing;
            if stop && activity.in_flight() > 0 {
                // The response in progress gets `Connection: close`.
                closing = true;
                shut_down(http.as_mut());
            }
            if let Poll::Ready(end) = http.as_mut().poll(cx) {
                return Poll::Ready(Http1End::of(end, peer));
            }
            if stop && !closing {
                // hyper has read a request that had already arrived, and responds to it.
                closing = true;
                shut_down(http.as_mut());
                continue;
            }
            let observation = if wake.rang() {
                watch.observe(activity)
            } else if activity.large.get() != large && !activity.busy() {
                Observation::Idle
            } else {
                return Poll::Pending;
            };
            match observation {
                Observation::Busy => {}
                Observation::Late => return Poll::Ready(Http1End::late(peer)),
                Observation::Idle => {
                    closing = true;
                    if let Poll::Ready(end) = detach(http.as_mut(), &shut_down, activity, cx) {
                        return Poll::Ready(match end {
                            Ok(()) => Http1End::Idle,
                            end => Http1End::of(end, peer),
                        });
                    }
                }
            }
            wake.at(watch.next());
            return Poll::Pending;
        }
    })
    .await
}

/// Shuts an idle connection down, so that it detaches from hyper. Only hyper can tell for sure
/// whether it is idle; if it is still busy, its response gets `Connection: close`.
fn detach<C: Future<Output = hyper::Result<()>>>(
    mut http: Pin<&mut C>,
    shut_down: impl Fn(Pin<&mut C>),
    activity: &Activity,
    cx: &mut Context<'_>,
) -> Poll<hyper::Result<()>> {
    activity.detaching.set(true);
    shut_down(http.as_mut());
    let end = http.poll(cx);
    activity.detaching.set(false);
    end
}

/// Returns what remains of a connection that hyper no longer serves. A refused or late request gets
/// its response here, since hyper cannot write one.
async fn remainder<H: Handler>(
    mut io: ClientSocket,
    unparsed: &Bytes,
    over: Http1End,
    is_first_head: bool,
    shared: &ServerState<H>,
    peer: &Peer,
) -> Http1Remainder {
    let unread = match (&over, io.take_refused()) {
        (Http1End::Late, _) => Some(Unread::Late),
        (_, refused) => refused.map(|(status, violation)| Unread::Refused(status, violation)),
    };
    if let Some(Unread::Refused(_, Some(Violation::NotHttp))) = unread {
        return Http1Remainder::Nothing;
    }
    if let Some(unread) = unread {
        let is_head = match unparsed.trim_ascii_start() {
            [] => is_first_head,
            head => head.starts_with(HEAD),
        };
        let response = unread.encode(&shared.limits, peer, !is_head);
        return match io.finish(&response).await {
            Ok(()) => Http1Remainder::Sending(io),
            Err(_) => Http1Remainder::Nothing,
        };
    }
    match over {
        Http1End::Idle => {
            io.unread(unparsed);
            Http1Remainder::Idle(io)
        }
        Http1End::Closed { early: true } if !shared.stopping.is_triggered() => {
            Http1Remainder::Sending(io)
        }
        Http1End::Closed { .. } | Http1End::Late => Http1Remainder::Nothing,
    }
}

/// The rest of a connection that has no request to serve.
pub(super) enum Http1Remainder {
    /// An idle socket, which can serve further requests.
    Idle(ClientSocket),
    /// A socket whose sending half is closed, while the client may still be sending.
    Sending(ClientSocket),
    /// A socket that is already closed, broken or upgraded.
    Nothing,
}

/// The reason that hyper ended.
enum Http1End {
    /// The connection is idle, and may be used again.
    Idle,
    /// The connection is closed; `early` means before the client had sent all of its request.
    Closed { early: bool },
    /// A request head did not arrive in time.
    Late,
}

impl Http1End {
    /// The end of a connection whose request head is late.
    fn late(peer: &Peer) -> Self {
        tracing::debug!(
            peer = %peer.address(),
            "connection closed: the client does not finish its request head"
        );
        Self::Late
    }

    /// Classifies the end of hyper's connection.
    fn of(end: hyper::Result<()>, peer: &Peer) -> Self {
        let Err(error) = end else { return Self::Closed { early: peer.activity().has_body.get() } };
        tracing::debug!(peer = %peer.address(), %error, "an HTTP/1.1 connection broke off");
        Self::Closed { early: error.is_parse() }
    }
}

/// The periodic check of a connection for idleness and for a late request head.
struct IdleWatch {
    /// Deadline of the first request head in a call of [`serve`].
    head_due: Instant,
    at_start: u32,
    seen: u32,
    pace: Duration,
}

/// The result of an idle check.
enum Observation {
    Busy,
    /// Nothing happened since the last check.
    Idle,
    /// The first request head is overdue.
    Late,
}

impl IdleWatch {
    fn new(activity: &Activity, head_due: Instant) -> Self {
        Self { head_due, at_start: activity.steps(), seen: activity.steps(), pace: MIN_IDLE_CHECK }
    }

    /// Compares the activity with the last check.
    fn observe(&mut self, activity: &Activity) -> Observation {
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

    /// Returns the time of the next check.
    fn next(&mut self) -> Instant {
        let next = tick_from(Instant::now() + self.pace, MIN_IDLE_CHECK);
        self.pace = MAX_IDLE_CHECK.min(self.pace * 2);
        if self.seen == self.at_start { next.min(self.head_due) } else { next }
    }
}
