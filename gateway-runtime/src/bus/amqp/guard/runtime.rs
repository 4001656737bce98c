//! The runtime for the client library: tokio's, with guarded sockets.
//!
//! The library connects through the gateway's own closure, but takes the type of the stream from
//! the runtime.

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use async_compat::Compat;
use async_rs::{Runtime, Tokio, traits::Reactor, util::RuntimeParts};
use futures_util::Stream;
use lapin::AsyncTcpStream;
use tokio::net::TcpStream;

use crate::bus::amqp::guard::Guard;

/// A reactor with tokio's timers and guarded sockets.
#[derive(Clone, Debug)]
pub(in crate::bus::amqp) struct GuardedReactor(Tokio);

/// Creates a runtime with guarded sockets from the current one.
pub(in crate::bus::amqp) fn guarded_runtime() -> Runtime<RuntimeParts<Tokio, GuardedReactor>> {
    let tokio = Tokio::current();
    Runtime::new(RuntimeParts::new(tokio.clone(), GuardedReactor(tokio)))
}

impl Reactor for GuardedReactor {
    type TcpStream = Guard<AsyncTcpStream<Compat<TcpStream>>>;
    type Sleep = tokio::time::Sleep;

    #[expect(refining_impl_trait_internal, reason = "the library registers nothing")]
    fn register<H: Send + 'static>(&self, _: H) -> io::Result<Self::TcpStream> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.0.sleep(duration)
    }

    fn interval(&self, duration: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.0.interval(duration)
    }

    fn tcp_connect_addr(
        &self,
        _: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        std::future::ready(Err(io::ErrorKind::Unsupported.into()))
    }
}
