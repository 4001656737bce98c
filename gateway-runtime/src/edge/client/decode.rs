//! Decoding of replies: the value, the stream, or the error.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;

use crate::edge::client::{ClientError, Expected, Problem, TransportResponse, ndjson::NDJSON};

pub(super) fn unexpected(status: u16, expected: &str, media: &str) -> ClientError {
    let media = if media.is_empty() { "no type" } else { media };
    let why =
        format!("expected {expected}, got {media}; check whether the address is the gateway's");
    ClientError::InvalidResponse { status: Some(status), why }
}

/// Decodes the problem of a response.
pub(super) fn problem(status: u16, media: &str, retry_after: &str, body: &[u8]) -> ClientError {
    let unreadable =
        |why: &str| ClientError::InvalidResponse { status: Some(status), why: why.to_owned() };
    if !is_json(media) {
        return unreadable(
            "not a problem of the gateway; check whether the address is the gateway's",
        );
    }
    let Ok(mut problem) = serde_json::from_slice::<Problem>(body) else {
        return unreadable(
            "a problem without a code, not the gateway's; check whether the address is the \
             gateway's",
        );
    };
    problem.status = status;
    problem.retry_after = retry_after.parse().ok().map(Duration::from_secs);
    ClientError::Problem(Box::new(problem))
}

/// Decodes a reply that arrived whole, in one message.
///
/// # Errors
///
/// The problem in the reply, or the reason why it is not valid.
pub(super) fn decode_reply(
    status: u16,
    media: &str,
    retry_after: &str,
    body: Bytes,
    expected: Expected,
) -> Result<TransportResponse, ClientError> {
    match expected {
        _ if !(200..=299).contains(&status) => Err(problem(status, media, retry_after, &body)),
        Expected::Value if status == 204 || body.is_empty() => Ok(TransportResponse::Empty),
        Expected::Value if is_json(media) => Ok(TransportResponse::Json(body)),
        Expected::Bytes(_) => {
            Ok(TransportResponse::Bytes(media.to_owned(), Box::pin(stream::iter([Ok(body)]))))
        }
        Expected::Value => Err(unexpected(status, "application/json", media)),
        Expected::Items => Err(unexpected(status, NDJSON, media)),
    }
}

/// Returns whether a media type is JSON, or has the suffix `+json` (RFC 6839 §3.1).
pub(super) fn is_json(media: &str) -> bool {
    let essence = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || essence.ends_with("+json")
}
