//! `Max-Forwards` of TRACE and OPTIONS (RFC 9110 §7.6.2): the number of times that a request may
//! still be forwarded. With 0 it is the gateway's to answer.

use http::{
    HeaderName, HeaderValue, Method, Response,
    header::{CONTENT_TYPE, COOKIE, MAX_FORWARDS, PROXY_AUTHORIZATION},
    request::Parts,
};

use crate::{
    base::{
        body::Body,
        error::{Code, Error},
    },
    edge::{dispatch::hop_by_hop::CREDENTIALS, request::allow},
};

/// The value of `Allow` in the gateway's own response to OPTIONS.
const ALLOWED: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE";

/// Counts a request as forwarded once more. Returns the gateway's own response to one that must not
/// be forwarded.
///
/// # Errors
///
/// `invalid-request` for a value that is not one number.
pub(super) fn count(head: &mut Parts) -> Result<Option<Response<Body>>, Error> {
    if !matches!(head.method, Method::TRACE | Method::OPTIONS) {
        return Ok(None);
    }
    let mut values = head.headers.get_all(MAX_FORWARDS).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let number = value.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let number = number.and_then(|text| text.parse::<u32>().ok());
    let (Some(number), None) = (number, values.next()) else {
        return Err(Error::new(Code::INVALID_REQUEST, "`Max-Forwards` is not one number"));
    };
    if let Some(rest) = number.checked_sub(1) {
        head.headers.insert(MAX_FORWARDS, rest.into());
        return Ok(None);
    }
    Ok(Some(match head.method {
        Method::TRACE => trace(head),
        _ => allow::options(ALLOWED).map(Body::from),
    }))
}

/// Returns the response to TRACE: the request as it was received, without credentials (RFC 9110
/// §9.3.8).
fn trace(head: &Parts) -> Response<Body> {
    let is_secret = |name: &HeaderName| {
        CREDENTIALS.contains(name) || *name == COOKIE || *name == PROXY_AUTHORIZATION
    };
    let mut text = format!("TRACE {} {:?}\r\n", head.uri, head.version).into_bytes();
    for (name, value) in head.headers.iter().filter(|(name, _)| !is_secret(name)) {
        text.extend_from_slice(name.as_str().as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b"\r\n");
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("message/http"));
    response
}
