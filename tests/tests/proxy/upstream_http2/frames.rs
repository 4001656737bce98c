//! An instance of hand-written frames (RFC 9113 §4): it answers each request with the frames of a
//! script, and records what it receives.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(super) const NO_ERROR: u32 = 0;
pub(super) const INTERNAL_ERROR: u32 = 2;
pub(super) const REFUSED_STREAM: u32 = 7;
pub(super) const CANCEL: u32 = 8;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

/// A request that has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arrived {
    /// The number of the connection, from 0.
    pub(super) connection: usize,
    pub(super) stream: u32,
}

/// The bytes in answer to a request, and the fate of the connection after them.
pub(super) enum Step {
    Answer(Vec<u8>),
    /// The connection is closed.
    Close(Vec<u8>),
    /// The connection stays open, and nothing is read or written any more.
    Vanish,
}

/// What an instance has received.
#[derive(Debug, Default)]
pub(super) struct Received {
    pub(super) requests: Vec<Arrived>,
    /// Streams and codes of RST_STREAM.
    pub(super) resets: Vec<(u32, u32)>,
    /// Streams that have ended.
    pub(super) ended: Vec<u32>,
    /// Bytes of DATA, with their padding.
    pub(super) data: usize,
    pub(super) connections: usize,
}

/// The instance.
#[derive(Clone)]
pub(super) struct FrameStub {
    pub(super) address: SocketAddr,
    received: Arc<Mutex<Received>>,
}

impl FrameStub {
    /// Starts an instance that answers each request by a script.
    pub(super) async fn start(script: impl Fn(Arrived) -> Step + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stub = Self { address: listener.local_addr().unwrap(), received: Arc::default() };
        let received = Arc::clone(&stub.received);
        let script = Arc::new(script);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let connection = received.lock().unwrap().connections;
                received.lock().unwrap().connections += 1;
                let (received, script) = (Arc::clone(&received), Arc::clone(&script));
                tokio::spawn(async move {
                    serve(stream, connection, &received, &*script).await;
                });
            }
        });
        stub
    }

    /// Returns a part of what was received.
    pub(super) fn received<T>(&self, part: impl FnOnce(&Received) -> T) -> T {
        part(&self.received.lock().unwrap())
    }

    /// Returns the number of requests that have arrived.
    pub(super) fn requests(&self) -> usize {
        self.received(|received| received.requests.len())
    }
}

/// Serves a connection until it ends; none of its errors is of interest.
async fn serve(
    mut stream: TcpStream,
    connection: usize,
    received: &Mutex<Received>,
    script: &(impl Fn(Arrived) -> Step + Send + Sync),
) -> Option<()> {
    let mut preface = [0; PREFACE.len()];
    stream.read_exact(&mut preface).await.ok()?;
    assert_eq!(preface, PREFACE);
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await.ok()?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let (kind, flags) = (head[3], head[4]);
        let id = u32::from_be_bytes(head[5..].try_into().unwrap());
        let mut payload = vec![0; length];
        stream.read_exact(&mut payload).await.ok()?;
        if matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0 {
            received.lock().unwrap().ended.push(id);
        }
        match kind {
            SETTINGS if flags & ACK == 0 => {
                stream.write_all(&frame(SETTINGS, ACK, 0, &[])).await.ok()?;
            }
            PING if flags & ACK == 0 => {
                stream.write_all(&frame(PING, ACK, 0, &payload)).await.ok()?;
            }
            DATA => received.lock().unwrap().data += length,
            RST_STREAM => {
                let code = u32::from_be_bytes(payload.try_into().unwrap());
                received.lock().unwrap().resets.push((id, code));
            }
            HEADERS => {
                let arrived = Arrived { connection, stream: id };
                received.lock().unwrap().requests.push(arrived);
                match script(arrived) {
                    Step::Answer(bytes) => stream.write_all(&bytes).await.ok()?,
                    Step::Close(bytes) => {
                        stream.write_all(&bytes).await.ok()?;
                        // What has arrived unread would turn the close into a reset.
                        stream.shutdown().await.ok()?;
                        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.ok()?;
                        return None;
                    }
                    Step::Vanish => std::future::pending().await,
                }
            }
            _ => {}
        }
    }
}

/// Returns a frame.
pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// Returns a head with these fields, none of which is compressed.
pub(super) fn head(stream: u32, fields: &[(&str, &str)], ends: bool) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.extend([0, name.len() as u8]);
        block.extend(name.as_bytes());
        block.push(value.len() as u8);
        block.extend(value.as_bytes());
    }
    frame(HEADERS, END_HEADERS | if ends { END_STREAM } else { 0 }, stream, &block)
}

/// Returns the head of a response of status 200 with a length.
pub(super) fn ok(stream: u32, length: &str) -> Vec<u8> {
    head(stream, &[(":status", "200"), ("content-length", length)], false)
}

pub(super) fn data(stream: u32, bytes: &str, ends: bool) -> Vec<u8> {
    frame(DATA, if ends { END_STREAM } else { 0 }, stream, bytes.as_bytes())
}

/// Returns a whole response.
pub(super) fn whole(stream: u32) -> Vec<u8> {
    [ok(stream, "2"), data(stream, "ok", true)].concat()
}

pub(super) fn reset(stream: u32, code: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &code.to_be_bytes())
}

pub(super) fn go_away(last_stream: u32, code: u32) -> Vec<u8> {
    frame(GOAWAY, 0, 0, &[last_stream.to_be_bytes(), code.to_be_bytes()].concat())
}
