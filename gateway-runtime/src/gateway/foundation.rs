//! What everything else of a gateway stands on; and every problem of the settings that can be found before the database is
//! opened, told together.

use std::sync::Arc;

use crate::{
    auth::AcceptedCredentials,
    base::start_error::StartError,
    bus::{Broker, MemoryBroker, publisher::Publisher},
    edge::http::{BodyBudget, RouteTable, webhook_problems},
    gateway::{
        Gateway,
        preflight::{check_protected, unknown_names},
    },
    redis::Redis,
    service::registry::Registry,
};

/// Connections, and what is registered.
pub(super) struct Foundation {
    pub(super) redis: Option<Redis>,
    pub(super) broker: Arc<dyn Broker>,
    pub(super) publisher: Publisher,
    pub(super) registry: Arc<Registry>,
    pub(super) routes: RouteTable,
    pub(super) budget: BodyBudget,
}

impl Gateway {
    /// What is wrong in the settings, as far as it can be found without opening or building anything.
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

    /// Refuses settings in which something is wrong.
    ///
    /// # Errors
    ///
    /// All of [`problems`](Self::problems), with the sources of their keys.
    pub(super) fn check(&self) -> Result<(), StartError> {
        StartError::from_problems(self.problems())
            .map_err(|error| error.map(|problem| self.origins.attributed(problem)))
    }

    /// Connects to Redis and the broker, and builds the services.
    ///
    /// # Errors
    ///
    /// Every problem of these and of [`problems`](Self::problems).
    pub(super) async fn found(&self) -> Result<Foundation, StartError> {
        let mut problems = self.problems();
        let redis = noted(self.settings.redis.open().await, &mut problems);
        let broker = noted(self.settings.bus.open().await, &mut problems);
        let broker = broker.unwrap_or_else(|| Arc::new(MemoryBroker::default()));
        let publisher = self.publisher(&broker);
        // Without the Redis that is configured, services that use it could not be built, and would say so.
        let registry = redis.as_ref().and_then(|redis| {
            noted(self.registry(redis.as_ref(), &publisher).map(Arc::new), &mut problems)
        });
        note(webhook_problems(|name| self.settings.secret(name)), &mut problems);
        let budget = self.settings.http.limits.body_budget();
        let configured = noted(self.configured_routes(&broker, &budget), &mut problems);
        let accepted = self.accepted();
        let routes = registry.as_ref().and_then(|registry| {
            let protected =
                check_protected(registry, &self.settings.auth, accepted, self.settings.http.listen);
            noted(protected, &mut problems);
            noted(self.routes(registry, accepted, configured.unwrap_or_default()), &mut problems)
        });
        match (redis, registry, routes) {
            (Some(redis), Some(registry), Some(routes)) if problems.is_empty() => {
                Ok(Foundation { redis, broker, publisher, registry, routes, budget })
            }
            _ => Err(StartError::from_nonempty(problems)),
        }
    }

    /// Which credentials are read.
    pub(super) fn accepted(&self) -> AcceptedCredentials {
        let auth = &self.settings.auth;
        let api_keys = !auth.keys.is_empty() || self.api_keys.is_some() || self.reads_kept_keys();
        AcceptedCredentials { tokens: auth.has_token_keys(), api_keys }
    }

    /// Whether API keys of the books count: where operators can make some, or callers are known anyway. Else a gateway that
    /// only keeps records would ask everybody who they are.
    pub(super) fn reads_kept_keys(&self) -> bool {
        let is_asked = self.settings.admin.is_some()
            || self.settings.auth.is_configured()
            || self.api_keys.is_some();
        is_asked && self.settings.store.is_configured()
    }
}

/// The value, or its problems, each once.
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
