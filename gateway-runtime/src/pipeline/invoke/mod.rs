//! The innermost service: calls the author's method.

#[cfg(test)]
mod tests;

use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use tower::Service;

use crate::{
    base::{error::Error, reply::Reply},
    pipeline::invocation::Invocation,
};

/// The service that calls the method.
#[derive(Clone, Copy, Debug)]
pub(super) struct InvokeMethod;

impl Service<Invocation> for InvokeMethod {
    type Response = Reply;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Reply, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, Invocation { method, request, .. }: Invocation) -> Self::Future {
        request.call.mark_dispatched();
        method.call(request)
    }
}
