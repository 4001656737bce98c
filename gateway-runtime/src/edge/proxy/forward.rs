//! The forwarding of one request: the choice of an instance, the connection to it, and the attempts
//! that are safe.

use std::sync::Arc;

use http::{
    HeaderName, Method, Request, Response, StatusCode,
    header::{HOST, UPGRADE},
};
use hyper::upgrade::OnUpgrade;
use smallvec::SmallVec;

use crate::{
    base::{
        body::Body,
        error::{Error, with_causes},
    },
    edge::{
        dispatch::DispatchRequest,
        proxy::{
            connection::{Connection, ConnectionId, Demand, ExchangeError, ResponseBody},
            download::{Download, Source},
            error,
            instance::Lease,
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
    let (upload, progress) = Upload::new(body, head.version);
    // A handshake has no body: its bytes could be read as the first ones of the WebSocket.
    let client = (progress.is_none() && request_head::is_websocket(&head))
        .then(|| head.extensions.remove::<OnUpgrade>())
        .flatten();
    let origin = Origin { peer: peer.ip(), id: &id, caller: &caller, withheld };
    let request = request_head::forwarded(head, &rest, upload, client.is_some(), &origin)?;
    let Exchange { response, connection, lease } = exchange(upstream, request, progress).await?;
    let (mut head, body) = response.into_parts();
    response_head::check(&head, client.is_some())?;
    if head.status == StatusCode::SWITCHING_PROTOCOLS
        && let Some(client) = client
    {
        let accepted = tunnel::accept(&head)?;
        tunnel::spawn(client, connection, lease, upstream.clocks.idle);
        return Ok(accepted);
    }
    let source = Source::new(connection, lease, response_head::may_reuse_connection(&head));
    response_head::strip(&mut head, &method);
    let download = Download::new(body, source, upstream.clocks.idle);
    Ok(Response::from_parts(head, Body::wrap(download)))
}

/// A response whose head has arrived, and the connection that its body comes from.
struct Exchange {
    response: Response<ResponseBody>,
    connection: Connection,
    lease: Lease,
}

/// Sends a request to an instance. An instance that cannot be connected to is ejected, and
/// another one is tried. A request that met a connection which the instance had closed is repeated
/// if nothing was sent, or once if it is safe and has no body (RFC 9110 §9.2.2). One that the
/// instance has not processed (RFC 9113 §8.7) is repeated once on another connection.
async fn exchange(
    upstream: &Upstream,
    request: Request<Upload>,
    progress: Option<Arc<Progress>>,
) -> Result<Exchange, Error> {
    let method = request.method().clone();
    let upgrades = request.headers().contains_key(UPGRADE);
    let mut demand = Demand { upgrades, ..Demand::default() };
    let mut request = request;
    let mut tried = SmallVec::<[_; 2]>::new();
    let mut reason = String::from("no instance");
    while let Some(lease) = upstream.choose(&tried) {
        let instance = Arc::clone(lease.instance());
        request.headers_mut().insert(HOST, instance.host.clone());
        let taken = instance.pool.take(demand);
        let is_new = taken.is_none();
        let mut connection = match taken {
            Some(connection) => connection,
            None => match instance.pool.open(upstream.connect_timeout, demand).await {
                Ok(connection) => {
                    instance.restore();
                    connection
                }
                Err(error) => {
                    reason = format!("{}: {}", instance.address, with_causes(&error));
                    upstream.eject(&instance);
                    tried.push(instance);
                    continue;
                }
            },
        };
        let attempt = Attempt::new(&request, &connection, is_new);
        match connection.send(request, progress.as_ref(), upstream.clocks).await {
            Ok(response) => return Ok(Exchange { response, connection, lease }),
            Err(error) => {
                let again = attempt.again(error, &mut demand);
                request = again.map_err(|error| failed(error, &method, progress.as_deref()))?;
            }
        }
    }
    Err(error::unreachable(reason))
}

/// One attempt of a request, and the copy of the request's head if it may be sent again.
struct Attempt {
    head: Option<Request<()>>,
    connection: Option<ConnectionId>,
    /// The connection has had no request before.
    is_new: bool,
    /// The request is of a safe method, and has no body.
    is_safe: bool,
}

impl Attempt {
    fn new(request: &Request<Upload>, connection: &Connection, is_new: bool) -> Self {
        let id = connection.id();
        let is_safe = request.method().is_safe() && http_body::Body::is_end_stream(request.body());
        let may_repeat = id.is_some() || (is_safe && !is_new);
        let head = may_repeat.then(|| head_of(request));
        Self { head, connection: id, is_new, is_safe }
    }

    /// Returns the request to send again, and states on which connection.
    fn again(
        self,
        error: ExchangeError,
        demand: &mut Demand,
    ) -> Result<Request<Upload>, ExchangeError> {
        match (error, self.head) {
            (ExchangeError::NotSent(unsent), _) if !self.is_new => Ok(*unsent),
            (ExchangeError::NotProcessed(body), Some(head)) if demand.avoided.is_none() => {
                demand.avoided = self.connection;
                Ok(head.map(|()| body))
            }
            (ExchangeError::Closed(_), Some(head))
                if self.is_safe && !self.is_new && !demand.is_new =>
            {
                demand.is_new = true;
                Ok(head.map(|()| Upload::empty()))
            }
            (error, _) => Err(error),
        }
    }
}

/// Returns a copy of the head of a request.
fn head_of(request: &Request<Upload>) -> Request<()> {
    let mut copy = Request::new(());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    copy.headers_mut().clone_from(request.headers());
    copy
}

/// Returns the error of an exchange without a response, by the client's fault or the instance's.
fn failed(error: ExchangeError, method: &Method, progress: Option<&Progress>) -> Error {
    let is_client = progress.is_some_and(Progress::has_failed);
    match error {
        ExchangeError::NotSent(_) => {
            error::unreachable("the instance closed a new connection at once".to_owned())
        }
        ExchangeError::NotProcessed(_) => {
            error::unreachable("the instance refused the request again".to_owned())
        }
        ExchangeError::StalledUpload => error::stalled_upload(),
        ExchangeError::TooSlow => error::too_slow(method),
        _ if is_client => error::malformed_request(),
        ExchangeError::Malformed(reason) => error::malformed(reason),
        ExchangeError::Closed(reason) | ExchangeError::Failed(reason) => error::cut(reason),
    }
}
