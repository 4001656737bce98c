//! The address of an instance, from its URL.

use std::{fmt, net::SocketAddr};

use http::{HeaderValue, Uri};

use crate::base::authority::Authority;

/// The highest weight of an instance.
pub(super) const MAX_WEIGHT: u16 = 1_000;

/// The address of an instance: where to connect to, and by which name it is called.
///
/// ```
/// use gateway_runtime::resolver::Endpoint;
///
/// let endpoint = Endpoint::parse("http://reports.internal:9000")?.with_weight(3);
/// assert_eq!(endpoint.address(), "reports.internal:9000");
/// assert_eq!(endpoint.weight(), 3);
/// assert!(Endpoint::parse("http://reports.internal:9000/v1").is_err(), "a path");
/// # Ok::<(), gateway_runtime::resolver::InvalidEndpoint>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Endpoint {
    is_secure: bool,
    /// The value of `Host`.
    authority: HeaderValue,
    /// The host of the URL, without brackets: the name of a TLS certificate.
    host: String,
    address: String,
    weight: u16,
    priority: u16,
}

/// The reason why a URL is not that of an instance.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct InvalidEndpoint(&'static str);

impl Endpoint {
    /// Parses the URL of an instance: `http://host:port` or `https://host:port`. The port may be
    /// left out.
    ///
    /// # Errors
    ///
    /// Fails for other schemes, and for a URL with a path, a query, or user information.
    pub fn parse(url: &str) -> Result<Self, InvalidEndpoint> {
        let uri: Uri = url.parse().map_err(|_| InvalidEndpoint("is not a URL"))?;
        let (is_secure, port) = match uri.scheme_str() {
            Some("http") => (false, 80),
            Some("https") => (true, 443),
            _ => return Err(InvalidEndpoint("has neither the scheme `http` nor `https`")),
        };
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(InvalidEndpoint("has a path"));
        }
        let text = uri.authority().ok_or(InvalidEndpoint("has no host"))?.as_str();
        let no_host = |_| InvalidEndpoint("has no valid host");
        let parsed = Authority::parse(text.as_bytes()).map_err(no_host)?;
        let authority =
            HeaderValue::from_str(text).map_err(|_| InvalidEndpoint("has no valid host"))?;
        let port = parsed.port().unwrap_or(port);
        let host = parsed.host();
        Ok(Self {
            is_secure,
            authority,
            address: format!("{host}:{port}"),
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            weight: 1,
            priority: 0,
        })
    }

    /// Sets the address to connect to; the name stays that of the URL.
    #[must_use]
    pub fn with_address(self, address: SocketAddr) -> Self {
        Self { address: address.to_string(), ..self }
    }

    /// Sets the share of requests beside other instances: 1 to 1000; 1 by default.
    #[must_use]
    pub fn with_weight(self, weight: u16) -> Self {
        Self { weight: weight.clamp(1, MAX_WEIGHT), ..self }
    }

    /// Sets the priority: instances of a higher number get requests only while none of a lower
    /// number is well (RFC 2782); 0 by default.
    #[must_use]
    pub fn with_priority(self, priority: u16) -> Self {
        Self { priority, ..self }
    }

    /// Returns whether the instance speaks TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// Returns the value of `Host`: the authority of the URL.
    #[must_use]
    pub fn authority(&self) -> &HeaderValue {
        &self.authority
    }

    /// Returns the host of the URL, an IPv6 address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns `host:port` to connect to.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns the weight.
    #[must_use]
    pub fn weight(&self) -> u16 {
        self.weight
    }

    /// Returns the priority.
    #[must_use]
    pub fn priority(&self) -> u16 {
        self.priority
    }
}

impl fmt::Display for InvalidEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for InvalidEndpoint {}
