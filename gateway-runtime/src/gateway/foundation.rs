//! The foundation of a gateway: its connections, registry and routes. All problems that can be
//! found before the database is opened are reported together.

use std::sync::Arc;

use crate::{
    auth::AcceptedCredentials,
    base::start_error::StartError,
    bus::{Broker, MemoryBroker, publisher::Publisher},
    edge::http::{BodyBudget, RouteTable, webhook_problems},
    gateway::{
        Gateway,
        preflight::{check_protected, unknown_names},
        route_factory::RouteFactory,
    },
    redis::Redis,
    service::registry::Registry,
};

/// The connections, the registry and the routes.
pub(super) struct Foundation {
    pub(super) redis: Option<Redis>,
    pub(super) broker: Arc<dyn Broker>,
    pub(super) publisher: Publisher,
    pub(super) registry: Arc<Registry>,
    pub(super) routes: RouteTable,
    pub(super) route_factory: RouteFactory,
    pub(super) budget: BodyBudget,
}

impl Gateway {
    /// Returns the problems of the settings that can be found without opening or building anything.
    pub(super) fn problems(&self) -> Vec<String> {
        let settings = &self.settings;
        let mut problems = settings.problems();
        problems.extend(unknown_names(
            settings.services.keys(),
            settings.providers.keys(),
            Some(&settings.quota),
        ));
        problems.extend(self.check_owners().err().into_iter().flat_map(StartError::into_problems));
        problems
    }

    /// Rejects settings that have problems.
    ///
    /// # Errors
    ///
    /// Returns all [`problems`](Self::problems), with the sources of their keys.
    pub(super) fn check(&self) -> Result<(), StartError> {
        StartError::from_problems(self.problems())
            .map_err(|error| error.map(|problem| self.origins.attributed(problem)))
    }

    /// Connects to Redis and the broker, and builds the services.
    ///
    /// # Errors
    ///
    /// Returns all problems of these steps and of [`problems`](Self::problems).
    pub(super) async fn found(&self) -> Result<Foundation, StartError> {
        let mut problems = self.problems();
        let redis = noted(self.settings.redis.open().await, &mut problems);
        let broker = noted(self.settings.bus.open().await, &mut problems);
        let broker = broker.unwrap_or_else(|| Arc::new(MemoryBroker::default()));
        let publisher = self.publisher(&broker);
        // If the configured Redis is unreachable, services that use it would report a second
        // problem.
        let registry = redis.as_ref().and_then(|redis| {
            noted(self.registry(redis.as_ref(), &publisher).map(Arc::new), &mut problems)
        });
        note(webhook_problems(|name| self.settings.secret(name)), &mut problems);
        let budget = self.settings.http.limits.body_budget();
        let route_factory = self.route_factory(&broker, &budget);
        let configured = noted(route_factory.make(&self.settings), &mut problems)
            .map(|made| route_factory.put_into_effect(made));
        let accepted = self.accepted();
        let routes = registry.as_ref().and_then(|registry| {
            let protected =
                check_protected(registry, &self.settings.auth, accepted, self.settings.http.listen);
            noted(protected, &mut problems);
            noted(self.routes(registry, accepted, configured.unwrap_or_default()), &mut problems)
        });
        match (redis, registry, routes) {
            (Some(redis), Some(registry), Some(routes)) if problems.is_empty() => {
                Ok(Foundation { redis, broker, publisher, registry, routes, route_factory, budget })
            }
            _ => Err(StartError::from_nonempty(problems)),
        }
    }

    /// Returns the kinds of credentials that are accepted.
    pub(super) fn accepted(&self) -> AcceptedCredentials {
        let auth = &self.settings.auth;
        let api_keys = !auth.keys.is_empty() || self.api_keys.is_some() || self.reads_kept_keys();
        AcceptedCredentials { tokens: auth.has_token_keys(), api_keys }
    }

    /// Returns whether API keys of the store are accepted: where operators can create them, or
    /// authentication is configured anyway. Otherwise a gateway that only has a request log would
    /// require credentials of everybody.
    pub(super) fn reads_kept_keys(&self) -> bool {
        let is_asked = self.settings.admin.is_some()
            || self.settings.auth.is_configured()
            || self.api_keys.is_some();
        is_asked && self.settings.store.is_configured()
    }
}

/// Returns the value, or adds its problems, each once.
fn noted<T>(result: Result<T, StartError>, problems: &mut Vec<String>) -> Option<T> {
    result.map_err(|error| note(error.into_problems(), problems)).ok()
}

/// Adds problems, each once.
fn note(new: Vec<String>, problems: &mut Vec<String>) {
    for problem in new {
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
}
