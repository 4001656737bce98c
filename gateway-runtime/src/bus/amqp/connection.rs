//! A connection to RabbitMQ: the handshake and the shutdown.
//!
//! The client library runs each connection in a thread of its own, which waits for its socket
//! without a limit: a silent broker would block it for ever. So the socket is created here, and a
//! connection is aborted by a shutdown of its socket. The library's own connector leaves a task
//! behind when an attempt fails, and is not used. All that the library reads passes through a
//! `guard`.

use std::{
    fmt, io,
    net::Shutdown,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use lapin::{AsyncTcpStream, Connection, ConnectionProperties};
use socket2::{SockRef, Socket};
use tokio::{sync::watch, time::timeout};

use crate::bus::{
    BusError, BusErrorKind,
    amqp::{
        address::Address,
        guard::{Guard, guarded_runtime},
    },
};

/// The time limit of an orderly close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// An established connection.
pub(super) struct AmqpConnection {
    connection: Connection,
    socket: ShutdownOnDrop,
    ended: watch::Sender<Option<BusError>>,
}

impl AmqpConnection {
    /// Connects. Operators of the broker see `name`.
    pub(super) async fn connect(
        address: &Address,
        name: &'static str,
    ) -> Result<Self, ConnectError> {
        let late = |_| Err(ConnectError::Timeout);
        timeout(address.timeout, Self::connect_without_timeout(address, name))
            .await
            .unwrap_or_else(late)
    }

    async fn connect_without_timeout(
        address: &Address,
        name: &'static str,
    ) -> Result<Self, ConnectError> {
        let stream = address.socket().await.map_err(ConnectError::Socket)?;
        let socket =
            ShutdownOnDrop(SockRef::from(&stream).try_clone().map_err(ConnectError::Socket)?);
        let stream = address.secured(stream).await.map_err(ConnectError::Tls)?;
        let stream = Mutex::new(Some(AsyncTcpStream::Plain(Guard::new(stream, address.frame_max))));
        let once = async move |_, _| {
            let stream = stream.lock().unwrap_or_else(PoisonError::into_inner).take();
            stream.ok_or_else(|| lapin::Error::from(io::Error::from(io::ErrorKind::NotConnected)))
        };
        let properties = ConnectionProperties::default()
            .with_connection_name(name.into())
            .with_client_property("product".into(), "gateway".into())
            .with_client_property("version".into(), env!("CARGO_PKG_VERSION").into());
        let connection =
            Connection::connector(address.uri.clone(), guarded_runtime(), once, properties)
                .await
                .map_err(ConnectError::Handshake)?;
        Ok(Self { connection, socket, ended: watch::Sender::new(None) })
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) fn is_connected(&self) -> bool {
        self.connection.status().connected()
    }

    /// Returns whether the broker blocks publishing now.
    pub(super) fn is_blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    /// Returns the largest frame that the broker accepts, in bytes.
    pub(super) fn largest_frame(&self) -> usize {
        self.connection.configuration().frame_max() as usize
    }

    /// Shuts the socket down, and passes the error to all users of the connection.
    pub(super) fn abort(&self, error: BusError) {
        self.socket.now();
        self.ended.send_replace(Some(error));
    }

    /// Waits until the connection has ended, and returns the reason.
    pub(super) async fn ended(&self) -> BusError {
        let mut ended = self.ended.subscribe();
        let error = ended.wait_for(Option::is_some).await.ok().and_then(|error| error.clone());
        error.unwrap_or_else(|| BusError::new(BusErrorKind::ChannelLost, "the bus was closed"))
    }

    /// Closes the connection in an orderly way.
    pub(super) async fn close(&self) {
        let _ = timeout(CLOSE_TIMEOUT, self.connection.close(200, "OK".into())).await;
        self.abort(BusError::new(BusErrorKind::ChannelLost, "the bus was closed"));
    }
}

/// A socket that is shut down on drop.
struct ShutdownOnDrop(Socket);

impl ShutdownOnDrop {
    fn now(&self) {
        // An error means that the socket is closed already.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

impl Drop for ShutdownOnDrop {
    fn drop(&mut self) {
        self.now();
    }
}

/// The reason why there is no connection; the text is for operators.
#[derive(Debug)]
pub(super) enum ConnectError {
    /// The broker did not answer in time.
    Timeout,
    /// The broker cannot be reached.
    Socket(io::Error),
    /// TLS failed.
    Tls(io::Error),
    /// The broker rejects the connection.
    Handshake(lapin::Error),
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout => f.write_str("no reply in time"),
            Self::Socket(error) => error.fmt(f),
            Self::Tls(error) => write!(f, "TLS: {error}"),
            Self::Handshake(error) => error.fmt(f),
        }
    }
}

/// The messages include those of the errors, so the sources are the causes of those.
impl std::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Timeout => None,
            Self::Socket(error) | Self::Tls(error) => error.source(),
            Self::Handshake(error) => error.source(),
        }
    }
}
