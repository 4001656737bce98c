//! The text that names a service in DNS.

use std::{fmt, net::IpAddr};

/// The maximum length of a name without its final dot (RFC 1035 §2.3.4).
const MAX_NAME_LEN: usize = 253;

/// The maximum length of a label (RFC 1035 §2.3.4).
const MAX_LABEL_LEN: usize = 63;

/// A service in DNS: `name:port` or `_service._proto.name`, behind `http://` (the default) or
/// `https://`. The port may be left out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct DnsService {
    pub(super) is_secure: bool,
    /// The name as written, without a final dot.
    pub(super) name: String,
    /// The name ended with a dot, and has no search domains.
    pub(super) is_absolute: bool,
    /// The port of a service that is found by its addresses; none for one that is found by SRV
    /// records.
    pub(super) port: Option<u16>,
}

/// The reason why a text does not name a service in DNS.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct InvalidDnsService(&'static str);

impl DnsService {
    /// Parses the text that names a service.
    ///
    /// # Errors
    ///
    /// Fails for other schemes, IP addresses, a path, and names that are invalid.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidDnsService> {
        let (is_secure, rest) = match text.split_once("://") {
            None => (false, text),
            Some(("http", rest)) => (false, rest),
            Some(("https", rest)) => (true, rest),
            Some(_) => {
                return Err(InvalidDnsService("has neither the scheme `http` nor `https`"));
            }
        };
        if rest.starts_with('[') || rest.parse::<IpAddr>().is_ok() {
            return Err(InvalidDnsService("is an address; addresses belong in `urls`"));
        }
        let (written, port) = match rest.split_once(':') {
            None => (rest, None),
            Some((name, port)) => (name, Some(parse_port(port)?)),
        };
        let (name, is_absolute) = match written.strip_suffix('.') {
            None => (written, false),
            Some(name) => (name, true),
        };
        check_name(name)?;
        let port = match (is_srv(name)?, port) {
            (true, None) => None,
            (true, Some(_)) => {
                return Err(InvalidDnsService("has a port, which SRV records have themselves"));
            }
            (false, port) => Some(port.unwrap_or(default_port(is_secure))),
        };
        Ok(Self { is_secure, name: name.to_owned(), is_absolute, port })
    }

    /// Returns the URL of an instance of this name; the port of the scheme is left out.
    pub(super) fn url(&self, name: &str, port: u16) -> String {
        let scheme = if self.is_secure { "https" } else { "http" };
        if port == default_port(self.is_secure) {
            return format!("{scheme}://{name}");
        }
        format!("{scheme}://{name}:{port}")
    }
}

fn default_port(is_secure: bool) -> u16 {
    if is_secure { 443 } else { 80 }
}

fn parse_port(text: &str) -> Result<u16, InvalidDnsService> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let port = text.parse().ok().filter(|&port| is_number && port > 0);
    port.ok_or(InvalidDnsService("has no valid port, 1 to 65535"))
}

fn check_name(name: &str) -> Result<(), InvalidDnsService> {
    if name.parse::<IpAddr>().is_ok() {
        return Err(InvalidDnsService("is an address; addresses belong in `urls`"));
    }
    if !name.is_ascii() {
        return Err(InvalidDnsService("is not ASCII; write the `xn--` form of the name"));
    }
    let is_valid = |label: &str| {
        (1..=MAX_LABEL_LEN).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if name.len() > MAX_NAME_LEN || !name.split('.').all(is_valid) {
        return Err(InvalidDnsService("is not a valid name"));
    }
    Ok(())
}

/// Returns whether a name is that of SRV records: `_service._proto.name` (RFC 2782).
fn is_srv(name: &str) -> Result<bool, InvalidDnsService> {
    let mut labels = name.split('.');
    if !name.starts_with('_') {
        return Ok(false);
    }
    let has_protocol = labels.nth(1).is_some_and(|label| label.starts_with('_'));
    if has_protocol && labels.next().is_some() {
        return Ok(true);
    }
    Err(InvalidDnsService("is not of the form `_service._proto.name`"))
}

impl fmt::Display for InvalidDnsService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for InvalidDnsService {}
