//! The services of a gateway: the registry, built with the resources that authors may use and the
//! settings that they declare.

use std::sync::Arc;

#[cfg(feature = "http-client")]
use crate::provider::HttpClient;
use crate::{
    base::start_error::StartError,
    bus::{Broker, BusSettings, publisher::Publisher},
    gateway::{
        Gateway,
        reload::{ReloadableSettings, split},
    },
    redis::Redis,
    service::registry::{Registry, RegistrySettings},
};

impl Gateway {
    /// Creates the publisher of events.
    pub(super) fn publisher(&self, broker: &Arc<dyn Broker>) -> Publisher {
        let BusSettings { exchange, source, .. } = &self.settings.bus;
        Publisher::new(Arc::clone(broker), exchange, source)
    }

    /// Builds the registry.
    ///
    /// # Errors
    ///
    /// Returns all problems of services and providers.
    pub(super) fn registry(
        &self,
        redis: Option<&Redis>,
        publisher: &Publisher,
    ) -> Result<Registry, StartError> {
        let mut app = self.app.clone();
        app.insert(Arc::new(publisher.clone()));
        #[cfg(feature = "sqlite")]
        if let Some(db) = self.settings.store.lazy()? {
            app.insert(Arc::new(db));
        }
        if let Some(redis) = redis.map(Redis::for_authors).map(Arc::new) {
            app.insert(redis);
        }
        #[cfg(feature = "http-client")]
        if app.get::<HttpClient>().is_none() {
            app.insert(Arc::new(HttpClient::new(&self.settings.http_client)?));
        }
        for (name, section) in &self.settings.providers {
            app.set_section(format!("providers.{name}"), split(section).1);
        }
        for (name, section) in &self.settings.services {
            app.set_section(format!("services.{name}"), (**section).clone());
        }
        let providers = ReloadableSettings::of(&self.settings)?.providers;
        let settings = RegistrySettings { failover: self.settings.failover.clone(), providers };
        let registry = Registry::build(&app, &settings)?;
        registry.expect(&self.expected_services, &self.expected_providers)?;
        Ok(registry)
    }
}
