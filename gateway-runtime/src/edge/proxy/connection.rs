//! A connection to an instance. No task of its own drives it: the task of the request that uses it
//! does, so that a response crosses no queue between tasks.

use std::{
    fmt,
    future::poll_fn,
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    time::{Instant, sleep_until, timeout},
};

use crate::edge::proxy::{
    patient_socket::PatientSocket,
    upload::{Progress, Upload},
};

/// The maximum size of a response head, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// The maximum that the library buffers of a request or a response, in bytes.
const MAX_BUFFERED_BYTES: usize = 64 * 1024;

/// A connection over HTTP/1.1.
pub(super) struct Connection {
    sender: SendRequest<Upload>,
    driver: Box<http1::Connection<PatientSocket<TokioIo<TcpStream>>, Upload>>,
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
    /// The connection failed after the request had begun.
    Failed(hyper::Error),
    /// The instance is too slow.
    TooSlow,
    /// The client has stopped sending its request.
    StalledUpload,
}

impl Connection {
    /// Connects to `host:port` within the time limit.
    ///
    /// # Errors
    ///
    /// Fails if the name is unknown, nobody listens there, or the time is over.
    pub(super) async fn open(address: &str, time: Duration) -> io::Result<Self> {
        let connecting = async {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            http1::Builder::new()
                .max_header_size(MAX_HEAD_BYTES)
                .max_buf_size(MAX_BUFFERED_BYTES)
                .handshake(PatientSocket::new(TokioIo::new(stream)))
                .await
                .map_err(io::Error::other)
        };
        let connected = timeout(time, connecting).await;
        let (sender, driver) = connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
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
                    None => ExchangeError::Failed(error.into_error()),
                }));
            }
            while alarm.as_mut().poll(cx).is_ready() {
                // The clock starts anew with each step of the upload.
                let Some(progress) = progress else {
                    return Poll::Ready(Err(ExchangeError::TooSlow));
                };
                let is_client = progress.waits_for_client();
                let limit = if is_client { clocks.idle } else { clocks.first_byte };
                let due = progress.last() + limit;
                if due <= Instant::now() {
                    return Poll::Ready(Err(if is_client {
                        ExchangeError::StalledUpload
                    } else {
                        ExchangeError::TooSlow
                    }));
                }
                alarm.as_mut().reset(due);
            }
            Poll::Pending
        })
        .await
    }

    /// Takes the socket of a connection that has switched to another protocol, and the bytes that
    /// were read ahead.
    pub(super) fn into_socket(self) -> (TcpStream, Bytes) {
        let parts = self.driver.into_parts();
        (parts.io.into_inner().into_inner(), parts.read_buf)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}
