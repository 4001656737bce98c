//! The access log line of a request on a route, written when its response has ended.

use std::{
    pin::Pin,
    sync::{Arc, atomic::Ordering::Relaxed},
    task::{Context, Poll},
    time::Instant,
};

use bytes::Bytes;
use http::{Method, Response, StatusCode, header::CONTENT_LENGTH};
use http_body::{Body as _, Frame, SizeHint};

use crate::{
    base::{
        body::{Body, BoxError},
        call::{Origin, RequestId},
    },
    edge::{
        dispatch::{response_end::ResponseEnd, tunnel::TunnelEnd},
        http::{
            Peer,
            counted_body::{CountedBody, RequestBytes},
            request_context::RequestContext,
            until_shutdown::ShutDown,
        },
    },
};

/// The log entry of a request on a route. It is written when it is dropped: one without an end
/// belongs to a client that has disconnected, or to a gateway whose shutdown has ended.
pub(super) struct RouteLogEntry {
    id: RequestId,
    peer: Peer,
    started: Instant,
    method: Method,
    path: String,
    account: Option<String>,
    /// None for a request without a body.
    request_bytes: Option<Arc<RequestBytes>>,
    response_bytes: u64,
    /// The length of the response's body, if it is known.
    declared: Option<u64>,
    status: StatusCode,
    end: ResponseEnd,
    /// The end was none of HTTP: a tunnel that ended in order has the status of its response.
    is_tunnel: bool,
    /// The error of the request is logged in the place of this entry.
    is_refused: bool,
}

impl RouteLogEntry {
    /// Creates the entry of a request that begins now.
    pub(super) fn new(
        context: &RequestContext,
        method: Method,
        path: &str,
        account: Option<&str>,
    ) -> Self {
        Self {
            id: context.id.clone(),
            peer: context.peer.clone(),
            started: context.started,
            method,
            path: path.to_owned(),
            account: account.map(str::to_owned),
            request_bytes: None,
            response_bytes: 0,
            declared: None,
            status: StatusCode::OK,
            end: ResponseEnd::Client,
            is_tunnel: false,
            is_refused: false,
        }
    }

    /// Counts the bytes of the request's body.
    pub(super) fn count_request(&mut self, body: Body) -> Body {
        if body.is_end_stream() {
            return body;
        }
        let bytes = Arc::clone(self.request_bytes.get_or_insert_default());
        Body::wrap(CountedBody { body, bytes })
    }

    /// Returns the client.
    pub(super) fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Returns the path of the request.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Returns whether the client broke off its request: it disconnected, or reset the stream.
    pub(super) fn is_broken_off(&self) -> bool {
        self.request_bytes.as_ref().is_some_and(|bytes| bytes.is_broken_off.load(Relaxed))
    }

    /// Writes the entry of a tunnel that has ended.
    pub(super) fn end_tunnel(mut self, status: StatusCode, end: &TunnelEnd) {
        self.status = status;
        self.end = end.by;
        self.is_tunnel = !end.is_broken;
        self.response_bytes = end.response_bytes;
        let bytes = self.request_bytes.get_or_insert_default();
        bytes.count.store(end.request_bytes, Relaxed);
    }

    /// Drops the entry of a request that failed, which is logged with its problem.
    pub(super) fn refuse(mut self) {
        self.is_refused = true;
    }

    /// Returns the response, whose end writes the entry.
    pub(super) fn log_at_end(mut self, response: Response<Body>) -> Response<Body> {
        self.status = response.status();
        let (head, mut body) = response.into_parts();
        // The server sends none of these a body, and does not poll it.
        let is_bodiless = self.method == Method::HEAD
            || matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        if is_bodiless {
            self.end = ResponseEnd::Whole;
            return Response::from_parts(head, body);
        }
        let length = head.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        self.declared =
            body.size_hint().exact().or_else(|| length.and_then(|length| length.parse().ok()));
        if let Some(bytes) = body.bytes_mut() {
            self.response_bytes = bytes.len() as u64;
            self.end = ResponseEnd::Whole;
            return Response::from_parts(head, body);
        }
        if body.is_end_stream() {
            self.end = ResponseEnd::Whole;
        }
        Response::from_parts(head, Body::wrap(LoggedBody { body, entry: self }))
    }

    /// Returns the status of the log: the one sent, unless the response was not whole. nginx, too,
    /// writes 499 for a client that closed its connection first.
    fn status(&self) -> u16 {
        match self.end {
            _ if self.is_tunnel => self.status.as_u16(),
            ResponseEnd::Whole | ResponseEnd::Gateway => self.status.as_u16(),
            ResponseEnd::Upstream => StatusCode::BAD_GATEWAY.as_u16(),
            ResponseEnd::Client => 499,
        }
    }

    /// Returns the end of a response that failed, by its error.
    fn end_of(&self, error: &BoxError) -> ResponseEnd {
        if error.is::<ShutDown>() {
            return ResponseEnd::Gateway;
        }
        let has_failed = |bytes: &Arc<RequestBytes>| bytes.has_failed.load(Relaxed);
        // A request that fails ends the connection to the upstream, and the response with it.
        if self.request_bytes.as_ref().is_some_and(has_failed) {
            return ResponseEnd::Client;
        }
        ResponseEnd::Upstream
    }
}

impl Drop for RouteLogEntry {
    fn drop(&mut self) {
        if self.is_refused {
            return;
        }
        if self.end == ResponseEnd::Client && self.peer.is_cut() {
            self.end = ResponseEnd::Gateway;
        }
        let duration = self.started.elapsed();
        let request_bytes =
            self.request_bytes.as_ref().map_or(0, |bytes| bytes.count.load(Relaxed));
        tracing::info!(
            target: "gateway::request",
            request_id = self.id.as_str(),
            origin = Origin::Http.as_str(),
            http.request.method = self.method.as_str(),
            url.path = self.path,
            status = self.status(),
            end = self.end.as_str(),
            request_bytes,
            response_bytes = self.response_bytes,
            duration_us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX),
            peer = %self.peer.address().ip(),
            account = self.account,
            "routed"
        );
    }
}

/// A response's body with the log entry that its end writes.
struct LoggedBody {
    body: Body,
    entry: RouteLogEntry,
}

impl http_body::Body for LoggedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                this.entry.response_bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                // The server polls on neither after the declared length nor after trailers.
                let is_last = frame.is_trailers()
                    || this.entry.declared == Some(this.entry.response_bytes)
                    || this.body.is_end_stream();
                if is_last {
                    this.entry.end = ResponseEnd::Whole;
                }
            }
            Poll::Ready(Some(Err(error))) => this.entry.end = this.entry.end_of(error),
            Poll::Ready(None) => this.entry.end = ResponseEnd::Whole,
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
