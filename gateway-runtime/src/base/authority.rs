//! The authority of a request: host and port of its target URI (RFC 9110 §7.2, RFC 9112 §3.2, RFC
//! 9113 §8.3.1).
//!
//! `http::uri::Authority` accepts what RFC 3986 does not allow in a host (`a{b}`) and does not
//! check ports, so two programs could read one such authority in two ways. [`Authority::parse`] is
//! stricter: one pass, no allocation.

use std::{net::Ipv4Addr, net::Ipv6Addr};

use http::{HeaderMap, Uri, Version, header::HOST, uri::Scheme};

/// A valid `uri-host [ ":" port ]`, without user information.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Authority<'r> {
    host: &'r str,
    port: Option<u16>,
}

/// The reason why an authority is invalid, as a client reads it.
pub(crate) type AuthorityError = &'static str;

impl<'r> Authority<'r> {
    /// Parses the value of a `Host` field, an `:authority` or the authority of a target.
    ///
    /// An empty host is refused (RFC 9110 §4.2.1), and so is a comma, with which some proxies join
    /// two fields.
    ///
    /// # Errors
    ///
    /// Returns the reason why the text is no valid authority.
    pub(crate) fn parse(text: &'r [u8]) -> Result<Self, AuthorityError> {
        let (host, rest) = match text {
            [b'[', rest @ ..] => {
                let end = rest
                    .iter()
                    .position(|&byte| byte == b']')
                    .ok_or("the host has no closing bracket")?;
                let literal = std::str::from_utf8(&rest[..end]).map_err(|_| INVALID_HOST)?;
                literal
                    .parse::<Ipv6Addr>()
                    .map_err(|_| "the host is no IPv6 address in brackets")?;
                (&text[..end + 2], &rest[end + 1..])
            }
            _ => text.split_at(registered_name(text)?),
        };
        let port = match rest {
            [] => None,
            [b':', digits @ ..] => port(digits)?,
            _ => return Err(INVALID_HOST),
        };
        Ok(Self { host: std::str::from_utf8(host).map_err(|_| INVALID_HOST)?, port })
    }

    /// Returns the effective authority of a request: an absolute target or `:authority` wins over
    /// `Host` (RFC 9112 §3.2.2). `None` only for HTTP/1.0, which has no `Host`.
    ///
    /// # Errors
    ///
    /// Returns the reason why the request is invalid: no `Host`, more than one, an invalid one, or
    /// on HTTP/2 one that differs from `:authority`.
    pub(crate) fn effective(
        version: Version,
        uri: &'r Uri,
        headers: &'r HeaderMap,
    ) -> Result<Option<Self>, AuthorityError> {
        let mut fields = headers.get_all(HOST).iter();
        let host = match (fields.next(), fields.next()) {
            (None, _) => None,
            (Some(host), None) => Some(Self::parse(host.as_bytes())?),
            (Some(_), Some(_)) => return Err("there is more than one `Host` field"),
        };
        let target = uri
            .authority()
            .map(|authority| Self::parse(authority.as_str().as_bytes()))
            .transpose()?;
        let is_missing = match version {
            Version::HTTP_09 | Version::HTTP_10 => false,
            Version::HTTP_11 => host.is_none(),
            _ => host.is_none() && target.is_none(),
        };
        if is_missing {
            return Err("the `Host` field is missing");
        }
        match (target, host) {
            (Some(target), Some(host))
                if version >= Version::HTTP_2 && !target.is_same(host, uri.scheme()) =>
            {
                Err("`host` and `:authority` differ")
            }
            (target, host) => Ok(target.or(host)),
        }
    }

    /// Returns the host: a name, an IPv4 address, or an IPv6 address in brackets.
    pub(crate) fn host(self) -> &'r str {
        self.host
    }

    /// Returns whether the host can only be this machine: a loopback address, `localhost`, or a
    /// name below it, which no name server holds (RFC 6761 §6.3). Any other name may lead here by
    /// DNS rebinding.
    pub(crate) fn is_loopback(self) -> bool {
        let host = self.host;
        if let Some(literal) = host.strip_prefix('[') {
            return literal
                .trim_end_matches(']')
                .parse::<Ipv6Addr>()
                .is_ok_and(|address| address.is_loopback());
        }
        let name = host
            .len()
            .checked_sub("localhost".len())
            .and_then(|at| Some((&host[..at], host.get(at..)?)));
        let is_localhost = name.is_some_and(|(parent, name)| {
            name.eq_ignore_ascii_case("localhost") && (parent.is_empty() || parent.ends_with('.'))
        });
        is_localhost || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
    }

    /// Returns whether two authorities name the same host and port. The default port of `scheme`
    /// stands in for a missing one.
    pub(crate) fn is_same(self, other: Self, scheme: Option<&Scheme>) -> bool {
        let default = if scheme == Some(&Scheme::HTTPS) { 443 } else { 80 };
        self.host.eq_ignore_ascii_case(other.host)
            && self.port.unwrap_or(default) == other.port.unwrap_or(default)
    }
}

const INVALID_HOST: AuthorityError = "the host has a character that hosts cannot have";

/// Returns the length of the `reg-name` or `IPv4address` at the front of `text` (RFC 3986 §3.2.2).
fn registered_name(text: &[u8]) -> Result<usize, AuthorityError> {
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => at += 1,
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b';' | b'=' => at += 1,
            b':' => break,
            b'%' => match text.get(at + 1..at + 3) {
                Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => at += 3,
                _ => return Err("the host has a `%` without two hexadecimal digits"),
            },
            b'@' => return Err("user information has no place in front of a host"),
            _ => return Err(INVALID_HOST),
        }
    }
    if at == 0 { Err("the host is empty") } else { Ok(at) }
}

/// Parses a port, `*DIGIT` (RFC 3986 §3.2.3); no digits are no port.
fn port(digits: &[u8]) -> Result<Option<u16>, AuthorityError> {
    const INVALID_PORT: AuthorityError = "the port is no number from 0 to 65535";
    if digits.is_empty() {
        return Ok(None);
    }
    let is_number = digits.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(digits).ok().filter(|_| is_number);
    number.and_then(|number| number.parse().ok()).map(Some).ok_or(INVALID_PORT)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    /// Texts that are never read as a host, whatever is configured.
    const BAD: &[&str] = &[
        "",
        ":80",
        "a/x",
        "u@a",
        "@a",
        "a b",
        " a",
        "a, b",
        "a,b",
        "a:8x",
        "a:1:2",
        "a:-1",
        "a:+1",
        "a:65536",
        "[::1",
        "::1",
        "[::1]x",
        "[::1]]",
        "[]",
        "[::g]",
        "[127.0.0.1]",
        "[v1.a]",
        "a[::1]",
        "a{b}",
        "a%",
        "a%4",
        "a%zz",
        "a?",
        "a#",
        "a\\b",
        "a\"b",
        "a<b>",
        "a|b",
        "a^b",
        "a`b",
        "ä",
        "localhost\0",
    ];

    fn effective(
        version: Version,
        uri: &str,
        hosts: &[&str],
    ) -> Result<Option<String>, AuthorityError> {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, HeaderValue::from_bytes(host.as_bytes()).unwrap());
        }
        let uri = uri.parse().unwrap();
        Ok(Authority::effective(version, &uri, &headers)?
            .map(|authority| authority.host().to_owned()))
    }

    #[test]
    fn authority_is_a_host_and_a_port() {
        for (text, host, port) in [
            ("a", "a", None),
            ("a:", "a", None),
            ("EXAMPLE.com:8080", "EXAMPLE.com", Some(8080)),
            ("127.0.0.1:65535", "127.0.0.1", Some(65535)),
            ("[::1]:80", "[::1]", Some(80)),
            ("[2001:db8::1]", "[2001:db8::1]", None),
            ("my_service.ns.svc:00080", "my_service.ns.svc", Some(80)),
            ("a%41b", "a%41b", None),
        ] {
            assert_eq!(Authority::parse(text.as_bytes()), Ok(Authority { host, port }), "{text}");
        }
        for bad in BAD {
            assert!(Authority::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(Authority::parse(b"a\xff").is_err());
    }

    #[test]
    fn only_names_and_addresses_of_this_machine_are_loopback() {
        let is_loopback = |text: &str| Authority::parse(text.as_bytes()).unwrap().is_loopback();
        for here in
            ["localhost", "LOCALHOST:1", "app.localhost", "127.0.0.1", "127.9.9.9:80", "[::1]:9090"]
        {
            assert!(is_loopback(here), "{here}");
        }
        for elsewhere in [
            "evil.example",
            "localhost.evil.example",
            "evillocalhost",
            "10.0.0.1",
            "[::2]",
            "[::]",
            "0.0.0.0",
            "127.1",
            "0177.0.0.1",
            "localhost.",
            "localhos%74",
            "2130706433",
        ] {
            assert!(!is_loopback(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn target_wins_over_host() {
        let host = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(effective(Version::HTTP_11, "/", &["localhost"]), host("localhost"));
        assert_eq!(
            effective(Version::HTTP_11, "http://evil.example/", &["localhost"]),
            host("evil.example")
        );
        assert_eq!(effective(Version::HTTP_2, "http://evil.example/", &[]), host("evil.example"));
        assert_eq!(effective(Version::HTTP_2, "/", &["localhost"]), host("localhost"));
        assert_eq!(
            effective(Version::HTTP_2, "http://A.example/", &["a.example:80"]),
            host("A.example")
        );
        assert_eq!(effective(Version::HTTP_10, "/", &[]), Ok(None));
        for (version, uri, hosts) in [
            (Version::HTTP_11, "/", &[][..]),
            (Version::HTTP_11, "http://a/", &[]),
            (Version::HTTP_11, "/", &["a", "a"]),
            (Version::HTTP_11, "/", &["a, b"]),
            (Version::HTTP_11, "http://u@a/", &["a"]),
            (Version::HTTP_11, "http://a/", &["a b"]),
            (Version::HTTP_10, "/", &["a/x"]),
            (Version::HTTP_10, "/", &["a", "b"]),
            (Version::HTTP_2, "/", &[]),
            (Version::HTTP_2, "http://u@a/", &[]),
            (Version::HTTP_2, "http://a/", &["b"]),
            (Version::HTTP_2, "https://a/", &["a:80"]),
            (Version::HTTP_2, "http://a/", &["a", "a"]),
        ] {
            assert!(effective(version, uri, hosts).is_err(), "{version:?} {uri} {hosts:?}");
        }
    }

    proptest! {
        #[test]
        fn parsed_authority_satisfies_the_lax_parser_too(
            text in "[ -~]{0,12}|[a-z.:0-9\\[\\]@%,]{0,12}",
        ) {
            if let Ok(strict) = Authority::parse(text.as_bytes()) {
                // `http` refuses the percent-encoded names of RFC 3986 §3.2.2.
                prop_assume!(!text.contains('%'));
                let lax: http::uri::Authority = text.parse().unwrap();
                prop_assert_eq!(strict.host(), lax.host());
                prop_assert_eq!(strict.port, lax.port_u16());
            }
        }
    }
}
