//! The HTTP client of providers: pooled connections, limits, and errors classified for failover.

mod classify;
mod connector;
mod request;
mod response;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, time::Duration};

use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::{
    duration::{self, DurationText},
    start_error::StartError,
};
pub(crate) use crate::provider::http_client::{
    classify::{error_chain, is_not_sent},
    connector::connector,
};
pub use crate::provider::http_client::{request::HttpRequest, response::HttpResponse};

/// Connections to providers, and the limits of their responses.
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

/// The HTTP client of a provider, which receives it as a field `http: HttpClient`; clones share
/// connections.
///
/// The protocols are HTTP/1.1 and, over TLS, HTTP/2. The client follows no redirects, stores no
/// cookies and retries nothing by itself: that is for failover to decide. `HTTP_PROXY`,
/// `HTTPS_PROXY` and `NO_PROXY` are honoured. Responses have no time limit here: the pool ends each
/// attempt in its time.
///
/// ```no_run
/// # use gateway_runtime::{HttpClient, ProviderError, Secret};
/// # #[derive(serde::Deserialize)] struct Latest;
/// # async fn latest(
/// #     http: &HttpClient,
/// #     base_url: &str,
/// #     key: &Secret,
/// # ) -> Result<Latest, ProviderError> {
/// let latest = http
///     .get(format!("{base_url}/latest"))
///     .secret_query("access_key", key)
///     .query(&[("base", "EUR")]);
/// latest.send().await?.json().await
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct HttpClient {
    client: reqwest::Client,
    max_response_bytes: usize,
}

impl HttpClient {
    /// Creates a client with connections of its own.
    ///
    /// # Errors
    ///
    /// Fails if the file of extra authorities cannot be read.
    pub fn new(settings: &HttpClientSettings) -> Result<Self, StartError> {
        Ok(Self { client: connector(settings)?, max_response_bytes: settings.max_response_bytes })
    }

    /// Creates a request of any method.
    pub fn request(&self, method: Method, url: impl AsRef<str>) -> HttpRequest {
        HttpRequest::new(self.client.request(method, url.as_ref()), self.max_response_bytes)
    }

    /// Creates a GET request.
    pub fn get(&self, url: impl AsRef<str>) -> HttpRequest {
        self.request(Method::GET, url)
    }

    /// Creates a POST request.
    pub fn post(&self, url: impl AsRef<str>) -> HttpRequest {
        self.request(Method::POST, url)
    }

    /// Creates a PUT request.
    pub fn put(&self, url: impl AsRef<str>) -> HttpRequest {
        self.request(Method::PUT, url)
    }

    /// Creates a PATCH request.
    pub fn patch(&self, url: impl AsRef<str>) -> HttpRequest {
        self.request(Method::PATCH, url)
    }

    /// Creates a DELETE request.
    pub fn delete(&self, url: impl AsRef<str>) -> HttpRequest {
        self.request(Method::DELETE, url)
    }
}
