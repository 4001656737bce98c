//! Request directives of caching (RFC 9111 §5.2.1). Unknown directives are ignored (RFC 9111
//! §5.2.3).

use std::time::Duration;

use http::{HeaderMap, header};

/// The cache directives of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RequestDirectives {
    /// `no-store`: the reply is not stored, and no cached one is served.
    pub(super) no_store: bool,
    /// `no-cache`: the method makes the reply.
    pub(super) no_cache: bool,
    /// `max-age`: no reply older than this is served.
    pub(super) max_age: Option<Duration>,
}

impl RequestDirectives {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut asks = Self::default();
        for field in headers.get_all(header::CACHE_CONTROL) {
            for directive in field.to_str().unwrap_or_default().split(',') {
                asks.note(directive.trim());
            }
        }
        asks
    }

    fn note(&mut self, directive: &str) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        if name.eq_ignore_ascii_case("no-store") {
            self.no_store = true;
        } else if name.eq_ignore_ascii_case("no-cache") {
            self.no_cache = true;
        } else if name.eq_ignore_ascii_case("max-age") {
            // An invalid number counts as 0, the strictest, since the client required something
            // fresh.
            let age = Duration::from_secs(value.trim_matches('"').parse().unwrap_or(0));
            self.max_age = Some(self.max_age.map_or(age, |other| other.min(age)));
        }
    }

    /// Returns whether a reply of this age may be served.
    pub(super) fn allows(&self, age: Duration) -> bool {
        !self.no_cache && self.max_age.is_none_or(|most| age <= most)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn asks(fields: &[&str]) -> RequestDirectives {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(header::CACHE_CONTROL, HeaderValue::from_str(field).unwrap());
        }
        RequestDirectives::of(&headers)
    }

    #[test]
    fn directives_are_read_as_the_standard_has_them() {
        assert_eq!(asks(&[]), RequestDirectives::default());
        assert_eq!(
            asks(&["max-stale=5, only-if-cached, x=\"no-store\"", ""]),
            RequestDirectives::default()
        );
        assert!(asks(&["No-Store"]).no_store && !asks(&["No-Store"]).no_cache);
        assert!(asks(&["max-age=0 , no-cache"]).no_cache && asks(&["a", "NO-CACHE"]).no_cache);
        for (field, age) in [
            ("max-age=5", 5),
            ("Max-Age=\"7\"", 7),
            ("max-age=x", 0),
            ("max-age", 0),
            ("max-age=9, max-age=3", 3),
        ] {
            assert_eq!(asks(&[field]).max_age, Some(Duration::from_secs(age)), "{field}");
        }
    }

    #[test]
    fn directives_allow_replies_that_are_young_enough() {
        let second = Duration::from_secs(1);
        assert!(asks(&[]).allows(100 * second));
        assert!(!asks(&["no-cache"]).allows(Duration::ZERO));
        assert!(asks(&["max-age=1"]).allows(second) && !asks(&["max-age=1"]).allows(2 * second));
    }
}
