//! Authentication and authorization: identifies the caller, and lets a call through if the caller
//! may call its method.

#[cfg(test)]
mod tests;

use std::{
    future::ready,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::{BoxFuture, Either};
use tokio::time::{Instant, timeout_at};
use tower::{Layer, Service};

use crate::{
    auth::{Authenticator, Identity},
    base::{
        call::{Call, Caller},
        error::{Code, Error},
        reply::Reply,
        spec::AuthMode,
    },
    pipeline::{call_service::CallService, invocation::Invocation, take_ready::take_ready},
    service::registry::Method,
};

/// The layer that adds [`Authenticate`].
#[derive(Clone, Debug)]
pub(super) struct AuthenticateLayer(pub(super) Option<Arc<Authenticator>>);

impl<S> Layer<S> for AuthenticateLayer {
    type Service = Authenticate<S>;

    fn layer(&self, inner: S) -> Authenticate<S> {
        Authenticate { authenticator: self.0.clone(), inner }
    }
}

/// The service that sets the caller of a call, and refuses callers that are not authorized.
#[derive(Clone, Debug)]
pub(super) struct Authenticate<S> {
    authenticator: Option<Arc<Authenticator>>,
    inner: S,
}

impl<S: CallService> Service<Invocation> for Authenticate<S> {
    type Response = Reply;
    type Error = Error;
    /// Only a call that has to wait or is refused has a box.
    type Future = Either<S::Future, BoxFuture<'static, Result<Reply, Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut invocation: Invocation) -> Self::Future {
        let authorized = match invocation.authorized.take() {
            Some(authorized) => authorized.map(|()| None),
            None => {
                begin(self.authenticator.as_ref(), &invocation.method, &invocation.request.call)
            }
        };
        match authorized {
            Ok(None) => Either::Left(self.inner.call(invocation)),
            Ok(Some(asked)) => {
                let mut inner = take_ready(&mut self.inner);
                Either::Right(Box::pin(async move {
                    admit_caller(&invocation.method, &invocation.request.call, asked.await?)?;
                    inner.call(invocation).await
                }))
            }
            Err(error) => Either::Right(Box::pin(ready(Err(error)))),
        }
    }
}

/// Identifies the caller of `call`, and decides whether it may call `method`, from the head alone:
/// for an edge that has not read the body yet. SEMANTICS §4: "Who is calling is found out from the
/// head, before a body is read".
pub(super) async fn authorize(
    authenticator: Option<&Arc<Authenticator>>,
    method: &Method,
    call: &Call,
) -> Result<(), Error> {
    let Some(asked) = begin(authenticator, method, call)? else { return Ok(()) };
    let late = |_| {
        Error::new(
            Code::TIMEOUT,
            "the credentials could not be checked in time; the call can be retried",
        )
    };
    let caller = timeout_at(Instant::from_std(call.deadline()), asked).await.map_err(late)??;
    admit_caller(method, call, caller)
}

/// Authorizes a call as far as that needs no waiting. Otherwise returns the future of its caller;
/// see [`authorize`].
fn begin(
    authenticator: Option<&Arc<Authenticator>>,
    method: &Method,
    call: &Call,
) -> Result<Option<BoxFuture<'static, Result<Caller, Error>>>, Error> {
    let identity = match method.auth() {
        AuthMode::None => return Ok(None),
        AuthMode::Optional | AuthMode::Required => match authenticator {
            Some(authenticator) => authenticator.identify(call.headers())?,
            None => Identity::Anonymous,
        },
    };
    match identity {
        Identity::Anonymous if method.auth() == AuthMode::Required => Err(Error::new(
            Code::UNAUTHENTICATED,
            "authentication required; send a bearer token or an API key",
        )),
        Identity::Anonymous => Ok(None),
        Identity::Known(caller) => admit_caller(method, call, caller).map(|()| None),
        Identity::Pending(asked) => Ok(Some(asked)),
    }
}

fn admit_caller(method: &Method, call: &Call, caller: Caller) -> Result<(), Error> {
    let holds = |scope: &&str| caller.scopes().iter().any(|held| &**held == *scope);
    let missing: Vec<_> = method.scopes().filter(|scope| !holds(scope)).collect();
    // Set for refused calls too, whose log line names the caller.
    call.identify(caller).map_err(|_| Error::internal("the call was identified twice"))?;
    if missing.is_empty() {
        return Ok(());
    }
    let error =
        Error::new(Code::FORBIDDEN, format!("the caller lacks the scopes {}", missing.join(", ")));
    Err(error.with_challenge("Bearer error=\"insufficient_scope\""))
}
