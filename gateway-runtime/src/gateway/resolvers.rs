//! The resolvers that upstreams may name: those of the gateway, and those that the author adds.

#[cfg(feature = "dns")]
use std::sync::Arc;

#[cfg(feature = "dns")]
use crate::resolver::{DnsResolver, Resolver};
use crate::{
    base::start_error::StartError,
    gateway::{Gateway, config::Settings},
    resolver::Resolvers,
};

/// The name of the resolver of DNS.
const DNS: &str = "dns";

/// The resolvers of a gateway.
pub(super) struct ResolverTable {
    own: Resolvers,
    /// An error matters only to a configuration that uses DNS.
    #[cfg(feature = "dns")]
    dns: Result<Arc<dyn Resolver>, Vec<String>>,
}

impl Gateway {
    /// Returns the resolvers that upstreams may name.
    pub(super) fn resolver_table(&self) -> ResolverTable {
        ResolverTable {
            own: self.resolvers.clone(),
            #[cfg(feature = "dns")]
            dns: DnsResolver::new(&self.settings.resolvers.dns)
                .map(|dns| Arc::new(dns) as _)
                .map_err(StartError::into_problems),
        }
    }
}

impl ResolverTable {
    /// Returns the resolvers for the upstreams of a configuration.
    ///
    /// # Errors
    ///
    /// Fails if an upstream uses DNS, and DNS is not built in or its settings are invalid.
    pub(super) fn resolvers(&self, settings: &Settings) -> Result<Resolvers, StartError> {
        let is_dns = |it: &Option<String>| it.as_deref() == Some(DNS);
        let uses_dns = settings.upstreams.values().any(|upstream| is_dns(&upstream.resolver));
        if !uses_dns || self.own.contains_key(DNS) {
            return Ok(self.own.clone());
        }
        #[cfg(feature = "dns")]
        match &self.dns {
            Ok(dns) => {
                let mut resolvers = self.own.clone();
                resolvers.insert(DNS.to_owned(), Arc::clone(dns));
                Ok(resolvers)
            }
            Err(problems) => Err(StartError::from_nonempty(problems.clone())),
        }
        #[cfg(not(feature = "dns"))]
        Err(StartError::new(
            "an upstream has `resolver = \"dns\"`, and this program is built without DNS\n\
             help: add the feature `dns` of `gateway-runtime`",
        ))
    }
}
