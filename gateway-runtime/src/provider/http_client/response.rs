//! The HTTP response of a provider.

use std::{
    any::type_name,
    time::{Duration, SystemTime},
};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use http::{HeaderMap, header::RETRY_AFTER};
use serde::de::DeserializeOwned;

use crate::provider::ProviderError;

/// The maximum excerpt of a failed response's body for the log, in bytes.
const MAX_EXCERPT_BYTES: usize = 512;
/// The maximum time to wait for the excerpt.
const EXCERPT_TIMEOUT: Duration = Duration::from_secs(1);

/// The head of a response; its body is still to be read.
///
/// A failure while the body is read is ambiguous: the provider has executed the request.
#[derive(Debug)]
pub struct HttpResponse {
    response: reqwest::Response,
    max_response_bytes: usize,
}

impl HttpResponse {
    pub(super) fn new(response: reqwest::Response, max_response_bytes: usize) -> Self {
        Self { response, max_response_bytes }
    }

    /// Returns the status: 2xx, or one that was accepted.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// Returns the header fields.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// Returns a header field, if it is present and text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// Returns the whole body.
    ///
    /// # Errors
    ///
    /// Fails if the body breaks off, or is longer than the client's limit.
    pub async fn bytes(mut self) -> Result<Bytes, ProviderError> {
        let status = self.status();
        let limit = self.max_response_bytes;
        let too_long = || {
            ProviderError::ambiguous(format!(
                "status {status}: the body is longer than {limit} bytes"
            ))
        };
        let announced = self.response.content_length().unwrap_or_default();
        if announced > limit as u64 {
            return Err(too_long());
        }
        let broken = |error: reqwest::Error| {
            ProviderError::from_body(error).log(format_args!("status {status}"))
        };
        // Most bodies arrive in one piece, which is not copied.
        let Some(first) = self.response.chunk().await.map_err(broken)? else {
            return Ok(Bytes::new());
        };
        let mut body = first;
        let mut pieces: Option<BytesMut> = None;
        while let Some(piece) = self.response.chunk().await.map_err(broken)? {
            let pieces = pieces.get_or_insert_with(|| BytesMut::from(&*body));
            if pieces.len() + piece.len() > limit {
                return Err(too_long());
            }
            pieces.extend_from_slice(&piece);
        }
        if let Some(pieces) = pieces {
            body = pieces.freeze();
        }
        if body.len() > limit { Err(too_long()) } else { Ok(body) }
    }

    /// Returns the whole body as text, which must be UTF-8.
    ///
    /// # Errors
    ///
    /// Fails as [`bytes`](Self::bytes) does, and if the body is not UTF-8.
    pub async fn text(self) -> Result<String, ProviderError> {
        let status = self.status();
        let body = self.bytes().await?;
        String::from_utf8(body.into()).map_err(|error| {
            ProviderError::ambiguous(format!("status {status}: the body is not UTF-8: {error}"))
        })
    }

    /// Parses the whole body as JSON.
    ///
    /// # Errors
    ///
    /// Fails as [`bytes`](Self::bytes) does, and if the body is not such JSON: the request was
    /// executed then, with an unknown result.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, ProviderError> {
        let status = self.status();
        let body = self.bytes().await?;
        let deserializer = &mut serde_json::Deserializer::from_slice(&body);
        serde_path_to_error::deserialize(deserializer).map_err(|error| {
            let wanted = type_name::<T>();
            let excerpt = body_excerpt(&body);
            ProviderError::ambiguous(format!(
                "status {status}: the body is not a valid `{wanted}`: {error}: {excerpt}"
            ))
        })
    }

    /// Returns the body piece by piece, as it arrives, for providers that stream.
    pub fn chunks(self) -> impl Stream<Item = Result<Bytes, ProviderError>> + Send + 'static {
        self.response.bytes_stream().map(|piece| piece.map_err(ProviderError::from_body))
    }

    /// Returns the failure of this status, with `Retry-After` and, for the log, the beginning of
    /// the body.
    pub async fn into_error(mut self) -> ProviderError {
        let error = ProviderError::from_status(self.status());
        let error = match retry_after(self.response.headers(), SystemTime::now()) {
            Some(delay) => error.retry_after(delay),
            None => error,
        };
        // The status decides, whether or not the body can be read.
        let mut body = BytesMut::new();
        let read = async {
            while let Ok(Some(piece)) = self.response.chunk().await {
                body.extend_from_slice(&piece[..piece.len().min(MAX_EXCERPT_BYTES - body.len())]);
                if body.len() == MAX_EXCERPT_BYTES {
                    break;
                }
            }
        };
        let _ = tokio::time::timeout(EXCERPT_TIMEOUT, read).await;
        if body.is_empty() { error } else { error.log_after(body_excerpt(&body)) }
    }
}

/// Returns the beginning of a body on one line, for the log.
fn body_excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(MAX_EXCERPT_BYTES)]);
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Parses `Retry-After`: seconds, or a date (RFC 9110 §10.2.3).
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::from(u32::MAX))));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        for (value, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("99999999999999999999", Some(u64::from(u32::MAX))),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("-5", None),
            ("soon", None),
            ("", None),
        ] {
            let headers = [(RETRY_AFTER, value.parse().unwrap())].into_iter().collect();
            assert_eq!(retry_after(&headers, now), seconds.map(Duration::from_secs), "{value:?}");
        }
    }
}
