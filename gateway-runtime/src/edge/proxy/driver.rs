//! The connection under a response, until the end of the exchange.
//!
//! The task of the response drives the connection. While the client is still sending its request,
//! that is not enough: the upload must move also while the client does not read the response.
//! The connection then gets a task of its own.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::sync::oneshot;

use crate::edge::proxy::{connection::Connection, instance::Lease};

/// The connection that a response comes from.
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

    fn drive(&mut self, cx: &mut Context<'_>) {
        if self.is_open {
            self.is_open = self.connection.poll_drive(cx).is_pending();
        }
    }

    /// Gives the connection back if it can take another request. It cannot while the client is
    /// still sending, or if the instance has closed it.
    fn give_back(self) {
        let Self { mut connection, lease, is_open, is_reusable } = self;
        if is_open && is_reusable && connection.is_reusable() {
            lease.instance().pool.give_back(connection);
        }
    }
}

/// The driver of a connection. Dropped, it closes the connection.
pub(super) enum Driver {
    /// The task of the response.
    Response(Source),
    /// A task of its own, which the end of the exchange ends.
    Task(oneshot::Sender<()>),
}

impl Driver {
    /// Drives the connection in a task of its own.
    pub(super) fn spawn(mut source: Source) -> Self {
        let (end, mut ended) = oneshot::channel();
        tokio::spawn(async move {
            let is_whole = poll_fn(|cx| {
                if let Poll::Ready(end) = Pin::new(&mut ended).poll(cx) {
                    return Poll::Ready(end.is_ok());
                }
                source.drive(cx);
                Poll::Pending
            });
            if is_whole.await {
                source.give_back();
            }
        });
        Self::Task(end)
    }

    /// Drives the connection, which moves bytes in both directions.
    pub(super) fn drive(&mut self, cx: &mut Context<'_>) {
        match self {
            Self::Response(source) => source.drive(cx),
            Self::Task(_) => {}
        }
    }

    /// Ends the exchange, and gives the connection back if it can take another request.
    pub(super) fn end(self) {
        match self {
            Self::Response(source) => source.give_back(),
            // An error means that the worker has ended.
            Self::Task(end) => drop(end.send(())),
        }
    }
}
