//! Limits on the bytes, the time and the connections that clients may use.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::{
    body::BodyBudget,
    duration::{self, DurationText},
};

/// Limits on clients: bytes, times and connections. Every field has a default; times are written as
/// `"10s"` or `"500ms"`.
///
/// The server itself responds to a request that it cannot read:
///
/// - 400, and a close: a request head that is not HTTP/1.1, an invalid or repeated length, no valid
///   `Host`.
/// - 414, and a close: a request target over 65,534 bytes, within the limit on the head.
/// - 431, and on HTTP/1.1 a close: a head over [`header_bytes`](Self::header_bytes) or
///   [`header_count`](Self::header_count).
/// - 408, and a close: a head that does not arrive in time. Without a first byte, the connection
///   closes silently.
/// - 501, and a close: a transfer coding other than `chunked`.
/// - 505, and a close: another version of HTTP.
/// - `RST_STREAM` or `GOAWAY`: an HTTP/2 frame that violates RFC 9113.
///
/// Every such response has a problem as its body, except for the 431 to an HTTP/2 header list over
/// `header_bytes`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HttpLimits {
    /// Maximum of open connections, over all workers: 10,000. Beyond it, clients wait in the accept
    /// queue.
    pub connections: usize,
    /// Maximum size of a request head in bytes, including its first line (HTTP/2: of the decoded
    /// header list, RFC 9113 §6.5.2): 16 KiB.
    pub header_bytes: u32,
    /// Maximum number of header fields of a request: 100. Any other number costs HTTP/1.1 an
    /// allocation per request.
    pub header_count: usize,
    /// Time limit from the first byte of a request head to its last, and from the start of a
    /// connection to its first byte: 10 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub header_timeout: Duration,
    /// Time after which a connection without a request is closed: 75 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub keep_alive: Duration,
    /// Maximum size of a request body that is read whole, in bytes: 1 MiB.
    pub body_bytes: usize,
    /// Maximum of request bodies buffered at once, in bytes: 64 MiB. Bodies of webhooks, of the
    /// admin API and of routes with `[routes.NAME] body_bytes` count too. Beyond it, requests with
    /// a body fail with `overloaded`.
    pub buffered_bytes: usize,
    /// Share of `buffered_bytes` for one client address (IPv6: for its /64): 32 MiB. A proxy is one
    /// address for all its clients; behind one, set this to `buffered_bytes`.
    pub client_buffered_bytes: usize,
    /// Time limit on reading a whole request body, from the start of the reading to the last byte:
    /// 30 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub body_timeout: Duration,
    /// Time after which a response is aborted, with its connection, if the client accepts no bytes
    /// of it: 30 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub write_timeout: Duration,
    /// Limits of HTTP/2 connections.
    pub http2: Http2Limits,
}

/// Limits of an HTTP/2 connection.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Http2Limits {
    /// Maximum of requests in flight on one connection (`SETTINGS_MAX_CONCURRENT_STREAMS`): 100.
    pub streams: u32,
    /// Maximum of streams that a client may reset before the server accepts them, and of streams
    /// that it may cause the server to reset, before the connection ends (CVE-2023-44487,
    /// CVE-2025-8671): 50.
    pub resets: usize,
    /// Interval between two pings: 20 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub ping_interval: Duration,
    /// Time after which a connection whose ping is not acknowledged is closed: 20 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub ping_timeout: Duration,
}

impl HttpLimits {
    /// Creates the budget of buffered bodies.
    #[must_use]
    pub fn body_budget(&self) -> BodyBudget {
        BodyBudget::new(self.buffered_bytes, self.client_buffered_bytes)
    }

    /// Returns the problem of a body limit that exceeds the budget: a body of that size would
    /// always be refused.
    pub(super) fn problem(&self) -> Option<String> {
        let Self { body_bytes, buffered_bytes, client_buffered_bytes, .. } = self;
        (!self.body_budget().fits(*body_bytes)).then(|| {
            format!(
                "`http.limits.body_bytes` ({body_bytes}) does not fit into the budget of buffered \
                 bodies\nhelp: raise `http.limits.client_buffered_bytes` ({client_buffered_bytes}) \
                 and `http.limits.buffered_bytes` ({buffered_bytes})"
            )
        })
    }
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            header_bytes: 16 * 1024,
            header_count: DEFAULT_HEADER_COUNT,
            header_timeout: Duration::from_secs(10),
            keep_alive: Duration::from_secs(75),
            body_bytes: 1024 * 1024,
            buffered_bytes: 64 << 20,
            client_buffered_bytes: 32 << 20,
            body_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            http2: Http2Limits::default(),
        }
    }
}

impl Default for Http2Limits {
    fn default() -> Self {
        Self {
            streams: 100,
            resets: 50,
            ping_interval: Duration::from_secs(20),
            ping_timeout: Duration::from_secs(20),
        }
    }
}

/// The maximum of a call's deadline, one year: a duration that can be added to any `Instant`.
pub(super) const MAX_CALL_TIME: Duration = Duration::from_secs(365 * 86_400);

/// Default of [`HttpLimits::header_count`], for which hyper parses on the stack; for any other
/// number it allocates.
pub(super) const DEFAULT_HEADER_COUNT: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_with_their_units_and_defaults() {
        let limits: HttpLimits =
            toml::from_str("header_timeout = \"90s\"\nhttp2 = { streams = 7 }").unwrap();
        assert_eq!(limits.header_timeout, Duration::from_secs(90));
        assert_eq!(limits.http2.streams, 7);
        assert_eq!(limits.body_bytes, 1024 * 1024);
        assert!(limits.problem().is_none());
        let tight: HttpLimits = toml::from_str("body_bytes = 40_000_000").unwrap();
        assert!(tight.problem().is_some_and(|why| why.contains("client_buffered_bytes")));
        assert!(toml::from_str::<HttpLimits>("keep_alive = 75").is_err(), "a time needs its unit");
    }
}
