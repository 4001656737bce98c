//! The attempts of a request at one instance: on a connection that is open, or on a new one.

use std::{io, sync::Arc};

use http::{
    Method, Request, Response,
    header::{HOST, UPGRADE},
};
use tokio::time::Instant;

use crate::{
    base::error::{Error, with_causes},
    edge::proxy::{
        connection::{Connection, ConnectionId, Demand, ExchangeError, ResponseBody},
        error,
        instance::{Instance, Lease},
        upload::{Progress, Upload},
        upstream::Upstream,
    },
};

/// A response whose head has arrived, and the connection that its body comes from.
pub(super) struct Exchange {
    pub(super) response: Response<ResponseBody>,
    pub(super) connection: Connection,
    pub(super) lease: Lease,
}

/// An attempt without a response.
pub(super) struct FailedAttempt {
    pub(super) error: Error,
    /// The request, if it may be sent to another instance.
    pub(super) again: Option<Box<Request<Upload>>>,
}

/// Sends a request to an instance. A request that met a connection which the instance had closed is
/// repeated on another one if nothing was sent, or once if it is safe and has no body (RFC 9110
/// §9.2.2). One that the instance has not processed (RFC 9113 §8.7) is repeated once on another
/// connection.
///
/// # Errors
///
/// Returns the error of the last connection, and the request if another instance may get it.
pub(super) async fn attempt(
    upstream: &Upstream,
    lease: Lease,
    mut request: Request<Upload>,
    progress: Option<&Arc<Progress>>,
    deadline: Instant,
) -> Result<Exchange, FailedAttempt> {
    let instance = Arc::clone(lease.instance());
    let upgrades = request.headers().contains_key(UPGRADE);
    let mut demand = Demand { upgrades, ..Demand::default() };
    request.headers_mut().insert(HOST, instance.host().clone());
    loop {
        let taken = instance.pool.take(demand);
        let is_new = taken.is_none();
        let mut connection = match taken {
            Some(connection) => connection,
            None => match open(upstream, &instance, demand, deadline).await {
                Ok(connection) => connection,
                Err(error) => return Err(FailedAttempt { error, again: Some(request.into()) }),
            },
        };
        let method = request.method().clone();
        let copy = RequestCopy::new(&request, &connection, is_new);
        let failure = match connection.send(request, progress, upstream.terms.clocks).await {
            Ok(response) => return Ok(Exchange { response, connection, lease }),
            Err(failure) => failure,
        };
        match copy.next(failure, &mut demand) {
            Next::Here(again) => request = again,
            Next::Leave(failure, again) => {
                let is_client = progress.is_some_and(|progress| progress.has_failed());
                if !is_client {
                    record(upstream, &instance, &failure);
                }
                let (error, again) = (failure.error(&method, is_client), again.map(Box::new));
                return Err(FailedAttempt { error, again });
            }
        }
    }
}

/// Opens a connection. An instance to which none can be opened is ejected.
async fn open(
    upstream: &Upstream,
    instance: &Instance,
    demand: Demand,
    deadline: Instant,
) -> Result<Connection, Error> {
    let time = upstream.terms.settings.connect_timeout.min(deadline - Instant::now());
    instance.pool.open(time, demand).await.map_err(|error| {
        let why = format!("{}: {}", instance.address(), with_causes(&error));
        // Ports may be left for the address of another instance.
        if error::is_local(&error) {
            return error::overloaded(why);
        }
        // An instance that had less than its time has not failed.
        if error.kind() != io::ErrorKind::TimedOut
            || time == upstream.terms.settings.connect_timeout
        {
            upstream.unreachable(instance, &why);
        }
        error::unreachable(why)
    })
}

/// Records what a failure says of the health of an instance.
fn record(upstream: &Upstream, instance: &Instance, failure: &ExchangeError) {
    match failure {
        ExchangeError::StalledUpload => {}
        ExchangeError::NotSent(_) | ExchangeError::ClosedAtOnce => {
            upstream.failed(instance, "it closed a new connection at once");
        }
        ExchangeError::NotProcessed(_) => upstream.failed(instance, "it refused a request"),
        ExchangeError::TooSlow => upstream.failed(instance, "it did not answer in time"),
        ExchangeError::Malformed(_) => upstream.failed(instance, "its response is malformed"),
        ExchangeError::Closed(_) | ExchangeError::Failed(_) => {
            upstream.failed(instance, "the connection ended before it had answered");
        }
    }
}

/// The copy of a request that may have to be sent again.
struct RequestCopy {
    /// None if it is never sent again.
    head: Option<Request<()>>,
    connection: Option<ConnectionId>,
    /// The connection has had no request before.
    is_new: bool,
    /// The request is of a safe method, and has no body.
    is_safe: bool,
}

/// The step after a failure.
enum Next {
    /// The request is sent to the same instance, on another connection.
    Here(Request<Upload>),
    /// The attempts at this instance end; another one may get the request, if there is one.
    Leave(ExchangeError, Option<Request<Upload>>),
}

impl RequestCopy {
    fn new(request: &Request<Upload>, connection: &Connection, is_new: bool) -> Self {
        let id = connection.id();
        let is_safe = request.method().is_safe() && http_body::Body::is_end_stream(request.body());
        let head = (id.is_some() || is_safe).then(|| head_of(request));
        Self { head, connection: id, is_new, is_safe }
    }

    /// Returns the next step; `demand` then states on which connection it is taken.
    fn next(self, failure: ExchangeError, demand: &mut Demand) -> Next {
        match (failure, self.head) {
            (ExchangeError::NotSent(unsent), _) if !self.is_new => Next::Here(*unsent),
            (ExchangeError::NotSent(unsent), _) => {
                Next::Leave(ExchangeError::ClosedAtOnce, Some(*unsent))
            }
            (ExchangeError::NotProcessed(body), Some(head)) if demand.avoided.is_none() => {
                demand.avoided = self.connection;
                Next::Here(head.map(|()| body))
            }
            (failure @ ExchangeError::Closed(_), Some(head)) if self.is_safe => {
                let again = head.map(|()| Upload::empty());
                if self.is_new || demand.is_new {
                    return Next::Leave(failure, Some(again));
                }
                demand.is_new = true;
                Next::Here(again)
            }
            (failure, _) => Next::Leave(failure, None),
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

impl ExchangeError {
    /// Returns the error for the client, by the client's fault or the instance's.
    fn error(self, method: &Method, is_client: bool) -> Error {
        match self {
            Self::NotSent(_) | Self::ClosedAtOnce => {
                error::unreachable("the instance closed a new connection at once".to_owned())
            }
            Self::NotProcessed(_) => {
                error::unreachable("the instance refused the request again".to_owned())
            }
            Self::StalledUpload => error::stalled_upload(),
            Self::TooSlow => error::too_slow(method),
            _ if is_client => error::malformed_request(),
            Self::Malformed(reason) => error::malformed(reason),
            Self::Closed(reason) | Self::Failed(reason) => error::cut(reason),
        }
    }
}
