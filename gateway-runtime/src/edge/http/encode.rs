//! From a method's reply to the response. `X-Request-Id` is added to all responses in one place.

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

/// The response that brings `reply`; streams of items take the form that was agreed on, and have `drain_timeout` to end
/// when the server stops.
pub(super) fn response(
    reply: Reply,
    form: StreamFormat,
    instance: &str,
    moment: &RequestContext,
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
            let goodbye = stream::shutdown_deadline(moment.peer.clone(), drain_timeout);
            let body = stream::items(chunks, form, instance.to_owned(), moment.id.clone(), goodbye);
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

/// Authors name media types too; one that is no header value must not bring the call down.
fn media(name: &'static str) -> HeaderValue {
    HeaderValue::from_maybe_shared(Bytes::from_static(name.as_bytes()))
        .unwrap_or(HeaderValue::from_static("application/octet-stream"))
}
