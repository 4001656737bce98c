//! A connection over HTTP/2 that the requests of a worker share.

use std::{
    fmt,
    future::poll_fn,
    io,
    pin::Pin,
    sync::Arc,
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

use crate::edge::proxy::connection::{
    http2::{
        driver::{self, Http2Connection},
        exchange::Http2Exchange,
        limits::{
            CONNECTION_WINDOW_BYTES, FRAME_OVERHEAD_BYTES, MAX_CANCELLED_STREAMS,
            MAX_SEND_BUFFER_BYTES, MAX_STREAMS, STREAM_WINDOW_BYTES,
        },
        place::{ConnectionId, ConnectionStatus, Origin, Place},
    },
    limits::MAX_HEAD_BYTES,
    socket::Socket,
};

/// A connection that requests share.
pub(in crate::edge::proxy) struct SharedConnection {
    id: ConnectionId,
    sender: SendRequest<Bytes>,
    origin: Arc<Origin>,
    status: Arc<ConnectionStatus>,
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
        !self.status.has_ended()
            && !matches!(self.sender.poll_ready(&mut context), Poll::Ready(Err(_)))
    }

    /// Returns whether the connection has had no request for a time.
    pub(in crate::edge::proxy) fn is_idle_for(&self, time: Duration) -> bool {
        self.status.streams() == 0 && self.status.idle_since() + time <= Instant::now()
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
