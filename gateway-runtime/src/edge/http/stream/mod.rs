//! Streamed replies on the wire: server-sent events, NDJSON, or bytes.
//!
//! A stream that fails ends with its problem as the last event or line and an aborted connection,
//! never with a clean end (SEMANTICS §3): a body that ends cleanly is complete.

#[cfg(test)]
mod tests;

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::Stream;
use http::{HeaderMap, HeaderValue, header};
use tokio::time::{Instant, Sleep, sleep};

use crate::{
    base::{
        body::Body,
        call::RequestId,
        error::{Code, Error},
        problem::ProblemDetails,
        reply::Chunks,
    },
    edge::http::{Peer, negotiate},
};

/// The interval of comments in a silent event stream. They keep proxies from closing the
/// connection, and detect a client that has disconnected.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(15);

/// The notice before the end of the drain time: streams and WebSockets end this long before it, so
/// that their clients can read the reason before the connection is aborted.
pub(super) const SHUTDOWN_NOTICE: Duration = Duration::from_secs(2);

/// Completes when the server is shutting down and the drain time, less the notice, has passed.
pub(super) async fn shutdown_deadline(peer: Peer, drain_timeout: Duration) {
    peer.stopping_for(drain_timeout.saturating_sub(SHUTDOWN_NOTICE)).await;
}

/// The format in which the items of a stream are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StreamFormat {
    /// Server-sent events, `data: {item}`, as the HTML standard defines them.
    Sse,
    /// NDJSON: one item in each line.
    Ndjson,
}

impl StreamFormat {
    /// The media types of the formats, in order of our preference.
    pub(super) const MEDIA: [&'static str; 2] = ["text/event-stream", "application/x-ndjson"];

    /// Returns the format that the client prefers.
    ///
    /// # Errors
    ///
    /// `not-acceptable` if the client accepts neither.
    pub(super) fn accepted(request: &HeaderMap) -> Result<Self, Error> {
        match negotiate::negotiate(request, &Self::MEDIA) {
            Some(0) => Ok(Self::Sse),
            Some(_) => Ok(Self::Ndjson),
            None => Err(Error::new(
                Code::NOT_ACCEPTABLE,
                "the reply is a stream; allow text/event-stream or application/x-ndjson in \
                 `Accept`",
            )),
        }
    }

    /// Returns the media type.
    pub(super) fn media(self) -> &'static str {
        Self::MEDIA[self as usize]
    }

    fn item(self, item: &[u8]) -> Bytes {
        match self {
            Self::Sse => one_line(b"data: ", item, b"\n\n"),
            Self::Ndjson => one_line(b"", item, b"\n"),
        }
    }

    fn error(self, problem: &[u8]) -> Bytes {
        match self {
            Self::Sse => one_line(b"event: error\ndata: ", problem, b"\n\n"),
            Self::Ndjson => one_line(b"{\"error\":", problem, b"}\n"),
        }
    }
}

/// Writes an item in one line, because both formats end an item at a line break. Within JSON, a
/// line break can only stand between tokens, where a space is equivalent (RFC 8259 §2).
fn one_line(before: &[u8], json: &[u8], after: &[u8]) -> Bytes {
    let mut line = Vec::with_capacity(before.len() + json.len() + after.len());
    line.extend_from_slice(before);
    line.extend(json.iter().map(|&byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
    line.extend_from_slice(after);
    line.into()
}

/// Adds the fields of every streamed reply: no cache may store it, and nginx may not buffer it.
pub(super) fn add_headers(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
}

/// Returns the body of a stream of items. When `shutdown` completes, the stream ends as a failed
/// one does.
pub(super) fn items(
    chunks: Chunks,
    form: StreamFormat,
    instance: String,
    id: RequestId,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Body {
    let state = State::Open { heartbeat: Box::pin(sleep(HEARTBEAT_INTERVAL)) };
    Body::stream(StreamBody {
        chunks,
        form,
        instance,
        id,
        shutdown_deadline: Box::pin(shutdown),
        state,
    })
}

/// Returns the body of a stream of bytes.
pub(super) fn raw(chunks: Chunks) -> Body {
    use futures_util::TryStreamExt;
    Body::stream(chunks.map_err(|_| AbortedStream))
}

struct StreamBody {
    chunks: Chunks,
    form: StreamFormat,
    instance: String,
    id: RequestId,
    shutdown_deadline: Pin<Box<dyn Future<Output = ()> + Send>>,
    state: State,
}

enum State {
    Open {
        heartbeat: Pin<Box<Sleep>>,
    },
    /// The problem is sent; only the abort follows.
    Failed,
    Ended,
}

impl Stream for StreamBody {
    type Item = Result<Bytes, AbortedStream>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let heartbeat = match &mut this.state {
            State::Open { heartbeat } => heartbeat,
            State::Failed => {
                this.state = State::Ended;
                return Poll::Ready(Some(Err(AbortedStream)));
            }
            State::Ended => return Poll::Ready(None),
        };
        let chunk = match this.shutdown_deadline.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Some(Err(Error::new(
                Code::OVERLOADED,
                "the gateway is shutting down; retry",
            )))),
            Poll::Pending => this.chunks.as_mut().poll_next(context),
        };
        match chunk {
            Poll::Ready(Some(Ok(item))) => {
                heartbeat.as_mut().reset(Instant::now() + HEARTBEAT_INTERVAL);
                Poll::Ready(Some(Ok(this.form.item(&item))))
            }
            Poll::Ready(Some(Err(error))) => {
                this.state = State::Failed;
                let problem = ProblemDetails::new(&error, &this.instance, &this.id).to_json();
                Poll::Ready(Some(Ok(this.form.error(&problem))))
            }
            Poll::Ready(None) => {
                this.state = State::Ended;
                Poll::Ready(None)
            }
            // NDJSON has no comments.
            Poll::Pending if this.form == StreamFormat::Ndjson => Poll::Pending,
            Poll::Pending => {
                std::task::ready!(heartbeat.as_mut().poll(context));
                heartbeat.as_mut().reset(Instant::now() + HEARTBEAT_INTERVAL);
                Poll::Ready(Some(Ok(Bytes::from_static(b":\n\n"))))
            }
        }
    }
}

/// The error that aborts a body which must not look complete. The cause has been logged, and sent
/// as far as the client may see it.
#[derive(Debug)]
pub(super) struct AbortedStream;

impl fmt::Display for AbortedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the stream failed")
    }
}

impl std::error::Error for AbortedStream {}
