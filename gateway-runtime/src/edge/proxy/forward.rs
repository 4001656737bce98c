//! The forwarding of one request: the choice of instances, and its response.

use std::sync::Arc;

use http::{HeaderName, Request, Response};
use smallvec::SmallVec;
use tokio::time::Instant;

use crate::{
    base::{body::Body, error::Error},
    edge::{
        dispatch::DispatchRequest,
        proxy::{
            attempt::{Exchange, FailedAttempt, attempt},
            download::Download,
            driver::Source,
            error,
            handshake::Handshake,
            max_forwards,
            request_head::{self, Origin},
            response_head, tunnel,
            upload::{Progress, Upload},
            upstream::Upstream,
        },
    },
};

/// Forwards a request, and returns the response as soon as its head is there.
///
/// # Errors
///
/// `invalid-request`, `request-timeout`, `upstream-unreachable`, `upstream-failed`, `timeout` or
/// `outcome-unknown`, and `loop-detected`.
pub(super) async fn forward(
    upstream: &Upstream,
    request: DispatchRequest,
    withheld: &'static [HeaderName],
) -> Result<Response<Body>, Error> {
    let rest = request.rest().to_owned();
    let DispatchRequest { id, peer, caller, mut head, body, .. } = request;
    if let Some(response) = max_forwards::count(&mut head)? {
        return Ok(response);
    }
    let (upload, progress) = Upload::new(body, head.version);
    // A handshake has no body: its bytes could be read as the first ones of the WebSocket.
    let handshake = match progress {
        None => Handshake::take(&mut head)?,
        Some(_) => None,
    };
    let method = head.method.clone();
    let is_websocket = handshake.is_some();
    let origin = Origin { peer: peer.ip(), id: &id, caller: &caller, withheld };
    let request = request_head::forwarded(head, &rest, upload, is_websocket, &origin)?;
    let Exchange { response, connection, lease } =
        exchange(upstream, request, progress.as_ref()).await?;
    let (mut head, body) = response.into_parts();
    if let Err(error) = response_head::check(&head, is_websocket) {
        upstream.failed(lease.instance(), "its response is malformed");
        return Err(error);
    }
    upstream.answered(lease.instance(), head.status.as_u16());
    let idle = upstream.terms.clocks.idle;
    if let Some(handshake) = handshake
        && let Some(mut accepted) = handshake.accept(&head)?
    {
        let tunnel = tunnel::between(handshake.client, connection, lease, idle);
        accepted.extensions_mut().insert(tunnel);
        return Ok(accepted);
    }
    let source = Source::new(connection, lease, response_head::may_reuse_connection(&head));
    response_head::strip(&mut head, &method);
    let download = Download::new(body, source, progress, idle);
    Ok(Response::from_parts(head, Body::wrap(download)))
}

/// Sends a request to one instance after another, until one answers. A request goes to another
/// instance only if nothing of it was sent, or if it is safe and has no body (RFC 9110 §9.2.2); and
/// never to one that has failed.
async fn exchange(
    upstream: &Upstream,
    request: Request<Upload>,
    progress: Option<&Arc<Progress>>,
) -> Result<Exchange, Error> {
    let key = upstream.terms.balancer.key(request.headers());
    let deadline = Instant::now() + upstream.terms.settings.attempts_timeout;
    let mut request = request;
    let mut tried = SmallVec::<[_; 2]>::new();
    let mut last = None;
    while tried.len() < upstream.terms.settings.attempts
        && (tried.is_empty() || Instant::now() < deadline)
        && let Some(lease) = upstream.lease(&tried, key, deadline).await?
    {
        tried.push(Arc::clone(lease.instance()));
        match attempt(upstream, lease, request, progress, deadline).await {
            Ok(exchange) => return Ok(exchange),
            Err(FailedAttempt { error, again: None }) => return Err(error),
            Err(FailedAttempt { error, again: Some(again) }) => {
                last = Some(error);
                request = *again;
            }
        }
    }
    Err(last.unwrap_or_else(error::no_instance))
}
