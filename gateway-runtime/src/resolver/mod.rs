//! Service discovery: a [`Resolver`] watches the instances of a service, and publishes them in
//! snapshots that are swapped whole (SEMANTICS §10).

mod dns;
mod endpoint;
mod settings;
mod snapshot;
mod static_endpoints;
#[cfg_attr(
    not(feature = "dns"),
    allow(dead_code, reason = "the rules of sources that features switch on")
)]
mod steady;

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::watch;

#[cfg(feature = "dns")]
pub(crate) use crate::resolver::dns::DnsResolver;
use crate::resolver::dns::DnsSettings;
pub use crate::resolver::{
    endpoint::{Endpoint, InvalidEndpoint},
    snapshot::Snapshot,
};
pub(crate) use crate::resolver::{settings::ResolverSettings, static_endpoints::StaticEndpoints};

/// The resolvers of a gateway, by their names.
pub(crate) type Resolvers = BTreeMap<String, Arc<dyn Resolver>>;

/// A source of the instances of services: a table, DNS, a registry.
///
/// ```
/// use gateway_runtime::resolver::{Endpoint, Resolver, Snapshot};
/// use tokio::sync::watch;
///
/// /// Instances that a program of the author's own announces.
/// struct Announced(watch::Sender<Snapshot>);
///
/// impl Resolver for Announced {
///     fn watch(&self, _service: &str) -> watch::Receiver<Snapshot> {
///         self.0.subscribe()
///     }
/// }
///
/// let announced = Announced(watch::Sender::new(Snapshot::unknown()));
/// let instances = announced.watch("reports");
/// let endpoint = Endpoint::parse("http://10.0.0.7:9000")?;
/// announced.0.send_replace(Snapshot::new([endpoint]));
/// assert_eq!(instances.borrow().endpoints().len(), 1);
/// # Ok::<(), gateway_runtime::resolver::InvalidEndpoint>(())
/// ```
pub trait Resolver: Send + Sync + 'static {
    /// Watches a service. The receiver has the latest snapshot, [`Snapshot::unknown`] before the
    /// first answer. A resolver that cannot ask keeps the last snapshot: "could not ask" is not
    /// "there are none". A sender that is dropped leaves its last snapshot in effect.
    fn watch(&self, service: &str) -> watch::Receiver<Snapshot>;

    /// Checks the name of a service when the configuration is read. The default accepts all names.
    ///
    /// # Errors
    ///
    /// Returns why no service can have this name, such as "has a path".
    fn check(&self, service: &str) -> Result<(), String> {
        let _ = service;
        Ok(())
    }
}
