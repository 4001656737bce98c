//! A connection to an instance, as the task of a request uses it: it sends the request, and yields
//! the response. This is the seam behind which the versions of HTTP differ.
//!
//! - `connector`: opens connections to one instance
//! - `socket`: a TCP connection, with TLS or in clear text
//! - `tls`: verification of an instance, and the choice of the protocol
//! - `http1`: HTTP/1.1; one request at a time
//! - `http2`: HTTP/2; requests share a connection

mod connector;
mod http1;
mod http2;
mod response_body;
mod socket;
#[cfg(feature = "http-client")]
mod tls;
#[cfg(not(feature = "http-client"))]
mod tls_absent;

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use tokio::time::{Instant, Sleep};

#[cfg(feature = "http-client")]
pub(super) use crate::edge::proxy::connection::tls::{Tls, TlsClient};
#[cfg(not(feature = "http-client"))]
pub(super) use crate::edge::proxy::connection::tls_absent::{Tls, TlsClient};
pub(super) use crate::edge::proxy::connection::{
    connector::{Connector, Opened},
    http1::Http1Connection,
    http2::{ConnectionId, Http2Exchange, SharedConnection},
    response_body::ResponseBody,
    socket::Socket,
};
use crate::edge::proxy::upload::{Progress, Upload};

/// The maximum size of a response head, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// The maximum that the library buffers of a request or a response, in bytes.
const MAX_BUFFERED_BYTES: usize = 64 * 1024;

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

/// The clocks of an exchange until the head of its response.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clocks {
    /// The maximum time for which the instance neither takes bytes nor answers.
    pub(super) first_byte: Duration,
    /// The maximum time for which the client sends no bytes of its request.
    pub(super) idle: Duration,
}

/// The reason why an exchange has no response.
pub(super) enum ExchangeError {
    /// The connection had closed, and the request, which is returned, was not sent.
    NotSent(Box<Request<Upload>>),
    /// The instance has not processed the request (RFC 9113 §8.7), none of whose body was sent: the
    /// body is returned.
    NotProcessed(Upload),
    /// The connection ended after the request had begun.
    Closed(String),
    /// The response is malformed.
    Malformed(String),
    /// The exchange failed after the request had begun.
    Failed(String),
    /// The instance is too slow.
    TooSlow,
    /// The client has stopped sending its request.
    StalledUpload,
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

impl Clocks {
    /// Polls the alarm of an exchange: ready with the reason when the exchange has lasted too long.
    /// The clock starts anew with each step of the upload.
    fn poll_overdue(
        self,
        mut alarm: Pin<&mut Sleep>,
        progress: Option<&Arc<Progress>>,
        cx: &mut Context<'_>,
    ) -> Poll<ExchangeError> {
        while alarm.as_mut().poll(cx).is_ready() {
            let Some(progress) = progress else {
                return Poll::Ready(ExchangeError::TooSlow);
            };
            let is_client = progress.waits_for_client();
            let limit = if is_client { self.idle } else { self.first_byte };
            let due = progress.last() + limit;
            if due <= Instant::now() {
                return Poll::Ready(if is_client {
                    ExchangeError::StalledUpload
                } else {
                    ExchangeError::TooSlow
                });
            }
            alarm.as_mut().reset(due);
        }
        Poll::Pending
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}
