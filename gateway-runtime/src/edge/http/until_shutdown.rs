//! Event streams of services behind routes, which have no end of their own: they are cut when the
//! grace of a shutdown is over.

use std::{
    error::Error,
    fmt, mem,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderValue, Response, header::CONTENT_TYPE};
use http_body::{Frame, SizeHint};

use crate::{
    base::body::{Body, BoxError},
    edge::http::{Peer, settings::HttpSettings, stream::StreamFormat},
};

/// The error of a response that the gateway cuts, since it shuts down.
#[derive(Debug)]
pub(super) struct ShutDown;

impl fmt::Display for ShutDown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the gateway is shutting down")
    }
}

impl Error for ShutDown {}

/// Limits a response to the grace of a shutdown if it is an event stream.
pub(super) fn cut_event_stream(
    response: &mut Response<Body>,
    peer: &Peer,
    settings: &HttpSettings,
) {
    let media = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let events = StreamFormat::Sse.media().as_bytes();
    let is_event_stream = media
        .and_then(|media| media.get(..events.len()))
        .is_some_and(|media| media.eq_ignore_ascii_case(events));
    if !is_event_stream {
        return;
    }
    let over = Box::pin(peer.clone().stopping_for(settings.stream_grace()));
    let body = mem::take(response.body_mut());
    *response.body_mut() = Body::wrap(UntilShutdown { body: Some(body), over });
}

/// A body that fails when the grace of a shutdown is over.
struct UntilShutdown {
    /// None after the failure.
    body: Option<Body>,
    over: BoxFuture<'static, ()>,
}

impl http_body::Body for UntilShutdown {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        if this.over.as_mut().poll(cx).is_ready() {
            this.body = None;
            return Poll::Ready(Some(Err(ShutDown.into())));
        }
        Pin::new(body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}
