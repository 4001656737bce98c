//! An instance that records every byte that reaches it, and the requests that a strict reader finds
//! in them.

use std::{
    fmt, mem,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::sleep,
};

use super::super::stub::Stub;

/// The fields that say where a message ends, or what the connection becomes.
const FRAMING: [&str; 7] =
    ["connection", "content-length", "expect", "keep-alive", "te", "transfer-encoding", "upgrade"];

/// A request as a strict reader finds it.
#[derive(Clone)]
pub(super) struct Received {
    pub(super) line: String,
    /// Its fields of framing, in the order of their names, separated by a semicolon.
    pub(super) framing: String,
    /// The content, without chunk framing; trailer fields follow in braces.
    pub(super) body: String,
    /// All fields, with their names in lower case.
    pub(super) fields: Vec<(String, String)>,
}

impl PartialEq for Received {
    fn eq(&self, other: &Self) -> bool {
        (&self.line, &self.framing, &self.body) == (&other.line, &other.framing, &other.body)
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ({}) {:?}", self.line, self.framing, self.body)
    }
}

impl From<(&str, &str, &str)> for Received {
    fn from((line, framing, body): (&str, &str, &str)) -> Self {
        Self::new(line, framing, body)
    }
}

impl Received {
    pub(super) fn new(line: &str, framing: &str, body: &str) -> Self {
        let [line, framing, body] = [line, framing, body].map(str::to_owned);
        Self { line, framing, body, fields: Vec::new() }
    }

    /// A request without framing fields and without a body.
    pub(super) fn head(line: &str) -> Self {
        Self::new(line, "", "")
    }

    /// Returns the values of a field.
    pub(super) fn values(&self, name: &str) -> Vec<&str> {
        let fields = self.fields.iter().filter(|(other, _)| other == name);
        fields.map(|(_, value)| value.as_str()).collect()
    }

    /// Reads a request from the front of `bytes`, and returns its length; none if it is
    /// incomplete.
    fn read(bytes: &str) -> Option<(Self, usize)> {
        let (head, rest) = bytes.split_once("\r\n\r\n")?;
        let mut lines = head.split("\r\n");
        let line = lines.next().unwrap().to_owned();
        let split = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("field {line:?}"));
            (name.to_ascii_lowercase(), value.to_owned())
        };
        let mut received = Self { line, ..Self::head("") };
        received.fields = lines.map(split).collect();
        let framing = FRAMING.iter().flat_map(|name| {
            received.values(name).into_iter().map(move |value| format!("{name}: {value}"))
        });
        received.framing = framing.collect::<Vec<_>>().join("; ");
        let lengths = received.values("content-length");
        let codings = received.values("transfer-encoding");
        let used = match (&*lengths, &*codings) {
            ([], []) => 0,
            ([length], []) => {
                let length = length.parse().expect("a length");
                received.body = rest.get(..length)?.to_owned();
                length
            }
            ([], ["chunked"]) => {
                let (body, used) = chunked(rest)?;
                received.body = body;
                used
            }
            framing => panic!("framing {framing:?}"),
        };
        Some((received, head.len() + 4 + used))
    }
}

/// Reads a chunked body, and returns its content and its length on the wire.
fn chunked(bytes: &str) -> Option<(String, usize)> {
    let mut rest = bytes;
    let mut body = String::new();
    loop {
        let (size, after) = rest.split_once("\r\n")?;
        let size = usize::from_str_radix(size, 16).unwrap_or_else(|_| panic!("chunk {size:?}"));
        rest = after;
        if size == 0 {
            break;
        }
        body.push_str(rest.get(..size)?);
        rest = rest.get(size..).filter(|rest| rest.len() >= 2)?;
        rest = rest.strip_prefix("\r\n").unwrap_or_else(|| panic!("chunk end {rest:?}"));
    }
    loop {
        let (line, after) = rest.split_once("\r\n")?;
        rest = after;
        if line.is_empty() {
            return Some((body, bytes.len() - rest.len()));
        }
        body.push_str(&format!("{{{line}}}"));
    }
}

/// The bytes that have reached the instance.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) requests: Vec<Received>,
    /// Bytes that are no whole request, of all connections.
    pub(super) unfinished: String,
    /// Whether a connection with such bytes is still open.
    pub(super) is_open: bool,
}

/// An instance that answers each whole request with its target.
pub(super) struct Recorder {
    stub: Stub,
    seen: Arc<Mutex<Seen>>,
}

impl Recorder {
    pub(super) async fn start() -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let recorded = Arc::clone(&seen);
        let stub = Stub::serve(move |mut stream, _| {
            let seen = Arc::clone(&recorded);
            async move {
                // A character for each byte, so that any byte can be compared and shown.
                let mut bytes = String::new();
                let mut piece = [0; 4096];
                while let Ok(read @ 1..) = stream.read(&mut piece).await {
                    bytes.extend(piece[..read].iter().map(|byte| char::from(*byte)));
                    let mut answers = String::new();
                    {
                        let mut seen = seen.lock().unwrap();
                        while let Some((request, used)) = Received::read(&bytes) {
                            bytes.drain(..used);
                            let target = request.line.split(' ').nth(1).unwrap_or_default();
                            let length = target.len();
                            answers.push_str("HTTP/1.1 200 OK\r\nContent-Length: ");
                            answers.push_str(&format!("{length}\r\n\r\n{target}"));
                            seen.requests.push(request);
                        }
                        seen.is_open = !bytes.is_empty();
                    }
                    stream.write_all(answers.as_bytes()).await.ok();
                }
                let mut seen = seen.lock().unwrap();
                seen.is_open &= bytes.is_empty();
                seen.unfinished.push_str(&bytes);
            }
        })
        .await;
        Self { stub, seen }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.stub.address
    }

    /// Takes the bytes that have arrived. If a request may be cut, waits until the connection with
    /// its bytes is closed.
    pub(super) async fn take(&self, may_be_cut: bool, patience: Duration) -> Seen {
        // The gateway has ended its connection to the client; what it has written arrives at once.
        sleep(Duration::from_millis(5)).await;
        let begun = Instant::now();
        while may_be_cut && self.seen.lock().unwrap().is_open && begun.elapsed() < patience {
            sleep(Duration::from_millis(2)).await;
        }
        mem::take(&mut self.seen.lock().unwrap())
    }
}
