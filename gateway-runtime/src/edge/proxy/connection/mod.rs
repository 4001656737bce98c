//! A connection to an instance, as the task of a request uses it: it sends the request, and yields
//! the response. This is the seam behind which the versions of HTTP differ.
//!
//! - `connector`: opens connections to one instance
//! - `exchange`: clocks of an exchange, and the reasons why it has no response
//! - `socket`: a TCP connection, with TLS or in clear text
//! - `tls`: verification of an instance, and the choice of the protocol
//! - `http1`: HTTP/1.1; one request at a time
//! - `http2`: HTTP/2; requests share a connection

mod connector;
mod exchange;
mod http1;
mod http2;
mod limits;
mod response_body;
mod socket;
#[cfg(feature = "http-client")]
mod tls;
#[cfg(not(feature = "http-client"))]
mod tls_absent;

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};

#[cfg(feature = "http-client")]
pub(super) use crate::edge::proxy::connection::tls::TlsClient;
#[cfg(not(feature = "http-client"))]
pub(super) use crate::edge::proxy::connection::tls_absent::TlsClient;
pub(super) use crate::edge::proxy::connection::{
    connector::{Connector, Opened},
    exchange::{Clocks, ExchangeError},
    http1::Http1Connection,
    http2::{ConnectionId, Http2Exchange, SharedConnection},
    response_body::ResponseBody,
    socket::Socket,
};
use crate::edge::proxy::upload::{Progress, Upload};

/// A connection that can take a request.
pub(super) enum Connection {
    /// A connection over HTTP/1.1.
    Http1(Http1Connection),
    /// The place of one request on a connection over HTTP/2.
    Http2(Http2Exchange),
}

/// The connections on which a request can be sent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Demand {
    /// The request switches to another protocol, which only HTTP/1.1 can.
    pub(super) upgrades: bool,
    /// The connection is a new one, since the last one had closed.
    pub(super) is_new: bool,
    /// The connection on which the instance has not processed the request.
    pub(super) avoided: Option<ConnectionId>,
}

impl Connection {
    /// Returns whether the connection can take another request now. The place on a shared
    /// connection is of one request alone.
    pub(super) fn is_reusable(&mut self) -> bool {
        match self {
            Self::Http1(connection) => connection.is_reusable(),
            Self::Http2(_) => false,
        }
    }

    /// Returns the id of a shared connection.
    pub(super) fn id(&self) -> Option<ConnectionId> {
        match self {
            Self::Http1(_) => None,
            Self::Http2(exchange) => Some(exchange.id()),
        }
    }

    /// Moves the bytes that the task of the request has to move. Ready when none are left.
    pub(super) fn poll_drive(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Http1(connection) => connection.poll_drive(cx).map(|_| ()),
            Self::Http2(exchange) => exchange.poll_upload(cx),
        }
    }

    /// Sends a request, and waits for the head of the response.
    pub(super) async fn send(
        &mut self,
        request: Request<Upload>,
        progress: Option<&Arc<Progress>>,
        clocks: Clocks,
    ) -> Result<Response<ResponseBody>, ExchangeError> {
        match self {
            Self::Http1(connection) => {
                let response = connection.send(request, progress, clocks).await?;
                Ok(response.map(ResponseBody::Http1))
            }
            Self::Http2(exchange) => {
                let response = exchange.send(request, progress, clocks).await?;
                Ok(response.map(ResponseBody::Http2))
            }
        }
    }

    /// Takes the socket of a connection that has switched to another protocol, and the bytes that
    /// were read ahead; none of a shared connection, which never switches.
    pub(super) fn into_socket(self) -> Option<(Socket, Bytes)> {
        match self {
            Self::Http1(connection) => Some(connection.into_socket()),
            Self::Http2(_) => None,
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}
