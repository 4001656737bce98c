//! Decoding of responses and replies: the value, the stream, or the error.

use std::time::Duration;

use ::http::{
    HeaderMap,
    header::{CONTENT_TYPE, HeaderName, RETRY_AFTER},
};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};

use crate::{
    edge::client::{
        ClientError, Expected, Problem, TransportResponse,
        ndjson::{NDJSON, NdjsonDecoder},
        transport::ByteStream,
    },
    provider::{error_chain, is_not_sent},
};

/// The maximum size of a JSON value, in bytes.
const MAX_VALUE: usize = 64 << 20;

/// The maximum size of a problem, in bytes.
const MAX_PROBLEM: usize = 1 << 20;

/// Decodes the response to a call.
///
/// # Errors
///
/// The problem in the response, or the reason why it is not a valid reply.
pub(super) async fn read(
    response: reqwest::Response,
    expected: Expected,
) -> Result<TransportResponse, ClientError> {
    let status = response.status();
    if !status.is_success() {
        return Err(failure(response).await);
    }
    let media = text(response.headers(), CONTENT_TYPE).to_owned();
    let is_empty = status.as_u16() == 204 || response.content_length() == Some(0);
    match expected {
        Expected::Value if is_empty => Ok(TransportResponse::Empty),
        Expected::Value if is_json(&media) => {
            Ok(TransportResponse::Json(whole(response, MAX_VALUE).await?))
        }
        Expected::Items if names(&media, NDJSON) => {
            Ok(TransportResponse::Items(Box::pin(NdjsonDecoder::new(pieces(response)))))
        }
        Expected::Bytes(_) => Ok(TransportResponse::Bytes(media, pieces(response))),
        Expected::Value => Err(unexpected(status.as_u16(), "application/json", &media)),
        Expected::Items => Err(unexpected(status.as_u16(), NDJSON, &media)),
    }
}

fn unexpected(status: u16, expected: &str, media: &str) -> ClientError {
    let media = if media.is_empty() { "no type" } else { media };
    let why =
        format!("expected {expected}, got {media}; check whether the address is the gateway's");
    ClientError::InvalidResponse { status: Some(status), why }
}

/// Returns the error in a response whose status is no success.
async fn failure(response: reqwest::Response) -> ClientError {
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let media = text(&headers, CONTENT_TYPE);
    let retry_after = text(&headers, RETRY_AFTER);
    // The body is read only if it may be a problem.
    let body = if is_json(media) { whole(response, MAX_PROBLEM).await } else { Ok(Bytes::new()) };
    match body {
        Ok(body) => problem(status, media, retry_after, &body),
        Err(ClientError::Ambiguous(why)) => {
            ClientError::InvalidResponse { status: Some(status), why }
        }
        Err(error) => error,
    }
}

/// Decodes the problem of a response.
fn problem(status: u16, media: &str, retry_after: &str, body: &[u8]) -> ClientError {
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

/// Reads a whole body of at most `limit` bytes.
async fn whole(response: reqwest::Response, limit: usize) -> Result<Bytes, ClientError> {
    let status = response.status().as_u16();
    let mut pieces = pieces(response);
    let mut body = BytesMut::new();
    while let Some(piece) = pieces.next().await {
        body.extend_from_slice(&piece?);
        if body.len() > limit {
            let why = format!("longer than {} MiB", limit >> 20);
            return Err(ClientError::InvalidResponse { status: Some(status), why });
        }
    }
    Ok(body.freeze())
}

/// Returns a body as a stream, in which an aborted connection is an error.
fn pieces(response: reqwest::Response) -> ByteStream {
    Box::pin(response.bytes_stream().map(|piece| {
        piece.map_err(|error| {
            ClientError::Ambiguous(format!("the response was cut off: {}", error_chain(error)))
        })
    }))
}

/// Returns the error for a request without a response.
pub(super) fn transport_error(error: reqwest::Error) -> ClientError {
    match () {
        () if error.is_builder() => ClientError::InvalidRequest(error_chain(error)),
        () if error.is_connect() || is_not_sent(&error) => ClientError::NotSent(error_chain(error)),
        () => ClientError::Ambiguous(error_chain(error)),
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn names(media: &str, name: &str) -> bool {
    media.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case(name))
}

/// Returns whether a media type is JSON, or has the suffix `+json` (RFC 6839 §3.1).
fn is_json(media: &str) -> bool {
    let essence = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || essence.ends_with("+json")
}
