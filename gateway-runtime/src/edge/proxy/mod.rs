//! The dispatcher `http`: forwards a request on a route to an HTTP upstream, and streams the
//! response (SEMANTICS §10).
//!
//! Every forwarded message is written anew from a checked parse: `request_head` and
//! `response_head` decide which fields are forwarded, and framing fields never are. Bodies stream
//! with back-pressure: `upload` is the request's, `download` the response's.
//!
//! - `watched_upstream`, `upstream`: an upstream, and the tasks that follow its instances
//! - `instance_set`, `balance`: its instances at one time, and the choice of one; `waiting`: the
//!   requests that wait for a place
//! - `instance`: one address and its load; `health`, `health_check`: its health
//! - `pool`: the connections of each worker to an instance
//! - `connection`: one connection over HTTP/1.1 or HTTP/2, with or without TLS
//! - `forward`: one request; `attempt`: its attempts at one instance
//! - `handshake`: the opening handshake of a WebSocket, and `tunnel`: the WebSocket after it

mod attempt;
mod balance;
mod clock;
mod connection;
mod download;
mod driver;
mod error;
mod forward;
mod handshake;
mod hash;
mod health;
mod health_check;
mod instance;
mod instance_set;
mod max_forwards;
mod patient_socket;
mod pool;
mod pool_terms;
mod request_head;
mod response_head;
mod settings;
mod terms;
mod trailers;
mod tunnel;
mod upload;
mod upstream;
mod waiting;
mod watched_upstream;

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
        proxy::{settings::ProxySettings, terms::Terms, watched_upstream::WatchedUpstream},
    },
    json::similar::did_you_mean,
    resolver::Resolvers,
};

/// The upstreams of a gateway, by their names.
#[derive(Debug, Default)]
pub(crate) struct Upstreams {
    valid: BTreeMap<String, Arc<WatchedUpstream>>,
    /// The names of the sections that have a problem.
    invalid: BTreeSet<String>,
}

impl Upstreams {
    /// Creates the upstreams of the sections `[upstreams.NAME]` that are valid, and returns the
    /// problems of the others, for callers that report more with them. Upstreams of `previous`
    /// whose sections are the same stay as they are; the others take over the instances that stay.
    pub(crate) fn collected(
        sections: &BTreeMap<String, UpstreamSettings>,
        resolvers: &Resolvers,
        previous: &Self,
    ) -> (Self, Vec<String>) {
        let mut upstreams = Self::default();
        let mut problems = Vec::new();
        for (name, settings) in sections {
            let before = previous.valid.get(name);
            let is_same = |it: &&Arc<WatchedUpstream>| it.upstream.terms.settings == *settings;
            let watched = match before.filter(is_same) {
                Some(same) => Some(Arc::clone(same)),
                None => {
                    let before = before.map(|it| &**it);
                    watched(name, settings, resolvers, before, &mut problems).map(Arc::new)
                }
            };
            match watched {
                Some(watched) => drop(upstreams.valid.insert(name.clone(), watched)),
                None => drop(upstreams.invalid.insert(name.clone())),
            }
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
        if let Some(watched) = self.valid.get(name) {
            let withholds = section.requires_caller() && !settings.forward_credentials;
            let withheld: &[HeaderName] = if withholds { &CREDENTIALS } else { &[] };
            return Ok(HttpDispatcher { watched: Arc::clone(watched), withheld });
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
        let watched = Arc::clone(self.valid.get(name)?);
        Some(HttpDispatcher { watched, withheld: &[] })
    }
}

/// Creates the upstream of a section; adds what is wrong to `problems`.
fn watched(
    name: &str,
    settings: &UpstreamSettings,
    resolvers: &Resolvers,
    previous: Option<&WatchedUpstream>,
    problems: &mut Vec<String>,
) -> Option<WatchedUpstream> {
    let found = problems.len();
    let terms = Terms::new(name, settings, problems);
    let resolver = terms::resolver(name, settings, &terms, resolvers, problems)?;
    let service = settings.service.as_deref().unwrap_or(name);
    (problems.len() == found)
        .then(|| WatchedUpstream::new(name, terms, &*resolver, service, previous))
}

/// The dispatcher `http`.
#[derive(Clone, Debug)]
pub(crate) struct HttpDispatcher {
    watched: Arc<WatchedUpstream>,
    /// The fields of requests that instances do not receive.
    withheld: &'static [HeaderName],
}

impl Dispatcher for HttpDispatcher {
    fn dispatch(&self, request: DispatchRequest) -> DispatchFuture {
        let Self { watched, withheld } = self.clone();
        Box::pin(async move { forward::forward(&watched.upstream, request, withheld).await })
    }

    fn is_proxy(&self) -> bool {
        true
    }
}
