//! Which header fields cross the bus: those that are meant for the other end, not for the connection (RFC 9110 §7.6.1).

use http::{HeaderMap, HeaderName, header};

/// Of WASP's making.
pub(super) const METHOD: &str = "X-WASP-METHOD";
pub(super) const QUERY: &str = "X-WASP-QS";
/// What the gateway says itself begins with one of these, whatever a client says.
const OURS: [&str; 2] = ["x-wasp-", "x-gateway-"];

/// What belongs to one connection, or to how a message is cut into bytes on it.
const OF_THE_CONNECTION: [HeaderName; 10] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
];

/// Whether a field of this name crosses; `connection` are the other names that belong to the connection.
pub(super) fn crosses(name: &HeaderName, connection: &[HeaderName]) -> bool {
    !OF_THE_CONNECTION.contains(name)
        && name != "proxy-connection"
        && !connection.contains(name)
        && !OURS.iter().any(|prefix| name.as_str().starts_with(prefix))
}

/// The names that `Connection` tells.
pub(super) fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let values = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).filter_map(|name| name.trim().parse().ok()).collect()
}
