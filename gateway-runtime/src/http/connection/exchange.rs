//! One request and its answer, between hyper and the handler: counted, and safe from panics.

use std::{
    any::Any,
    convert::Infallible,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{
    HeaderValue, Request, Response, StatusCode, Version,
    header::{CONNECTION, CONTENT_TYPE},
};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;

use super::{
    Peer,
    peer::{Activity, InFlight},
};
use crate::http::{Body, Handler, body::BoxError};

/// Pieces of an answer over HTTP/2 are no larger, so that what waits for the client's window is seen to wait.
const PIECE: usize = 64 * 1024;

/// Answers one request.
pub(super) async fn answer<H: Handler>(
    handler: Arc<H>,
    request: Request<Incoming>,
    peer: Peer,
    header_count: usize,
) -> Result<Response<Answer>, Infallible> {
    let in_flight = peer.begin();
    let version = request.version();
    peer.activity().has_body.set(!request.body().is_end_stream());
    // HTTP/1.1 is counted by the parser, RFC 6585 §5.
    let mut response = if version == Version::HTTP_2 && request.headers().len() > header_count {
        status(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
    } else {
        let address = peer.address();
        let handled = AssertUnwindSafe(handler.handle(request, peer)).catch_unwind().await;
        handled.unwrap_or_else(|panic| {
            tracing::error!(peer = %address, panic = message(&*panic), "the handler of a request panicked");
            panicked()
        })
    };
    if version < Version::HTTP_2
        && matches!(response.status(), StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT)
    {
        // Of a body that was not read to its end, hyper makes a close, and does not say so.
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response.map(|body| Answer::new(body, version, in_flight)))
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn panicked() -> Response<Body> {
    let mut response = status(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    *response.body_mut() =
        r#"{"type":"about:blank","title":"Internal Server Error","status":500,"code":"internal","retryable":false}"#
            .into();
    response
}

fn message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("(not a text)")
}

/// An answer's body on its way out.
pub(super) struct Answer {
    body: Body,
    /// What is left of a piece that was too large.
    rest: Bytes,
    /// An error of the body, kept back until what came before it is on its way.
    failed: Option<BoxError>,
    version: Version,
    /// A piece is out, and the next was not asked for.
    offered: bool,
    in_flight: InFlight,
}

impl Answer {
    fn new(body: Body, version: Version, in_flight: InFlight) -> Self {
        Self { body, rest: Bytes::new(), failed: None, version, offered: false, in_flight }
    }

    fn activity(&self) -> &Activity {
        self.in_flight.activity()
    }

    /// The first piece of `data`, the rest of which is kept.
    fn piece(&mut self, mut data: Bytes) -> Frame<Bytes> {
        if self.version == Version::HTTP_2 && data.len() > PIECE {
            self.rest = data.split_off(PIECE);
        }
        self.offered = true;
        self.activity().offered();
        Frame::data(data)
    }

    /// Lets the protocol send what it has, and fails the next time.
    fn fail(&mut self, error: BoxError, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.version < Version::HTTP_11 {
            // HTTP/1.0 ends a streamed answer by closing: only a reset tells that it was cut.
            self.activity().reset.set(true);
        }
        self.failed = Some(error);
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if mem::take(&mut this.offered) {
            this.activity().taken();
        }
        if let Some(error) = this.failed.take() {
            return Poll::Ready(Some(Err(error)));
        }
        if !this.rest.is_empty() {
            let rest = mem::take(&mut this.rest);
            return Poll::Ready(Some(Ok(this.piece(rest))));
        }
        let polled = catch_unwind(AssertUnwindSafe(|| Pin::new(&mut this.body).poll_frame(cx)));
        match polled {
            Ok(Poll::Ready(Some(Ok(frame)))) => Poll::Ready(Some(Ok(match frame.into_data() {
                Ok(data) => this.piece(data),
                Err(other) => other,
            }))),
            Ok(Poll::Ready(Some(Err(error)))) => this.fail(error, cx),
            Ok(other) => other,
            Err(panic) => {
                tracing::error!(panic = message(&*panic), "the stream of an answer panicked");
                this.body = Body::empty();
                this.fail("the stream of the answer panicked".into(), cx)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.failed.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let body = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower() + rest);
        if let Some(upper) = body.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if self.offered {
            self.activity().taken();
        }
    }
}
