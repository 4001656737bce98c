//! The handler of a route: checks the path, authenticates the caller if the route requires it,
//! calls the dispatcher of the route within the deadline, and logs the request at the end of its
//! response.

use std::sync::Arc;

use http::{HeaderMap, Method, Request, Response, Version};
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};

use crate::{
    auth::{Authenticator, Identity},
    base::{
        body::Body,
        call::Caller,
        error::{Code, Error},
        problem,
    },
    edge::{
        dispatch::{self, DispatchRequest, Route, tunnel::Tunnel},
        http::{
            compression::Untouched, connection::ClientConnection, limits::MAX_CALL_TIME,
            request_context::RequestContext, route_log::RouteLogEntry, route_tunnel,
            settings::HttpSettings, until_shutdown,
        },
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

    /// Returns the handler with an authenticator, if its route requires a caller.
    pub(super) fn authenticated(&self, authenticator: &Arc<Authenticator>) -> Self {
        let authenticator =
            Some(authenticator).filter(|_| self.route.terms.requires_caller()).cloned();
        Self { route: self.route.clone(), authenticator }
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
        if request.method() == Method::CONNECT && !dispatcher.is_proxy() {
            return Err(Error::new(Code::INVALID_REQUEST, "WebSockets are not supported here"));
        }
        let caller = self.admit(request.headers()).await?;
        let limit = match terms.timeout {
            None if dispatcher.is_proxy() => None,
            limit => Some(limit.unwrap_or(settings.request_timeout)),
        };
        let deadline = Instant::from_std(context.started + limit.unwrap_or(MAX_CALL_TIME));
        let (head, body) = request.into_parts();
        let method = head.method.clone();
        let version = head.version;
        let (id, peer) = (context.id.clone(), context.peer.address());
        let mut entry =
            RouteLogEntry::new(context, method.clone(), head.uri.path(), caller.account());
        let body = entry.count_request(Body::wrap(body));
        let request = DispatchRequest { id, peer, caller, deadline, head, body };
        let response = dispatcher.dispatch(request);
        let answered = match limit {
            Some(_) => timeout_at(deadline, response)
                .await
                .unwrap_or_else(|_| Err(dispatch::no_reply_error(&method))),
            None => response.await,
        };
        match answered {
            Ok(response) => Ok(self.begin(response, version, entry, context, settings)),
            // The entry tells that the client has left; the problem is for one that still reads.
            Err(error) if entry.is_broken_off() => {
                Ok(problem::respond(&error, entry.path(), &context.id).map(Body::from))
            }
            Err(error) => {
                entry.refuse();
                Err(error)
            }
        }
    }

    /// Begins the response of the dispatcher, whose end writes the log entry: spawns the tunnel
    /// that follows it, or limits an event stream to the grace of a shutdown.
    fn begin(
        &self,
        mut response: Response<Body>,
        version: Version,
        entry: RouteLogEntry,
        context: &RequestContext,
        settings: &HttpSettings,
    ) -> Response<Body> {
        if let Some(run) = Tunnel::take(&mut response) {
            let client = ClientConnection::new(&context.peer, version, &mut response);
            route_tunnel::spawn(run, client, entry, settings.stream_grace(), response.status());
            return response;
        }
        let is_proxy = self.route.dispatcher.is_proxy();
        if is_proxy {
            until_shutdown::cut_event_stream(&mut response, &context.peer, settings);
        }
        let mut response = entry.log_at_end(response);
        if is_proxy {
            response.extensions_mut().insert(Untouched);
        }
        response
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
