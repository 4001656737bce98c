//! The resolver of services in DNS.

use std::sync::Arc;

use tokio::sync::watch;

use crate::{
    base::start_error::StartError,
    resolver::{
        Resolver, Snapshot,
        dns::{client::DnsClient, service::DnsService, settings::DnsSettings, watched::Watched},
    },
};

/// The resolver of services in DNS: `name:port` or `_service._proto.name`, see [`DnsService`].
pub(crate) struct DnsResolver {
    watched: Arc<Watched>,
}

impl DnsResolver {
    /// Creates the resolver. Nothing is sent before a service is watched.
    ///
    /// # Errors
    ///
    /// Fails for invalid settings. Where they name no server, fails if `/etc/resolv.conf` has none.
    pub(crate) fn new(settings: &DnsSettings) -> Result<Self, StartError> {
        let client = DnsClient::new(settings)?;
        Ok(Self { watched: Arc::new(Watched::new(client)) })
    }

    /// Returns the number of services that are watched.
    #[cfg(test)]
    pub(super) fn watched_len(&self) -> usize {
        self.watched.len()
    }
}

impl Resolver for DnsResolver {
    /// Watches a service, by a task on the current runtime. Without a runtime, as where a
    /// configuration is only validated, the service stays unknown. A service whose text is invalid
    /// has no instances; [`DnsService::parse`] tells why.
    fn watch(&self, service: &str) -> watch::Receiver<Snapshot> {
        match DnsService::parse(service) {
            Ok(parsed) => self.watched.watch(service, parsed),
            Err(reason) => {
                tracing::error!(source = "dns", service, %reason, "service has no instances");
                watch::channel(Snapshot::new([])).1
            }
        }
    }

    fn check(&self, service: &str) -> Result<(), String> {
        DnsService::parse(service).map(drop).map_err(|why| why.to_string())
    }
}
