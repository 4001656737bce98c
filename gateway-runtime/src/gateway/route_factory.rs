//! The factory of the routes of the configuration: at start, and at each reload.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::{
    base::start_error::StartError,
    bus::Broker,
    edge::{
        bus_dispatch::BusDispatcher,
        dispatch::{Dispatcher, DispatcherFactory, Route, RouteConfig, RouteSettings},
        http::BodyBudget,
        proxy::Upstreams,
    },
    gateway::{Gateway, config::Settings, resolvers::ResolverTable, routes::problems},
    json::similar::did_you_mean,
    resolver::Resolvers,
};

/// The factory of the routes of the configuration.
pub(super) struct RouteFactory {
    /// Those that the author adds.
    dispatchers: BTreeMap<String, Arc<DispatcherFactory>>,
    resolvers: ResolverTable,
    broker: Arc<dyn Broker>,
    body_timeout: Duration,
    budget: BodyBudget,
    /// The upstreams in effect.
    upstreams: Mutex<Arc<Upstreams>>,
}

/// The routes of a configuration that is not in effect yet.
pub(super) struct MadeRoutes {
    routes: Vec<Route>,
    upstreams: Arc<Upstreams>,
}

impl Gateway {
    /// Returns the factory of the routes.
    pub(super) fn route_factory(
        &self,
        broker: &Arc<dyn Broker>,
        budget: &BodyBudget,
    ) -> RouteFactory {
        RouteFactory {
            dispatchers: self.dispatchers.clone(),
            resolvers: self.resolver_table(),
            broker: Arc::clone(broker),
            body_timeout: self.settings.http.limits.body_timeout,
            budget: budget.clone(),
            upstreams: Mutex::default(),
        }
    }
}

impl RouteFactory {
    /// Makes the routes of a configuration with their dispatchers. Upstreams that do not change
    /// stay as they are.
    ///
    /// # Errors
    ///
    /// Returns all problems of their sections.
    pub(super) fn make(&self, settings: &Settings) -> Result<MadeRoutes, StartError> {
        let (broker, body_timeout) = (Arc::clone(&self.broker), self.body_timeout);
        let budget = self.budget.clone();
        let bus = move |section: &mut RouteConfig| -> Result<Arc<dyn Dispatcher>, StartError> {
            let (broker, budget) = (Arc::clone(&broker), budget.clone());
            Ok(Arc::new(BusDispatcher::new(section, broker, body_timeout, budget)?))
        };
        let mut told = Vec::new();
        let resolvers = self.resolvers.resolvers(settings).unwrap_or_else(|error| {
            told.extend(error.into_problems());
            Resolvers::new()
        });
        let previous = Arc::clone(&self.upstreams.lock().unwrap_or_else(PoisonError::into_inner));
        let (upstreams, invalid) = Upstreams::collected(&settings.upstreams, &resolvers, &previous);
        told.extend(invalid);
        let upstreams = Arc::new(upstreams);
        let named = Arc::clone(&upstreams);
        let http = move |section: &mut RouteConfig| -> Result<Arc<dyn Dispatcher>, StartError> {
            Ok(Arc::new(named.dispatcher(section)?))
        };
        let mut known: BTreeMap<&str, &DispatcherFactory> =
            BTreeMap::from([("bus", &bus as _), ("http", &http as _)]);
        known.extend(self.dispatchers.iter().map(|(name, make)| (name.as_str(), &**make)));
        let mut routes = Vec::new();
        let read = settings.routes.iter().map(|(service, section)| {
            let (mut section, terms) = RouteConfig::read(service, section)?;
            let dispatcher = dispatcher(&known, &mut section, &terms.dispatch)?;
            routes.push(Route { service: service.clone(), terms, dispatcher });
            Ok(())
        });
        told.extend(problems(read));
        StartError::from_problems(told)?;
        routes.extend(upstream_routes(settings, &upstreams));
        Ok(MadeRoutes { routes, upstreams })
    }

    /// Records that routes are in effect, and returns them.
    pub(super) fn put_into_effect(&self, made: MadeRoutes) -> Vec<Route> {
        *self.upstreams.lock().unwrap_or_else(PoisonError::into_inner) = made.upstreams;
        made.routes
    }
}

impl MadeRoutes {
    /// Returns the routes.
    pub(super) fn routes(&self) -> &[Route] {
        &self.routes
    }
}

/// Returns the routes that sections `[upstreams.NAME]` make by themselves: those of upstreams that
/// no section `[routes.…]` names.
fn upstream_routes(settings: &Settings, upstreams: &Upstreams) -> Vec<Route> {
    let routes = &settings.routes;
    let is_named = |name: &String| {
        routes.contains_key(name)
            || routes.values().any(|route| {
                let text = |key: &str| route.get(key).and_then(|value| value.as_str());
                text("dispatch") == Some("http") && text("upstream") == Some(name)
            })
    };
    let names = settings.upstreams.keys().filter(|name| !is_named(name));
    let made = names.filter_map(|name| {
        let dispatcher = Arc::new(upstreams.dispatcher_of(name)?);
        let terms = RouteSettings { dispatch: "http".to_owned(), ..Default::default() };
        Some(Route { service: name.clone(), terms, dispatcher })
    });
    made.collect()
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
