//! The sections `[upstreams.NAME]`, and the settings of `[routes.NAME]` for the dispatcher `http`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::duration::{self, DurationText};

/// An upstream: the instances of an HTTP service, and the limits of connections to them.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct UpstreamSettings {
    /// The URLs of the instances: `http://host:port`, without a path.
    pub urls: Vec<String>,
    /// The maximum time of resolving a name and connecting: 2 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub connect_timeout: Duration,
    /// The maximum time from the last byte of the request to the first of the response, and of an
    /// instance that does not take the request's next byte: 15 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub first_byte_timeout: Duration,
    /// The maximum silence within a body, of the instance in a response and of the client in a
    /// request, and of both sides of a WebSocket: 60 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub idle_timeout: Duration,
    /// The time for which an unused connection stays open; shorter than that of servers: 30 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub keep_alive: Duration,
    /// The maximum number of unused connections that each worker keeps to one instance: 64. With 0,
    /// each request opens a connection of its own.
    pub max_idle: usize,
    /// The time for which an instance that cannot be connected to is ejected: 10 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub eject_time: Duration,
}

impl Default for UpstreamSettings {
    fn default() -> Self {
        Self {
            urls: Vec::new(),
            connect_timeout: Duration::from_secs(2),
            first_byte_timeout: Duration::from_secs(15),
            idle_timeout: Duration::from_secs(60),
            keep_alive: Duration::from_secs(30),
            max_idle: 64,
            eject_time: Duration::from_secs(10),
        }
    }
}

/// The settings of `[routes.NAME]` for the dispatcher `http`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ProxySettings {
    /// The upstream; defaults to the name of the route.
    pub(super) upstream: Option<String>,
    /// Forwards the credentials that the gateway has checked, `Authorization` and `X-Api-Key`: no. A route without `auth` checks none, and forwards them.
    pub(super) forward_credentials: bool,
}
