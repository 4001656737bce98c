//! The client: requests over shared connections.

use std::time::Duration;

use bytes::Bytes;
use http::Method;

use crate::{
    base::start_error::StartError,
    provider::{
        ProviderError,
        http_client::{HttpClientSettings, HttpRequest, connector},
    },
};

/// The HTTP client of a provider, which receives it as a field `http: HttpClient`; clones share
/// connections.
///
/// The protocols are HTTP/1.1 and, over TLS, HTTP/2. The client follows no redirects, stores no
/// cookies and retries nothing by itself: that is for failover to decide. `HTTP_PROXY`,
/// `HTTPS_PROXY` and `NO_PROXY` are honoured. Responses have no time limit here: the pool ends each
/// attempt in its time.
///
/// ```no_run
/// # use gateway_runtime::{ProviderError, Secret, provider::HttpClient};
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

    /// Returns the body of a successful response to GET.
    ///
    /// # Errors
    ///
    /// Fails if no response arrives in time, or its status is not a success.
    pub(crate) async fn fetch(&self, url: &str, timeout: Duration) -> Result<Bytes, ProviderError> {
        self.get(url).timeout(timeout).send().await?.bytes().await
    }
}
