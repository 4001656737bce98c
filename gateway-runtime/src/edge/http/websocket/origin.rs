//! The origin check of the opening handshake: protection from cross-site WebSocket hijacking, where
//! a browser connects for a page of another site.

use http::{HeaderMap, Uri, header, uri::Authority};

use crate::base::error::{Code, Error};

/// Checks that a handshake comes from no page, from a page of the gateway, or from one of an
/// `allowed` origin.
///
/// # Errors
///
/// `forbidden` for all other pages.
pub(super) fn check(headers: &HeaderMap, uri: &Uri, allowed: &[String]) -> Result<(), Error> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let own = || {
        uri.authority().cloned().or_else(|| headers.get(header::HOST)?.to_str().ok()?.parse().ok())
    };
    let may = origin.to_str().is_ok_and(|origin| {
        allowed.iter().any(|one| one == "*" || one.eq_ignore_ascii_case(origin))
            || own().is_some_and(|own| is_same(origin, &own))
    });
    if may {
        return Ok(());
    }
    let detail = "pages of this origin may not connect; list it in `http.websocket.origins`";
    Err(Error::new(Code::FORBIDDEN, detail))
}

/// Returns whether `origin` (RFC 6454 §7) is the origin of `own`. A proxy in front of the gateway
/// may terminate TLS, so the scheme only determines the default port.
fn is_same(origin: &str, own: &Authority) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let default = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return false,
    };
    authority.parse::<Authority>().is_ok_and(|origin| {
        let port = |authority: &Authority| authority.port_u16().unwrap_or(default);
        origin.host().eq_ignore_ascii_case(own.host())
            && port(&origin) == port(own)
            && !authority.contains('@')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(origin: &str, host: &str, allowed: &[&str]) -> bool {
        let headers = [(header::ORIGIN, origin), (header::HOST, host)];
        let headers =
            headers.into_iter().map(|(name, value)| (name, value.parse().unwrap())).collect();
        let allowed: Vec<_> = allowed.iter().map(|one| (*one).to_owned()).collect();
        super::check(&headers, &Uri::from_static("/services/_ws"), &allowed).is_ok()
    }

    #[test]
    fn check_allows_the_gateways_own_origin_only() {
        for (origin, host) in [
            ("http://localhost:8080", "localhost:8080"),
            ("https://API.example.com", "api.example.com"),
            ("https://api.example.com", "api.example.com:443"),
            ("http://api.example.com:80", "api.example.com"),
            ("http://[::1]:8080", "[::1]:8080"),
        ] {
            assert!(check(origin, host, &[]), "{origin} {host}");
        }
        for (origin, host) in [
            ("http://evil.example", "localhost:8080"),
            ("http://localhost:3000", "localhost:8080"),
            ("http://localhost", "localhost:8080"),
            ("https://api.example.com.evil.example", "api.example.com"),
            ("http://api.example.com@evil.example", "evil.example"),
            ("null", "localhost:8080"),
            ("", "localhost:8080"),
            ("file://localhost", "localhost"),
        ] {
            assert!(!check(origin, host, &[]), "{origin} {host}");
        }
    }

    #[test]
    fn check_allows_listed_origins_and_clients_without_one() {
        let app = "https://app.example.com";
        assert!(check(app, "api.example.com", &["https://other.example", app]));
        assert!(check("null", "api.example.com", &["null"]));
        assert!(check(app, "api.example.com", &["*"]));
        assert!(!check("https://app.example.com:444", "api.example.com", &[app]));
        assert!(
            super::check(&HeaderMap::new(), &Uri::from_static("/services/_ws"), &[]).is_ok(),
            "no browser"
        );
    }
}
