//! The host names that the gateway responds to: protection from DNS rebinding.
//!
//! A page in a browser can reach a listener on loopback by a host name of its own that resolves to
//! loopback, and read the responses as same-origin. Therefore a listener on loopback without
//! authentication responds only to names of this machine and to those in `[http] hosts` and
//! `[info] url`. If `[http] hosts` is set, every listener does so.

use http::{HeaderMap, HeaderValue, Uri, header, request::Parts};

use crate::base::{
    authority::Authority,
    error::{Code, Error},
};

/// The host names that requests may address, checked against the effective authority of each
/// request.
#[derive(Clone, Debug, Default)]
pub(super) struct Hosts {
    /// Allowed names in lower case, without ports; `None` disables the check.
    names: Option<Vec<Box<str>>>,
    /// Origins of pages that may call by `[http.cors]`.
    origins: Vec<String>,
    /// A listener on loopback without authentication, where pages of other origins are refused,
    /// too.
    is_local: bool,
}

impl Hosts {
    /// Creates the check for configured `hosts`, the `origins` of `[http.cors]` and the gateway's
    /// own `url`. `is_local` means a listener on loopback without authentication.
    pub(super) fn new(hosts: &[String], origins: &[String], url: &str, is_local: bool) -> Self {
        let has_list = !hosts.is_empty();
        let own = host_of(url);
        let names: Vec<_> =
            hosts.iter().chain(&own).map(|host| host.to_ascii_lowercase().into()).collect();
        let origins = origins.to_vec();
        Self { names: (is_local || has_list).then_some(names), origins, is_local }
    }

    /// Checks the authority of a request and, for a local listener, the page that it comes from.
    ///
    /// # Errors
    ///
    /// `forbidden` when the request addresses another host, or comes from a page that may not call
    /// this one.
    #[inline]
    pub(super) fn check(&self, head: &Parts) -> Result<(), Error> {
        match &self.names {
            None => Ok(()),
            Some(names) => self.check_against(names, head),
        }
    }

    fn check_against(&self, names: &[Box<str>], head: &Parts) -> Result<(), Error> {
        // The connection has refused invalid authorities already; an invalid one matches no host.
        let authority = Authority::effective(head.version, &head.uri, &head.headers).ok().flatten();
        let authority = authority.filter(|authority| is_allowed(names, *authority));
        let authority = authority.ok_or_else(|| Error::new(Code::FORBIDDEN, UNKNOWN_HOST))?;
        if self.is_local && !self.is_known_page(names, authority, &head.headers) {
            return Err(Error::new(Code::FORBIDDEN, FOREIGN_PAGE));
        }
        Ok(())
    }

    /// Returns whether a request comes from no page, or only from pages that may call: pages of the
    /// gateway itself, of an allowed host at any port, or of an origin that `[http.cors]` allows.
    fn is_known_page(&self, names: &[Box<str>], own: Authority<'_>, headers: &HeaderMap) -> bool {
        let is_known = |origin: &HeaderValue| {
            let origin = origin.to_str().ok()?;
            if self.origins.iter().any(|allowed| allowed == "*" || allowed == origin) {
                return Some(true);
            }
            let host = Authority::parse(origin.split_once("://")?.1.as_bytes()).ok()?;
            Some(is_allowed(names, host) || host.is_same(own, None))
        };
        headers.get_all(header::ORIGIN).iter().all(|origin| is_known(origin).unwrap_or(false))
    }
}

const UNKNOWN_HOST: &str = "the gateway does not respond to this host; use a loopback address or a \
                            name in `http.hosts` or `info.url`";
const FOREIGN_PAGE: &str = "pages of other sites may not call a gateway on loopback that has no \
                            authentication; list their origins in `http.cors.origins`";

fn is_allowed(names: &[Box<str>], authority: Authority<'_>) -> bool {
    authority.is_loopback() || names.iter().any(|name| name.eq_ignore_ascii_case(authority.host()))
}

/// Returns the host of an absolute URL.
fn host_of(url: &str) -> Option<String> {
    let url: Uri = url.parse().ok()?;
    Some(Authority::parse(url.authority()?.as_str().as_bytes()).ok()?.host().to_owned())
}

/// Returns a problem for each name in `[http] hosts` that is not a host.
pub(super) fn problems(hosts: &[String]) -> Vec<String> {
    // RFC 3986 §3.2.2 allows `*` in a name, but an operator who writes it expects a pattern.
    let is_host = |name: &str| {
        !name.contains('*')
            && Authority::parse(name.as_bytes()).is_ok_and(|authority| authority.host() == name)
    };
    let wrong = hosts.iter().filter(|name| !is_host(name));
    let problem = |name: &String| {
        format!(
            "invalid host `{name}` in `http.hosts`\nhelp: use a name or an address without \
             scheme, port or `*`"
        )
    };
    wrong.map(problem).collect()
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn check(hosts: &[&str], is_local: bool, host: &str, origin: Option<&str>) -> bool {
        let hosts: Vec<_> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let mut request = Request::get("/").header(header::HOST, host);
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        Hosts::new(&hosts, &[], "https://Public.example:8443/gateway", is_local)
            .check(&request.body(()).unwrap().into_parts().0)
            .is_ok()
    }

    #[test]
    fn a_local_listener_responds_to_this_machine_and_listed_names() {
        for host in
            ["localhost:8080", "127.0.0.1", "[::1]:1", "app.localhost", "Gateway.Example:80"]
        {
            assert!(check(&["gateway.example"], true, host, None), "{host}");
        }
        for host in
            ["evil.example", "a{b}.evil.example", "localhost, evil.example", "evil.example:1:2", ""]
        {
            assert!(!check(&["gateway.example"], true, host, None), "{host}");
        }
        assert!(
            check(&[], false, "whatever.example", Some("https://other.example")),
            "nothing is to be checked"
        );
        assert!(
            !check(&["gateway.example"], false, "other.example", None),
            "a list holds for every listener"
        );
        assert!(check(&[], true, "public.example", Some("https://public.example")), "its own URL");
        assert!(check(&["gateway.example"], false, "public.example:1", None), "beside a list, too");
    }

    #[test]
    fn a_local_listener_refuses_pages_of_other_sites() {
        for origin in ["http://localhost:3000", "http://127.0.0.1", "https://gateway.example"] {
            assert!(check(&["gateway.example"], true, "localhost:8080", Some(origin)), "{origin}");
        }
        for origin in
            ["https://evil.example", "null", "", "file://", "http://localhost.evil.example"]
        {
            assert!(!check(&["gateway.example"], true, "localhost:8080", Some(origin)), "{origin}");
        }
    }

    #[test]
    fn names_are_checked_at_start() {
        let check = |host: &str| problems(&[host.to_owned()]).is_empty();
        assert!(check("api.example.com") && check("[::1]") && check("10.0.0.1"));
        assert!(!check("https://api.example.com") && !check("api.example.com:80") && !check(""));
        assert!(!check("*.example.com") && !check("*"));
    }
}
