//! One request and its answer, between hyper and the handler: counted, and safe from panics.

use std::{
    any::Any,
    convert::Infallible,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    rc::Rc,
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
        stall::Waiting,
    },
};

/// Bytes go out in pieces of this size, so that no more is buffered, and what waits for the client is seen to wait.
const CHUNK_BYTES: usize = 64 * 1024;

/// A piece of an answer that is better not copied.
const NO_COPY_BYTES: usize = 16 * 1024;

pin_project! {
    /// A request in the hands of its handler.
    pub(super) struct Exchange<F> {
        #[pin]
        future: F,
        begun: Option<ExchangeStart>,
    }
}

/// What is kept of a request for its answer.
pub(super) struct ExchangeStart {
    version: Version,
    is_connect: bool,
    is_head: bool,
    in_flight: InFlight,
    /// Who watches whether the client takes the answer, on HTTP/2; on HTTP/1.1 the socket does.
    waiting: Option<Rc<Waiting>>,
}

impl ExchangeStart {
    /// Begins to answer a request; `with` continues.
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

    pub(super) fn watched_by(mut self, waiting: Rc<Waiting>) -> Self {
        self.waiting = Some(waiting);
        self
    }

    #[inline]
    pub(super) fn with<F: Future<Output = Response<Body>>>(self, future: F) -> Exchange<F> {
        Exchange { future, begun: Some(self) }
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
        let Some(begun) = this.begun.take() else { unreachable!("polled after it was ready") };
        if begun.version < Version::HTTP_2
            && matches!(
                response.status(),
                StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT
            )
        {
            // After a body that was not read to its end hyper closes, and does not say so.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if begun.is_head && begun.version >= Version::HTTP_2 {
            remove_body(&mut response);
        }
        let activity = begun.in_flight.activity();
        activity.responding.set(true);
        if response.status() == StatusCode::SWITCHING_PROTOCOLS || begun.is_connect {
            activity.switching.set(true);
        }
        Poll::Ready(Ok(response.map(|body| ResponseBody { body, begun, offered: false })))
    }
}

/// Removes the body of a response to HEAD (RFC 9110 §9.3.2), and says how long it is, as hyper does on HTTP/1.1 alone. The
/// source of a stream is dropped before it has run.
fn remove_body(response: &mut Response<Body>) {
    let body = mem::take(response.body_mut());
    if let Some(length @ 1..) = body.size_hint().exact() {
        response.headers_mut().entry(CONTENT_LENGTH).or_insert_with(|| length.into());
    }
}

/// An answer without a body.
fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn panicked() -> Response<Body> {
    let mut response = status(StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    *response.body_mut() =
        r#"{"type":"about:blank","title":"Internal Server Error","status":500,"code":"internal","retryable":false}"#
            .into();
    response
}

fn log(panic: &(dyn Any + Send)) {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("(not a text)");
    tracing::error!(panic = message, "what answers a request panicked");
}

/// An answer's body on its way out.
pub(super) struct ResponseBody {
    body: Body,
    begun: ExchangeStart,
    /// A piece is out, and the next was not asked for.
    offered: bool,
}

type Polled = Poll<Option<Result<Frame<Bytes>, BoxError>>>;

impl ResponseBody {
    fn activity(&self) -> &Activity {
        self.begun.in_flight.activity()
    }

    fn offer(&mut self, data: Bytes) -> Polled {
        self.offered = true;
        if let Some(waiting) = &self.begun.waiting {
            waiting.offered();
        }
        let activity = self.activity();
        activity.step();
        if data.len() >= NO_COPY_BYTES {
            activity.large.set(true);
        }
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn taken(&mut self) {
        if mem::take(&mut self.offered) {
            if let Some(waiting) = &self.begun.waiting {
                waiting.taken();
            }
            self.activity().step();
        }
    }

    /// Lets the protocol send what it has, and fails the next time.
    fn fail(&mut self, error: BoxError, cx: &mut Context<'_>) -> Polled {
        if self.begun.version < Version::HTTP_11 {
            // HTTP/1.0 ends a streamed answer by closing: only a reset tells that it was cut.
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
                this.fail("the stream of the answer panicked".into(), cx)
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
