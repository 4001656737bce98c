//! What everything else of a gateway stands on; and every problem of the settings that can be found before the database is
//! opened, told together.

use std::sync::Arc;

use super::{Gateway, checks::unknown_names};
use crate::{
    app::StartError,
    bus::{Broker, MemoryBroker},
    publisher::Publisher,
    redis::Redis,
    registry::Registry,
};

/// Connections, and what is registered.
pub(super) struct Foundation {
    pub(super) redis: Option<Redis>,
    pub(super) broker: Arc<dyn Broker>,
    pub(super) publisher: Publisher,
    pub(super) registry: Arc<Registry>,
}

impl Gateway {
    /// What is wrong in the settings, as far as it can be found without opening or building anything.
    pub(super) fn problems(&self) -> Vec<String> {
        let settings = &self.settings;
        let mut problems = settings.problems();
        problems.extend(unknown_names(settings.services.keys(), settings.providers.keys(), Some(&settings.quota)));
        problems.extend(self.check_owners().err().into_iter().flat_map(StartError::into_problems));
        problems
    }

    /// Refuses settings in which something is wrong.
    ///
    /// # Errors
    ///
    /// All of [`problems`](Self::problems), with the sources of their keys.
    pub(super) fn check(&self) -> Result<(), StartError> {
        StartError::unless_empty(self.problems()).map_err(|error| error.map(|problem| self.origins.attributed(problem)))
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
        let registry = redis
            .as_ref()
            .and_then(|redis| noted(self.registry(redis.as_ref(), &publisher).map(Arc::new), &mut problems));
        match (redis, registry) {
            (Some(redis), Some(registry)) if problems.is_empty() => {
                Ok(Foundation { redis, broker, publisher, registry })
            }
            _ => Err(StartError::from_problems(problems)),
        }
    }
}

/// The value, or its problems, each once.
fn noted<T>(result: Result<T, StartError>, problems: &mut Vec<String>) -> Option<T> {
    result
        .map_err(|error| {
            for problem in error.into_problems() {
                if !problems.contains(&problem) {
                    problems.push(problem);
                }
            }
        })
        .ok()
}
