//! Decoding of HTTP responses, whose bodies arrive in pieces.

use ::http::{
    HeaderMap,
    header::{CONTENT_TYPE, HeaderName, RETRY_AFTER},
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;

use crate::{
    edge::client::{
        ClientError, Expected, TransportResponse,
        decode::{is_json, problem, unexpected},
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
