//! The address of the broker, and the socket to it.

use std::{fmt, io, time::Duration};

use async_compat::Compat;
use lapin::{
    AsyncTcpStream,
    tcp::OwnedTLSConfig,
    uri::{AMQPScheme, AMQPUri},
};
use tokio::net::TcpStream;

use crate::{
    base::secret::Secret,
    bus::{BusSettings, amqp::guard::MAX_FRAME_BYTES},
};

/// The address of the broker, with the credentials.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) uri: AMQPUri,
    pub(super) frame_max: u32,
    pub(super) timeout: Duration,
}

impl Address {
    /// Parses the address, and applies the settings. The error contains no secret.
    pub(super) fn parse(url: &Secret, settings: &BusSettings) -> Result<Self, AddressError> {
        let text = url.expose();
        let mut uri: AMQPUri = text.parse().map_err(|_| AddressError::Invalid)?;
        // The library's parser drops a host in brackets (an IPv6 address).
        if let Some((_, address)) = text.rsplit('@').next().unwrap_or(text).split_once('[') {
            uri.authority.host = address.split(']').next().unwrap_or(address).to_owned();
        }
        if uri.authority.host.is_empty() {
            return Err(AddressError::NoHost);
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

    pub(super) async fn socket(&self) -> io::Result<TcpStream> {
        let AMQPUri { authority, .. } = &self.uri;
        let stream = TcpStream::connect((&*authority.host, authority.port)).await?;
        // No TCP timeout is set: a broker that is blocked because its memory is full would exceed
        // it, and heartbeats detect a dead one.
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    pub(super) async fn secured(
        &self,
        stream: TcpStream,
    ) -> io::Result<AsyncTcpStream<Compat<TcpStream>>> {
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
        let user = &authority.userinfo.username;
        let host = &authority.host;
        let port = authority.port;
        write!(f, "{scheme}://{host}:{port} (user `{user}`, virtual host `{vhost}`)")
    }
}

/// The problem of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AddressError {
    /// The text is no URL of AMQP.
    Invalid,
    /// The URL has no host.
    NoHost,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalid => "it is not an AMQP URL",
            Self::NoHost => "it has no host",
        })
    }
}

impl std::error::Error for AddressError {}
