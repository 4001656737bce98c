//! Requests that two programs could read in two ways, and malformed ones: the client's response,
//! and every byte that reaches the instance.
//!
//! Another request follows each request of a table on the same connection. A request that is
//! framed wrongly swallows it, or releases a part of itself in its place.

mod chunks;
mod codings;
mod fields;
mod hosts;
mod lengths;
mod lines;
mod paths;
mod recorder;
mod smuggling;
mod unfinished;

use std::time::Duration;

use gateway_runtime::RunningGateway;
use tokio::{io::AsyncReadExt, time::timeout};

use self::recorder::{Received, Recorder};
use super::gateway::{Client, start};

/// The request that follows each request of a table.
const NEXT: &str = "GET /foo/next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const NEXT_LINE: &str = "GET /next HTTP/1.1";
const TIMEOUT: Duration = Duration::from_secs(5);

/// The fate of a request.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// Refused with this status, and the connection is closed. Nothing reaches the instance.
    Refused(u16),
    /// Refused with this status, and the connection is closed. The head may have reached the
    /// instance before the fault in the body arrived; the end of the request never does.
    Cut(u16),
    /// Answered by the gateway with this status, and the connection serves the next request.
    Answered(u16),
    /// Forwarded with this request line, these framing fields and this body; the connection serves
    /// the next request.
    Forwarded(One),
    /// Forwarded, and the connection is closed.
    Last(One),
}

/// Request line, framing fields and body of a forwarded request.
type One = (&'static str, &'static str, &'static str);

/// A description of the request, its bytes and its fate. Each character is one byte.
type Case = (&'static str, String, Fate);

/// A gateway in front of a recorder.
struct Bench {
    gateway: RunningGateway,
    recorder: Recorder,
}

impl Bench {
    async fn start(limits: &str) -> Self {
        let recorder = Recorder::start().await;
        let limits = format!("[http.limits]\nheader_timeout = \"2s\"\n{limits}");
        let gateway = start(&[recorder.address()], &limits).await;
        Self { gateway, recorder }
    }

    /// Sends bytes on a connection of their own, and returns the responses, and whether the gateway
    /// closed it after them.
    async fn exchange(&self, bytes: &str) -> (Vec<Reply>, bool) {
        let mut client = Client::to(&self.gateway).await;
        client.send(latin1(bytes)).await;
        let mut received = Vec::new();
        let closed = timeout(TIMEOUT, client.0.read_to_end(&mut received)).await.is_ok();
        (Reply::all(&received), closed)
    }

    /// Returns the request that reaches the instance in front of `NEXT`.
    async fn forwarded(&self, request: &str) -> Received {
        let (replies, closed) = self.exchange(&format!("{request}{NEXT}")).await;
        let statuses: Vec<_> = replies.iter().map(|reply| reply.status).collect();
        assert_eq!((&*statuses, closed), (&[200, 200][..], true), "{request:?}");
        let seen = self.recorder.take(false, TIMEOUT).await;
        assert_eq!((seen.requests.len(), &*seen.unfinished), (2, ""), "{request:?} {seen:?}");
        seen.requests[0].clone()
    }

    /// Returns the deviation of a request from its fate.
    async fn deviation(&self, request: &str, fate: Fate) -> Option<String> {
        let (replies, closed) = self.exchange(&format!("{request}{NEXT}")).await;
        let may_be_cut = matches!(fate, Fate::Cut(_));
        let seen = self.recorder.take(may_be_cut, TIMEOUT).await;
        let next = || Received::head(NEXT_LINE);
        let (expected, wanted) = match fate {
            Fate::Refused(status) | Fate::Cut(status) => (vec![status], vec![]),
            Fate::Answered(status) => (vec![status, 200], vec![next()]),
            Fate::Forwarded(one) => (vec![200, 200], vec![one.into(), next()]),
            Fate::Last(one) => (vec![200], vec![one.into()]),
        };
        let statuses: Vec<_> = replies.iter().map(|reply| reply.status).collect();
        // HTTP/1.0 closes without an announcement.
        let announced =
            request.contains("HTTP/1.0") || replies.last().is_some_and(|reply| reply.closes);
        let is_clean = seen.unfinished.is_empty() || may_be_cut;
        let is_expected = statuses == expected
            && (closed && announced)
            && (seen.requests == wanted && is_clean && !seen.is_open);
        (!is_expected).then(|| {
            format!(
                "statuses {statuses:?}, expected {expected:?}; closed {closed}, announced \
                 {announced}; {seen:?}"
            )
        })
    }

    async fn stop(self) {
        self.gateway.stop().await.unwrap();
    }
}

/// Asserts the fate of each request.
async fn check(cases: impl IntoIterator<Item = Case>) {
    check_with("", cases).await;
}

/// Asserts the fate of each request, with further lines of `[http.limits]`.
async fn check_with(limits: &str, cases: impl IntoIterator<Item = Case>) {
    let bench = Bench::start(limits).await;
    let mut all = Vec::new();
    for (what, request, fate) in cases {
        if let Some(deviation) = bench.deviation(&request, fate).await {
            all.push(format!("{what}: {deviation}\n    {request:.160?}"));
        }
    }
    bench.stop().await;
    assert!(all.is_empty(), "{} deviations\n{}", all.len(), all.join("\n"));
}

/// A response to the client.
#[derive(Debug)]
struct Reply {
    status: u16,
    closes: bool,
    body: String,
}

impl Reply {
    /// Splits the bytes of a connection into responses; interim ones are left out.
    fn all(bytes: &[u8]) -> Vec<Self> {
        let mut rest = bytes;
        let mut replies = Vec::new();
        while let Some(end) = rest.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = std::str::from_utf8(&rest[..end]).unwrap().to_ascii_lowercase();
            rest = &rest[end + 4..];
            let status = head[9..12].parse().unwrap();
            if status < 200 {
                continue;
            }
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length = length.map_or(0, |length| length.parse().unwrap());
            let body = String::from_utf8(rest[..length].to_vec()).unwrap();
            rest = &rest[length..];
            let closes = head.lines().any(|line| line == "connection: close");
            replies.push(Self { status, closes, body });
        }
        assert!(rest.is_empty(), "{:?} after {replies:?}", String::from_utf8_lossy(rest));
        replies
    }
}

fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).expect("one byte")).collect()
}

/// Returns a GET of this target.
fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")
}

/// Returns a POST with these further fields and this body.
fn post(rest: &str) -> String {
    format!("POST /foo/x HTTP/1.1\r\nHost: a\r\n{rest}")
}
