//! An HTTP client for providers, whose errors say how far an attempt got.

use std::{fmt, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, header};
use serde::{Serialize, de::DeserializeOwned};

use super::ProviderError;
use crate::{
    app::{FromApp, Scope, StartError},
    secret::Secret,
};

/// How long connecting may take, name resolution and TLS included. It is less than an attempt may take, so that what
/// was never sent is not taken for a time-out after sending.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How much of an answer is read, in bytes.
const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// How much of a refusal's body the log is told, in bytes.
const EXCERPT: usize = 512;

/// A client for a provider's API: `http: HttpClient` as a field of the provider. Cheap to clone; connections are shared.
///
/// Redirects are not followed, certificates are checked, answers end at 8 MiB. There is no time-out for an answer here:
/// the pool ends each attempt in its time.
///
/// ```no_run
/// # use gateway_runtime::{ProviderError, Secret, provider::HttpClient};
/// # async fn example(http: HttpClient, key: Secret) -> Result<(), ProviderError> {
/// let sent: serde_json::Value = http
///     .post("https://api.example.com/v1/send")
///     .bearer(&key)
///     .json(&serde_json::json!({"to": "ada@example.org"}))
///     .send()
///     .await?
///     .json()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct HttpClient(reqwest::Client);

impl HttpClient {
    /// A client with connections of its own.
    ///
    /// # Errors
    ///
    /// When the system's certificates cannot be used.
    pub fn new() -> Result<Self, StartError> {
        connector().map(Self).map_err(|why| StartError::new(format!("no HTTP client can be made: {why}")))
    }

    /// A GET request.
    pub fn get(&self, url: impl AsRef<str>) -> HttpRequest {
        self.request(Method::GET, url)
    }

    /// A POST request.
    pub fn post(&self, url: impl AsRef<str>) -> HttpRequest {
        self.request(Method::POST, url)
    }

    /// A request with any method.
    pub fn request(&self, method: Method, url: impl AsRef<str>) -> HttpRequest {
        HttpRequest(self.0.request(method, url.as_ref()))
    }
}

/// The program's one client; its connections serve all providers.
impl FromApp for HttpClient {
    fn from_app(scope: &Scope<'_>) -> Result<Self, StartError> {
        scope.app().get::<Self>().map_or_else(Self::new, |shared: Arc<Self>| Ok((*shared).clone()))
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpClient(..)")
    }
}

/// A request that is being written. What is wrong with it shows when it is sent.
#[must_use = "a request does nothing until it is sent"]
pub struct HttpRequest(reqwest::RequestBuilder);

impl HttpRequest {
    /// Adds a header field.
    pub fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    /// Adds a header field whose value must not be seen.
    pub fn secret_header(self, name: &str, value: &Secret) -> Self {
        Self(self.0.header(name, value.expose()))
    }

    /// Authorization by a token (RFC 6750).
    pub fn bearer(self, token: &Secret) -> Self {
        Self(self.0.bearer_auth(token.expose()))
    }

    /// Authorization by a name and a password (RFC 7617).
    pub fn basic(self, user: &str, password: &Secret) -> Self {
        Self(self.0.basic_auth(user, Some(password.expose())))
    }

    /// Adds pairs to the query string.
    pub fn query<T: Serialize + ?Sized>(self, pairs: &T) -> Self {
        Self(self.0.query(pairs))
    }

    /// A JSON body.
    pub fn json<T: Serialize + ?Sized>(self, body: &T) -> Self {
        Self(self.0.json(body))
    }

    /// A form as the body.
    pub fn form<T: Serialize + ?Sized>(self, body: &T) -> Self {
        Self(self.0.form(body))
    }

    /// Sends it, and takes only success for an answer: 401, 402, 403 and 429 are rejected, other 4xx invalid, the rest
    /// ambiguous. The log reads the beginning of a refusal; the client never does.
    ///
    /// # Errors
    ///
    /// How far the attempt got.
    pub async fn send(self) -> Result<HttpResponse, ProviderError> {
        let response = self.send_any().await?;
        if response.0.status().is_success() { Ok(response) } else { Err(response.into_error().await) }
    }

    /// Sends it, and takes every status for an answer: for a provider whose statuses need judging.
    ///
    /// # Errors
    ///
    /// How far the attempt got.
    pub async fn send_any(self) -> Result<HttpResponse, ProviderError> {
        self.0.send().await.map(HttpResponse).map_err(unanswered)
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address and the header fields may hold keys.
        f.write_str("HttpRequest(..)")
    }
}

/// An answer whose body has not been read yet.
#[derive(Debug)]
pub struct HttpResponse(reqwest::Response);

impl HttpResponse {
    /// The status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    /// The header fields.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.0.headers()
    }

    /// The whole body.
    ///
    /// # Errors
    ///
    /// `ambiguous` when it is cut or longer than 8 MiB: the provider has done what it was asked.
    pub async fn bytes(mut self) -> Result<Bytes, ProviderError> {
        let mut body = BytesMut::new();
        while let Some(chunk) = self.0.chunk().await.map_err(unanswered)? {
            if body.len() + chunk.len() > BODY_LIMIT {
                return Err(ProviderError::ambiguous(format!("the answer is longer than {BODY_LIMIT} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }

    /// The body, read as JSON.
    ///
    /// # Errors
    ///
    /// `ambiguous` when it is cut, too long or no such JSON: the provider has done what it was asked.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, ProviderError> {
        let body = self.bytes().await?;
        serde_json::from_slice(&body).map_err(|error| ProviderError::ambiguous(format!("unreadable answer: {error}")))
    }

    /// What the status says of the attempt, with `Retry-After` in seconds and, for the log, how the body begins.
    pub async fn into_error(mut self) -> ProviderError {
        let mut error = ProviderError::from_status(self.status());
        let retry_after = self.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        if let Some(seconds) = retry_after {
            error = error.retry_after(Duration::from_secs(seconds));
        }
        match self.0.chunk().await {
            Ok(Some(body)) => error.log(String::from_utf8_lossy(&body[..body.len().min(EXCERPT)])),
            _ => error,
        }
    }
}

/// How far an attempt got that has no answer.
fn unanswered(error: reqwest::Error) -> ProviderError {
    match () {
        () if error.is_builder() => ProviderError::invalid(causes(error)),
        () if error.is_connect() || was_refused(&error) => ProviderError::not_sent(causes(error)),
        () if error.is_timeout() => ProviderError::timed_out(causes(error)),
        () => ProviderError::ambiguous(causes(error)),
    }
}

/// Whether the server says that it has not looked at the request (RFC 9113 §8.7).
pub(crate) fn was_refused(error: &reqwest::Error) -> bool {
    std::iter::successors(std::error::Error::source(error), |error| error.source())
        .filter_map(|error| error.downcast_ref::<h2::Error>())
        .any(|error| error.reason() == Some(h2::Reason::REFUSED_STREAM))
}

/// The message of an error and of all that caused it, without the address, whose query may hold keys.
pub(crate) fn causes(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut message = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        message.push_str(": ");
        message.push_str(&cause.to_string());
        source = cause.source();
    }
    message
}

/// How connections are made, here and by the typed client.
pub(crate) fn connector() -> Result<reqwest::Client, String> {
    // An error means that the program has chosen another; that one is used then.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    builder.connect_timeout(CONNECT_TIMEOUT).build().map_err(|error| error.to_string())
}
