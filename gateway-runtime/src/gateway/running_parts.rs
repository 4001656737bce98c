//! The parts of a running gateway, for the tests and benches of this project.

use std::sync::Arc;

use crate::{
    bus::Broker,
    control::OperatorSettings,
    gateway::RunningGateway,
    pipeline::{CacheFigures, QuotaEnforcer},
    service::registry::Registry,
};

#[doc(hidden)]
impl RunningGateway {
    /// Returns the services, methods and providers of the gateway.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Returns the message broker of the gateway.
    #[must_use]
    pub fn broker(&self) -> &Arc<dyn Broker> {
        &self.broker
    }

    /// Returns the settings that operators have made; `None` without a store.
    #[must_use]
    pub fn control(&self) -> Option<&Arc<OperatorSettings>> {
        self.control.as_ref()
    }

    /// Returns the counters and the usage of the cache; `None` if no method is cached.
    #[must_use]
    pub fn cache(&self) -> Option<CacheFigures> {
        Some(self.caching.as_ref()?.figures())
    }

    /// Returns the enforcer of quotas.
    #[must_use]
    pub fn limiting(&self) -> &QuotaEnforcer {
        &self.limiting
    }
}
