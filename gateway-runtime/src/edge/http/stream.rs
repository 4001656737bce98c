//! Streamed answers on the wire: Server-Sent Events, NDJSON, or plain bytes.
//!
//! A stream that fails has its problem as its last event or line, and then the connection is cut: what ends cleanly is
//! whole.

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

/// After so long without an event a comment is sent, so that proxies keep the connection and a vanished client shows.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(15);

/// What would be cut at the end of the drain time is told so long before, and has as long to take notice.
pub(super) const SHUTDOWN_NOTICE: Duration = Duration::from_secs(2);

/// Completes when the server is shutting down and has waited as long as it can for what goes on at `peer`.
pub(super) async fn shutdown_deadline(peer: Peer, drain_timeout: Duration) {
    peer.stopping().await;
    sleep(drain_timeout.saturating_sub(SHUTDOWN_NOTICE)).await;
}

/// How the items of a stream are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StreamFormat {
    /// `data: {item}`, by the HTML standard's section on server-sent events.
    Sse,
    /// One item a line.
    Ndjson,
}

impl StreamFormat {
    /// Their media types, the one we prefer first.
    pub(super) const MEDIA: [&'static str; 2] = ["text/event-stream", "application/x-ndjson"];

    /// What the client asks for.
    ///
    /// # Errors
    ///
    /// `not-acceptable` when that is neither.
    pub(super) fn accepted(request: &HeaderMap) -> Result<Self, Error> {
        match negotiate::negotiate(request, &Self::MEDIA) {
            Some(0) => Ok(Self::Sse),
            Some(_) => Ok(Self::Ndjson),
            None => Err(Error::new(
                Code::NOT_ACCEPTABLE,
                "the answer is a stream: `Accept` must allow text/event-stream or application/x-ndjson",
            )),
        }
    }

    /// As in `Content-Type`.
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

/// Both forms end an item at a line break. Within JSON one can only stand between tokens, where a space does as well.
fn one_line(before: &[u8], json: &[u8], after: &[u8]) -> Bytes {
    let mut line = Vec::with_capacity(before.len() + json.len() + after.len());
    line.extend_from_slice(before);
    line.extend(json.iter().map(|&byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
    line.extend_from_slice(after);
    line.into()
}

/// The fields of every streamed answer: nobody may keep it, and nginx may not hold it back.
pub(super) fn add_headers(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
}

/// The body of a stream of items. When `goodbye` completes it ends as if it had failed.
pub(super) fn items(
    chunks: Chunks,
    form: StreamFormat,
    instance: String,
    id: RequestId,
    goodbye: impl Future<Output = ()> + Send + 'static,
) -> Body {
    let state = State::Open { heartbeat: Box::pin(sleep(HEARTBEAT_INTERVAL)) };
    Body::stream(StreamBody {
        chunks,
        form,
        instance,
        id,
        shutdown_deadline: Box::pin(goodbye),
        state,
    })
}

/// The body of a stream of bytes.
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
    /// The problem is sent; nothing follows but the cut.
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
                "the gateway is closing; ask again",
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

/// Ends a body that must not look whole. Why has been logged, and told as far as the client may know.
#[derive(Debug)]
pub(super) struct AbortedStream;

impl fmt::Display for AbortedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the stream failed")
    }
}

impl std::error::Error for AbortedStream {}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use futures_util::{StreamExt, stream};
    use http_body_util::BodyExt;

    use super::*;

    fn id() -> RequestId {
        RequestId::from_header(&HeaderValue::from_static("id-1")).unwrap()
    }

    /// All that is sent, and whether it ends cleanly.
    async fn write(form: StreamFormat, items: Vec<Result<&'static str, Error>>) -> (String, bool) {
        let chunks =
            stream::iter(items).map(|item| item.map(|text| Bytes::from_static(text.as_bytes())));
        let mut body = super::items(Box::pin(chunks), form, "/a".into(), id(), pending());
        let mut text = String::new();
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return (text, false) };
            text.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
        }
        (text, true)
    }

    #[tokio::test]
    async fn each_item_is_an_event_or_a_line() {
        let items = || vec![Ok("{\"a\":1}"), Ok("\"b\""), Ok("[1,\n\r2]")];
        let events = "data: {\"a\":1}\n\ndata: \"b\"\n\ndata: [1,  2]\n\n";
        assert_eq!(write(StreamFormat::Sse, items()).await, (events.to_owned(), true));
        let lines = "{\"a\":1}\n\"b\"\n[1,  2]\n";
        assert_eq!(write(StreamFormat::Ndjson, items()).await, (lines.to_owned(), true));
    }

    #[tokio::test]
    async fn a_failure_is_told_and_then_the_body_is_cut() {
        let items =
            || vec![Ok("1"), Err(Error::not_found("gone").with_log_message("secret")), Ok("2")];
        let (events, clean) = write(StreamFormat::Sse, items()).await;
        let problem = events
            .strip_prefix("data: 1\n\nevent: error\ndata: ")
            .unwrap()
            .strip_suffix("\n\n")
            .unwrap();
        assert!(
            problem.contains("\"code\":\"not-found\"")
                && problem.contains("\"request_id\":\"id-1\""),
            "{problem}"
        );
        assert!(!clean && !problem.contains("secret") && !problem.contains('\n'), "{problem}");
        let (lines, clean) = write(StreamFormat::Ndjson, items()).await;
        assert_eq!(lines, format!("1\n{{\"error\":{problem}}}\n"));
        assert!(!clean);
    }

    #[tokio::test]
    async fn a_goodbye_ends_a_stream_that_does_not_end_itself() {
        let endless = Box::pin(stream::pending());
        let mut body = super::items(endless, StreamFormat::Ndjson, "/a".into(), id(), async {});
        let line = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert!(line.starts_with(b"{\"error\":") && line.ends_with(b"}\n"), "{line:?}");
        assert!(body.frame().await.unwrap().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_broken_by_comments_in_event_streams_alone() {
        let quiet = || -> Chunks { Box::pin(stream::pending()) };
        let mut events = super::items(quiet(), StreamFormat::Sse, "/a".into(), id(), pending());
        let begun = Instant::now();
        for beat in 1..=3 {
            let frame = events.frame().await.unwrap().unwrap().into_data().unwrap();
            assert_eq!((&*frame, begun.elapsed().as_secs()), (b":\n\n".as_slice(), 15 * beat));
        }
        let mut lines = super::items(quiet(), StreamFormat::Ndjson, "/a".into(), id(), pending());
        let silence = tokio::time::timeout(HEARTBEAT_INTERVAL * 100, lines.frame()).await;
        assert!(silence.is_err());
    }
}
