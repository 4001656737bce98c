//! Encoding of a method's reply as a response. `X-Request-Id` is added to all responses in one
//! place, the handler.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

use crate::{
    base::{body::Body, reply::Reply},
    edge::http::{
        request_context::RequestContext,
        stream::{self, StreamFormat},
    },
};

/// Returns the response for `reply`. Streams of items are written as `form`, and have
/// `drain_timeout` to end when the server shuts down.
pub(super) fn response(
    reply: Reply,
    form: StreamFormat,
    instance: &str,
    context: &RequestContext,
    drain_timeout: Duration,
) -> Response<Body> {
    let (media, body, streams) = match reply {
        Reply::Empty => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            return response;
        }
        Reply::Json(json) => {
            (HeaderValue::from_static("application/json"), Body::from(json), false)
        }
        Reply::Raw(name, bytes) => (media(name), Body::from(bytes), false),
        Reply::RawStream(name, chunks) => (media(name), stream::raw(chunks), true),
        Reply::Items(chunks) => {
            let shutdown = stream::shutdown_deadline(context.peer.clone(), drain_timeout);
            let id = context.id.clone();
            let body = stream::items(chunks, form, instance.to_owned(), id, shutdown);
            (media(form.media()), body, true)
        }
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, media);
    if streams {
        stream::add_headers(headers);
    }
    response
}

/// Converts a media type to a field value. Authors write media types too, and one that is not a
/// valid field value must not fail the call.
fn media(name: &'static str) -> HeaderValue {
    HeaderValue::from_maybe_shared(Bytes::from_static(name.as_bytes()))
        .unwrap_or(HeaderValue::from_static("application/octet-stream"))
}
