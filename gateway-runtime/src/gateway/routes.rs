//! The route table of a gateway: methods, published documents, mounts, and the routes of the
//! configuration.

use std::sync::Arc;

#[cfg(feature = "docs-page")]
use crate::edge::http::docs_page;
use crate::{
    auth::AcceptedCredentials,
    base::start_error::StartError,
    edge::{
        dispatch::{Dispatcher, Route, RouteConfig},
        http::{Documents, RouteTable},
    },
    gateway::Gateway,
    resolver::Resolver,
    service::registry::Registry,
};

impl Gateway {
    /// Adds a dispatcher, which routes choose by its name: `[routes.reports] dispatch = "archive"`.
    /// `make` is called at start, and again when the configuration changes, for each of these
    /// routes with its section.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use gateway_runtime::{http::{DispatchFuture, DispatchRequest, Dispatcher}, prelude::*};
    ///
    /// struct Gone;
    ///
    /// impl Dispatcher for Gone {
    ///     fn dispatch(&self, request: DispatchRequest) -> DispatchFuture {
    ///         Box::pin(async move {
    ///             Err(Error::not_found(format!("{} has moved", request.service())))
    ///         })
    ///     }
    /// }
    ///
    /// # fn add(gateway: Gateway) -> Gateway {
    /// gateway.dispatcher("gone", |_| Ok(Arc::new(Gone)))
    /// # }
    /// ```
    #[must_use]
    pub fn dispatcher<F>(mut self, name: &str, make: F) -> Self
    where
        F: Fn(&mut RouteConfig) -> Result<Arc<dyn Dispatcher>, StartError> + Send + Sync + 'static,
    {
        self.dispatchers.insert(name.to_owned(), Arc::new(make));
        self
    }

    /// Adds a resolver, which upstreams choose by its name:
    /// `[upstreams.reports] resolver = "announced"`.
    ///
    /// ```
    /// use gateway_runtime::{prelude::*, resolver::{Endpoint, Resolver, Snapshot}};
    /// use tokio::sync::watch;
    ///
    /// struct Announced(watch::Sender<Snapshot>);
    ///
    /// impl Resolver for Announced {
    ///     fn watch(&self, _service: &str) -> watch::Receiver<Snapshot> {
    ///         self.0.subscribe()
    ///     }
    /// }
    ///
    /// # fn add(gateway: Gateway) -> Gateway {
    /// gateway.resolver("announced", Announced(watch::Sender::new(Snapshot::unknown())))
    /// # }
    /// ```
    #[must_use]
    pub fn resolver(mut self, name: &str, resolver: impl Resolver) -> Self {
        self.resolvers.insert(name.to_owned(), Arc::new(resolver));
        self
    }

    /// Returns the route table, with the routes of the configuration.
    ///
    /// # Errors
    ///
    /// Returns every path that is claimed twice, and every webhook without a secret.
    pub(super) fn routes(
        &self,
        registry: &Arc<Registry>,
        accepted: AcceptedCredentials,
        configured: Vec<Route>,
    ) -> Result<RouteTable, StartError> {
        let (mut routes, mut told) =
            RouteTable::collected(registry, |name| self.settings.secret(name));
        let documents = Arc::new(Documents::new(
            &self.settings.info,
            Arc::clone(registry),
            accepted,
            &self.settings.bus,
        ));
        for prefix in ["/meta", "/openapi.json", "/asyncapi.json"] {
            let documents = Arc::clone(&documents);
            routes.publish(prefix, Box::new(move |path, _| documents.serve(path)));
        }
        #[cfg(feature = "docs-page")]
        routes.publish("/docs", Box::new(docs_page::serve));
        let mounted =
            self.mounts.iter().map(|mount| routes.mount(mount.clone())).collect::<Vec<_>>();
        let routed = configured
            .into_iter()
            .map(|route| {
                let is_implied = !self.settings.routes.contains_key(&route.service);
                let added = routes.route(route, accepted.any());
                // Its section is that of its upstream.
                let of_upstream = |problem: String| problem.replacen("[routes.", "[upstreams.", 1);
                added.map_err(|error| if is_implied { error.map(of_upstream) } else { error })
            })
            .collect::<Vec<_>>();
        told.extend(problems(mounted.into_iter().chain(routed)));
        StartError::from_problems(told)?;
        #[cfg(feature = "docs-page")]
        routes.publish_front(Box::new(docs_page::front));
        Ok(routes)
    }
}

/// Returns the problems of all results.
pub(super) fn problems(results: impl Iterator<Item = Result<(), StartError>>) -> Vec<String> {
    results.filter_map(Result::err).flat_map(StartError::into_problems).collect()
}
