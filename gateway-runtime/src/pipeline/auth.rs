//! Lets a call through when its method may be called by whoever is calling.

use std::{
    future::{Future, ready},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::Either;
use tower::{Layer, Service};

use crate::{
    auth::{Authenticator, Identity},
    call::Caller,
    error::{Code, Error},
    pipeline::Invocation,
    reply::Reply,
    spec::Auth,
};

/// Makes [`Authenticate`].
#[derive(Clone, Debug)]
pub(super) struct AuthenticateLayer(pub(super) Option<Arc<Authenticator>>);

impl<S> Layer<S> for AuthenticateLayer {
    type Service = Authenticate<S>;

    fn layer(&self, inner: S) -> Authenticate<S> {
        Authenticate { authenticator: self.0.clone(), inner }
    }
}

/// Tells the call who is calling, and refuses who may not.
#[derive(Clone, Debug)]
pub(super) struct Authenticate<S> {
    authenticator: Option<Arc<Authenticator>>,
    inner: S,
}

/// What has to wait, and what is refused, is boxed; the rest goes on as it is.
type Detour = Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send>>;

impl<S> Service<Invocation> for Authenticate<S>
where
    S: Service<Invocation, Response = Reply, Error = Error, Future: Send> + Clone + Send + 'static,
{
    type Response = Reply;
    type Error = Error;
    type Future = Either<S::Future, Detour>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, invocation: Invocation) -> Self::Future {
        let identity = match invocation.method.auth() {
            Auth::None => return Either::Left(self.inner.call(invocation)),
            Auth::Optional | Auth::Required => match &self.authenticator {
                Some(authenticator) => authenticator.identify(invocation.request.call.headers()),
                None => Ok(Identity::Stranger),
            },
        };
        match identity.and_then(|identity| admit(&invocation, identity)) {
            Ok(None) => Either::Left(self.inner.call(invocation)),
            Ok(Some(asked)) => {
                // The one that is ready goes along; a copy stays.
                let mut inner = self.inner.clone();
                std::mem::swap(&mut inner, &mut self.inner);
                Either::Right(Box::pin(async move {
                    admit_caller(&invocation, asked.await?)?;
                    inner.call(invocation).await
                }))
            }
            Err(error) => Either::Right(Box::pin(ready(Err(error)))),
        }
    }
}

type Asked = Pin<Box<dyn Future<Output = Result<Caller, Error>> + Send>>;

/// Whether the call may go on, as far as that is known without asking.
fn admit(invocation: &Invocation, identity: Identity) -> Result<Option<Asked>, Error> {
    match identity {
        Identity::Stranger if invocation.method.auth() == Auth::Required => {
            Err(Error::new(Code::UNAUTHENTICATED, "this method wants to know who is calling"))
        }
        Identity::Stranger => Ok(None),
        Identity::Known(caller) => admit_caller(invocation, caller).map(|()| None),
        Identity::Asked(asked) => Ok(Some(asked)),
    }
}

fn admit_caller(invocation: &Invocation, caller: Caller) -> Result<(), Error> {
    let holds = |scope: &&str| caller.scopes().iter().any(|held| &**held == *scope);
    let missing: Vec<_> = invocation.method.scopes().filter(|scope| !holds(scope)).collect();
    let call = &invocation.request.call;
    // Also for the line of a refused call.
    call.identify(caller).map_err(|_| Error::internal("the call was identified twice"))?;
    if missing.is_empty() {
        return Ok(());
    }
    let error = Error::new(Code::FORBIDDEN, format!("the caller lacks the scopes {}", missing.join(", ")));
    Err(error.challenge("Bearer error=\"insufficient_scope\""))
}
