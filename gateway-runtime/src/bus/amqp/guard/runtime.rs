//! The runtime that the library runs in: tokio's, but for the type of its sockets, which are guarded.
//!
//! The library connects through a closure of ours; the type of the stream is the runtime's all the same.

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

/// The timers of tokio, and guarded sockets.
#[derive(Clone, Debug)]
pub(in crate::bus::amqp) struct GuardedReactor(Tokio);

/// Creates a runtime with guarded sockets from the one that this is called in.
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
