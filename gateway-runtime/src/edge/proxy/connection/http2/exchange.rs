//! One request on a connection over HTTP/2, and the head of its response.
//!
//! A request that the instance has not processed is told from one that it may have: it stands above
//! the last stream of a GOAWAY, or was refused (REFUSED_STREAM; RFC 9113 §8.7). Every other end may
//! have come after the instance had acted on the request.

use std::{
    future::poll_fn,
    mem,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use h2::{
    Reason, RecvStream,
    client::{ResponseFuture, SendRequest},
};
use http::{HeaderMap, Method, Request, Response, StatusCode, Version, header::CONTENT_LENGTH};
use http_body::Body as _;
use tokio::time::{Instant, sleep_until};

use crate::edge::proxy::{
    connection::{
        exchange::{Clocks, ExchangeError},
        http2::{
            body::Http2Body,
            head,
            place::{ConnectionId, Origin, Place},
            upload_pipe::UploadPipe,
        },
    },
    upload::{Progress, Upload},
};

/// The place of one request on a connection. When it is dropped before the response has ended, its
/// stream is cancelled, and the connection's other streams go on.
pub(in crate::edge::proxy) struct Http2Exchange {
    sender: SendRequest<Bytes>,
    origin: Arc<Origin>,
    place: Place,
    upload: UploadState,
}

/// The body of the request.
enum UploadState {
    /// The request has no body.
    None,
    /// The body has not ended.
    Sending(UploadPipe),
    /// The body has ended.
    Ended,
}

impl Http2Exchange {
    /// Creates the exchange of a place.
    pub(super) fn new(sender: SendRequest<Bytes>, origin: Arc<Origin>, place: Place) -> Self {
        Self { sender, origin, place, upload: UploadState::None }
    }

    /// Returns the id of the connection.
    pub(in crate::edge::proxy) fn id(&self) -> ConnectionId {
        self.place.id
    }

    /// Sends the body of the request. Ready when nothing is left to send.
    pub(in crate::edge::proxy) fn poll_upload(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let UploadState::Sending(pipe) = &mut self.upload else { return Poll::Ready(()) };
        let polled = pipe.poll(cx);
        if polled.is_ready() && pipe.has_begun() {
            self.upload = UploadState::Ended;
        }
        polled
    }

    /// Sends a request, and waits for the head of the response.
    pub(in crate::edge::proxy) async fn send(
        &mut self,
        request: Request<Upload>,
        progress: Option<&Arc<Progress>>,
        clocks: Clocks,
    ) -> Result<Response<Http2Body>, ExchangeError> {
        let (head, upload) = request.into_parts();
        let is_empty = upload.is_end_stream();
        let method = head.method.clone();
        let head = head::translate(head, &self.origin);
        let (mut response, stream) = match self.sender.send_request(head, is_empty) {
            Ok(sent) => sent,
            // The connection has ended meanwhile.
            Err(_) => return Err(ExchangeError::NotProcessed(upload)),
        };
        self.place.status.sent();
        if !is_empty {
            let pipe = UploadPipe::new(upload, stream, progress.cloned());
            self.upload = UploadState::Sending(pipe);
        }
        let mut alarm = pin!(sleep_until(Instant::now() + clocks.first_byte));
        poll_fn(|cx| {
            let _ = self.poll_upload(cx);
            if let Poll::Ready(result) = self.poll_head(&mut response, cx) {
                return Poll::Ready(result);
            }
            clocks.poll_overdue(alarm.as_mut(), progress, cx).map(Err)
        })
        .await
        .map(|response| self.accept(response, &method))
    }

    fn poll_head(
        &mut self,
        response: &mut ResponseFuture,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Response<RecvStream>, ExchangeError>> {
        let polled = Pin::new(response).poll(cx);
        polled.map(|result| result.map_err(|error| self.classify(&error)))
    }

    /// Returns the response, whose body ends with the stream.
    fn accept(&self, response: Response<RecvStream>, method: &Method) -> Response<Http2Body> {
        self.place.status.received();
        let (mut head, stream) = response.into_parts();
        // The version of the client's connection is another matter.
        head.version = Version::HTTP_11;
        let status = Arc::clone(&self.place.status);
        let is_bodiless = *method == Method::HEAD
            || matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        let body = if is_bodiless {
            Http2Body::none(status)
        } else {
            Http2Body::new(stream, declared(&head.headers), status)
        };
        Response::from_parts(head, body)
    }

    /// Returns the error of an exchange whose stream or connection failed.
    fn classify(&mut self, error: &h2::Error) -> ExchangeError {
        let reason = error.to_string();
        let is_refused = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
        if error.is_remote() && (error.is_go_away() || is_refused) {
            return match mem::replace(&mut self.upload, UploadState::Ended) {
                UploadState::None => ExchangeError::NotProcessed(Upload::empty()),
                UploadState::Sending(pipe) => match pipe.into_untouched() {
                    Some(upload) => ExchangeError::NotProcessed(upload),
                    None => ExchangeError::Failed(reason),
                },
                UploadState::Ended => ExchangeError::Failed(reason),
            };
        }
        if error.is_io() {
            ExchangeError::Closed(reason)
        } else if error.is_library() {
            ExchangeError::Malformed(reason)
        } else {
            ExchangeError::Failed(reason)
        }
    }
}

/// Returns the declared length of a response.
fn declared(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
