//! The bounds of a service that layers forward calls to.

use tower::Service;

use crate::{
    base::{error::Error, reply::Reply},
    pipeline::invocation::Invocation,
};

/// A service that executes calls: the inner service of a layer.
pub(super) trait CallService:
    Service<Invocation, Response = Reply, Error = Error, Future: Send + 'static>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> CallService for S where
    S: Service<Invocation, Response = Reply, Error = Error, Future: Send + 'static>
        + Clone
        + Send
        + Sync
        + 'static
{
}
