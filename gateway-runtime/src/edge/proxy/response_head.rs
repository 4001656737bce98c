//! The head of an instance's response: checked for framing that could be read two ways, and
//! without the fields of its connection.

use http::{
    HeaderValue, Method, StatusCode, Version,
    header::{CONTENT_LENGTH, TRAILER, TRANSFER_ENCODING},
    response::Parts,
};

use crate::{
    base::error::Error,
    edge::{
        dispatch::hop_by_hop::remove_hop_by_hop,
        proxy::{error, trailers},
    },
};

/// Checks the framing of a response (SEMANTICS §10: the same strictness as for requests).
///
/// # Errors
///
/// `upstream-failed` for a length beside a transfer coding, more than one length, another transfer
/// coding than `chunked`, a coding in HTTP/1.0, and a switch of protocols that nobody requested.
pub(super) fn check(head: &Parts, is_websocket: bool) -> Result<(), Error> {
    let mut codings = head.headers.get_all(TRANSFER_ENCODING).iter();
    let mut lengths = head.headers.get_all(CONTENT_LENGTH).iter();
    let (length, second_length) = (lengths.next(), lengths.next());
    if let Some(coding) = codings.next() {
        if length.is_some() {
            return Err(error::malformed("the response has a length and a transfer coding"));
        }
        if codings.next().is_some() || !coding.as_bytes().eq_ignore_ascii_case(b"chunked") {
            return Err(error::malformed("the response has another coding than `chunked`"));
        }
        if head.version < Version::HTTP_11 {
            return Err(error::malformed("the response of HTTP/1.0 has a transfer coding"));
        }
    }
    if second_length.is_some() {
        return Err(error::malformed("the response has more than one length"));
    }
    if length.is_some_and(|length| !is_decimal(length)) {
        return Err(error::malformed("the response has an invalid length"));
    }
    if head.status == StatusCode::SWITCHING_PROTOCOLS && !is_websocket {
        return Err(error::malformed("the response switches protocols without being asked to"));
    }
    Ok(())
}

/// Returns whether the connection may take another request after a response: not after one of
/// HTTP/1.0, to which the library would send no body of unknown length, and not after a 204 that
/// declares a body, whose bytes would be read as the next response.
pub(super) fn may_reuse_connection(head: &Parts) -> bool {
    let declares_body = || {
        head.headers.contains_key(TRANSFER_ENCODING)
            || head.headers.get(CONTENT_LENGTH).is_some_and(|length| length.as_bytes() != b"0")
    };
    head.version == Version::HTTP_11 && (head.status != StatusCode::NO_CONTENT || !declares_body())
}

/// Returns whether a length has digits alone (RFC 9110 §8.6), no sign and no list.
fn is_decimal(length: &HeaderValue) -> bool {
    !length.is_empty() && length.as_bytes().iter().all(u8::is_ascii_digit)
}

/// Removes the fields that are not forwarded. The length in a response to HEAD, and in a 304, is
/// that of another response (RFC 9110 §8.6), and stays; a body's own is written anew.
pub(super) fn strip(head: &mut Parts, method: &Method) {
    let is_of_other = *method == Method::HEAD || head.status == StatusCode::NOT_MODIFIED;
    let length = head.headers.get(CONTENT_LENGTH).filter(|_| is_of_other).cloned();
    let trailer = trailers::announced(&head.headers);
    remove_hop_by_hop(&mut head.headers, |_| false);
    if let Some(length) = length {
        head.headers.insert(CONTENT_LENGTH, length);
    }
    if let Some(trailer) = trailer {
        head.headers.insert(TRAILER, trailer);
    }
}
