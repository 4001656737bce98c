//! Cross-origin resource sharing (WHATWG Fetch §3.2): the other origins whose pages may read
//! responses.
//!
//! Applies to methods, routes, streams and published documents. Mounted services have their own
//! rules, and the admin listener has none.

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

#[cfg(test)]
mod tests {
    use super::*;

    fn cors(settings: &str) -> Result<Option<Cors>, StartError> {
        Cors::new(&toml::from_str(settings).unwrap())
    }

    fn decorated(rules: &Cors, origin: Option<&'static str>) -> HeaderMap {
        let mut fields = HeaderMap::new();
        rules.decorate(origin.map(HeaderValue::from_static).as_ref(), &mut fields);
        fields
    }

    const APP: &str = "https://app.example.com";

    #[test]
    fn invalid_settings_are_all_reported_at_once() {
        assert!(cors("").unwrap().is_none());
        let error = cors(
            "origins = ['*', 'app.example.com', 'https://a/x', 'https://A']\nheaders = ['x y']\n\
             credentials = true",
        )
        .unwrap_err();
        assert_eq!(error.problems().len(), 5, "{error}");
        assert!(
            cors("origins = ['http://localhost:3000', 'null', 'capacitor://localhost']").is_ok()
        );
    }

    #[test]
    fn decorate_allows_listed_origins_only() {
        let rules =
            cors("origins = ['https://app.example.com']\ncredentials = true").unwrap().unwrap();
        let fields = decorated(&rules, Some(APP));
        assert_eq!(fields[ACCESS_CONTROL_ALLOW_ORIGIN], APP);
        assert_eq!(
            (&fields[ACCESS_CONTROL_ALLOW_CREDENTIALS], &fields[VARY]),
            (&"true".parse().unwrap(), &"origin".parse().unwrap())
        );
        for other in [
            Some("https://app.example.com.evil.example"),
            Some("http://app.example.com"),
            Some("null"),
            None,
        ] {
            let fields = decorated(&rules, other);
            assert_eq!((fields.len(), &fields[VARY]), (1, &"origin".parse().unwrap()), "{other:?}");
        }
        let any = cors("origins = ['*']").unwrap().unwrap();
        let fields = decorated(&any, Some("null"));
        assert_eq!(fields[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert!(
            !fields.contains_key(VARY) && !fields.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS)
        );
    }

    #[test]
    fn preflight_response_lists_methods_and_headers_for_allowed_origins() {
        let rules =
            cors("origins = ['https://app.example.com']\nheaders = ['X-Test']\nmax_age = '1min'")
                .unwrap()
                .unwrap();
        let mut headers = HeaderMap::from_iter([(ORIGIN, HeaderValue::from_static(APP))]);
        assert!(
            rules.preflight(&Method::OPTIONS, &headers, "POST").is_none(),
            "that asks for `Allow`"
        );
        headers.insert(ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static("POST"));
        assert!(rules.preflight(&Method::POST, &headers, "POST").is_none());
        let response = rules.preflight(&Method::OPTIONS, &headers, "POST, OPTIONS").unwrap();
        let field = |name: HeaderName| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(field(ACCESS_CONTROL_ALLOW_ORIGIN), APP);
        assert_eq!(field(ACCESS_CONTROL_ALLOW_METHODS), "POST, OPTIONS");
        assert_eq!(
            (field(ACCESS_CONTROL_ALLOW_HEADERS), field(ACCESS_CONTROL_MAX_AGE)),
            ("x-test".into(), "60".into())
        );
        headers.insert(ORIGIN, HeaderValue::from_static("https://evil.example"));
        let refused = rules.preflight(&Method::OPTIONS, &headers, "POST, OPTIONS").unwrap();
        assert_eq!(refused.headers().len(), 1);
    }
}
