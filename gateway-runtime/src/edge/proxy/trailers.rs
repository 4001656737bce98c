//! Trailer fields (RFC 9110 §6.5): those of framing, routing and authentication are not forwarded.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header::TRAILER};
use http_body::Frame;
use smallvec::SmallVec;

use crate::edge::dispatch::hop_by_hop::{connection_options, is_end_to_end};

/// The prefix of the fields that tell an instance about the client.
pub(super) const FORWARDED_PREFIX: &str = "x-forwarded-";

/// Fields that must not be trailers (RFC 9110 §6.5.1), besides those of a connection.
const FORBIDDEN: [&str; 10] = [
    "authorization",
    "cache-control",
    "content-encoding",
    "content-range",
    "content-type",
    "cookie",
    "host",
    "set-cookie",
    "x-api-key",
    "x-request-id",
];

fn may_be_sent(name: &HeaderName) -> bool {
    is_end_to_end(name, &[])
        && !FORBIDDEN.contains(&name.as_str())
        && !name.as_str().starts_with(FORWARDED_PREFIX)
}

/// Returns the announced trailer fields that are forwarded; none without any.
pub(super) fn announced(headers: &HeaderMap) -> Option<HeaderValue> {
    let announced = headers.get_all(TRAILER).iter().map(HeaderValue::as_bytes);
    let names: Vec<_> = connection_options(announced).into_iter().filter(may_be_sent).collect();
    let text = names.iter().map(HeaderName::as_str).collect::<Vec<_>>().join(", ");
    if text.is_empty() { None } else { HeaderValue::from_str(&text).ok() }
}

/// Returns a frame without the trailer fields that are not forwarded.
pub(super) fn filtered(frame: Frame<Bytes>) -> Frame<Bytes> {
    let mut trailers = match frame.into_trailers() {
        Ok(trailers) => trailers,
        Err(data) => return data,
    };
    let removed: SmallVec<[HeaderName; 4]> =
        trailers.keys().filter(|name| !may_be_sent(name)).cloned().collect();
    for name in removed {
        trailers.remove(name);
    }
    Frame::trailers(trailers)
}
