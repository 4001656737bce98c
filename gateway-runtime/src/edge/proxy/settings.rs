//! The sections `[upstreams.NAME]`, and the settings of `[routes.NAME]` for the dispatcher `http`.

use std::{path::PathBuf, time::Duration};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::duration::{self, DurationText};

/// An upstream: the instances of an HTTP service, and the limits of connections to them.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct UpstreamSettings {
    /// The instances: URLs `http://host:port` or `https://host:port` without a path, each with a
    /// weight if it has one.
    pub urls: Vec<InstanceUrl>,
    /// The version of HTTP to the instances: `auto`, which is the one that an instance chooses over
    /// TLS and HTTP/1.1 in clear text.
    pub protocol: Protocol,
    /// TLS to instances whose URL begins with `https`.
    pub tls: UpstreamTlsSettings,
    /// The resolver that finds the instances, in place of `urls`: one that the program adds.
    pub resolver: Option<String>,
    /// The name of the service for the resolver; defaults to the name of the upstream.
    pub service: Option<String>,
    /// The choice of an instance for a request: `two-choices`.
    pub balance: Balance,
    /// The header field by whose value `balance = "hash"` chooses; a request without it goes to the
    /// less loaded of two random instances.
    pub hash_header: Option<String>,
    /// The maximum number of instances that a request is tried at: 3.
    pub attempts: usize,
    /// The maximum time of waiting for a place and connecting, over all attempts: 10 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub attempts_timeout: Duration,
    /// The maximum number of requests in flight at one instance, WebSockets included: 10000.
    pub max_requests: usize,
    /// The maximum number of requests that wait while all instances have `max_requests`: 1000.
    pub max_waiting: usize,
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
    /// The number of failures in a row after which an instance is ejected: 3. One that cannot be
    /// connected to is ejected at once.
    pub fails: u32,
    /// The number of responses in a row after which an instance that was ejected is well again: 1.
    pub passes: u32,
    /// Statuses of responses that count as failures, such as 503: none.
    pub fail_statuses: Vec<u16>,
    /// The time for which an instance is ejected: 10 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub eject_time: Duration,
    /// The highest share of the instances that may be ejected at one time, in percent: 80.
    pub max_ejected_percent: u8,
    /// The checks of each instance: none.
    pub check: Option<CheckSettings>,
}

/// An instance: its URL, or a table with its URL and its weight.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(untagged, expecting = "expected a URL, or a table with `url` and `weight`")]
pub(crate) enum InstanceUrl {
    /// The URL.
    Url(String),
    /// The URL and the weight.
    Weighted {
        /// The URL.
        url: String,
        /// The share of requests beside other instances: 1 to 1000.
        weight: u16,
    },
}

impl InstanceUrl {
    /// Returns the URL and the weight.
    pub(super) fn parts(&self) -> (&str, u16) {
        match self {
            Self::Url(url) => (url, 1),
            Self::Weighted { url, weight } => (url, *weight),
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
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct UpstreamTlsSettings {
    /// A PEM file of the authorities that the certificates are signed by: those of the system.
    pub ca: Option<PathBuf>,
    /// The name in the certificates: the host of the URL.
    pub server_name: Option<String>,
}

/// The policy by which an instance is chosen.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Balance {
    /// The less loaded of two random instances.
    #[default]
    TwoChoices,
    /// Each in its turn.
    RoundRobin,
    /// By the hash of a header field: the same value goes to the same instance.
    Hash,
}

/// Checks of instances: a GET at an interval.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CheckSettings {
    /// The path, with a query if need be: `/`.
    pub path: String,
    /// The pause between two checks of an instance: 5 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub interval: Duration,
    /// The maximum time of a check, from connecting to the head of its response: 2 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub timeout: Duration,
    /// The number of failed checks in a row after which an instance gets no more requests: 3.
    pub fails: u32,
    /// The number of passed checks in a row after which it gets requests again: 2.
    pub passes: u32,
    /// The statuses of a check that passes; any of 200 to 399 if left out.
    pub statuses: Vec<u16>,
}

impl Default for CheckSettings {
    fn default() -> Self {
        Self {
            path: "/".to_owned(),
            interval: Duration::from_secs(5),
            timeout: Duration::from_secs(2),
            fails: 3,
            passes: 2,
            statuses: Vec::new(),
        }
    }
}

impl Default for UpstreamSettings {
    fn default() -> Self {
        Self {
            urls: Vec::new(),
            protocol: Protocol::Auto,
            tls: UpstreamTlsSettings::default(),
            resolver: None,
            service: None,
            balance: Balance::default(),
            hash_header: None,
            attempts: 3,
            attempts_timeout: Duration::from_secs(10),
            max_requests: 10_000,
            max_waiting: 1_000,
            connect_timeout: Duration::from_secs(2),
            first_byte_timeout: Duration::from_secs(15),
            idle_timeout: Duration::from_secs(60),
            keep_alive: Duration::from_secs(30),
            max_idle: 64,
            fails: 3,
            passes: 1,
            fail_statuses: Vec::new(),
            eject_time: Duration::from_secs(10),
            max_ejected_percent: 80,
            check: None,
        }
    }
}

/// The settings of `[routes.NAME]` for the dispatcher `http`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ProxySettings {
    /// The upstream; defaults to the name of the route.
    pub(super) upstream: Option<String>,
    /// Forwards the credentials that the gateway has checked, `Authorization` and `X-Api-Key`: no.
    /// A route without `auth` checks none, and forwards them.
    pub(super) forward_credentials: bool,
}
