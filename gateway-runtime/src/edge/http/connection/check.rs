//! The checks of a request head that hyper leaves to its user, on every listener and before any
//! handler.
//!
//! SEMANTICS §10: "`Host`: exactly one, valid". A head that "could be read two ways" gets 400 and a
//! close.

use http::{HeaderValue, Request, Response, Version, header, uri::Scheme};
use http_body::Body as _;
use hyper::body::Incoming;

use crate::{
    base::{
        authority::Authority,
        body::Body,
        error::{Code, Error},
    },
    edge::http::connection::{Peer, refusal},
};

/// Returns the response to a malformed request, which must not reach a handler.
pub(super) fn check(request: &Request<Incoming>, peer: &Peer) -> Option<Response<Body>> {
    check_head(request).err().map(|error| refusal::respond(&error, request, peer))
}

/// Checks the scheme, the authority and the transfer codings of a request.
fn check_head(request: &Request<Incoming>) -> Result<(), Error> {
    let scheme = request.uri().scheme();
    if scheme.is_some_and(|scheme| *scheme != Scheme::HTTP && *scheme != Scheme::HTTPS) {
        return Err(Error::new(
            Code::INVALID_REQUEST,
            "the scheme of the request target is neither `http` nor `https`",
        ));
    }
    let authority = Authority::effective(request.version(), request.uri(), request.headers());
    authority.map_err(|error| Error::new(Code::INVALID_REQUEST, error.detail()))?;
    // Only a body of unknown length has a transfer coding, and HTTP/2 has none.
    let has_coding =
        request.version() < Version::HTTP_2 && request.body().size_hint().exact().is_none();
    if has_coding { check_codings(request) } else { Ok(()) }
}

/// Allows the only unambiguous form: `chunked`, once (RFC 9112 §6.1). hyper accepts any list that
/// ends in `chunked`, and passes the content on with all other codings still applied.
fn check_codings(request: &Request<Incoming>) -> Result<(), Error> {
    let mut fields = request.headers().get_all(header::TRANSFER_ENCODING).iter();
    let is_chunked = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"chunked");
    if fields.next().is_some_and(is_chunked) && fields.next().is_none() {
        return Ok(());
    }
    let lines = request.headers().get_all(header::TRANSFER_ENCODING).iter();
    let mut codings = lines.flat_map(|value| value.as_bytes().split(|&byte| byte == b','));
    if codings.all(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"chunked")) {
        return Err(Error::new(
            Code::INVALID_REQUEST,
            "the transfer coding `chunked` is applied more than once",
        ));
    }
    Err(Error::new(refusal::NOT_IMPLEMENTED, "the only transfer coding is `chunked`"))
}
