//! The body of a response on its way to the client. It drives the connection to the instance while
//! the client reads, and gives it back at the end.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use crate::{
    base::body::BoxError,
    edge::proxy::{
        connection::{Connection, ResponseBody},
        instance::Lease,
        trailers,
    },
};

/// The body of a response.
pub(super) struct Download {
    body: ResponseBody,
    /// None after the end.
    source: Option<Source>,
    idle: Duration,
    /// The start of the wait for the next bytes.
    waiting_since: Option<Instant>,
    /// The alarm of the wait, created by the first one.
    alarm: Option<Pin<Box<Sleep>>>,
}

/// The connection that the body comes from.
pub(super) struct Source {
    connection: Connection,
    lease: Lease,
    /// The connection has not ended.
    is_open: bool,
    /// The connection may take another request.
    is_reusable: bool,
}

impl Source {
    /// Creates the source of a body.
    pub(super) fn new(connection: Connection, lease: Lease, is_reusable: bool) -> Self {
        Self { connection, lease, is_open: true, is_reusable }
    }
}

impl Download {
    /// Creates the body of a response from its source.
    pub(super) fn new(body: ResponseBody, source: Source, idle: Duration) -> Self {
        let mut download =
            Self { body, source: Some(source), idle, waiting_since: None, alarm: None };
        if download.body.is_end_stream() {
            download.end();
        }
        download
    }

    /// Ends the exchange, and gives the connection back if it can take another request. It cannot
    /// while the client is still sending, or if the instance has closed it.
    fn end(&mut self) {
        let Some(source) = self.source.take() else { return };
        let Source { mut connection, lease, is_open, is_reusable } = source;
        if is_open && is_reusable && connection.is_reusable() {
            lease.instance().pool.give_back(connection);
        }
    }

    /// Drives the connection, and polls the body.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, String>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if polled.is_ready() {
            return polled;
        }
        if let Some(source) = self.source.as_mut().filter(|source| source.is_open) {
            source.is_open = source.connection.poll_drive(cx).is_pending();
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }

    /// Returns whether the instance has been silent for too long.
    fn is_overdue(&mut self, cx: &mut Context<'_>) -> bool {
        let now = Instant::now();
        let due = *self.waiting_since.get_or_insert(now) + self.idle;
        let idle = self.idle;
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep(idle)));
        while alarm.as_mut().poll(cx).is_ready() {
            if due <= now {
                return true;
            }
            alarm.as_mut().reset(due);
        }
        false
    }
}

impl Body for Download {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        match this.poll_next(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                this.waiting_since = None;
                // Nobody polls a body on after its trailers.
                if frame.is_trailers() || this.body.is_end_stream() {
                    this.end();
                }
                Poll::Ready(Some(Ok(trailers::filtered(frame))))
            }
            Poll::Ready(Some(Err(error))) => {
                this.source = None;
                let reason = format!("the instance cut its response: {error}");
                Poll::Ready(Some(Err(reason.into())))
            }
            Poll::Ready(None) => {
                this.end();
                Poll::Ready(None)
            }
            Poll::Pending if this.is_overdue(cx) => {
                this.source = None;
                Poll::Ready(Some(Err("the instance sent no more bytes in time".into())))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
