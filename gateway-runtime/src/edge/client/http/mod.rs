//! Calls over HTTP: sends a request to a gateway's address, and decodes the response.

mod response;

use std::{fmt, time::Duration};

use ::http::{
    HeaderMap, HeaderValue, Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, Entry},
};
use futures_util::future::BoxFuture;
use reqwest::Url;

use crate::{
    base::spec::Verb,
    edge::client::{
        ClientError, Expected, Transport, TransportRequest, TransportResponse,
        headers::{bearer, field},
        ndjson::NDJSON,
        query,
    },
    provider::{HttpClientSettings, connector},
};

/// A transport over HTTP. Clones of a client share its connection pool.
///
/// ```
/// use std::time::Duration;
///
/// use gateway_runtime::client::Http;
///
/// let gateway =
///     Http::to("https://gateway.internal").bearer("a token").timeout(Duration::from_secs(5));
/// # let _ = gateway;
/// ```
pub struct Http {
    /// The endpoint, or the reason why calls cannot be sent, which each of them returns.
    gateway: Result<Endpoint, ClientError>,
    headers: HeaderMap,
    timeout: Duration,
}

struct Endpoint {
    http: reqwest::Client,
    base: Url,
}

impl Http {
    /// Creates a transport to a gateway's address. If the address has a path, `/services/…` is
    /// appended.
    ///
    /// A call has 30 seconds. An invalid address is reported by the first call, as
    /// [`ClientError::InvalidRequest`].
    #[must_use]
    pub fn to(base: impl AsRef<str>) -> Self {
        Self {
            gateway: Endpoint::at(base.as_ref()),
            headers: HeaderMap::new(),
            timeout: Duration::from_secs(30),
        }
    }

    /// Authenticates calls with a bearer token.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.with(bearer(token).map(|value| (AUTHORIZATION, value)))
    }

    /// Authenticates calls with an API key.
    #[must_use]
    pub fn api_key(self, key: &str) -> Self {
        self.with(field("x-api-key", key).map(|(name, mut value)| {
            value.set_sensitive(true);
            (name, value)
        }))
    }

    /// Sets a header field for every call that does not set it itself.
    #[must_use]
    pub fn header(self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.with(field(name.as_ref(), value.as_ref()))
    }

    /// Sets the time limit for a reply, or for its begin if it is streamed, for calls without their
    /// own.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    fn with(mut self, field: Result<(::http::HeaderName, HeaderValue), ClientError>) -> Self {
        match field {
            Ok((name, value)) => {
                self.headers.insert(name, value);
            }
            Err(error) => self.gateway = self.gateway.and(Err(error)),
        }
        self
    }

    /// Returns the fields of a call: its own, the defaults for those it lacks, and the ones HTTP
    /// requires.
    fn headers(&self, request: &TransportRequest) -> HeaderMap {
        let mut headers = request.headers.clone();
        for (name, value) in &self.headers {
            if let Entry::Vacant(vacant) = headers.entry(name) {
                vacant.insert(value.clone());
            }
        }
        headers.insert(ACCEPT, accept(request.expected));
        if !request.verb.has_query_input() && !request.input.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        headers
    }

    fn prepare(&self, request: TransportRequest) -> Result<reqwest::RequestBuilder, ClientError> {
        let Endpoint { http, base } = self.gateway.as_ref().map_err(Clone::clone)?;
        let mut url = address(base, &request);
        let headers = self.headers(&request);
        let in_query = request.verb.has_query_input();
        if in_query && !request.input.is_empty() {
            let query = query::write(&request.input)?;
            url.set_query(Some(&query).filter(|query| !query.is_empty()).map(String::as_str));
        }
        let builder = http.request(method(request.verb), url).headers(headers);
        Ok(if in_query { builder } else { builder.body(request.input) })
    }
}

impl Transport for Http {
    fn call(
        &self,
        request: TransportRequest,
    ) -> BoxFuture<'static, Result<TransportResponse, ClientError>> {
        let timeout = request.timeout.unwrap_or(self.timeout);
        let expected = request.expected;
        let prepared = self.prepare(request);
        Box::pin(async move {
            let answered = async {
                let response = prepared?.send().await.map_err(response::transport_error)?;
                response::read(response, expected).await
            };
            tokio::time::timeout(timeout, answered)
                .await
                .unwrap_or(Err(ClientError::TimedOut(timeout)))
        })
    }
}

impl Endpoint {
    fn at(base: &str) -> Result<Self, ClientError> {
        let invalid = |reason: &str| {
            ClientError::invalid(format!(
                "the gateway's address {base:?} {reason}; write it as \
                 \"http://gateway.internal:8080\""
            ))
        };
        let base =
            Url::parse(base).map_err(|error| invalid(&format!("cannot be read ({error})")))?;
        if !matches!(base.scheme(), "http" | "https")
            || base.query().is_some()
            || base.fragment().is_some()
        {
            return Err(invalid("is not an HTTP URL"));
        }
        Ok(Self {
            http: connector(&HttpClientSettings::default())
                .map_err(|error| ClientError::invalid(error.to_string()))?,
            base,
        })
    }
}

fn address(base: &Url, request: &TransportRequest) -> Url {
    let TransportRequest { service, method, .. } = request;
    let mut url = base.clone();
    let folder = base.path().trim_end_matches('/');
    url.set_path(&format!("{folder}/services/{}/v{}/{method}", service.name, service.version));
    url
}

fn method(verb: Verb) -> Method {
    match verb {
        Verb::Get => Method::GET,
        Verb::Post => Method::POST,
        Verb::Put => Method::PUT,
        Verb::Patch => Method::PATCH,
        Verb::Delete => Method::DELETE,
    }
}

fn accept(expected: Expected) -> HeaderValue {
    match expected {
        Expected::Value => HeaderValue::from_static("application/json"),
        Expected::Items => HeaderValue::from_static(NDJSON),
        // Without parameters, which would be read as a preference.
        Expected::Bytes(media) => {
            HeaderValue::from_static(media.split(';').next().unwrap_or(media))
        }
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = self.gateway.as_ref().map(|gateway| gateway.base.as_str());
        f.debug_struct("Http").field("gateway", &base).finish_non_exhaustive()
    }
}
