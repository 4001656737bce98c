//! The dispatcher `http`: forwards a request on a route to an HTTP upstream, and streams the
//! response (SEMANTICS §10).
//!
//! Every forwarded message is written anew from a checked parse: `request_head` and
//! `response_head` decide which fields are forwarded, and framing fields never are. Bodies stream
//! with back-pressure: `upload` is the request's, `download` the response's.
//!
//! - `upstream`: the instances of an upstream, and the choice of one
//! - `instance`: one address, with the idle connections of each worker
//! - `connection`: one connection, driven by the task of the request that uses it
//! - `forward`: the attempts of one request
//! - `handshake`: the opening handshake of a WebSocket, and `tunnel`: the WebSocket after it

mod clock;
mod connection;
mod download;
mod driver;
mod error;
mod forward;
mod handshake;
mod instance;
mod max_forwards;
mod patient_socket;
mod request_head;
mod response_head;
mod settings;
mod settings_check;
mod trailers;
mod tunnel;
mod upload;
mod upstream;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use http::HeaderName;

pub(crate) use crate::edge::proxy::settings::UpstreamSettings;
use crate::{
    base::start_error::StartError,
    edge::{
        dispatch::{
            DispatchFuture, DispatchRequest, Dispatcher, RouteConfig, hop_by_hop::CREDENTIALS,
        },
        proxy::{settings::ProxySettings, upstream::Upstream},
    },
    json::similar::did_you_mean,
};

/// The upstreams of a gateway, by their names.
#[derive(Debug, Default)]
pub(crate) struct Upstreams {
    valid: BTreeMap<String, Arc<Upstream>>,
    /// The names of the sections that have a problem.
    invalid: BTreeSet<String>,
}

impl Upstreams {
    /// Creates the upstreams of the sections `[upstreams.NAME]` that are valid, and returns the
    /// problems of the others, for callers that report more with them.
    pub(crate) fn collected(sections: &BTreeMap<String, UpstreamSettings>) -> (Self, Vec<String>) {
        let mut upstreams = Self::default();
        let mut problems = Vec::new();
        for (name, settings) in sections {
            let mut found = settings_check::problems(name, settings);
            let upstream = Upstream::new(name, settings);
            match upstream.map_err(|error| found.extend(error.into_problems())) {
                Ok(upstream) if found.is_empty() => {
                    upstreams.valid.insert(name.clone(), Arc::new(upstream));
                }
                _ => drop(upstreams.invalid.insert(name.clone())),
            }
            problems.extend(found);
        }
        (upstreams, problems)
    }

    /// Creates the dispatcher of a route from its own settings.
    ///
    /// # Errors
    ///
    /// Fails if the settings are invalid, or name no upstream.
    pub(crate) fn dispatcher(
        &self,
        section: &mut RouteConfig,
    ) -> Result<HttpDispatcher, StartError> {
        let settings: ProxySettings = section.settings()?;
        let service = section.service();
        let name = settings.upstream.as_deref().unwrap_or(service);
        if self.invalid.contains(name) {
            return Err(StartError::reported_elsewhere());
        }
        if let Some(upstream) = self.valid.get(name) {
            let withholds = section.requires_caller() && !settings.forward_credentials;
            let withheld: &[HeaderName] = if withholds { &CREDENTIALS } else { &[] };
            return Ok(HttpDispatcher { upstream: Arc::clone(upstream), withheld });
        }
        let help = did_you_mean("upstream", name, self.valid.keys().map(String::as_str));
        let problem = match settings.upstream {
            Some(_) => format!("unknown upstream `{name}`{help}"),
            None => format!(
                "missing key `upstream`\nhelp: name a section `[upstreams.…]`, or write \
                 `[upstreams.{name}]`"
            ),
        };
        Err(StartError::new(format!("[routes.\"{service}\"]: {problem}")))
    }

    /// Creates the dispatcher of an upstream, for the route that its section makes by itself.
    #[must_use]
    pub(crate) fn dispatcher_of(&self, name: &str) -> Option<HttpDispatcher> {
        let upstream = Arc::clone(self.valid.get(name)?);
        Some(HttpDispatcher { upstream, withheld: &[] })
    }
}

/// The dispatcher `http`.
#[derive(Clone, Debug)]
pub(crate) struct HttpDispatcher {
    upstream: Arc<Upstream>,
    /// The fields of requests that instances do not receive.
    withheld: &'static [HeaderName],
}

impl Dispatcher for HttpDispatcher {
    fn dispatch(&self, request: DispatchRequest) -> DispatchFuture {
        let Self { upstream, withheld } = self.clone();
        Box::pin(async move { forward::forward(&upstream, request, withheld).await })
    }

    fn is_proxy(&self) -> bool {
        true
    }
}
