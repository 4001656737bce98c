//! `[http.websocket]`: limits of one WebSocket, and the origins that may open one.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::duration::{self, DurationText};

/// Limits of one WebSocket, and the origins that may open one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WebSocketSettings {
    /// Maximum of calls in flight on one connection, and of requests in one batch: 64. Calls beyond
    /// it fail with `overloaded`.
    #[schemars(range(min = 1, max = 100_000))]
    pub calls: usize,
    /// Maximum size of one message, in bytes: 1 MiB.
    pub message_bytes: usize,
    /// Maximum of the inputs of all calls on one connection that have no reply yet, in bytes: 4
    /// MiB, and at least one message. Calls beyond it fail with `overloaded`.
    pub input_bytes: usize,
    /// Silence of the client after which a ping is sent: 20 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub ping_interval: Duration,
    /// Silence of the client, pongs included, after which the connection is closed: 60 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub idle_timeout: Duration,
    /// Origins, in addition to the gateway's own, whose pages may connect:
    /// `https://app.example.com`; `*` allows any.
    ///
    /// Browsers let any page open a WebSocket with the user's cookies and network position; only
    /// `Origin` identifies the page. Clients other than browsers send no `Origin`, and may always
    /// connect.
    pub origins: Vec<String>,
}

impl Default for WebSocketSettings {
    fn default() -> Self {
        Self {
            calls: 64,
            message_bytes: 1024 * 1024,
            input_bytes: 4 * 1024 * 1024,
            ping_interval: Duration::from_secs(20),
            idle_timeout: Duration::from_secs(60),
            origins: Vec::new(),
        }
    }
}
