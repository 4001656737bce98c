//! The state of the HTTP edge: routes, pipeline, settings, and what protects them. All requests and
//! all WebSockets share it.

use std::sync::Arc;

use http::HeaderMap;

use crate::{
    base::{
        body::BodyBudget,
        call::{Call, CallContext, Origin},
        country::Country,
        start_error::StartError,
    },
    edge::{
        dispatch::Route,
        http::{
            compression::Compression, cors::Cors, hosts::Hosts, limits::MAX_CALL_TIME,
            replay_guard::ReplayGuard, request_context::RequestContext, routes::RouteTable,
            settings::HttpSettings,
        },
    },
    pipeline::Pipeline,
    service::registry::Method,
};

/// The handler of the HTTP server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct HttpEdge(Arc<State>);

#[derive(Debug)]
pub(super) struct State {
    pub(super) routes: RouteTable,
    pub(super) pipeline: Pipeline,
    pub(super) settings: HttpSettings,
    pub(super) hosts: Hosts,
    pub(super) cors: Option<Cors>,
    pub(super) compression: Option<Compression>,
    pub(super) budget: BodyBudget,
    pub(super) replay_guard: ReplayGuard,
}

/// The protection of a gateway from unknown clients.
#[derive(Clone, Debug)]
pub struct Protection {
    /// Whether the listener is on loopback and authenticates nobody. Such a listener responds only
    /// to names of this machine and to `[http] hosts`, and not to pages of other sites.
    pub is_local: bool,
    /// The URL at which clients reach the gateway, whose host it responds to; empty if there is
    /// none.
    pub url: String,
    /// The budget of buffered bodies.
    pub budget: BodyBudget,
}

impl HttpEdge {
    /// Creates a handler that serves `routes` and sends calls through `pipeline`.
    #[must_use]
    pub fn new(routes: RouteTable, pipeline: Pipeline, settings: HttpSettings) -> Self {
        let budget = settings.limits.body_budget();
        Self::protected(
            routes,
            pipeline,
            settings,
            Protection { is_local: false, url: String::new(), budget },
        )
    }

    /// Creates a handler as [`new`](Self::new) does, with a protection from unknown clients.
    #[must_use]
    pub fn protected(
        routes: RouteTable,
        pipeline: Pipeline,
        settings: HttpSettings,
        protection: Protection,
    ) -> Self {
        let Protection { is_local, url, budget } = protection;
        let hosts = Hosts::new(&settings.hosts, &settings.cors.origins, &url, is_local);
        // Invalid settings have been refused at start.
        let cors = Cors::new(&settings.cors).ok().flatten();
        let compression = Compression::new(&settings.compression);
        let replay_guard = ReplayGuard::default();
        Self(Arc::new(State {
            routes,
            pipeline,
            settings,
            hosts,
            cors,
            compression,
            budget,
            replay_guard,
        }))
    }

    /// Replaces the routes of the configuration. Requests that have begun keep theirs.
    ///
    /// # Errors
    ///
    /// Returns all problems of the routes, and then replaces nothing.
    pub(crate) fn replace_routes(&self, routes: Vec<Route>) -> Result<(), StartError> {
        self.0.routes.replace(routes)
    }

    pub(super) fn state(&self) -> &State {
        &self.0
    }

    pub(super) fn routes(&self) -> &RouteTable {
        &self.0.routes
    }

    pub(super) fn pipeline(&self) -> &Pipeline {
        &self.0.pipeline
    }

    pub(super) fn settings(&self) -> &HttpSettings {
        &self.0.settings
    }

    pub(super) fn budget(&self) -> &BodyBudget {
        &self.0.budget
    }

    /// Creates a call with its context: id, origin, peer, country, header fields and deadline.
    pub(super) fn begin(
        &self,
        method: &Method,
        context: &RequestContext,
        origin: Origin,
        headers: HeaderMap,
    ) -> Call {
        let settings = self.settings();
        let country = settings.country_header.as_ref().and_then(|name| headers.get(name));
        let arrival = CallContext {
            id: context.id.clone(),
            origin,
            peer: Some(context.peer.address().ip()),
            country: country.and_then(|value| value.to_str().ok()).and_then(Country::from_code),
            headers,
            started: context.started,
            deadline: context.started
                + method.spec.timeout.unwrap_or(settings.request_timeout).min(MAX_CALL_TIME),
        };
        Call::new(method.service, method.spec, arrival)
    }
}
