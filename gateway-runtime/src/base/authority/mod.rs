//! The authority of a request: host and port of its target URI (RFC 9110 §7.2, RFC 9112 §3.2, RFC
//! 9113 §8.3.1).
//!
//! `http::uri::Authority` accepts what RFC 3986 does not allow in a host (`a{b}`) and does not
//! check ports, so two programs could read one such authority in two ways. [`Authority::parse`] is
//! stricter: one pass, no allocation.

mod error;
#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, Ipv6Addr};

use http::{HeaderMap, Uri, Version, header::HOST, uri::Scheme};

pub(crate) use crate::base::authority::error::AuthorityError;

/// A valid `uri-host [ ":" port ]`, without user information.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Authority<'r> {
    host: &'r str,
    port: Option<u16>,
}

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
                    .ok_or(AuthorityError::UnclosedBracket)?;
                let literal =
                    std::str::from_utf8(&rest[..end]).map_err(|_| AuthorityError::Character)?;
                literal.parse::<Ipv6Addr>().map_err(|_| AuthorityError::Ipv6)?;
                (&text[..end + 2], &rest[end + 1..])
            }
            _ => text.split_at(registered_name(text)?),
        };
        let port = match rest {
            [] => None,
            [b':', digits @ ..] => port(digits)?,
            _ => return Err(AuthorityError::Character),
        };
        Ok(Self { host: std::str::from_utf8(host).map_err(|_| AuthorityError::Character)?, port })
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
            (Some(_), Some(_)) => return Err(AuthorityError::RepeatedHost),
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
            return Err(AuthorityError::MissingHost);
        }
        match (target, host) {
            (Some(target), Some(host))
                if version >= Version::HTTP_2 && !target.is_same(host, uri.scheme()) =>
            {
                Err(AuthorityError::Mismatch)
            }
            (target, host) => Ok(target.or(host)),
        }
    }

    /// Returns the port; none if the authority has none.
    pub(crate) fn port(self) -> Option<u16> {
        self.port
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
                _ => return Err(AuthorityError::PercentEncoding),
            },
            b'@' => return Err(AuthorityError::UserInformation),
            _ => return Err(AuthorityError::Character),
        }
    }
    if at == 0 { Err(AuthorityError::EmptyHost) } else { Ok(at) }
}

/// Parses a port, `*DIGIT` (RFC 3986 §3.2.3); no digits are no port.
fn port(digits: &[u8]) -> Result<Option<u16>, AuthorityError> {
    if digits.is_empty() {
        return Ok(None);
    }
    let is_number = digits.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(digits).ok().filter(|_| is_number);
    number.and_then(|number| number.parse().ok()).map(Some).ok_or(AuthorityError::Port)
}
