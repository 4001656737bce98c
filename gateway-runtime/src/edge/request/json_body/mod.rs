//! JSON bodies: the media type, and the reading of the body within its limits.

#[cfg(test)]
mod tests;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, header};

use crate::base::{
    body::{BodyError, BoxError, Charge, read_body_within, refuse_coded},
    error::{Code, Error},
};

/// The limits on reading a body: its size and the time, and the charge on the budget of buffered
/// bytes.
pub(in crate::edge) struct BodyLimits {
    /// The maximum size, in bytes.
    pub(in crate::edge) bytes: usize,
    /// The time limit for receiving the body.
    pub(in crate::edge) timeout: Duration,
    /// The charge for the buffered bytes.
    pub(in crate::edge) charge: Charge,
}

/// Reads a JSON body to its end. An empty body needs no media type.
///
/// # Errors
///
/// `unsupported-media-type`, and the errors of [`read`].
pub(in crate::edge) async fn read_json<B>(
    headers: &HeaderMap,
    body: B,
    limits: BodyLimits,
) -> Result<Bytes, Error>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    // Checked before the body is polled, so a client that waits for `100 Continue` need not send it
    // (RFC 9110 §10.1.1).
    let is_declared = check_media(headers)?;
    require_declared(is_declared, read(body, limits).await?)
}

/// Checks the media type of a body that has been read.
///
/// # Errors
///
/// `unsupported-media-type`.
pub(in crate::edge) fn checked_json(headers: &HeaderMap, body: Bytes) -> Result<Bytes, Error> {
    require_declared(check_media(headers)?, body)
}

/// Reads a body to its end.
///
/// # Errors
///
/// `payload-too-large`, `request-timeout`, `overloaded`, or `invalid-request` for an incomplete
/// body.
pub(in crate::edge) async fn read<B>(body: B, limits: BodyLimits) -> Result<Bytes, Error>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let BodyLimits { bytes, timeout, charge } = limits;
    read_body_within(body, bytes, timeout, charge).await.map_err(BodyError::into_error)
}

fn require_declared(is_declared: bool, body: Bytes) -> Result<Bytes, Error> {
    if is_declared || body.is_empty() {
        return Ok(body);
    }
    Err(unsupported("missing header `Content-Type`; send application/json"))
}

/// Checks the media type of a body, and returns whether one is declared.
///
/// # Errors
///
/// `unsupported-media-type` for other types than JSON in UTF-8, and for compressed bodies.
fn check_media(headers: &HeaderMap) -> Result<bool, Error> {
    refuse_coded(headers)?;
    let Some(media) = headers.get(header::CONTENT_TYPE) else { return Ok(false) };
    // Nearly all clients send this value, which needs no parsing.
    if media == "application/json" || media.to_str().is_ok_and(is_json) {
        return Ok(true);
    }
    Err(unsupported(
        "unsupported `Content-Type`; send application/json, or a type that ends in +json, in UTF-8",
    ))
}

/// Returns whether a media type is `application/json` or has the suffix `+json` (RFC 6839 §3.1),
/// and declares no charset but UTF-8 (RFC 8259 §8.1).
fn is_json(media: &str) -> bool {
    let mut parts = media.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let suffix = name.len().checked_sub("+json".len()).and_then(|at| name.get(at..));
    let is_json = name.eq_ignore_ascii_case("application/json")
        || (name.contains('/')
            && suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case("+json")));
    let is_charset = |name: &str| name.trim().eq_ignore_ascii_case("charset");
    let utf_8 =
        |name: &str| name.eq_ignore_ascii_case("utf-8") || name.eq_ignore_ascii_case("utf8");
    let mut parameters = parts.filter_map(|parameter| parameter.split_once('='));
    is_json
        && parameters
            .all(|(name, value)| !is_charset(name) || utf_8(value.trim().trim_matches('"')))
}

fn unsupported(detail: &'static str) -> Error {
    Error::new(Code::UNSUPPORTED_MEDIA_TYPE, detail)
}
