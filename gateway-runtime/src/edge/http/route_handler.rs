//! What is for no method, and goes to the dispatcher of its route: judged, told who is calling where that is asked for,
//! ended at its deadline, and logged.

use std::sync::Arc;

use http::{HeaderMap, Request, Response};
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

/// A route, and who tells its callers.
pub(super) struct RouteHandler {
    route: Route,
    authenticator: Option<Arc<Authenticator>>,
}

impl RouteHandler {
    /// The route of everybody, until there is an authenticator.
    pub(super) fn new(route: Route) -> Self {
        Self { route, authenticator: None }
    }

    pub(super) fn authenticate(&mut self, authenticator: &Arc<Authenticator>) {
        self.authenticator =
            Some(authenticator).filter(|_| self.route.terms.requires_caller()).cloned();
    }

    /// The response, or why there is none.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
        moment: &RequestContext,
        settings: &HttpSettings,
    ) -> Result<Response<Body>, Error> {
        let Route { terms, dispatcher, .. } = &self.route;
        dispatch::check_path(request.uri().path())?;
        let caller = self.admit(request.headers()).await?;
        let deadline =
            Instant::from_std(moment.started + terms.timeout.unwrap_or(settings.request_timeout));
        let (head, body) = request.into_parts();
        let (method, asked) = (head.method.clone(), format!("{} {}", head.method, head.uri.path()));
        let (id, peer) = (moment.id.clone(), moment.peer.address());
        let mut line = RouteLogEntry {
            asked,
            account: caller.account().map(str::to_owned),
            moment,
            ended: false,
        };
        let request = DispatchRequest { id, peer, caller, deadline, head, body: Body::wrap(body) };
        let answered = timeout_at(deadline, dispatcher.dispatch(request)).await;
        line.ended = true;
        let response = answered.unwrap_or_else(|_| Err(dispatch::unanswered(&method)))?;
        line.write(response.status().as_u16());
        Ok(response)
    }

    /// Who is calling, if they may.
    async fn admit(&self, headers: &HeaderMap) -> Result<Caller, Error> {
        let Some(authenticator) = &self.authenticator else {
            return match self.route.terms.requires_caller() {
                false => Ok(Caller::default()),
                true => Err(Error::internal(
                    "the route wants to know who is calling, and has no authenticator",
                )),
            };
        };
        let caller = match authenticator.identify(headers)? {
            Identity::Known(caller) => caller,
            Identity::Pending(asked) => asked.await?,
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

/// The line of a request; dropped without an end, its client has gone away. That of a request which fails is written where
/// its problem is.
struct RouteLogEntry<'m> {
    asked: String,
    account: Option<String>,
    moment: &'m RequestContext,
    ended: bool,
}

impl RouteLogEntry<'_> {
    fn write(&self, status: u16) {
        tracing::info!(
            target: "gateway::request",
            request_id = self.moment.id.as_str(),
            origin = Origin::Http.as_str(),
            asked = self.asked,
            status,
            duration_us = u64::try_from(self.moment.started.elapsed().as_micros()).unwrap_or(u64::MAX),
            peer = %self.moment.peer.address().ip(),
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
