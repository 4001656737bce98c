//! The route table. Matches a path with one hash lookup, independent of the number of methods.
//!
//! Paths are compared byte for byte: another spelling (a trailing slash, capitals,
//! percent-encoding) is another address, so no two parties can read one address in two ways.

mod configured;
mod method_match;
mod target;
#[cfg(test)]
mod tests;
mod webhook_keys;

use std::{collections::HashMap, fmt, sync::Arc};

use arc_swap::ArcSwap;

pub(super) use crate::edge::http::routes::{
    method_match::{MethodMatch, admit, allowed},
    target::{FoundRoute, RouteTarget},
};
pub(crate) use crate::edge::http::routes::{target::PageHandler, webhook_keys::webhook_problems};
use crate::{
    auth::Authenticator,
    base::{error::Error, secret::Secret, start_error::StartError},
    edge::{
        dispatch::{self, Route},
        http::{
            mount::Mount,
            problems_page,
            routes::{
                configured::ConfiguredRoutes,
                webhook_keys::{key, unsigned},
            },
        },
    },
    service::registry::{Method, Registry},
};

/// The route table: all addresses of a gateway.
#[derive(Default)]
pub struct RouteTable {
    exact: HashMap<Box<str>, RouteTarget, foldhash::fast::RandomState>,
    /// The targets of whole subtrees, the longest prefix first. There are few of them.
    prefixes: Vec<(Box<str>, RouteTarget)>,
    /// The routes of the configuration, for paths without a prefix.
    configured: ArcSwap<ConfiguredRoutes>,
    authenticator: Option<Arc<Authenticator>>,
    /// The target of all other paths: a mount at `/`.
    rest: Option<RouteTarget>,
    /// The methods by `service.vN.method`, for WebSockets.
    names: HashMap<Box<str>, Arc<Method>, foldhash::fast::RandomState>,
}

/// The path at which a WebSocket for calls is opened.
pub(super) const WEBSOCKET: &str = "/services/_ws";

impl RouteTable {
    /// Creates the table with the addresses of all methods, of the WebSocket and of the problems
    /// page; `secret` finds the secrets of webhooks by their names.
    ///
    /// # Errors
    ///
    /// Names every secret that is missing or is not a valid key.
    pub fn new(
        registry: &Registry,
        secret: impl Fn(&str) -> Option<Secret>,
    ) -> Result<Self, StartError> {
        let (routes, problems) = Self::collected(registry, secret);
        StartError::from_problems(problems)?;
        Ok(routes)
    }

    /// Creates the table as [`new`](Self::new) does, without the webhooks that have a problem, and
    /// returns the problems, for callers that report others with them.
    pub(crate) fn collected(
        registry: &Registry,
        secret: impl Fn(&str) -> Option<Secret>,
    ) -> (Self, Vec<String>) {
        let mut routes = Self::default();
        let mut problems = Vec::new();
        for method in registry.methods() {
            let target = match &method.spec.webhook {
                None => {
                    routes.names.insert(rpc_name(method).into(), Arc::clone(method));
                    RouteTarget::Method(Arc::clone(method))
                }
                Some(webhook) => match key(webhook.secret, secret(webhook.secret)) {
                    Ok(key) => RouteTarget::Webhook(Arc::clone(method), Box::new(key)),
                    Err(why) => {
                        problems.push(unsigned(method.service, method.spec, &why));
                        continue;
                    }
                },
            };
            routes.exact.insert(method.path().into(), target);
        }
        #[cfg(feature = "websocket")]
        routes.exact.insert(WEBSOCKET.into(), RouteTarget::WebSocket);
        let explanations = problems_page::Explanations::new(registry);
        routes.publish(
            problems_page::PREFIX,
            Box::new(move |path, headers| explanations.serve(path, headers)),
        );
        (routes, problems)
    }

    /// Publishes a page at `prefix` and below it.
    pub(crate) fn publish(&mut self, prefix: &str, page: PageHandler) {
        self.insert(prefix, RouteTarget::Page(page));
    }

    /// Publishes a page at `/` alone, unless a mount at `/` or the route `*` takes all other paths.
    pub(crate) fn publish_front(&mut self, page: PageHandler) {
        if self.rest.is_none() && self.configured.load().any().is_none() {
            self.exact.insert("/".into(), RouteTarget::Page(page));
        }
    }

    /// Mounts an author's own service at a prefix.
    ///
    /// # Errors
    ///
    /// Fails if the prefix is taken, or is within `/services`.
    pub fn mount(&mut self, mount: Mount) -> Result<(), StartError> {
        let prefix = mount.prefix().to_owned();
        if prefix == "/services" || prefix.starts_with("/services/") {
            return Err(StartError::new(format!(
                "the mount at `{prefix}`: `/services` is reserved for methods"
            )));
        }
        let taken = match &*prefix {
            "/" => self.rest.is_some(),
            _ => self.prefixes.iter().any(|(other, _)| **other == *prefix),
        };
        if taken {
            return Err(StartError::new(format!("the mount at `{prefix}`: the path is in use")));
        }
        match &*prefix {
            "/" => self.rest = Some(RouteTarget::Mount(mount)),
            _ => self.insert(&prefix, RouteTarget::Mount(mount)),
        }
        Ok(())
    }

    /// Adds the route of a service to its dispatcher. `is_authenticated` is whether
    /// [`authenticate`](Self::authenticate) follows.
    ///
    /// # Errors
    ///
    /// Fails if the address of the service is taken or its name is invalid, or if the route
    /// requires a caller and no authentication is configured.
    pub fn route(&mut self, route: Route, is_authenticated: bool) -> Result<(), StartError> {
        let mut routes = ConfiguredRoutes::clone(&self.configured.load());
        self.add(&mut routes, route, is_authenticated)?;
        self.configured.store(Arc::new(routes));
        Ok(())
    }

    /// Sets the authenticator of the routes that require a caller.
    pub fn authenticate(&mut self, authenticator: &Arc<Authenticator>) {
        let mut routes = ConfiguredRoutes::clone(&self.configured.load());
        routes.authenticate(authenticator);
        self.configured.store(Arc::new(routes));
        self.authenticator = Some(Arc::clone(authenticator));
    }

    /// Replaces the routes of the configuration. Requests that have begun keep theirs.
    ///
    /// # Errors
    ///
    /// Fails as [`route`](Self::route) does, with all problems, and then replaces nothing.
    pub(crate) fn replace(&self, configured: Vec<Route>) -> Result<(), StartError> {
        let mut routes = ConfiguredRoutes::default();
        let is_authenticated = self.authenticator.as_ref().is_some_and(|it| it.accepts().any());
        let mut problems = Vec::new();
        for route in configured {
            if let Err(error) = self.add(&mut routes, route, is_authenticated) {
                problems.extend(error.into_problems());
            }
        }
        StartError::from_problems(problems)?;
        if let Some(authenticator) = &self.authenticator {
            routes.authenticate(authenticator);
        }
        self.configured.store(Arc::new(routes));
        Ok(())
    }

    fn add(
        &self,
        routes: &mut ConfiguredRoutes,
        route: Route,
        is_authenticated: bool,
    ) -> Result<(), StartError> {
        if route.terms.requires_caller() && !is_authenticated {
            return Err(StartError::new(format!(
                "[routes.{}]: it requires an authenticated caller, and no authentication is \
                 configured\nhelp: configure `[auth]`",
                route.service
            )));
        }
        let path = format!("/{}", route.service);
        let is_taken = match &*route.service {
            "*" => self.rest.is_some(),
            _ => self.prefixes.iter().any(|(prefix, _)| is_within(prefix, &path)),
        };
        routes.add(route, is_taken)
    }

    fn insert(&mut self, prefix: &str, target: RouteTarget) {
        self.prefixes.push((prefix.into(), target));
        self.prefixes.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
    }

    /// Returns what answers `path`.
    pub(super) fn find(&self, path: &str) -> Option<FoundRoute<'_>> {
        let below = |(prefix, _): &&(Box<str>, RouteTarget)| is_within(path, prefix);
        let target = self
            .exact
            .get(path)
            .or_else(|| self.prefixes.iter().find(below).map(|(_, target)| target));
        if let Some(target) = target {
            return Some(FoundRoute::Target(target));
        }
        let service = dispatch::split(path).0;
        // A route is for services, and `/services` belongs to the methods.
        let is_service = !matches!(service, "" | "services");
        let configured = self.configured.load();
        let route = configured.of(service).or_else(|| match self.rest {
            Some(_) => None,
            None => configured.any(),
        });
        match route.filter(|_| is_service) {
            Some(route) => Some(FoundRoute::Configured(Arc::clone(route))),
            None => self.rest.as_ref().map(FoundRoute::Target),
        }
    }

    /// Returns the method at `path`, for any HTTP method; none for webhooks.
    #[must_use]
    pub fn method_at(&self, path: &str) -> Option<&Arc<Method>> {
        match self.find(path) {
            Some(FoundRoute::Target(RouteTarget::Method(method))) => Some(method),
            _ => None,
        }
    }

    /// Returns the method with the JSON-RPC name `service.vN.method`; none for webhooks.
    pub(super) fn method_named(&self, name: &str) -> Option<&Arc<Method>> {
        self.names.get(name)
    }

    /// Returns `not-found`, and suggests the path that was probably meant. This costs one more
    /// lookup, and no search that an unknown client could make the gateway repeat.
    pub(super) fn not_found(&self, path: &str) -> Error {
        let near = path.trim_end_matches('/').to_ascii_lowercase();
        if near != path && self.exact.contains_key(&*near) {
            let detail = format!("not found; a path with a similar name exists: `{near}`");
            return Error::not_found(detail);
        }
        Error::not_found("not found; `GET /meta` lists the paths of all methods")
    }
}

impl fmt::Debug for RouteTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefixes: Vec<_> = self.prefixes.iter().map(|(prefix, _)| prefix).collect();
        f.debug_struct("Routes")
            .field("exact", &self.exact.len())
            .field("prefixes", &prefixes)
            .finish()
    }
}

/// Returns whether `path` is `prefix` or below it: `/api` contains `/api` and `/api/x`, not
/// `/apis`.
fn is_within(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Returns the name of a method in JSON-RPC requests: `currency.v1.rates`.
pub(super) fn rpc_name(method: &Method) -> String {
    format!("{}.v{}.{}", method.service.name, method.service.version, method.spec.name)
}
