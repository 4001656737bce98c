//! The handler of a route: checks the path, authenticates the caller if the route requires it,
//! calls the dispatcher of the route within the deadline, and logs the request.

use std::sync::Arc;

use http::{HeaderMap, Method, Request, Response};
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};

use crate::{
    auth::{Authenticator, Identity},
    base::{
        body::Body,
        call::{Caller, Origin},
        error::{Code, Error},
    },
    edge::{
        dispatch::{self, DispatchRequest, Route},
        http::{request_context::RequestContext, settings::HttpSettings},
    },
};

/// A route with the authenticator of its callers.
pub(super) struct RouteHandler {
    route: Route,
    authenticator: Option<Arc<Authenticator>>,
}

impl RouteHandler {
    /// Creates a handler without an authenticator.
    pub(super) fn new(route: Route) -> Self {
        Self { route, authenticator: None }
    }

    pub(super) fn authenticate(&mut self, authenticator: &Arc<Authenticator>) {
        self.authenticator =
            Some(authenticator).filter(|_| self.route.terms.requires_caller()).cloned();
    }

    /// Returns the response of the dispatcher.
    ///
    /// # Errors
    ///
    /// The errors of path check, authentication and dispatcher, and that of a reply that did not
    /// come before the deadline.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
        context: &RequestContext,
        settings: &HttpSettings,
    ) -> Result<Response<Body>, Error> {
        let Route { terms, dispatcher, .. } = &self.route;
        dispatch::check_path(request.uri().path())?;
        let caller = self.admit(request.headers()).await?;
        let deadline =
            Instant::from_std(context.started + terms.timeout.unwrap_or(settings.request_timeout));
        let (head, body) = request.into_parts();
        let method = head.method.clone();
        let (id, peer) = (context.id.clone(), context.peer.address());
        let mut line = RouteLogEntry {
            method: head.method.clone(),
            path: head.uri.path().to_owned(),
            account: caller.account().map(str::to_owned),
            context,
            ended: false,
        };
        let request = DispatchRequest { id, peer, caller, deadline, head, body: Body::wrap(body) };
        let answered = timeout_at(deadline, dispatcher.dispatch(request)).await;
        line.ended = true;
        let response = answered.unwrap_or_else(|_| Err(dispatch::no_reply_error(&method)))?;
        line.write(response.status().as_u16());
        Ok(response)
    }

    /// Returns the caller, if the route admits them.
    ///
    /// # Errors
    ///
    /// `unauthenticated`, or `forbidden` for a caller without the scopes of the route.
    async fn admit(&self, headers: &HeaderMap) -> Result<Caller, Error> {
        let Some(authenticator) = &self.authenticator else {
            return match self.route.terms.requires_caller() {
                false => Ok(Caller::default()),
                true => Err(Error::internal(
                    "the route requires an authenticated caller, and has no authenticator",
                )),
            };
        };
        let caller = match authenticator.identify(headers)? {
            Identity::Known(caller) => caller,
            Identity::Pending(identity) => identity.await?,
            Identity::Anonymous => {
                return Err(Error::new(
                    Code::UNAUTHENTICATED,
                    "authentication required; send a bearer token or an API key",
                ));
            }
        };
        let holds = |scope: &&String| caller.scopes().iter().any(|held| **held == ***scope);
        let missing: Vec<_> = self
            .route
            .terms
            .scopes
            .iter()
            .filter(|scope| !holds(scope))
            .map(String::as_str)
            .collect();
        if missing.is_empty() {
            return Ok(caller);
        }
        let error = Error::new(
            Code::FORBIDDEN,
            format!("the caller lacks the scopes {}", missing.join(", ")),
        );
        Err(error.with_challenge("Bearer error=\"insufficient_scope\""))
    }
}

/// The access log entry of a request. One that is dropped without an end belongs to a client that
/// has disconnected. A request that fails is logged with its problem.
struct RouteLogEntry<'m> {
    method: Method,
    path: String,
    account: Option<String>,
    context: &'m RequestContext,
    ended: bool,
}

impl RouteLogEntry<'_> {
    fn write(&self, status: u16) {
        let duration = self.context.started.elapsed();
        tracing::info!(
            target: "gateway::request",
            request_id = self.context.id.as_str(),
            origin = Origin::Http.as_str(),
            http.request.method = self.method.as_str(),
            url.path = self.path,
            status,
            duration_us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX),
            peer = %self.context.peer.address().ip(),
            account = self.account,
            "routed"
        );
    }
}

impl Drop for RouteLogEntry<'_> {
    fn drop(&mut self) {
        if !self.ended {
            // 499 is what nginx writes for a client that closed its connection first.
            self.write(499);
        }
    }
}
