//! The opening of connections to one instance: with TLS or in clear text, over the version of HTTP
//! that its settings or the instance choose.

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use http::uri::{Authority, Scheme};
use tokio::net::TcpStream;

#[cfg(feature = "http-client")]
use crate::edge::proxy::connection::tls::Tls;
#[cfg(not(feature = "http-client"))]
use crate::edge::proxy::connection::tls_absent::Tls;
use crate::edge::proxy::{
    connection::{http1::Http1Connection, http2::SharedConnection, socket::Socket},
    settings::Protocol,
};

/// The opener of connections to one instance. Address, TLS name, verification and protocol are all
/// of the instance, so that no connection is used for another.
pub(in crate::edge::proxy) struct Connector {
    /// `host:port`, to connect to.
    address: String,
    protocol: Protocol,
    /// The authority of requests over HTTP/2.
    authority: Authority,
    tls: Option<Tls>,
    /// The instance has chosen HTTP/1.1 on the last connection.
    has_chosen_http1: AtomicBool,
}

/// A new connection.
pub(in crate::edge::proxy) enum Opened {
    /// A connection over HTTP/1.1.
    Http1(Http1Connection),
    /// A connection over HTTP/2.
    Http2(SharedConnection),
}

impl Connector {
    /// Creates the connector of an instance, in clear text without `tls`.
    pub(in crate::edge::proxy) fn new(
        address: String,
        authority: Authority,
        protocol: Protocol,
        tls: Option<Tls>,
    ) -> Self {
        Self { address, protocol, authority, tls, has_chosen_http1: AtomicBool::new(false) }
    }

    /// Returns whether the connection of a request may be over HTTP/2, which requests share.
    pub(in crate::edge::proxy) fn may_share(&self, upgrades: bool) -> bool {
        match self.protocol {
            Protocol::Http1 => false,
            Protocol::Http2 => true,
            Protocol::Auto => {
                self.tls.is_some() && !upgrades && !self.has_chosen_http1.load(Relaxed)
            }
        }
    }

    /// Opens a connection. One that `upgrades` is over HTTP/1.1 wherever the settings allow it.
    ///
    /// # Errors
    ///
    /// Fails if the name is unknown, nobody listens there, the certificate is not that of the
    /// instance, or it does not speak the protocol of the settings.
    pub(in crate::edge::proxy) async fn open(&self, upgrades: bool) -> io::Result<Opened> {
        let stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else {
            return match self.protocol {
                Protocol::Http2 => self.open_http2(Socket::Clear(stream), Scheme::HTTP).await,
                Protocol::Auto | Protocol::Http1 => Self::open_http1(Socket::Clear(stream)).await,
            };
        };
        let needs_http1 = upgrades && self.protocol != Protocol::Http2;
        let (socket, is_http2) = tls.connect(stream, needs_http1).await?;
        if is_http2 {
            self.has_chosen_http1.store(false, Relaxed);
            return self.open_http2(socket, Scheme::HTTPS).await;
        }
        if self.protocol == Protocol::Http2 {
            return Err(io::Error::other("the instance does not choose HTTP/2 (ALPN)"));
        }
        if !needs_http1 {
            self.has_chosen_http1.store(true, Relaxed);
        }
        Self::open_http1(socket).await
    }

    async fn open_http1(socket: Socket) -> io::Result<Opened> {
        Http1Connection::open(socket).await.map(Opened::Http1)
    }

    async fn open_http2(&self, socket: Socket, scheme: Scheme) -> io::Result<Opened> {
        let authority = self.authority.clone();
        SharedConnection::open(socket, scheme, authority).await.map(Opened::Http2)
    }
}
