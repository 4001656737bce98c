//! What answers `/{service}/{rest}`, where that is no method: a strategy, chosen for each route by `[routes.NAME] dispatch`.
//!
//! The gateway has `bus`; an author adds their own with [`Gateway::dispatcher`](crate::Gateway::dispatcher).

mod path_rule;
mod route_settings;

use std::{fmt, future::Future, net::SocketAddr, pin::Pin, sync::Arc};

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

/// What a dispatcher answers, on its way.
pub type DispatchFuture = Pin<Box<dyn Future<Output = Result<Response<Body>, Error>> + Send>>;

/// What answers the requests of a route.
pub trait Dispatcher: Send + Sync + 'static {
    /// Answers one request. When its client leaves, the future is dropped; when its deadline is over before the response's
    /// head is there, too, and the client is answered `timeout` or `outcome-unknown`.
    ///
    /// # Errors
    ///
    /// The future gives why there is no response, which becomes a problem.
    fn dispatch(&self, request: DispatchRequest) -> DispatchFuture;
}

/// A request on a route. Its path holds no dot segments in any spelling, no backslashes, control characters, encoded slashes
/// or broken percent-encodings.
#[derive(Debug)]
pub struct DispatchRequest {
    /// The request's name.
    pub id: RequestId,
    /// Where its client is, or who stands before it.
    pub peer: SocketAddr,
    /// Who is calling, where the route asks for that; a stranger else.
    pub caller: Caller,
    /// When the head of the response must be there.
    pub deadline: Instant,
    /// The head, as it came.
    pub head: Parts,
    /// The body, as it comes.
    pub body: Body,
}

impl DispatchRequest {
    /// The first segment of the path, as it was sent: the service that is asked for.
    #[must_use]
    pub fn service(&self) -> &str {
        split(self.head.uri.path()).0
    }

    /// What comes after it, as it was sent: empty, or beginning with a slash.
    #[must_use]
    pub fn rest(&self) -> &str {
        split(self.head.uri.path()).1
    }
}

/// Why there is no answer to a request that somebody may have got: one that may be repeated may be sent again, of any other
/// nobody knows what it did (RFC 9110 §9.2.2).
pub(crate) fn unanswered(method: &Method) -> Error {
    if method.is_idempotent() {
        return Error::new(Code::TIMEOUT, "no answer came in time; the request may be sent again");
    }
    Error::new(
        Code::OUTCOME_UNKNOWN,
        "no answer came in time; whether the request was carried out is not known",
    )
}

/// The first segment of a path, and what comes after it.
pub(crate) fn split(path: &str) -> (&str, &str) {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.split_at(path.find('/').unwrap_or(path.len()))
}

/// Makes the dispatcher of a route, at start.
pub type DispatcherFactory =
    dyn Fn(&mut RouteConfig) -> Result<Arc<dyn Dispatcher>, StartError> + Send + Sync;

/// One route, ready to be asked.
#[derive(Clone)]
pub struct Route {
    /// The service that it is for; `*` for all that have none of their own.
    pub service: String,
    /// What holds for each of its requests.
    pub terms: RouteSettings,
    /// What answers them.
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
