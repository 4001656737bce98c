//! The routes of the configuration: `/{service}/…` to a dispatcher. A reload swaps them whole.

use std::{collections::HashMap, sync::Arc};

use crate::{
    auth::Authenticator,
    base::start_error::StartError,
    edge::{dispatch::Route, http::route_handler::RouteHandler},
};

/// The routes of services, by the first segment of the path.
#[derive(Clone, Default)]
pub(super) struct ConfiguredRoutes {
    services: HashMap<Box<str>, Arc<RouteHandler>, foldhash::fast::RandomState>,
    /// The route `*`, of all services without a route.
    any: Option<Arc<RouteHandler>>,
}

impl ConfiguredRoutes {
    /// Returns the route of a service.
    pub(super) fn of(&self, service: &str) -> Option<&Arc<RouteHandler>> {
        self.services.get(service)
    }

    /// Returns the route `*`.
    pub(super) fn any(&self) -> Option<&Arc<RouteHandler>> {
        self.any.as_ref()
    }

    /// Adds a route. `is_taken` is whether a prefix or a mount has its path.
    ///
    /// # Errors
    ///
    /// Fails if the path is taken or the name is invalid.
    pub(super) fn add(&mut self, route: Route, is_taken: bool) -> Result<(), StartError> {
        let service = route.service.clone();
        let problem = |why: &str| Err(StartError::new(format!("[routes.{service}]: {why}")));
        if service == "*" {
            if is_taken {
                return problem("a mount at `/` serves all other paths");
            }
            self.any = Some(Arc::new(RouteHandler::new(route)));
            return Ok(());
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if service.is_empty() || !service.bytes().all(plain) || service.starts_with('.') {
            return problem(
                "the name of a service must have letters, digits and `-._~`, and must not begin \
                 with a dot",
            );
        }
        if service == "services" || is_taken {
            return problem("the path is in use");
        }
        self.services.insert(service.into(), Arc::new(RouteHandler::new(route)));
        Ok(())
    }

    /// Sets the authenticator of the routes that require a caller.
    pub(super) fn authenticate(&mut self, authenticator: &Arc<Authenticator>) {
        for handler in self.services.values_mut().chain(&mut self.any) {
            *handler = Arc::new(handler.authenticated(authenticator));
        }
    }
}
