//! Cross-origin resource sharing (WHATWG Fetch §3.2): the other origins whose pages may read
//! responses.
//!
//! Applies to methods, routes, streams and published documents. Mounted services have their own
//! rules, and the admin listener has none.

#[cfg(test)]
mod tests;

use std::time::Duration;

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS,
        ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
        ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
    },
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::{
    body::Body,
    duration::{self, DurationText},
    start_error::StartError,
};

/// `[http.cors]`: pages of other origins that may call the gateway. Off without origins.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CorsSettings {
    /// Allowed origins, such as `https://app.example.com`; `*` allows any. Default: none.
    pub origins: Vec<String>,
    /// Request header fields that pages may send, in addition to the CORS-safelisted ones.
    pub headers: Vec<String>,
    /// Permission for pages to send credentials (cookies and client certificates of their users):
    /// no.
    pub credentials: bool,
    /// Time for which a browser may cache a preflight response: 10 min.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub max_age: Duration,
}

impl Default for CorsSettings {
    fn default() -> Self {
        let headers = [
            "accept",
            "authorization",
            "cache-control",
            "content-type",
            "idempotency-key",
            "traceparent",
        ];
        let headers = headers.iter().chain(&["x-api-key", "x-idempotency-key", "x-request-id"]);
        Self {
            origins: Vec::new(),
            headers: headers.map(|name| (*name).to_owned()).collect(),
            credentials: false,
            max_age: Duration::from_secs(600),
        }
    }
}

/// Response header fields that pages may read, in addition to the CORS-safelisted ones.
const EXPOSED: &str = "age, cache-status, deprecation, etag, idempotent-replayed, link, location, \
                       ratelimit, ratelimit-policy, retry-after, sunset, www-authenticate, \
                       x-request-currency, x-request-id, x-request-price";

/// Value of `Vary` in the response to a preflight.
const PREFLIGHT_VARY: &str =
    "origin, access-control-request-method, access-control-request-headers";

/// CORS rules, ready to be written into header fields.
#[derive(Debug)]
pub(super) struct Cors {
    origins: Vec<HeaderValue>,
    any_origin: bool,
    headers: HeaderValue,
    credentials: bool,
    max_age: HeaderValue,
}

impl Cors {
    /// Creates the rules of the settings; `None` when they list no origin.
    ///
    /// # Errors
    ///
    /// Names every invalid origin, every invalid header field, and credentials combined with the
    /// origin `*`.
    pub(super) fn new(settings: &CorsSettings) -> Result<Option<Self>, StartError> {
        let CorsSettings { origins, headers, credentials, max_age } = settings;
        let mut problems = Vec::new();
        let any_origin = origins.iter().any(|origin| origin == "*");
        if any_origin && *credentials {
            problems.push(
                "`http.cors.credentials` cannot be used with the origin `*`\nhelp: list the \
                 origins that are trusted with the cookies of their users"
                    .to_owned(),
            );
        }
        problems.extend(invalid_origins("http.cors.origins", origins));
        for name in headers.iter().filter(|name| name.parse::<HeaderName>().is_err()) {
            problems.push(format!("invalid header field `{name}` in `http.cors.headers`"));
        }
        StartError::from_problems(problems)?;
        let value =
            |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
        let rules = Self {
            origins: origins.iter().map(|origin| value(origin)).collect(),
            any_origin,
            headers: value(&headers.join(", ").to_ascii_lowercase()),
            credentials: *credentials,
            max_age: HeaderValue::from(max_age.as_secs()),
        };
        Ok((!origins.is_empty()).then_some(rules))
    }

    /// Returns whether pages of an origin may call.
    pub(super) fn allows(&self, origin: &HeaderValue) -> bool {
        self.any_origin || self.origins.contains(origin)
    }

    /// Returns the response to a preflight of an address that supports `methods`; `None` for other
    /// requests.
    pub(super) fn preflight(
        &self,
        method: &Method,
        headers: &HeaderMap,
        methods: &str,
    ) -> Option<Response<Body>> {
        let origin = headers.get(ORIGIN)?;
        if method != Method::OPTIONS || !headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
            return None;
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let fields = response.headers_mut();
        fields.insert(VARY, HeaderValue::from_static(PREFLIGHT_VARY));
        // Without these fields a browser does not send the request.
        if self.allows(origin) {
            self.admit(origin, fields);
            let methods = HeaderValue::from_str(methods).unwrap_or(HeaderValue::from_static("GET"));
            fields.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
            fields.insert(ACCESS_CONTROL_ALLOW_HEADERS, self.headers.clone());
            fields.insert(ACCESS_CONTROL_MAX_AGE, self.max_age.clone());
        }
        Some(response)
    }

    /// Adds the CORS fields to a response. `Vary` is written without an `Origin`, too: caches need
    /// it.
    pub(super) fn decorate(&self, origin: Option<&HeaderValue>, fields: &mut HeaderMap) {
        if !self.any_origin {
            fields.append(VARY, HeaderValue::from_static("origin"));
        }
        if let Some(origin) = origin.filter(|origin| self.allows(origin)) {
            self.admit(origin, fields);
            fields.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
        }
    }

    fn admit(&self, origin: &HeaderValue, fields: &mut HeaderMap) {
        let allowed = if self.any_origin { HeaderValue::from_static("*") } else { origin.clone() };
        fields.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        if self.credentials {
            fields.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
    }
}

/// Returns a problem for each of the `origins` under `key` that no browser sends.
pub(super) fn invalid_origins(key: &str, origins: &[String]) -> impl Iterator<Item = String> {
    origins.iter().filter(|origin| !is_origin(origin)).map(move |origin| {
        format!(
            "invalid origin `{origin}` in `{key}`\nhelp: write scheme, host and port as browsers \
             do: `https://app.example.com`"
        )
    })
}

/// Returns whether `text` is `*`, `null` or an origin as browsers serialise it (RFC 6454 §6.1):
/// lower case, no path.
fn is_origin(text: &str) -> bool {
    let Some((scheme, authority)) = text.split_once("://") else {
        return matches!(text, "*" | "null");
    };
    let is_scheme = !scheme.is_empty()
        && scheme.bytes().all(|byte| byte.is_ascii_lowercase() || b"+-.".contains(&byte));
    let is_lower = !authority.bytes().any(|byte| byte.is_ascii_uppercase());
    is_scheme && is_lower && crate::base::authority::Authority::parse(authority.as_bytes()).is_ok()
}
