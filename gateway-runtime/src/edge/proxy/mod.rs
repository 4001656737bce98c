//! The dispatcher `http`: forwards a request on a route to an HTTP upstream, and streams the
//! response (SEMANTICS §10).
//!
//! Every forwarded message is written anew from a checked parse: `request_head` and
//! `response_head` decide which fields are forwarded, and framing fields never are. Bodies stream
//! with back-pressure: `upload` is the request's, `download` the response's.
//!
//! - `upstream`: the instances of an upstream, and the choice of one
//! - `instance`: one address, its load and its ejection
//! - `pool`: the connections of each worker to an instance
//! - `connection`: one connection over HTTP/1.1 or HTTP/2, with or without TLS
//! - `forward`: the attempts of one request
//! - `tunnel`: a WebSocket after its handshake

mod clock;
mod connection;
mod download;
mod error;
mod forward;
mod instance;
mod pool;
mod request_head;
mod response_head;
mod settings;
mod trailers;
mod tunnel;
mod upload;
mod upstream;

use std::{collections::BTreeMap, sync::Arc};

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
pub(crate) struct Upstreams(BTreeMap<String, Arc<Upstream>>);

impl Upstreams {
    /// Creates the upstreams of the sections `[upstreams.NAME]`.
    ///
    /// # Errors
    ///
    /// Returns all problems of the sections.
    pub(crate) fn new(sections: &BTreeMap<String, UpstreamSettings>) -> Result<Self, StartError> {
        let mut problems = Vec::new();
        let mut upstreams = BTreeMap::new();
        for (name, settings) in sections {
            match Upstream::new(name, settings) {
                Ok(upstream) => drop(upstreams.insert(name.clone(), Arc::new(upstream))),
                Err(error) => problems.extend(error.into_problems()),
            }
        }
        StartError::from_problems(problems)?;
        Ok(Self(upstreams))
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
        if let Some(upstream) = self.0.get(name) {
            let withholds = section.requires_caller() && !settings.forward_credentials;
            let withheld: &[HeaderName] = if withholds { &CREDENTIALS } else { &[] };
            return Ok(HttpDispatcher { upstream: Arc::clone(upstream), withheld });
        }
        let help = did_you_mean("upstream", name, self.0.keys().map(String::as_str));
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
        let upstream = Arc::clone(self.0.get(name)?);
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
