//! A connection over HTTP/2 that the requests of a worker share.

use std::{
    fmt,
    future::poll_fn,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use h2::{
    Ping, PingPong,
    client::{Builder, SendRequest},
};
use http::uri::{Authority, Scheme};
use tokio::time::Instant;

use crate::edge::proxy::{
    clock::AtomicTime,
    connection::{
        MAX_HEAD_BYTES, Socket,
        http2::{
            CONNECTION_WINDOW_BYTES, FRAME_OVERHEAD_BYTES, MAX_CANCELLED_STREAMS,
            MAX_SEND_BUFFER_BYTES, MAX_STREAMS, STREAM_WINDOW_BYTES, driver,
            exchange::Http2Exchange,
        },
    },
};

/// A connection as its driver sees it.
pub(super) type Http2Connection = h2::client::Connection<Socket, Bytes>;

/// The identity of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::edge::proxy) struct ConnectionId(u64);

/// A connection that requests share.
pub(in crate::edge::proxy) struct SharedConnection {
    id: ConnectionId,
    sender: SendRequest<Bytes>,
    origin: Arc<Origin>,
    status: Arc<ConnectionStatus>,
}

/// The origin that requests name: `:scheme` and `:authority`.
pub(super) struct Origin {
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
}

/// The state of a connection that its requests and its driver share.
pub(super) struct ConnectionStatus {
    /// The requests that have a place.
    streams: AtomicUsize,
    /// The time when the last request ended.
    idle_since: AtomicTime,
    /// The time of the first request since the instance has last sent anything; the epoch if there
    /// is none.
    waiting_since: AtomicTime,
    /// The driver has ended.
    has_ended: AtomicBool,
}

/// A place on a connection, given back when it is dropped.
pub(super) struct Place {
    pub(super) id: ConnectionId,
    pub(super) status: Arc<ConnectionStatus>,
}

impl SharedConnection {
    /// Opens a connection, and waits for the answer to a ping: it comes after the instance's
    /// settings, and only from an instance that speaks HTTP/2.
    pub(in crate::edge::proxy::connection) async fn open(
        socket: Socket,
        scheme: Scheme,
        authority: Authority,
    ) -> io::Result<Self> {
        let (sender, mut connection) = builder().handshake(socket).await.map_err(no_handshake)?;
        let mut pings = connection.ping_pong().ok_or(io::ErrorKind::Unsupported)?;
        answer_to_ping(&mut connection, &mut pings).await?;
        let status = Arc::new(ConnectionStatus::new());
        tokio::spawn(driver::run(connection, pings, Arc::clone(&status)));
        let origin = Arc::new(Origin { scheme, authority });
        Ok(Self { id: ConnectionId::next(), sender, origin, status })
    }

    /// Returns the id of the connection.
    pub(in crate::edge::proxy) fn id(&self) -> ConnectionId {
        self.id
    }

    /// Returns whether the connection takes requests: it has not ended, and the instance has not
    /// announced its end (GOAWAY).
    pub(in crate::edge::proxy) fn is_open(&mut self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        !self.status.has_ended.load(Relaxed)
            && !matches!(self.sender.poll_ready(&mut context), Poll::Ready(Err(_)))
    }

    /// Returns whether the connection has had no request for a time.
    pub(in crate::edge::proxy) fn is_idle_for(&self, time: Duration) -> bool {
        self.status.streams() == 0 && self.status.idle_since.get() + time <= Instant::now()
    }

    /// Returns whether another request may share the connection.
    pub(in crate::edge::proxy) fn has_room(&self) -> bool {
        // An instance that allows none is not asked for another connection for ever.
        let allowed = self.sender.current_max_send_streams().max(1);
        self.status.streams() < allowed.min(MAX_STREAMS)
    }

    /// Takes a place on the connection.
    pub(in crate::edge::proxy) fn exchange(&self) -> Http2Exchange {
        let place = Place::new(self.id, Arc::clone(&self.status));
        Http2Exchange::new(self.sender.clone(), Arc::clone(&self.origin), place)
    }
}

/// Returns the limits of a connection.
fn builder() -> Builder {
    let mut builder = Builder::new();
    builder
        .enable_push(false)
        .initial_max_send_streams(MAX_STREAMS)
        .initial_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .data_frame_budget(FRAME_OVERHEAD_BYTES)
        .max_send_buffer_size(MAX_SEND_BUFFER_BYTES)
        .max_header_list_size(MAX_HEAD_BYTES as u32)
        .max_concurrent_reset_streams(MAX_CANCELLED_STREAMS)
        // A malformed response is the fault of its stream, however many there were before.
        .max_local_error_reset_streams(None);
    builder
}

/// Sends a ping, and drives the connection until the answer.
async fn answer_to_ping(connection: &mut Http2Connection, pings: &mut PingPong) -> io::Result<()> {
    pings.send_ping(Ping::opaque()).map_err(no_handshake)?;
    poll_fn(|cx| match Pin::new(&mut *connection).poll(cx) {
        Poll::Ready(Ok(())) => Poll::Ready(Err(no_handshake("the instance closed the connection"))),
        Poll::Ready(Err(error)) => Poll::Ready(Err(no_handshake(error))),
        Poll::Pending => pings.poll_pong(cx).map_ok(|_| ()).map_err(no_handshake),
    })
    .await
}

fn no_handshake(reason: impl fmt::Display) -> io::Error {
    io::Error::other(format!("no handshake of HTTP/2: {reason}"))
}

impl ConnectionStatus {
    fn new() -> Self {
        let status = Self {
            streams: AtomicUsize::new(0),
            idle_since: AtomicTime::default(),
            waiting_since: AtomicTime::default(),
            has_ended: AtomicBool::new(false),
        };
        status.idle_since.set_after(Duration::ZERO);
        status
    }

    fn streams(&self) -> usize {
        self.streams.load(Relaxed)
    }

    /// Records that a request was sent.
    pub(super) fn sent(&self) {
        if self.waiting_since.is_clear() {
            self.waiting_since.set_after(Duration::ZERO);
        }
    }

    /// Records that the instance has sent something.
    pub(super) fn received(&self) {
        self.waiting_since.clear();
    }

    /// Returns the time since which requests wait for a sign of the instance; none if none does.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        (self.streams() > 0 && !self.waiting_since.is_clear()).then(|| self.waiting_since.get())
    }

    /// Records that the driver has ended.
    pub(super) fn end(&self) {
        self.has_ended.store(true, Relaxed);
    }
}

impl ConnectionId {
    fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Relaxed))
    }
}

impl Place {
    fn new(id: ConnectionId, status: Arc<ConnectionStatus>) -> Self {
        status.streams.fetch_add(1, Relaxed);
        Self { id, status }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.status.streams() == 1 {
            self.status.idle_since.set_after(Duration::ZERO);
        }
        self.status.streams.fetch_sub(1, Relaxed);
    }
}
