//! The section `[http_client]`: connections to providers, and the limits of their responses.

use std::{path::PathBuf, time::Duration};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::duration::{self, DurationText};

/// Connections to providers, and the limits of their responses.
///
/// The gateway's client has the settings of `[http_client]`. A test of a provider creates another:
///
/// ```
/// # #[cfg(feature = "http-client")]
/// # fn main() -> Result<(), gateway_runtime::StartError> {
/// use std::time::Duration;
///
/// use gateway_runtime::provider::{HttpClient, HttpClientSettings};
///
/// let settings = HttpClientSettings {
///     connect_timeout: Duration::from_millis(100),
///     max_response_bytes: 64 << 10,
///     ..HttpClientSettings::default()
/// };
/// let http = HttpClient::new(&settings)?;
/// # drop(http);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "http-client"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HttpClientSettings {
    /// The maximum time of resolving a name, connecting and the TLS handshake together.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub connect_timeout: Duration,
    /// The time for which an idle connection stays open; shorter than that of servers.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub idle_timeout: Duration,
    /// The maximum number of idle connections to one host.
    pub max_idle_per_host: usize,
    /// The maximum length of a response body that is read whole, in bytes; streams have no limit.
    pub max_response_bytes: usize,
    /// The value of `User-Agent`.
    pub user_agent: String,
    /// A PEM file of certificate authorities to trust besides the system's. (The environment
    /// variables `SSL_CERT_FILE` and `SSL_CERT_DIR` replace the system's.)
    pub extra_authorities: Option<PathBuf>,
}

impl Default for HttpClientSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(2),
            idle_timeout: Duration::from_secs(30),
            max_idle_per_host: 64,
            max_response_bytes: 8 << 20,
            user_agent: concat!("gateway-runtime/", env!("CARGO_PKG_VERSION")).to_owned(),
            extra_authorities: None,
        }
    }
}
