//! The head of a request in HTTP/2: connection-specific fields are not sent (RFC 9113 §8.2.2), and
//! `Host` is `:authority` (§8.3.1).

use http::{
    HeaderValue, Request, Version,
    header::{CONNECTION, HOST, TE, TRANSFER_ENCODING, UPGRADE},
    request::Parts,
    uri::{self, PathAndQuery, Uri},
};

use crate::edge::proxy::connection::http2::place::Origin;

/// Translates the head of a request as it would be sent over HTTP/1.1.
pub(super) fn translate(mut head: Parts, origin: &Origin) -> Request<()> {
    for name in [CONNECTION, HOST, TRANSFER_ENCODING, UPGRADE] {
        head.headers.remove(name);
    }
    if let Some(te) = head.headers.get_mut(TE) {
        *te = HeaderValue::from_static("trailers");
    }
    let mut parts = uri::Parts::default();
    parts.scheme = Some(origin.scheme.clone());
    parts.authority = Some(origin.authority.clone());
    parts.path_and_query =
        Some(head.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/")));
    // All three parts are there, so the URI is valid.
    head.uri = Uri::from_parts(parts).unwrap_or_default();
    head.version = Version::HTTP_2;
    Request::from_parts(head, ())
}
