//! Dispatchers of `/{service}/{rest}` for paths that are no methods (SEMANTICS §1). Each route
//! selects one by `[routes.NAME] dispatch`.
//!
//! The gateway has `http` and `bus`; an author adds their own with
//! [`Gateway::dispatcher`](crate::Gateway::dispatcher).

pub(crate) mod hop_by_hop;
mod path_rule;
pub(crate) mod response_end;
mod route_settings;
pub(crate) mod tunnel;

use std::{fmt, net::SocketAddr, sync::Arc};

use futures_util::future::BoxFuture;
use http::{Method, Response, request::Parts};
use tokio::time::Instant;

use crate::base::{
    body::Body,
    call::{Caller, RequestId},
    error::{Code, Error},
    start_error::StartError,
};
pub(crate) use crate::edge::dispatch::path_rule::check as check_path;
pub use crate::edge::dispatch::route_settings::{RouteConfig, RouteSettings};

/// The future of a dispatcher's response.
pub type DispatchFuture = BoxFuture<'static, Result<Response<Body>, Error>>;

/// A dispatcher of the requests of a route.
pub trait Dispatcher: Send + Sync + 'static {
    /// Answers one request. The future is dropped when the client disconnects, and when the
    /// deadline passes before the head of the response is there; the client then receives `timeout`
    /// or `outcome-unknown`.
    ///
    /// # Errors
    ///
    /// The future returns the reason why there is no response, which becomes a problem.
    fn dispatch(&self, request: DispatchRequest) -> DispatchFuture;

    /// Returns whether responses are those of another HTTP server, which are streamed as they are:
    /// they are not compressed, and have no deadline but the `timeout` of the route. The default
    /// is `false`.
    fn is_proxy(&self) -> bool {
        false
    }
}

/// A request on a route. Its path has passed the path rule (SEMANTICS §10): no dot segments in any
/// spelling, no backslashes, control characters, encoded slashes or broken percent-encodings.
#[derive(Debug)]
pub struct DispatchRequest {
    /// The id of the request.
    pub id: RequestId,
    /// The address of the client, or of the proxy before it.
    pub peer: SocketAddr,
    /// The caller if the route requires authentication; otherwise anonymous.
    pub caller: Caller,
    /// The deadline for the head of the response.
    pub deadline: Instant,
    /// The head, unchanged.
    pub head: Parts,
    /// The body, as a stream.
    pub body: Body,
}

impl DispatchRequest {
    /// Returns the requested service: the first segment of the path, unchanged.
    #[must_use]
    pub fn service(&self) -> &str {
        split(self.head.uri.path()).0
    }

    /// Returns the path after the service, unchanged: empty, or with a leading slash.
    #[must_use]
    pub fn rest(&self) -> &str {
        split(self.head.uri.path()).1
    }
}

/// Returns the error for a request that may have been received and has no reply. An idempotent
/// request may be sent again; the outcome of any other is unknown (RFC 9110 §9.2.2).
pub(crate) fn no_reply_error(method: &Method) -> Error {
    if method.is_idempotent() {
        return Error::new(Code::TIMEOUT, "deadline exceeded; the request can be retried");
    }
    Error::new(Code::OUTCOME_UNKNOWN, "deadline exceeded; the outcome is unknown")
}

/// Splits a path after its first segment.
pub(crate) fn split(path: &str) -> (&str, &str) {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.split_at(path.find('/').unwrap_or(path.len()))
}

/// A factory that creates the dispatcher of a route at start.
pub type DispatcherFactory =
    dyn Fn(&mut RouteConfig) -> Result<Arc<dyn Dispatcher>, StartError> + Send + Sync;

/// A route with its dispatcher.
#[derive(Clone)]
pub struct Route {
    /// The service of the route; `*` for all services without a route.
    pub service: String,
    /// The settings for each request on the route.
    pub terms: RouteSettings,
    /// The dispatcher of the requests.
    pub dispatcher: Arc<dyn Dispatcher>,
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route")
            .field("service", &self.service)
            .field("terms", &self.terms)
            .finish_non_exhaustive()
    }
}
