//! `[http]`: where the server listens, and how it treats its clients.

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
    },
};

/// The settings of the HTTP edge.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HttpSettings {
    /// Where to listen: `127.0.0.1:8080` is for this machine alone, `0.0.0.0:8080` for everybody, port 0 is any free
    /// one.
    pub listen: SocketAddr,
    /// Host names that the gateway responds to, besides those of this machine (`localhost`, loopback addresses): none,
    /// which allows every host, except on loopback without authentication.
    pub hosts: Vec<String>,
    /// Worker threads; one for each core that the process may use when left out.
    pub workers: Option<NonZeroUsize>,
    /// How long a call may take whose method does not say: 30 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub request_timeout: Duration,
    /// How long requests in flight may go on when the server stops: 30 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub drain_timeout: Duration,
    /// The header field in which whoever stands before the gateway says which country a client is in (ISO 3166-1
    /// alpha-2): none.
    #[serde(deserialize_with = "header_name")]
    #[schemars(with = "Option<String>")]
    pub country_header: Option<HeaderName>,
    /// Limits on what clients may send, hold and wait for.
    pub limits: HttpLimits,
    /// Compression of responses.
    pub compression: CompressionSettings,
    /// Pages of other origins.
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
            country_header: None,
            limits: HttpLimits::default(),
            compression: CompressionSettings::default(),
            cors: CorsSettings::default(),
            websocket: WebSocketSettings::default(),
        }
    }
}

impl HttpSettings {
    /// What makes no sense, and the schema cannot tell.
    pub(crate) fn problems(&self) -> Vec<String> {
        let cors = Cors::new(&self.cors).err().into_iter().flat_map(StartError::into_problems);
        let compression = compression::problem(&self.compression);
        let websocket = invalid_origins("http.websocket.origins", &self.websocket.origins);
        hosts::problems(self)
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
        name.parse().map_err(|_| D::Error::custom(format!("`{name}` is no name of a header field")))
    })
    .transpose()
}
