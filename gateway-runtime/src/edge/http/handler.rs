//! The handler of requests, which the server calls.

use http::{Request, Response};
use hyper::body::Incoming;

use crate::edge::http::{Body, connection::Peer};

/// A service that responds to HTTP requests. Each worker thread has its own clone.
pub trait Handler: Clone + Send + Sync + 'static {
    /// Responds to one request. The future is dropped when the client disconnects before the
    /// response.
    ///
    /// A disconnect is a closed connection, its sending half included (HTTP/2: a reset stream). On
    /// HTTP/1.1 it is noticed as soon as the body of the request is read, unless the client has
    /// sent a further request.
    ///
    /// A panic is logged, and the response is 500.
    fn handle(
        &self,
        request: Request<Incoming>,
        peer: Peer,
    ) -> impl Future<Output = Response<Body>> + Send;
}

/// Serves requests by calling a closure.
impl<F, A> Handler for F
where
    F: Fn(Request<Incoming>, Peer) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Response<Body>> + Send,
{
    fn handle(
        &self,
        request: Request<Incoming>,
        peer: Peer,
    ) -> impl Future<Output = Response<Body>> + Send {
        self(request, peer)
    }
}
