//! What stands at which address: methods, what is published, mounts, and the routes of the configuration.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    auth::AcceptedCredentials,
    base::start_error::StartError,
    bus::Broker,
    edge::{
        bus_dispatch::BusDispatcher,
        dispatch::{Dispatcher, DispatcherFactory, Route, RouteConfig},
        http::{BodyBudget, Documents, RouteTable, docs_page},
    },
    gateway::{Gateway, did_you_mean},
    service::registry::Registry,
};

impl Gateway {
    /// Adds a dispatcher, which routes choose by its name: `[routes.reports] dispatch = "archive"`. `make` is called for each
    /// of them at start, with its section.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use gateway_runtime::{dispatch::{Dispatched, Dispatcher, Routed}, prelude::*};
    ///
    /// struct Gone;
    ///
    /// impl Dispatcher for Gone {
    ///     fn dispatch(&self, request: Routed) -> Dispatched {
    ///         Box::pin(async move { Err(Error::not_found(format!("{} has moved", request.service()))) })
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

    /// All addresses, with the routes of the configuration.
    ///
    /// # Errors
    ///
    /// Every place that is taken, and every webhook without its secret.
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
        routes.publish("/docs", Box::new(docs_page::serve));
        let mounted =
            self.mounts.iter().map(|mount| routes.mount(mount.clone())).collect::<Vec<_>>();
        let routed = configured
            .into_iter()
            .map(|route| routes.route(route, accepted.any()))
            .collect::<Vec<_>>();
        told.extend(problems(mounted.into_iter().chain(routed)));
        StartError::from_problems(told)?;
        routes.publish_front(Box::new(docs_page::front));
        Ok(routes)
    }

    /// The routes of the configuration, and what answers them.
    ///
    /// # Errors
    ///
    /// Everything that is wrong in their sections.
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
        let mut known: BTreeMap<&str, &DispatcherFactory> = BTreeMap::from([("bus", &bus as _)]);
        known.extend(self.dispatchers.iter().map(|(name, make)| (name.as_str(), &**make)));
        let mut routes = Vec::new();
        let read = self.settings.routes.iter().map(|(service, section)| {
            let (mut section, terms) = RouteConfig::read(service, section)?;
            let dispatcher = dispatcher(&known, &mut section, &terms.dispatch)?;
            routes.push(Route { service: service.clone(), terms, dispatcher });
            Ok(())
        });
        StartError::from_problems(problems(read))?;
        Ok(routes)
    }
}

/// The problems of all results.
fn problems(results: impl Iterator<Item = Result<(), StartError>>) -> Vec<String> {
    results.filter_map(Result::err).flat_map(StartError::into_problems).collect()
}

/// The dispatcher of a route.
fn dispatcher(
    known: &BTreeMap<&str, &DispatcherFactory>,
    section: &mut RouteConfig,
    name: &str,
) -> Result<Arc<dyn Dispatcher>, StartError> {
    let names: Vec<_> = known.keys().copied().collect();
    let (service, hint) = (section.service().to_owned(), did_you_mean(name, &names));
    let make = known.get(name).ok_or_else(|| match name {
        "" => StartError::new(format!(
            "[routes.\"{service}\"]: say what answers, with `dispatch`: {}",
            names.join(", ")
        )),
        _ => StartError::new(format!(
            "[routes.\"{service}\"]: there is no dispatcher `{name}`{hint}"
        )),
    })?;
    let made = make(section)?;
    section.unread_keys()?;
    Ok(made)
}
