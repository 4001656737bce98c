//! The forwarding of one request: the choice of an instance, the connection to it, and the attempts
//! that are safe.

use std::{
    error::Error as _,
    io::{self, ErrorKind},
    sync::Arc,
};

use http::{HeaderName, Method, Request, Response, header::HOST};
use hyper::body::Incoming;
use smallvec::SmallVec;

use crate::{
    base::{
        body::Body,
        error::{Error, with_causes},
    },
    edge::{
        dispatch::DispatchRequest,
        proxy::{
            connection::{Connection, ExchangeError},
            download::Download,
            driver::Source,
            error,
            handshake::Handshake,
            instance::Lease,
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
    let (upload, progress) = Upload::new(body);
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
    response_head::check(&head, is_websocket)?;
    if let Some(handshake) = handshake
        && let Some(mut accepted) = handshake.accept(&head)?
    {
        let tunnel = tunnel::between(handshake.client, connection, lease, upstream.clocks.idle);
        accepted.extensions_mut().insert(tunnel);
        return Ok(accepted);
    }
    let source = Source::new(connection, lease, response_head::may_reuse_connection(&head));
    response_head::strip(&mut head, &method);
    let download = Download::new(body, source, progress, upstream.clocks.idle);
    Ok(Response::from_parts(head, Body::wrap(download)))
}

/// A response whose head has arrived, and the connection that its body comes from.
struct Exchange {
    response: Response<Incoming>,
    connection: Connection,
    lease: Lease,
}

/// Sends a request to an instance. An instance that cannot be connected to is ejected, and
/// another one is tried. A request that met a connection which the instance had closed is repeated
/// on a new one, if nothing was sent, or once if it is safe and has no body (RFC 9110 §9.2.2).
async fn exchange(
    upstream: &Upstream,
    request: Request<Upload>,
    progress: Option<&Arc<Progress>>,
) -> Result<Exchange, Error> {
    let method = request.method().clone();
    let mut request = request;
    let mut tried = SmallVec::<[_; 2]>::new();
    let mut reason = String::from("no instance");
    let mut is_exhausted = false;
    while let Some(lease) = upstream.choose(&tried) {
        let instance = Arc::clone(lease.instance());
        let host = request.headers_mut().insert(HOST, instance.host.clone());
        debug_assert!(host.is_none() || !tried.is_empty(), "`Host` is written here alone");
        while let Some(mut connection) = instance.take_idle() {
            let again = copy_of(&request);
            match connection.send(request, progress, upstream.clocks).await {
                Ok(response) => return Ok(Exchange { response, connection, lease }),
                Err(ExchangeError::NotSent(unsent)) => request = *unsent,
                Err(ExchangeError::Failed(error)) => match again {
                    Some(again) if closed_before_answer(&error) => {
                        request = again;
                        break;
                    }
                    _ => return Err(failed(&error, progress.map(|progress| &**progress))),
                },
                Err(error) => return Err(clock_error(&error, &method)),
            }
        }
        match Connection::open(&instance.address, upstream.connect_timeout).await {
            Ok(mut connection) => {
                instance.restore();
                return match connection.send(request, progress, upstream.clocks).await {
                    Ok(response) => Ok(Exchange { response, connection, lease }),
                    Err(ExchangeError::Failed(error)) => {
                        Err(failed(&error, progress.map(|progress| &**progress)))
                    }
                    Err(error) => Err(clock_error(&error, &method)),
                };
            }
            Err(error) => {
                reason = format!("{}: {error}", instance.address);
                // Ports may be left for the address of another instance.
                if error::is_local(&error) {
                    is_exhausted = true;
                } else {
                    upstream.eject(&instance);
                }
                tried.push(instance);
            }
        }
    }
    Err(if is_exhausted { error::overloaded(reason) } else { error::unreachable(reason) })
}

/// Returns a copy of a request that may be repeated: of a safe method, and without a body.
fn copy_of(request: &Request<Upload>) -> Option<Request<Upload>> {
    if !request.method().is_safe() || !http_body::Body::is_end_stream(request.body()) {
        return None;
    }
    let mut copy = Request::new(Upload::empty());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    copy.headers_mut().clone_from(request.headers());
    Some(copy)
}

/// Returns whether a connection that was idle before ended without a response. An instance that
/// closes it while a request is on the way resets it.
fn closed_before_answer(error: &hyper::Error) -> bool {
    let io = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    error.is_incomplete_message()
        || error.is_canceled()
        || error.is_closed()
        || io.is_some_and(|io| {
            matches!(
                io.kind(),
                ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe
            )
        })
}

/// Returns the error of an exchange whose connection failed, by the client's fault or the
/// instance's.
fn failed(error: &hyper::Error, progress: Option<&Progress>) -> Error {
    if progress.is_some_and(Progress::has_failed) {
        return error::malformed_request();
    }
    if error.is_parse() {
        return error::malformed("the head of the response is malformed or too large");
    }
    error::cut(with_causes(error))
}

/// Returns the error of an exchange that is too slow, or was not sent on a new connection.
fn clock_error(error: &ExchangeError, method: &Method) -> Error {
    match error {
        ExchangeError::StalledUpload => error::stalled_upload(),
        ExchangeError::NotSent(_) => {
            error::unreachable("the instance closed a new connection at once".to_owned())
        }
        ExchangeError::TooSlow | ExchangeError::Failed(_) => error::too_slow(method),
    }
}
