//! A request to a provider.

use std::{fmt, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, header::CONTENT_TYPE};
use serde::Serialize;
use smallvec::SmallVec;

use crate::{
    base::{attempt::AttemptClass, secret::Secret},
    provider::{ProviderError, http_client::HttpResponse},
};

/// A request that is being written. What is wrong with it shows when it is sent: nothing was, then.
#[must_use = "a request does nothing until it is sent"]
pub struct HttpRequest {
    request: reqwest::RequestBuilder,
    max_response_bytes: usize,
    /// What the author makes of a status; none is an answer.
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

    /// Adds a secret to the query string, for providers that want it there. It is in no error and no log of ours; in a
    /// header it would not be in theirs either.
    pub fn secret_query(self, name: &str, value: &Secret) -> Self {
        self.query(&[(name, value.expose())])
    }

    /// Adds a header field.
    pub fn header(self, name: &str, value: impl AsRef<str>) -> Self {
        self.with(|request| request.header(name, value.as_ref()))
    }

    /// Adds a header field whose value must not be seen.
    pub fn secret_header(self, name: &str, value: &Secret) -> Self {
        match HeaderValue::from_str(value.expose()) {
            Ok(mut value) => {
                value.set_sensitive(true);
                self.with(|request| request.header(name, value))
            }
            // Fails when it is sent, as any other value that is none.
            Err(_) => self.header(name, "\0"),
        }
    }

    /// Authorization by a token (RFC 6750).
    pub fn bearer(self, token: &Secret) -> Self {
        self.with(|request| request.bearer_auth(token.expose()))
    }

    /// Authorization by a name and a password (RFC 7617).
    pub fn basic(self, user: &str, password: &Secret) -> Self {
        self.with(|request| request.basic_auth(user, Some(password.expose())))
    }

    /// A JSON body.
    pub fn json<T: Serialize + ?Sized>(self, body: &T) -> Self {
        self.with(|request| request.json(body))
    }

    /// A form as the body.
    pub fn form<T: Serialize + ?Sized>(self, body: &T) -> Self {
        self.with(|request| request.form(body))
    }

    /// A body of some media type.
    pub fn body(self, media_type: &str, body: impl Into<Bytes>) -> Self {
        self.with(|request| request.header(CONTENT_TYPE, media_type).body(body.into()))
    }

    /// The longest that all of it may take, from connecting to the end of the answer's body. Without it, there is the
    /// time of the attempt.
    pub fn timeout(self, time: Duration) -> Self {
        self.with(|request| request.timeout(time))
    }

    /// Takes this status for an answer, beside 2xx.
    pub fn accept_status(mut self, status: u16) -> Self {
        self.statuses.push((status, None));
        self
    }

    /// Takes this status for a failure of that class, in place of what [`ProviderError::from_status`] makes of it:
    /// where 409 says that nothing was done, say, it is [`Class::Rejected`].
    pub fn map_status(mut self, status: u16, class: AttemptClass) -> Self {
        self.statuses.push((status, Some(class)));
        self
    }

    /// Sends it, waits for the head of the answer, and takes only success for one: 401, 402, 403 and 429 are rejected,
    /// other 4xx invalid, the rest ambiguous. The log reads the beginning of a refusal; the client never does.
    ///
    /// # Errors
    ///
    /// How far the attempt got.
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

    /// Sends it, and takes every status for an answer: for a provider whose statuses need judging.
    ///
    /// # Errors
    ///
    /// How far the attempt got.
    pub async fn send_any(self) -> Result<HttpResponse, ProviderError> {
        Ok(HttpResponse::new(self.request.send().await?, self.max_response_bytes))
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address and the header fields may hold keys.
        f.write_str("HttpRequest(..)")
    }
}
