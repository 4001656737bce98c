//! An HTTP/2 connection.

use std::{
    future::{poll_fn, ready},
    rc::Rc,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use futures_util::future::Either;
use http::{Request, Response};
use hyper::{body::Incoming, service::service_fn};
use tokio::time::Instant;

use crate::base::body::Body;
use crate::edge::http::{
    connection::{
        activity::Peer,
        check::check,
        exchange::{Exchange, ExchangeStart},
        local_executor::Accepted,
        refusal,
        server_state::ServerState,
        socket::ClientSocket,
        stall::Waiting,
        wakeups::Wakeups,
    },
    handler::Handler,
    limits::HttpLimits,
};

/// Time limit on an idle client to close the connection after a GOAWAY.
const GOAWAY_TIMEOUT: Duration = Duration::from_secs(5);

/// Serves the connection to its end.
pub(super) async fn serve<H: Handler>(
    mut io: ClientSocket,
    shared: &ServerState<H>,
    peer: &Peer,
    wake: &mut Wakeups<'_>,
) {
    io.meter_frames();
    let limits = &shared.limits;
    let activity = peer.activity();
    let handler = Arc::clone(&shared.handler);
    let client = peer.clone();
    let head_limits = limits.clone();
    let accepted = Rc::clone(&shared.accepted);
    let switched = Rc::clone(&shared.switched);
    let service = service_fn(move |request: Request<Incoming>| {
        begin(request, Arc::clone(&handler), &client, &head_limits, &accepted)
            .switched_by(&switched)
    });
    let mut http = Box::pin(shared.http2.serve_connection(io, service));
    let goaway_timeout = limits.write_timeout.min(GOAWAY_TIMEOUT);
    let pace = limits.write_timeout.min(limits.keep_alive) / 8;
    let mut seen = activity.steps();
    let mut idle_since = Instant::now();
    let mut closing = false;
    wake.at(idle_since + pace);
    poll_fn(|cx| {
        loop {
            if let Poll::Ready(end) = http.as_mut().poll(cx) {
                log_end(end, peer);
                return Poll::Ready(());
            }
            if wake.stopping() && !closing {
                closing = true;
                http.as_mut().graceful_shutdown();
                continue;
            }
            if !wake.rang() {
                return Poll::Pending;
            }
            let now = Instant::now();
            if activity.steps() != seen {
                seen = activity.steps();
                idle_since = now;
            }
            let idle_time = now - idle_since;
            if activity.in_flight() == 0 && closing && idle_time >= goaway_timeout {
                return Poll::Ready(());
            }
            wake.at(now + pace);
            if activity.in_flight() == 0 && !closing && idle_time >= limits.keep_alive {
                closing = true;
                idle_since = now;
                http.as_mut().graceful_shutdown();
                continue;
            }
            return Poll::Pending;
        }
    })
    .await;
}

/// Logs a connection that broke off.
fn log_end(end: hyper::Result<()>, peer: &Peer) {
    if let Err(error) = end {
        tracing::debug!(peer = %peer.address(), %error, "an HTTP/2 connection broke off");
    }
}

/// Begins the exchange of one stream: checks the head, then calls the handler.
fn begin<H: Handler>(
    request: Request<Incoming>,
    handler: Arc<H>,
    client: &Peer,
    limits: &HttpLimits,
    accepted: &Accepted,
) -> Exchange<impl Future<Output = Response<Body>> + use<H>> {
    let waiting = Rc::new(Waiting::default());
    accepted.set(Some(Rc::clone(&waiting)));
    // hyper's HTTP/1.1 parser counts the fields itself; for HTTP/2 they are counted here (RFC 6585
    // §5).
    let refused = if request.headers().len() > limits.header_count {
        Some(refusal::respond(&refusal::header_too_large(limits), &request, client))
    } else {
        check(&request, client)
    };
    let peer = client.clone();
    ExchangeStart::new(&request, client).watched_by(waiting).with(match refused {
        None => Either::Left(async move { handler.handle(request, peer).await }),
        Some(response) => Either::Right(ready(response)),
    })
}
