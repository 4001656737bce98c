//! The settings of the connections to the instances of an upstream, checked.

use std::{sync::Arc, time::Duration};

use http::uri::Authority;

use crate::{
    edge::proxy::{
        connection::{Connector, TlsClient},
        settings::{Protocol, UpstreamSettings, UpstreamTlsSettings},
    },
    resolver::Endpoint,
};

/// The settings of connections.
#[derive(Clone)]
pub(super) struct PoolTerms {
    pub(super) keep_alive: Duration,
    pub(super) max_idle: usize,
    protocol: Protocol,
    tls_settings: UpstreamTlsSettings,
    /// An error matters only to an instance with TLS.
    tls: Result<Arc<TlsClient>, String>,
}

impl PoolTerms {
    /// Reads the settings. `may_use_tls` is whether an instance may have TLS, whose roots are then
    /// loaded.
    pub(super) fn new(settings: &UpstreamSettings, may_use_tls: bool) -> Self {
        let tls = match may_use_tls {
            true => TlsClient::new(&settings.tls, settings.protocol).map(Arc::new),
            false => Err("no instance has TLS".to_owned()),
        };
        Self {
            keep_alive: settings.keep_alive,
            max_idle: settings.max_idle,
            protocol: settings.protocol,
            tls_settings: settings.tls.clone(),
            tls,
        }
    }

    /// Returns whether connections on either terms are the same.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.keep_alive == other.keep_alive
            && self.max_idle == other.max_idle
            && self.protocol == other.protocol
            && self.tls_settings == other.tls_settings
    }

    /// Creates the connector of an instance.
    ///
    /// # Errors
    ///
    /// Returns the reason why no connection to the endpoint can be made.
    pub(super) fn connector(&self, endpoint: &Endpoint) -> Result<Connector, String> {
        let authority = Authority::try_from(endpoint.authority().as_bytes())
            .map_err(|_| "has no valid host".to_owned())?;
        let tls = match endpoint.is_secure() {
            true => Some(self.tls.as_ref().map_err(String::clone)?.of(endpoint.host())?),
            false => None,
        };
        Ok(Connector::new(endpoint.address().to_owned(), authority, self.protocol, tls))
    }
}

impl std::fmt::Debug for PoolTerms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PoolTerms").field("protocol", &self.protocol).finish_non_exhaustive()
    }
}
