//! An exchange: one request and its response, between hyper and the handler. Counts the request as
//! in flight, and catches panics.

use std::{
    any::Any,
    convert::Infallible,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Response, StatusCode, Version,
    header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE},
};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use pin_project_lite::pin_project;

use crate::{
    base::body::{Body, BoxError},
    edge::http::connection::{
        Peer,
        activity::{Activity, InFlight},
        local_executor::Switched,
        stall::Waiting,
        tunnel_client::StreamReset,
    },
};

/// Size of the chunks in which bytes are sent. It bounds the buffered bytes, and lets a stalled
/// client be detected.
const CHUNK_BYTES: usize = 64 * 1024;

/// Size from which a chunk of a response is better not copied.
const NO_COPY_BYTES: usize = 16 * 1024;

pin_project! {
    /// A handler's work on a request: a future that resolves to the response.
    pub(super) struct Exchange<F> {
        #[pin]
        future: F,
        start: Option<ExchangeStart>,
        // Passes the reset of a tunnel on to the executor; none on HTTP/1.1.
        switched: Option<Switched>,
    }
}

impl<F> Exchange<F> {
    /// Adds the place from which the executor takes the reset of an HTTP/2 stream that becomes a
    /// tunnel.
    pub(super) fn switched_by(mut self, switched: &Switched) -> Self {
        self.switched = Some(Rc::clone(switched));
        self
    }
}

/// The properties of a request that its response depends on.
pub(super) struct ExchangeStart {
    version: Version,
    is_connect: bool,
    is_head: bool,
    in_flight: InFlight,
    /// The stall state of an HTTP/2 stream; on HTTP/1.1 the socket detects a stalled client.
    waiting: Option<Rc<Waiting>>,
}

impl ExchangeStart {
    /// Begins an exchange, and counts its request as in flight; [`with`](Self::with) adds the
    /// handler's future.
    pub(super) fn new(request: &Request<Incoming>, peer: &Peer) -> Self {
        peer.activity().has_body.set(!request.body().is_end_stream());
        let is_connect = request.method() == Method::CONNECT;
        let is_head = request.method() == Method::HEAD;
        Self {
            version: request.version(),
            is_connect,
            is_head,
            in_flight: peer.begin(),
            waiting: None,
        }
    }

    /// Adds the stall state of the HTTP/2 stream.
    pub(super) fn watched_by(mut self, waiting: Rc<Waiting>) -> Self {
        self.waiting = Some(waiting);
        self
    }

    #[inline]
    /// Adds the handler's future.
    pub(super) fn with<F: Future<Output = Response<Body>>>(self, future: F) -> Exchange<F> {
        Exchange { future, start: Some(self), switched: None }
    }
}

impl<F: Future<Output = Response<Body>>> Future for Exchange<F> {
    type Output = Result<Response<ResponseBody>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let future = this.future;
        let polled = catch_unwind(AssertUnwindSafe(|| future.poll(cx)));
        let mut response = match polled {
            Ok(response) => ready!(response),
            Err(panic) => {
                log(&*panic);
                panicked()
            }
        };
        let Some(start) = this.start.take() else { unreachable!("polled after it was ready") };
        let activity = start.in_flight.activity();
        let is_cut = activity.begin_response();
        let status = response.status();
        if start.version < Version::HTTP_2
            && (is_cut
                || matches!(status, StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT))
            && status != StatusCode::SWITCHING_PROTOCOLS
        {
            // hyper closes the connection after a body that was not read to its end, but does not
            // announce it.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if start.is_head && start.version >= Version::HTTP_2 {
            remove_body(&mut response);
        }
        activity.responding.set(true);
        if status == StatusCode::SWITCHING_PROTOCOLS || start.is_connect && status.is_success() {
            activity.switching.set(true);
        }
        if let Some(switched) = this.switched {
            switched.set(response.extensions_mut().remove::<Arc<StreamReset>>());
        }
        Poll::Ready(Ok(response.map(|body| ResponseBody { body, start, offered: false })))
    }
}

/// Removes the body of a response to HEAD (RFC 9110 §9.3.2), and sets its `Content-Length`, which
/// hyper does on HTTP/1.1 alone. The source of a stream is dropped before it has run.
fn remove_body(response: &mut Response<Body>) {
    let body = mem::take(response.body_mut());
    if let Some(length @ 1..) = body.size_hint().exact() {
        response.headers_mut().entry(CONTENT_LENGTH).or_insert_with(|| length.into());
    }
}

/// Creates a response without a body.
fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Creates the response to a request whose handler panicked.
fn panicked() -> Response<Body> {
    let mut response = status(StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    *response.body_mut() = concat!(
        r#"{"type":"about:blank","title":"Internal Server Error","status":500,"#,
        r#""code":"internal","retryable":false}"#
    )
    .into();
    response
}

/// Logs a panic.
fn log(panic: &(dyn Any + Send)) {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("(not a text)");
    tracing::error!(panic = message, "request handler panicked");
}

/// A response's body as hyper polls it: in chunks of at most [`CHUNK_BYTES`], with its progress
/// recorded.
pub(super) struct ResponseBody {
    body: Body,
    start: ExchangeStart,
    /// A chunk was returned, and hyper has not polled for the next.
    offered: bool,
}

type Polled = Poll<Option<Result<Frame<Bytes>, BoxError>>>;

impl ResponseBody {
    fn activity(&self) -> &Activity {
        self.start.in_flight.activity()
    }

    /// Returns a chunk to hyper, and records that it waits for the client.
    fn offer(&mut self, data: Bytes) -> Polled {
        self.offered = true;
        if let Some(waiting) = &self.start.waiting {
            waiting.offered();
        }
        let activity = self.activity();
        activity.step();
        if data.len() >= NO_COPY_BYTES {
            activity.large.set(true);
        }
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    /// Records that hyper accepted the last chunk.
    fn taken(&mut self) {
        if mem::take(&mut self.offered) {
            if let Some(waiting) = &self.start.waiting {
                waiting.taken();
            }
            self.activity().step();
        }
    }

    /// Lets hyper send the buffered bytes first, and fails at the next poll.
    fn fail(&mut self, error: BoxError, cx: &mut Context<'_>) -> Polled {
        if self.start.version < Version::HTTP_11 {
            // HTTP/1.0 ends a streamed response by closing: only a reset shows that it was cut.
            self.activity().reset.set(true);
        }
        self.body = Body::failed(error);
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl http_body::Body for ResponseBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        let this = &mut *self;
        this.taken();
        if let Some(bytes) = this.body.bytes_mut() {
            if bytes.is_empty() {
                return Poll::Ready(None);
            }
            let piece = bytes.split_to(bytes.len().min(CHUNK_BYTES));
            return this.offer(piece);
        }
        if let Some(error) = this.body.take_failure() {
            return Poll::Ready(Some(Err(error)));
        }
        match catch_unwind(AssertUnwindSafe(|| Pin::new(&mut this.body).poll_frame(cx))) {
            Ok(Poll::Ready(Some(Ok(frame)))) => match frame.into_data() {
                Ok(data) => this.offer(data),
                Err(trailers) => Poll::Ready(Some(Ok(trailers))),
            },
            Ok(Poll::Ready(Some(Err(error)))) => this.fail(error, cx),
            Ok(none) => none,
            Err(panic) => {
                log(&*panic);
                this.fail("response stream panicked".into(), cx)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        self.taken();
    }
}
