//! The forwarding of one request: the choice of an instance, the connection to it, and the attempts
//! that are safe.

use std::sync::Arc;

use http::{HeaderName, Method, Request, Response, StatusCode, header::HOST};
use hyper::{body::Incoming, upgrade::OnUpgrade};
use smallvec::SmallVec;
use tokio::time::Instant;

use crate::{
    base::{
        body::Body,
        error::{Error, with_causes},
    },
    edge::{
        dispatch::DispatchRequest,
        proxy::{
            connection::{Connection, ExchangeError},
            download::{Download, Source},
            error,
            instance::{Instance, Lease},
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
    let method = head.method.clone();
    if method == Method::CONNECT {
        return Err(error::connect_refused());
    }
    let (upload, progress) = Upload::new(body);
    // A handshake has no body: its bytes could be read as the first ones of the WebSocket.
    let client = (progress.is_none() && request_head::is_websocket(&head))
        .then(|| head.extensions.remove::<OnUpgrade>())
        .flatten();
    let origin = Origin { peer: peer.ip(), id: &id, caller: &caller, withheld };
    let request = request_head::forwarded(head, &rest, upload, client.is_some(), &origin)?;
    let Exchange { response, connection, lease } = exchange(upstream, request, progress).await?;
    let (mut head, body) = response.into_parts();
    if let Err(error) = response_head::check(&head, client.is_some()) {
        upstream.failed(lease.instance(), "its response is malformed");
        return Err(error);
    }
    upstream.answered(lease.instance(), head.status.as_u16());
    if head.status == StatusCode::SWITCHING_PROTOCOLS
        && let Some(client) = client
    {
        let accepted = tunnel::accept(&head)?;
        tunnel::spawn(client, connection, lease, upstream.terms.clocks.idle);
        return Ok(accepted);
    }
    let source = Source::new(connection, lease, response_head::may_reuse_connection(&head));
    response_head::strip(&mut head, &method);
    let download = Download::new(body, source, upstream.terms.clocks.idle);
    Ok(Response::from_parts(head, Body::wrap(download)))
}

/// A response whose head has arrived, and the connection that its body comes from.
struct Exchange {
    response: Response<Incoming>,
    connection: Connection,
    lease: Lease,
}

/// Sends a request to one instance after another, until one answers. A request goes to another
/// instance only if nothing of it was sent, or if it is safe and has no body (RFC 9110 §9.2.2); and
/// never to one that has failed.
async fn exchange(
    upstream: &Upstream,
    request: Request<Upload>,
    progress: Option<Arc<Progress>>,
) -> Result<Exchange, Error> {
    let key = upstream.balancer.key(request.headers());
    let deadline = Instant::now() + upstream.terms.attempts_timeout;
    let mut request = request;
    let mut tried = SmallVec::<[_; 2]>::new();
    let mut last = None;
    while tried.len() < upstream.terms.attempts
        && (tried.is_empty() || Instant::now() < deadline)
        && let Some(lease) = upstream.lease(&tried, key, deadline).await?
    {
        tried.push(Arc::clone(lease.instance()));
        match attempt(upstream, lease, request, progress.as_ref(), deadline).await {
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

/// An attempt without a response.
struct FailedAttempt {
    error: Error,
    /// The request, if it may be sent to another instance.
    again: Option<Box<Request<Upload>>>,
}

/// Sends a request to an instance: on an idle connection, or on a new one. A request that met a
/// connection which the instance had closed is repeated on a new one, if nothing was sent or it is
/// safe to.
async fn attempt(
    upstream: &Upstream,
    lease: Lease,
    mut request: Request<Upload>,
    progress: Option<&Arc<Progress>>,
    deadline: Instant,
) -> Result<Exchange, FailedAttempt> {
    let instance = Arc::clone(lease.instance());
    let clocks = upstream.terms.clocks;
    request.headers_mut().insert(HOST, instance.host().clone());
    while let Some(mut connection) = instance.take_idle() {
        let copy = copy_of(&request);
        match connection.send(request, progress, clocks).await {
            Ok(response) => return Ok(Exchange { response, connection, lease }),
            Err(ExchangeError::NotSent(unsent)) => request = *unsent,
            Err(error) => match copy.filter(|_| error.is_early_close()) {
                Some(copy) => {
                    request = copy;
                    break;
                }
                None => return Err(failed(upstream, &instance, error, progress, None)),
            },
        }
    }
    let connect_timeout = upstream.terms.connect_timeout.min(deadline - Instant::now());
    let mut connection = match Connection::open(instance.address(), connect_timeout).await {
        Ok(connection) => connection,
        Err(error) => {
            let why = format!("{}: {error}", instance.address());
            upstream.unreachable(&instance, &why);
            let again = Some(Box::new(request));
            return Err(FailedAttempt { error: error::unreachable(why), again });
        }
    };
    let copy = copy_of(&request);
    match connection.send(request, progress, clocks).await {
        Ok(response) => Ok(Exchange { response, connection, lease }),
        Err(error) => Err(failed(upstream, &instance, error, progress, copy)),
    }
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

/// Records a failed exchange, by the client's fault or the instance's, and returns its error.
/// `copy` is sent to another instance if the connection ended without a response.
fn failed(
    upstream: &Upstream,
    instance: &Instance,
    error: ExchangeError,
    progress: Option<&Arc<Progress>>,
    copy: Option<Request<Upload>>,
) -> FailedAttempt {
    let once = |error| FailedAttempt { error, again: None };
    let copy = copy.filter(|_| error.is_early_close()).map(Box::new);
    match error {
        ExchangeError::StalledUpload => once(error::stalled_upload()),
        ExchangeError::Failed(_) if progress.is_some_and(|it| it.has_failed()) => {
            once(error::malformed_request())
        }
        ExchangeError::NotSent(unsent) => {
            let why = "it closed a new connection at once";
            upstream.failed(instance, why);
            let error = error::unreachable(format!("{}: {why}", instance.address()));
            FailedAttempt { error, again: Some(unsent) }
        }
        ExchangeError::TooSlow(method) => {
            upstream.failed(instance, "it did not answer in time");
            once(error::too_slow(&method))
        }
        ExchangeError::Failed(error) if error.is_parse() => {
            upstream.failed(instance, "its response is malformed");
            once(error::malformed("the head of the response is malformed or too large"))
        }
        ExchangeError::Failed(error) => {
            upstream.failed(instance, "it closed the connection before it had answered");
            FailedAttempt { error: error::cut(with_causes(&error)), again: copy }
        }
    }
}
