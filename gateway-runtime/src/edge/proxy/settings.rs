//! The sections `[upstreams.NAME]`, and the settings of `[routes.NAME]` for the dispatcher `http`.

use std::{path::PathBuf, time::Duration};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::duration::{self, DurationText};

/// An upstream: the instances of an HTTP service, and the limits of connections to them.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct UpstreamSettings {
    /// The URLs of the instances: `http://host:port` or `https://host:port`, without a path.
    pub urls: Vec<String>,
    /// The version of HTTP to the instances: `auto`, which is the one that an instance chooses over
    /// TLS, and HTTP/1.1 in clear text.
    pub protocol: Protocol,
    /// TLS to instances whose URL begins with `https`.
    pub tls: UpstreamTlsSettings,
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
    /// The maximum number of unused connections that each worker keeps to one instance: 64.
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
            protocol: Protocol::Auto,
            tls: UpstreamTlsSettings::default(),
            connect_timeout: Duration::from_secs(2),
            first_byte_timeout: Duration::from_secs(15),
            idle_timeout: Duration::from_secs(60),
            keep_alive: Duration::from_secs(30),
            max_idle: 64,
            eject_time: Duration::from_secs(10),
        }
    }
}

/// The version of HTTP to the instances of an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Protocol {
    /// The version that the instance chooses over TLS (ALPN); HTTP/1.1 in clear text.
    Auto,
    /// HTTP/1.1.
    Http1,
    /// HTTP/2; in clear text with prior knowledge.
    Http2,
}

/// TLS to the instances of an upstream. Certificates are always verified.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct UpstreamTlsSettings {
    /// A PEM file of the authorities that the certificates are signed by: those of the system.
    pub ca: Option<PathBuf>,
    /// The name in the certificates: the host of the URL.
    pub server_name: Option<String>,
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
