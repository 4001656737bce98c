//! A connection to RabbitMQ: the address, the socket, the handshake and the shutdown.
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

use async_compat::Compat;
use lapin::{
    AsyncTcpStream, Connection, ConnectionProperties,
    tcp::OwnedTLSConfig,
    uri::{AMQPScheme, AMQPUri},
};
use socket2::{SockRef, Socket};
use tokio::{net::TcpStream, sync::watch, time::timeout};

use crate::{
    base::secret::Secret,
    bus::{
        BusError, BusErrorKind, BusSettings,
        amqp::guard::{Guard, MAX_FRAME_BYTES, guarded_runtime},
    },
};

/// The time limit of an orderly close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The address of the broker, with the credentials.
#[derive(Clone)]
pub(super) struct Address {
    uri: AMQPUri,
    frame_max: u32,
    timeout: Duration,
}

impl Address {
    /// Parses the address, and applies the settings. The error contains no secret.
    pub(super) fn parse(url: &Secret, settings: &BusSettings) -> Result<Self, &'static str> {
        let text = url.expose();
        let mut uri: AMQPUri = text.parse().map_err(|_| "it is no address")?;
        // The library's parser drops a host in brackets (an IPv6 address).
        if let Some((_, address)) = text.rsplit('@').next().unwrap_or(text).split_once('[') {
            uri.authority.host = address.split(']').next().unwrap_or(address).to_owned();
        }
        if uri.authority.host.is_empty() {
            return Err("it names no host");
        }
        // The library checks twice an interval, and gives up after two intervals of silence.
        let interval = u16::try_from(settings.heartbeat.as_secs() * 2 / 5).unwrap_or(u16::MAX);
        uri.query.heartbeat = Some(interval.max(1));
        let frame_max = uri
            .query
            .frame_max
            .filter(|bytes| *bytes > 0)
            .unwrap_or(MAX_FRAME_BYTES)
            .min(MAX_FRAME_BYTES);
        uri.query.frame_max = Some(frame_max);
        Ok(Self { uri, frame_max, timeout: settings.connect_timeout })
    }

    async fn socket(&self) -> io::Result<TcpStream> {
        let AMQPUri { authority, .. } = &self.uri;
        let stream = TcpStream::connect((&*authority.host, authority.port)).await?;
        // No TCP timeout is set: a broker that is blocked because its memory is full would exceed
        // it, and heartbeats detect a dead one.
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    async fn secured(&self, stream: TcpStream) -> io::Result<AsyncTcpStream<Compat<TcpStream>>> {
        let plain = AsyncTcpStream::Plain(Compat::new(stream));
        match self.uri.scheme {
            AMQPScheme::AMQP => Ok(plain),
            AMQPScheme::AMQPS => {
                // An error means that the program has installed another crypto provider, which is
                // then used.
                let _ = rustls::crypto::ring::default_provider().install_default();
                plain.into_tls(&self.uri.authority.host, OwnedTLSConfig::default().as_ref()).await
            }
        }
    }
}

/// Shows the address without the password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AMQPUri { scheme, authority, vhost, .. } = &self.uri;
        let (user, host, port) = (&authority.userinfo.username, &authority.host, authority.port);
        write!(f, "{scheme}://{host}:{port} (user `{user}`, virtual host `{vhost}`)")
    }
}

/// An established connection.
pub(super) struct AmqpConnection {
    connection: Connection,
    cut: ShutdownOnDrop,
    ended: watch::Sender<Option<BusError>>,
}

impl AmqpConnection {
    /// Connects. Operators of the broker see `name`. The error text is for operators.
    pub(super) async fn connect(address: &Address, name: &'static str) -> Result<Self, String> {
        let late = |_| Err("it did not answer in time".to_owned());
        timeout(address.timeout, Self::connect_without_timeout(address, name))
            .await
            .unwrap_or_else(late)
    }

    async fn connect_without_timeout(
        address: &Address,
        name: &'static str,
    ) -> Result<Self, String> {
        let stream = address.socket().await.map_err(|error| error.to_string())?;
        let cut =
            ShutdownOnDrop(SockRef::from(&stream).try_clone().map_err(|error| error.to_string())?);
        let stream = address.secured(stream).await.map_err(|error| format!("TLS: {error}"))?;
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
                .map_err(|error| error.to_string())?;
        Ok(Self { connection, cut, ended: watch::Sender::new(None) })
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
        self.cut.now();
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
