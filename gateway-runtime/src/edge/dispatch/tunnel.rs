//! Tunnels: connections that have left HTTP, as that of a WebSocket does after its handshake.
//!
//! A dispatcher that switches protocols adds a [`Tunnel`] to its response. The HTTP edge runs it
//! when the response was sent: the tunnel counts as in flight, ends within the grace of a
//! shutdown, and has its line in the access log at its end.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::future::BoxFuture;
use http::{Extensions, Response};

use crate::edge::dispatch::response_end::ResponseEnd;

/// A function that runs a tunnel to its end.
type RunTunnel = Box<dyn FnOnce(TunnelClient) -> BoxFuture<'static, TunnelEnd> + Send>;

/// A tunnel that begins when the response, of which this is an extension, was sent.
#[derive(Clone)]
pub(crate) struct Tunnel(Arc<Mutex<Option<RunTunnel>>>);

/// The client of a tunnel, besides its bytes.
pub(crate) struct TunnelClient {
    /// Completes when the tunnel must end, since the gateway shuts down.
    pub(crate) grace_is_over: BoxFuture<'static, ()>,
    /// Completes when the client resets its stream of an HTTP/2 connection, which a read shows as
    /// an orderly end. The reset of an HTTP/1.1 connection is the error of a read.
    pub(crate) was_reset: BoxFuture<'static, ()>,
    /// Makes the end of the client's connection a reset. Called before the connection is dropped.
    pub(crate) reset: Box<dyn FnOnce() + Send>,
}

/// The end of a tunnel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TunnelEnd {
    /// The bytes that the client sent.
    pub(crate) request_bytes: u64,
    /// The bytes that the client was sent.
    pub(crate) response_bytes: u64,
    /// The side that ended its sending first, or broke off.
    pub(crate) by: ResponseEnd,
    /// A side broke off: its connection was reset, or took no more bytes.
    pub(crate) is_broken: bool,
}

impl Tunnel {
    /// Creates a tunnel from the function that runs it.
    pub(crate) fn new<F>(run: impl FnOnce(TunnelClient) -> F + Send + 'static) -> Self
    where
        F: Future<Output = TunnelEnd> + Send + 'static,
    {
        let run: RunTunnel = Box::new(|client| Box::pin(run(client)));
        Self(Arc::new(Mutex::new(Some(run))))
    }

    /// Takes the tunnel from its response.
    pub(crate) fn take<B>(response: &mut Response<B>) -> Option<RunTunnel> {
        let extensions: &mut Extensions = response.extensions_mut();
        let tunnel = extensions.remove::<Self>()?;
        tunnel.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tunnel")
    }
}
