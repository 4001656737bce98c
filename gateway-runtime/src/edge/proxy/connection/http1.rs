//! A connection over HTTP/1.1. No task of its own drives it: the task of the request that uses it
//! does, so that a response crosses no queue between tasks.

use std::{
    error::Error as _,
    future::poll_fn,
    io::{self, ErrorKind},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{Request, Response};
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, sleep_until};

use crate::{
    base::error::with_causes,
    edge::proxy::{
        connection::{
            exchange::{Clocks, ExchangeError},
            limits::{MAX_BUFFERED_BYTES, MAX_HEAD_BYTES},
            socket::Socket,
        },
        patient_socket::PatientSocket,
        upload::{Progress, Upload},
    },
};

/// A connection over HTTP/1.1.
pub(in crate::edge::proxy) struct Http1Connection {
    sender: SendRequest<Upload>,
    driver: Box<http1::Connection<PatientSocket<TokioIo<Socket>>, Upload>>,
}

impl Http1Connection {
    /// Creates the connection of a socket.
    pub(super) async fn open(socket: Socket) -> io::Result<Self> {
        let (sender, driver) = http1::Builder::new()
            .max_header_size(MAX_HEAD_BYTES)
            .max_buf_size(MAX_BUFFERED_BYTES)
            .handshake(PatientSocket::new(TokioIo::new(socket)))
            .await
            .map_err(io::Error::other)?;
        Ok(Self { sender, driver: Box::new(driver) })
    }

    /// Returns whether the connection can take a request now.
    pub(super) fn is_reusable(&mut self) -> bool {
        // No task is woken by an idle connection: it is polled before its next use.
        let mut context = Context::from_waker(Waker::noop());
        Pin::new(&mut *self.driver).poll(&mut context).is_pending() && self.sender.is_ready()
    }

    /// Drives the connection, which moves bytes in both directions. Ready when it has ended.
    pub(super) fn poll_drive(&mut self, cx: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        self.driver.poll_without_shutdown(cx)
    }

    /// Sends a request, and waits for the head of the response.
    pub(super) async fn send(
        &mut self,
        request: Request<Upload>,
        progress: Option<&Arc<Progress>>,
        clocks: Clocks,
    ) -> Result<Response<Incoming>, ExchangeError> {
        let Self { sender, driver } = self;
        let mut response = pin!(sender.try_send_request(request));
        let mut alarm = pin!(sleep_until(Instant::now() + clocks.first_byte));
        poll_fn(|cx| {
            // An error is that of the response too.
            let _ = driver.poll_without_shutdown(cx);
            if let Poll::Ready(result) = response.as_mut().poll(cx) {
                return Poll::Ready(result.map_err(|mut error| match error.take_message() {
                    Some(request) => ExchangeError::NotSent(Box::new(request)),
                    None => classify(&error.into_error()),
                }));
            }
            clocks.poll_overdue(alarm.as_mut(), progress, cx).map(Err)
        })
        .await
    }

    /// Takes the socket of a connection that has switched to another protocol, and the bytes that
    /// were read ahead.
    pub(super) fn into_socket(self) -> (Socket, Bytes) {
        let parts = self.driver.into_parts();
        (parts.io.into_inner().into_inner(), parts.read_buf)
    }
}

/// Returns the error of an exchange whose connection failed. An instance that closes an idle
/// connection while a request is on the way resets it.
fn classify(error: &hyper::Error) -> ExchangeError {
    let io = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    let is_closed = error.is_incomplete_message()
        || error.is_canceled()
        || error.is_closed()
        || io.is_some_and(|io| {
            matches!(
                io.kind(),
                ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe
            )
        });
    let reason = with_causes(error);
    if is_closed {
        ExchangeError::Closed(reason)
    } else if error.is_parse() {
        ExchangeError::Malformed(reason)
    } else {
        ExchangeError::Failed(reason)
    }
}
