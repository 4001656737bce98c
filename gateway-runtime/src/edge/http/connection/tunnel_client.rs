//! The client's connection under a tunnel: its share of the requests in flight, and its resets.
//!
//! hyper shows the reset of an HTTP/2 stream as an orderly end, and ends a stream in order when the
//! tunnel is dropped. A reset must pass in both directions, with CANCEL as the error (RFC 8441 §5).
//! [`TunnelStream`] therefore watches the future that sends for hyper: dropped before its end, it
//! resets the stream.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use http::{Response, Version};
use pin_project_lite::pin_project;
use tokio::sync::Notify;

use crate::edge::http::connection::{Peer, activity::InFlight};

/// The connection of a client while a tunnel uses it. It counts as a request in flight.
pub(in crate::edge::http) struct ClientConnection {
    in_flight: InFlight,
    peer: Peer,
    /// The reset of an HTTP/2 stream.
    stream: Option<Arc<StreamReset>>,
}

impl ClientConnection {
    /// Creates the connection from the request that begins the tunnel, and its response.
    pub(in crate::edge::http) fn new<B>(
        peer: &Peer,
        version: Version,
        response: &mut Response<B>,
    ) -> Self {
        let stream = (version == Version::HTTP_2).then(Arc::<StreamReset>::default);
        if let Some(stream) = &stream {
            response.extensions_mut().insert(Arc::clone(stream));
        }
        Self { in_flight: peer.begin(), peer: peer.clone(), stream }
    }

    /// Returns a future that completes when the client resets its HTTP/2 stream.
    pub(in crate::edge::http) fn was_reset(&self) -> BoxFuture<'static, ()> {
        match self.stream.clone() {
            Some(stream) => Box::pin(async move { stream.ended.notified().await }),
            None => Box::pin(std::future::pending()),
        }
    }

    /// Returns a function that makes the end of the connection a reset.
    pub(in crate::edge::http) fn reset(&self) -> Box<dyn FnOnce() + Send> {
        let (peer, stream) = (self.peer.clone(), self.stream.clone());
        Box::new(move || match stream {
            Some(stream) => stream.is_requested.store(true, Relaxed),
            None => peer.activity().reset.set(true),
        })
    }
}

impl std::fmt::Debug for ClientConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let in_flight = self.in_flight.activity().in_flight();
        f.debug_struct("ClientConnection").field("in_flight", &in_flight).finish_non_exhaustive()
    }
}

/// The reset of an HTTP/2 stream, by the gateway or by the client.
#[derive(Debug, Default)]
pub(super) struct StreamReset {
    /// The gateway resets the stream at the end of the tunnel.
    is_requested: AtomicBool,
    /// The sending half has ended. If the tunnel has not ended it, the client has reset the stream.
    ended: Notify,
}

pin_project! {
    /// The sending half of an HTTP/2 stream under a tunnel.
    pub(super) struct TunnelStream<F> {
        #[pin]
        sending: F,
        reset: Arc<StreamReset>,
    }
}

impl<F> TunnelStream<F> {
    /// Watches the future that sends.
    pub(super) fn new(sending: F, reset: Arc<StreamReset>) -> Self {
        Self { sending, reset }
    }
}

impl<F: Future> Future for TunnelStream<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        if this.reset.is_requested.load(Relaxed) {
            return Poll::Ready(());
        }
        this.sending.poll(cx).map(|_| this.reset.ended.notify_one())
    }
}
