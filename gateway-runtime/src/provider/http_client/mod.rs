//! The HTTP client of providers: pooled, with limits, and with errors that tell failover what may follow.

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

/// How providers are connected to.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HttpClientSettings {
    /// The longest that resolving a name, connecting and the TLS handshake may take together.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub connect_timeout: Duration,
    /// How long an unused connection is kept; shorter than servers keep theirs.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub idle_timeout: Duration,
    /// How many unused connections to one host are kept.
    pub max_idle_per_host: usize,
    /// The longest body of an answer that is read whole, in bytes; streams have no limit.
    pub max_response_bytes: usize,
    /// What is sent as `User-Agent`.
    pub user_agent: String,
    /// A PEM file of certificate authorities to trust besides the system's. (For others in place of the system's, the
    /// environment variables `SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured.)
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

/// The HTTP client that a provider is built with, as a field `http: HttpClient`; clones share their connections.
///
/// HTTP/1.1 and, over TLS, HTTP/2. It follows no redirects, keeps no cookies and repeats nothing by itself: that is for
/// failover to decide. `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` are honoured. There is no time limit for an answer
/// here: the pool ends each attempt in its time.
///
/// ```no_run
/// # use gateway_runtime::{HttpClient, ProviderError, Secret};
/// # #[derive(serde::Deserialize)] struct Latest;
/// # async fn latest(http: &HttpClient, base_url: &str, key: &Secret) -> Result<Latest, ProviderError> {
/// let latest = http.get(format!("{base_url}/latest")).secret_query("access_key", key).query(&[("base", "EUR")]);
/// latest.send().await?.json().await
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct HttpClient {
    client: reqwest::Client,
    max_response_bytes: usize,
}

impl HttpClient {
    /// A client with connections of its own.
    ///
    /// # Errors
    ///
    /// When the file of extra authorities cannot be read.
    pub fn new(settings: &HttpClientSettings) -> Result<Self, StartError> {
        Ok(Self { client: connector(settings)?, max_response_bytes: settings.max_response_bytes })
    }

    /// A request of any method.
    pub fn request(&self, method: Method, url: impl AsRef<str>) -> HttpRequest {
        HttpRequest::new(self.client.request(method, url.as_ref()), self.max_response_bytes)
    }

    /// A GET request.
    pub fn get(&self, url: impl AsRef<str>) -> HttpRequest {
        self.request(Method::GET, url)
    }

    /// A POST request.
    pub fn post(&self, url: impl AsRef<str>) -> HttpRequest {
        self.request(Method::POST, url)
    }

    /// A PUT request.
    pub fn put(&self, url: impl AsRef<str>) -> HttpRequest {
        self.request(Method::PUT, url)
    }

    /// A PATCH request.
    pub fn patch(&self, url: impl AsRef<str>) -> HttpRequest {
        self.request(Method::PATCH, url)
    }

    /// A DELETE request.
    pub fn delete(&self, url: impl AsRef<str>) -> HttpRequest {
        self.request(Method::DELETE, url)
    }
}
