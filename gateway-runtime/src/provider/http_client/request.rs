//! The builder of a request to a provider.

use std::{fmt, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, header::CONTENT_TYPE};
use serde::Serialize;
use smallvec::SmallVec;

use crate::{
    base::{attempt::AttemptClass, secret::Secret},
    provider::{ProviderError, http_client::HttpResponse},
};

/// A request builder. An invalid part of the request fails when it is sent, as `not-sent`.
///
/// ```
/// use std::time::Duration;
///
/// use gateway_runtime::{prelude::*, provider::{AttemptClass, HttpRequest}};
///
/// /// The settings of a payment provider.
/// #[derive(Deserialize, JsonSchema)]
/// struct ApiSettings {
///     base_url: String,
///     token: Secret,
/// }
///
/// /// The API of a payment provider.
/// #[derive(FromApp)]
/// struct Api {
///     http: HttpClient,
///     settings: Config<ApiSettings>,
/// }
///
/// impl Api {
///     /// Creates a request with the parts that all of them share.
///     fn post(&self, path: &str) -> HttpRequest {
///         self.http
///             .post(format!("{}{path}", self.settings.base_url))
///             .bearer(&self.settings.token)
///             .timeout(Duration::from_secs(5))
///     }
///
///     /// Charges a card, once for each key.
///     async fn charge(&self, cents: u64, key: &IdempotencyKey) -> Result<(), ProviderError> {
///         self.post("/charges")
///             .header("Idempotency-Key", key.as_str())
///             .form(&[("amount", cents)])
///             // The provider responds with 409 if it has done nothing.
///             .map_status(409, AttemptClass::Rejected)
///             .send()
///             .await?;
///         Ok(())
///     }
/// }
/// ```
#[must_use = "a request does nothing until it is sent"]
pub struct HttpRequest {
    request: reqwest::RequestBuilder,
    max_response_bytes: usize,
    /// The author's classification of statuses; `None` stands for a success.
    statuses: SmallVec<[(u16, Option<AttemptClass>); 2]>,
}

impl HttpRequest {
    pub(super) fn new(request: reqwest::RequestBuilder, max_response_bytes: usize) -> Self {
        Self { request, max_response_bytes, statuses: SmallVec::new() }
    }

    fn with(self, change: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder) -> Self {
        Self { request: change(self.request), ..self }
    }

    /// Adds pairs to the query string: a list of pairs, a map, or a struct.
    pub fn query<T: Serialize + ?Sized>(self, pairs: &T) -> Self {
        self.with(|request| request.query(pairs))
    }

    /// Adds a secret to the query string, for providers that require it there. It appears in no
    /// error and no log of this gateway; in a header it would not appear in the provider's either.
    pub fn secret_query(self, name: &str, value: &Secret) -> Self {
        self.query(&[(name, value.expose())])
    }

    /// Adds a header field.
    pub fn header(self, name: &str, value: impl AsRef<str>) -> Self {
        self.with(|request| request.header(name, value.as_ref()))
    }

    /// Adds a header field with a secret value.
    pub fn secret_header(self, name: &str, value: &Secret) -> Self {
        match HeaderValue::from_str(value.expose()) {
            Ok(mut value) => {
                value.set_sensitive(true);
                self.with(|request| request.header(name, value))
            }
            // Fails when the request is sent, as any other invalid value does.
            Err(_) => self.header(name, "\0"),
        }
    }

    /// Sets authorization by a token (RFC 6750).
    pub fn bearer(self, token: &Secret) -> Self {
        self.with(|request| request.bearer_auth(token.expose()))
    }

    /// Sets authorization by a user name and a password (RFC 7617).
    pub fn basic(self, user: &str, password: &Secret) -> Self {
        self.with(|request| request.basic_auth(user, Some(password.expose())))
    }

    /// Sets a JSON body.
    pub fn json<T: Serialize + ?Sized>(self, body: &T) -> Self {
        self.with(|request| request.json(body))
    }

    /// Sets a form as the body.
    pub fn form<T: Serialize + ?Sized>(self, body: &T) -> Self {
        self.with(|request| request.form(body))
    }

    /// Sets a body of this media type.
    pub fn body(self, media_type: &str, body: impl Into<Bytes>) -> Self {
        self.with(|request| request.header(CONTENT_TYPE, media_type).body(body.into()))
    }

    /// Sets the maximum time from connecting to the end of the response body. Without it, the
    /// timeout of the attempt applies.
    pub fn timeout(self, time: Duration) -> Self {
        self.with(|request| request.timeout(time))
    }

    /// Accepts this status as a success, besides 2xx.
    pub fn accept_status(mut self, status: u16) -> Self {
        self.statuses.push((status, None));
        self
    }

    /// Classifies this status as a failure of that class, in place of
    /// [`ProviderError::from_status`]. For example, a 409 which means that nothing was executed is
    /// [`AttemptClass::Rejected`].
    pub fn map_status(mut self, status: u16, class: AttemptClass) -> Self {
        self.statuses.push((status, Some(class)));
        self
    }

    /// Sends the request, waits for the head of the response, and returns it if it is a success.
    /// Another status is a failure, classified by [`ProviderError::from_status`]. The log contains
    /// the beginning of that response; the client never receives it.
    ///
    /// # Errors
    ///
    /// The failure, with the class of the attempt.
    pub async fn send(self) -> Result<HttpResponse, ProviderError> {
        let statuses = self.statuses.clone();
        let response = self.send_any().await?;
        let status = response.status();
        match statuses.iter().rev().find(|(said, _)| *said == status) {
            Some((_, None)) => Ok(response),
            Some((_, Some(class))) => Err(response.into_error().await.with_class(*class)),
            None if (200..300).contains(&status) => Ok(response),
            None => Err(response.into_error().await),
        }
    }

    /// Sends the request, and returns a response of any status: for a provider whose statuses need
    /// interpretation.
    ///
    /// # Errors
    ///
    /// The failure, with the class of the attempt.
    pub async fn send_any(self) -> Result<HttpResponse, ProviderError> {
        Ok(HttpResponse::new(self.request.send().await?, self.max_response_bytes))
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL and the header fields may contain keys.
        f.write_str("HttpRequest(..)")
    }
}
