//! What a client may take of the server: bytes, time, connections.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::{
    body::BodyBudget,
    duration::{self, DurationText},
};

/// Limits on what clients may send, hold and wait for. Every field has a default, and times are written as `"10s"` or
/// `"500ms"`.
///
/// How the server responds by itself when a request cannot be read:
///
/// | what | response |
/// |---|---|
/// | a request head that is no HTTP/1.1, a bad or doubled length, no valid `Host` | 400, and the connection closes |
/// | a request target over 65,534 bytes (within the head's limit) | 414, and the connection closes |
/// | a head over [`header_bytes`](Self::header_bytes) or [`header_count`](Self::header_count) | 431; on HTTP/1.1 the connection closes |
/// | a head that does not arrive in time | 408, and the connection closes; without a first byte it closes silently |
/// | a transfer coding other than `chunked` | 501, and the connection closes |
/// | another version of HTTP | 505, and the connection closes |
/// | an HTTP/2 frame that breaks RFC 9113 | `RST_STREAM` or `GOAWAY` |
///
/// All have a problem as body, except for the 431 to an HTTP/2 header list over `header_bytes`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HttpLimits {
    /// Connections open at once, over all workers: 10,000. Beyond it, clients wait in the accept queue.
    pub connections: usize,
    /// Bytes of a request head, its first line included (HTTP/2: of the decoded header list, RFC 9113 §6.5.2): 16 KiB.
    pub header_bytes: u32,
    /// Header fields of a request: 100. Other than 100 costs HTTP/1.1 an allocation a request.
    pub header_count: usize,
    /// From the first byte of a request head to its last, and from a connection's start to its first byte: 10 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub header_timeout: Duration,
    /// A connection without a request is closed after this: 75 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub keep_alive: Duration,
    /// Bytes of a request body that is read whole: 1 MiB.
    pub body_bytes: usize,
    /// Bytes of request bodies that are buffered at once, those of `[routes.NAME] body_bytes`, webhooks and operators too:
    /// 64 MiB. Beyond it requests with a body are answered `overloaded`.
    pub buffered_bytes: usize,
    /// The share of `buffered_bytes` for one client address (IPv6: for its /64): 32 MiB. Behind a proxy, which is one
    /// address for all clients, set it to `buffered_bytes`.
    pub client_buffered_bytes: usize,
    /// From the moment a whole body is asked for to its last byte: 30 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub body_timeout: Duration,
    /// An answer of which the client takes nothing for this long is given up, with its connection: 30 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub write_timeout: Duration,
    /// HTTP/2 alone.
    pub http2: Http2Limits,
}

/// Limits of an HTTP/2 connection.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Http2Limits {
    /// Requests in flight on one connection (`SETTINGS_MAX_CONCURRENT_STREAMS`): 100.
    pub streams: u32,
    /// Streams a client may reset before they were looked at, and streams it may make us reset, before the connection
    /// is ended (CVE-2023-44487, CVE-2025-8671): 50.
    pub resets: usize,
    /// A ping is sent when this passes: 20 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub ping_interval: Duration,
    /// A connection whose ping is not answered in this time is closed: 20 s.
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

    /// A body that never fits into the budget would be refused for ever.
    pub(super) fn problem(&self) -> Option<String> {
        let Self { body_bytes, buffered_bytes, client_buffered_bytes, .. } = self;
        (!self.body_budget().fits(*body_bytes)).then(|| {
            format!(
                "`http.limits.body_bytes` ({body_bytes}) does not fit into the budget of buffered bodies\nhelp: raise \
                 `http.limits.client_buffered_bytes` ({client_buffered_bytes}) and `http.limits.buffered_bytes` \
                 ({buffered_bytes})"
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

/// What hyper parses on the stack; any other number makes it allocate.
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
