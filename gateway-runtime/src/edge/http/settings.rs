//! `[http]`: settings of the HTTP server and its clients.

use std::{
    net::{Ipv4Addr, SocketAddr},
    num::NonZeroUsize,
    time::Duration,
};

use http::HeaderName;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error};

use crate::{
    base::{
        duration::{self, DurationText},
        start_error::StartError,
    },
    edge::http::{
        CompressionSettings, CorsSettings, HttpLimits, WebSocketSettings, compression,
        cors::{Cors, invalid_origins},
        hosts,
        stream::SHUTDOWN_NOTICE,
    },
};

/// The settings of the HTTP edge.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HttpSettings {
    /// Address to listen on: `127.0.0.1:8080` for this machine alone, `0.0.0.0:8080` for all
    /// networks; port 0 selects a free port.
    pub listen: SocketAddr,
    /// Host names that the gateway responds to, in addition to those of this machine (`localhost`,
    /// loopback addresses): none, which allows every host, except on loopback without
    /// authentication.
    pub hosts: Vec<String>,
    /// Number of worker threads; by default one for each core that the process may use.
    pub workers: Option<NonZeroUsize>,
    /// Time limit on calls of methods that declare none: 30 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub request_timeout: Duration,
    /// Time limit on requests in flight when the server shuts down: 30 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub drain_timeout: Duration,
    /// Time for which WebSockets and event streams of services behind routes stay open when the
    /// server shuts down, at most `drain_timeout` less 2 s: 10 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub stream_grace: Duration,
    /// Header field in which a proxy in front of the gateway names the country of a client (ISO
    /// 3166-1 alpha-2): none.
    #[serde(deserialize_with = "header_name")]
    #[schemars(with = "Option<String>")]
    pub country_header: Option<HeaderName>,
    /// Limits on clients: bytes, times and connections.
    pub limits: HttpLimits,
    /// Compression of responses.
    pub compression: CompressionSettings,
    /// Pages of other origins that may call (CORS).
    pub cors: CorsSettings,
    /// Calls over WebSockets.
    pub websocket: WebSocketSettings,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            hosts: Vec::new(),
            workers: None,
            request_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(30),
            stream_grace: Duration::from_secs(10),
            country_header: None,
            limits: HttpLimits::default(),
            compression: CompressionSettings::default(),
            cors: CorsSettings::default(),
            websocket: WebSocketSettings::default(),
        }
    }
}

impl HttpSettings {
    /// Returns the time for which a stream behind a route stays open when the server shuts down.
    pub(super) fn stream_grace(&self) -> Duration {
        self.stream_grace.min(self.drain_timeout.saturating_sub(SHUTDOWN_NOTICE))
    }

    /// Returns the problems that the JSON Schema of the settings cannot express.
    pub(crate) fn problems(&self) -> Vec<String> {
        let cors = Cors::new(&self.cors).err().into_iter().flat_map(StartError::into_problems);
        let compression = compression::problem(&self.compression);
        let websocket = invalid_origins("http.websocket.origins", &self.websocket.origins);
        hosts::problems(&self.hosts)
            .into_iter()
            .chain(cors)
            .chain(websocket)
            .chain(self.limits.problem())
            .chain(compression)
            .collect()
    }
}

fn header_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<HeaderName>, D::Error> {
    let name = Option::<String>::deserialize(deserializer)?;
    name.map(|name| {
        name.parse()
            .map_err(|_| D::Error::custom(format!("`{name}` is not a valid header field name")))
    })
    .transpose()
}
