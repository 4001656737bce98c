//! The input of a call: the query string or a JSON body of the request, not parsed yet.

use bytes::Bytes;
use http::{HeaderMap, Uri};

use crate::{
    base::{body::BoxError, call::Input, error::Error},
    edge::request::json_body::{BodyLimits, read_json},
    service::registry::Method,
};

/// Returns the input of a call. For a method that declares no input, body and query are not read.
///
/// # Errors
///
/// `unsupported-media-type`, `payload-too-large`, `request-timeout`, `overloaded`, or
/// `invalid-request` for an incomplete body.
pub(super) async fn input<B>(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: B,
    limits: BodyLimits,
) -> Result<Input, Error>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    if method.input.is_none() {
        return Ok(Input::None);
    }
    if method.spec.verb.has_query_input() {
        return Ok(Input::Query(uri.query().unwrap_or_default().into()));
    }
    read_json(headers, body, limits).await.map(Input::Json)
}

/// Returns whether the input of `method` is in the body.
pub(super) fn reads_body(method: &Method) -> bool {
    method.input.is_some() && !method.spec.verb.has_query_input()
}
