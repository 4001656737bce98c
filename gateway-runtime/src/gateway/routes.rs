//! The route table of a gateway: methods, published documents, mounts, and the routes of the
//! configuration.

use std::{collections::BTreeMap, sync::Arc};

#[cfg(feature = "docs-page")]
use crate::edge::http::docs_page;
use crate::{
    auth::AcceptedCredentials,
    base::start_error::StartError,
    bus::Broker,
    edge::{
        bus_dispatch::BusDispatcher,
        dispatch::{Dispatcher, DispatcherFactory, Route, RouteConfig, RouteSettings},
        http::{BodyBudget, Documents, RouteTable},
        proxy::Upstreams,
    },
    gateway::Gateway,
    json::similar::did_you_mean,
    service::registry::Registry,
};

impl Gateway {
    /// Adds a dispatcher, which routes choose by its name: `[routes.reports] dispatch = "archive"`.
    /// `make` is called at start for each of these routes, with its section.
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
        self.dispatchers.insert(name.to_owned(), Box::new(make));
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

    /// Returns the routes of the configuration with their dispatchers.
    ///
    /// # Errors
    ///
    /// Returns all problems of their sections.
    pub(super) fn configured_routes(
        &self,
        broker: &Arc<dyn Broker>,
        budget: &BodyBudget,
    ) -> Result<Vec<Route>, StartError> {
        let (broker, body_timeout) = (Arc::clone(broker), self.settings.http.limits.body_timeout);
        let budget = budget.clone();
        let bus = move |section: &mut RouteConfig| -> Result<Arc<dyn Dispatcher>, StartError> {
            Ok(Arc::new(BusDispatcher::new(
                section,
                Arc::clone(&broker),
                body_timeout,
                budget.clone(),
            )?))
        };
        let (upstreams, mut told) = Upstreams::collected(&self.settings.upstreams);
        let upstreams = Arc::new(upstreams);
        let named = Arc::clone(&upstreams);
        let http = move |section: &mut RouteConfig| -> Result<Arc<dyn Dispatcher>, StartError> {
            Ok(Arc::new(named.dispatcher(section)?))
        };
        let mut known: BTreeMap<&str, &DispatcherFactory> =
            BTreeMap::from([("bus", &bus as _), ("http", &http as _)]);
        known.extend(self.dispatchers.iter().map(|(name, make)| (name.as_str(), &**make)));
        let mut routes = Vec::new();
        let read = self.settings.routes.iter().map(|(service, section)| {
            let (mut section, terms) = RouteConfig::read(service, section)?;
            let dispatcher = dispatcher(&known, &mut section, &terms.dispatch)?;
            routes.push(Route { service: service.clone(), terms, dispatcher });
            Ok(())
        });
        told.extend(problems(read));
        StartError::from_problems(told)?;
        routes.extend(self.upstream_routes(&upstreams));
        Ok(routes)
    }

    /// Returns the routes that sections `[upstreams.NAME]` make by themselves: those of upstreams
    /// that no section `[routes.…]` names.
    fn upstream_routes(&self, upstreams: &Upstreams) -> Vec<Route> {
        let routes = &self.settings.routes;
        let is_named = |name: &String| {
            routes.contains_key(name)
                || routes.values().any(|route| {
                    let text = |key: &str| route.get(key).and_then(|value| value.as_str());
                    text("dispatch") == Some("http") && text("upstream") == Some(name)
                })
        };
        let names = self.settings.upstreams.keys().filter(|name| !is_named(name));
        names
            .filter_map(|name| {
                let dispatcher = Arc::new(upstreams.dispatcher_of(name)?);
                let terms = RouteSettings { dispatch: "http".to_owned(), ..Default::default() };
                Some(Route { service: name.clone(), terms, dispatcher })
            })
            .collect()
    }
}

/// Returns the problems of all results.
fn problems(results: impl Iterator<Item = Result<(), StartError>>) -> Vec<String> {
    results.filter_map(Result::err).flat_map(StartError::into_problems).collect()
}

/// Creates the dispatcher of a route.
fn dispatcher(
    known: &BTreeMap<&str, &DispatcherFactory>,
    section: &mut RouteConfig,
    name: &str,
) -> Result<Arc<dyn Dispatcher>, StartError> {
    let names: Vec<_> = known.keys().copied().collect();
    let service = section.service().to_owned();
    let help = did_you_mean("dispatcher", name, names.iter().copied());
    let make = known.get(name).ok_or_else(|| match name {
        "" => StartError::new(format!(
            "[routes.\"{service}\"]: missing key `dispatch`\nhelp: use one of {}",
            names.join(", ")
        )),
        _ => StartError::new(format!("[routes.\"{service}\"]: unknown dispatcher `{name}`{help}")),
    })?;
    let made = make(section)?;
    section.unread_keys()?;
    Ok(made)
}
