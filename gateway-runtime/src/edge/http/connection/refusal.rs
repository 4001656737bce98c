//! Responses to requests that no handler receives: problems (RFC 9457) as all others, with an
//! `X-Request-Id`.
//!
//! hyper itself responds, without a body, to a head that it cannot parse.
//! [`ClientSocket`](super::socket::ClientSocket) holds that response back, and [`Unread::encode`]
//! replaces it by a problem.

use std::time::SystemTime;

use http::{
    HeaderValue, Method, Request, Response, StatusCode, Version, header::CONNECTION, request::Parts,
};
use hyper::ext::Protocol;

use crate::{
    base::{
        body::Body,
        call::Origin,
        error::{Code, Error},
        problem,
    },
    edge::{
        http::{
            HttpLimits,
            connection::{Peer, framing::Violation},
            request_context::RequestContext,
        },
        request::request_id::REQUEST_ID,
    },
};

/// 414: the request target is longer than the server reads.
const URI_TOO_LONG: Code = Code::new("uri-too-long", 414, "URI too long");
/// 431: the request head exceeds the limits.
pub(in crate::edge::http) const HEADER_TOO_LARGE: Code =
    Code::new("header-too-large", 431, "Header too large");
/// 501: a transfer coding that the server does not implement.
pub(super) const NOT_IMPLEMENTED: Code = Code::new("not-implemented", 501, "Not implemented");
/// 505: a version of HTTP that the server does not support.
const VERSION_NOT_SUPPORTED: Code =
    Code::new("version-not-supported", 505, "HTTP version not supported");

/// The codes of the protocol, which no method returns.
pub(in crate::edge::http) const CODES: [Code; 4] =
    [URI_TOO_LONG, HEADER_TOO_LARGE, NOT_IMPLEMENTED, VERSION_NOT_SUPPORTED];

/// Returns the response to a parsed request that is refused, and writes its log line. An HTTP/1.1
/// connection closes: if the head can be read two ways, so can the bytes after it.
pub(super) fn respond<B>(error: &Error, request: &Request<B>, peer: &Peer) -> Response<Body> {
    let path = request.uri().path();
    let context = RequestContext::now(request.headers().get(REQUEST_ID), peer.clone());
    context.log(error, Origin::Http, Some((request.method(), path)));
    let mut response = problem::respond(error, path, &context.id).map(Body::from);
    response.headers_mut().insert(REQUEST_ID, context.id.header());
    if request.version() < Version::HTTP_2 {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// A request head that could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// The status with which hyper would respond to a head that it cannot parse, and the violation
    /// if the framing guard found one.
    Refused(StatusCode, Option<Violation>),
    /// The head did not arrive in time.
    Late,
}

impl Unread {
    /// Returns the error to respond with.
    fn error(self, limits: &HttpLimits) -> Error {
        let (code, detail) = match self {
            Self::Late => {
                let detail =
                    format!("the request head did not arrive within {:?}", limits.header_timeout);
                return Error::new(Code::REQUEST_TIMEOUT, detail);
            }
            Self::Refused(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, _) => {
                return header_too_large(limits);
            }
            Self::Refused(StatusCode::URI_TOO_LONG, _) => {
                (URI_TOO_LONG, "the request target is too long")
            }
            Self::Refused(_, Some(Violation::Version)) => {
                (VERSION_NOT_SUPPORTED, Violation::Version.detail())
            }
            Self::Refused(_, Some(violation)) => (Code::INVALID_REQUEST, violation.detail()),
            Self::Refused(_, None) => {
                (Code::INVALID_REQUEST, "the request head is not valid HTTP/1.1")
            }
        };
        Error::new(code, detail)
    }

    /// Encodes the response, and writes its log line. `has_body` is false for the response to HEAD.
    pub(super) fn encode(self, limits: &HttpLimits, peer: &Peer, has_body: bool) -> Vec<u8> {
        let error = self.error(limits);
        let context = RequestContext::now(None, peer.clone());
        context.log(&error, Origin::Http, None);
        let response = problem::respond(&error, "", &context.id);
        let (status, body) = (response.status(), response.body());
        let date = httpdate::fmt_http_date(SystemTime::now());
        let reason = status.canonical_reason().unwrap_or_default();
        let id = context.id.as_str();
        let head = format!(
            "HTTP/1.1 {} {reason}\r\ncontent-type: application/problem+json\r\n\
             content-length: {}\r\nconnection: close\r\nx-request-id: {id}\r\ndate: {date}\r\n\r\n",
            status.as_u16(),
            body.len()
        );
        let mut bytes = head.into_bytes();
        if has_body {
            bytes.extend_from_slice(body);
        }
        bytes
    }
}

/// Checks the protocol of CONNECT: the gateway is no tunnel to anywhere, and has no protocol over
/// HTTP/2 but the WebSocket (RFC 8441).
///
/// # Errors
///
/// `invalid-request` for CONNECT without a protocol, `not-implemented` for one with another
/// protocol (RFC 9220 §3).
pub(in crate::edge::http) fn check_connect(head: &Parts) -> Result<(), Error> {
    if head.method != Method::CONNECT {
        return Ok(());
    }
    match head.extensions.get::<Protocol>().map(Protocol::as_str) {
        Some("websocket") => Ok(()),
        Some(_) => Err(Error::new(NOT_IMPLEMENTED, "the only protocol of CONNECT is `websocket`")),
        None => Err(Error::new(Code::INVALID_REQUEST, "CONNECT is not supported")),
    }
}

/// Creates the error of a head over the limits.
pub(super) fn header_too_large(limits: &HttpLimits) -> Error {
    let HttpLimits { header_bytes, header_count, .. } = limits;
    let detail =
        format!("the request head has more than {header_bytes} bytes or {header_count} fields");
    Error::new(HEADER_TOO_LARGE, detail)
}
