//! The methods of an address (RFC 9110 §9.3.7, §10.2.1).

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header, request::Parts};

use crate::base::error::{Code, Error};

/// The value of `Allow` for the server as a whole.
const ANY: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// Returns the response to `OPTIONS *`, which is about the server as a whole (RFC 9110 §9.3.7);
/// `None` for other requests.
pub(in crate::edge) fn server_options(head: &Parts) -> Option<Response<Bytes>> {
    let is_of_server = head.uri.path() == "*" && head.method == Method::OPTIONS;
    is_of_server.then(|| options(ANY))
}

/// Returns the response to OPTIONS, with `Allow`.
pub(in crate::edge) fn options(allowed: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    response
}

/// Creates `method-not-allowed`, with the methods that are allowed.
pub(in crate::edge) fn method_not_allowed(allowed: &'static str) -> Error {
    let detail = format!("method not allowed; use {allowed}");
    Error::new(Code::METHOD_NOT_ALLOWED, detail).with_allow(allowed)
}
