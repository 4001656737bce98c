//! A WebSocket after its handshake: bytes in both directions, and their end.
//!
//! Each way to end is passed on: the end of a sending half ends that of the other side, and a
//! reset resets the other side.

use std::{
    future::pending,
    pin::pin,
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    task::yield_now,
    time::{Instant, timeout_at},
};

use crate::edge::{
    dispatch::{
        response_end::ResponseEnd,
        tunnel::{Tunnel, TunnelClient, TunnelEnd},
    },
    proxy::{
        clock::AtomicTime,
        connection::{Connection, Socket},
        instance::Lease,
    },
};

/// The size of the buffer of one direction, in bytes.
const BUFFER_BYTES: usize = 16 * 1024;

/// Creates the tunnel between a client and the connection to an instance. It begins when the
/// client's connection has switched.
pub(super) fn between(
    client: OnUpgrade,
    connection: Connection,
    lease: Lease,
    idle: Duration,
) -> Tunnel {
    Tunnel::new(async move |peer| {
        // Only a connection of its own switches.
        let Some((mut instance, ahead)) = connection.into_socket() else {
            let by = ResponseEnd::Gateway;
            return TunnelEnd { request_bytes: 0, response_bytes: 0, by, is_broken: true };
        };
        let flows = Flows::new(idle);
        let ended = match client.await {
            Ok(client) => flows.run(TokioIo::new(client), &mut instance, &ahead, peer).await,
            // The client left before it had read the response.
            Err(_) => Err(Broken::Reset(ResponseEnd::Client)),
        };
        let (by, is_broken) = match ended {
            Ok(first) => (first, false),
            Err(Broken::Reset(side)) => (side, true),
            Err(Broken::Ended) => (ResponseEnd::Gateway, false),
        };
        if is_broken {
            // An error means that the connection is already gone.
            let _ = instance.set_zero_linger();
        }
        drop((instance, lease));
        TunnelEnd {
            request_bytes: flows.up.load(Relaxed),
            response_bytes: flows.down.load(Relaxed),
            by,
            is_broken,
        }
    })
}

/// The reason why a tunnel does not end in order.
enum Broken {
    /// A side was reset, or takes no more bytes.
    Reset(ResponseEnd),
    /// The gateway ends the tunnel: both sides are silent, or it shuts down.
    Ended,
}

/// The two directions of a tunnel.
struct Flows {
    /// The bytes that the client sent.
    up: AtomicU64,
    /// The bytes that the instance sent.
    down: AtomicU64,
    /// The end of the silence that both directions may share.
    quiet_at: AtomicTime,
    idle: Duration,
}

impl Flows {
    fn new(idle: Duration) -> Self {
        let quiet_at = AtomicTime::default();
        quiet_at.set_after(idle);
        Self { up: AtomicU64::new(0), down: AtomicU64::new(0), quiet_at, idle }
    }

    /// Copies bytes in both directions, until both sides have ended their sending halves. Returns
    /// the side that did so first.
    async fn run(
        &self,
        client: impl AsyncRead + AsyncWrite,
        instance: &mut Socket,
        ahead: &[u8],
        peer: TunnelClient,
    ) -> Result<ResponseEnd, Broken> {
        use ResponseEnd::{Client, Upstream};
        let TunnelClient { grace_is_over, was_reset, reset } = peer;
        let (mut from_client, mut to_client) = tokio::io::split(client);
        let (mut from_instance, mut to_instance) = tokio::io::split(instance);
        let first = OnceLock::new();
        let is_down_ended = AtomicBool::new(false);
        let up = async {
            self.copy(&mut from_client, &mut to_instance, &self.up, [Client, Upstream]).await?;
            // The reset of an HTTP/2 stream looks like this end, and another task notices it.
            yield_now().await;
            let _ = first.set(Client);
            to_instance.shutdown().await.map_err(|_| Broken::Reset(Upstream))
        };
        let down = async {
            to_client.write_all(ahead).await.map_err(|_| Broken::Reset(Client))?;
            self.down.fetch_add(ahead.len() as u64, Relaxed);
            self.copy(&mut from_instance, &mut to_client, &self.down, [Upstream, Client]).await?;
            let _ = first.set(Upstream);
            is_down_ended.store(true, Relaxed);
            to_client.shutdown().await.map_err(|_| Broken::Reset(Client))
        };
        let was_reset = async {
            was_reset.await;
            if is_down_ended.load(Relaxed) {
                pending().await
            }
        };
        let ended = tokio::select! {
            biased;
            () = was_reset => Err(Broken::Reset(Client)),
            () = grace_is_over => Err(Broken::Ended),
            ended = async { tokio::try_join!(up, down) } => ended,
        };
        if let Err(Broken::Reset(_)) = ended {
            reset();
        }
        ended.map(|_| first.into_inner().unwrap_or(Upstream))
    }

    /// Copies bytes until `from` ends. `sides` are those of `from` and `to`.
    async fn copy(
        &self,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
        bytes: &AtomicU64,
        [source, sink]: [ResponseEnd; 2],
    ) -> Result<(), Broken> {
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let read = match timeout_at(self.quiet_at.get(), from.read(&mut buffer)).await {
                Ok(Ok(0)) => return Ok(()),
                Ok(read) => read.map_err(|_| Broken::Reset(source))?,
                // The other direction may have moved meanwhile.
                Err(_) if self.quiet_at.get() > Instant::now() => continue,
                Err(_) => return Err(Broken::Ended),
            };
            self.quiet_at.set_after(self.idle);
            let writing = pin!(to.write_all(&buffer[..read]));
            match timeout_at(Instant::now() + self.idle, writing).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return Err(Broken::Reset(sink)),
            }
            bytes.fetch_add(read as u64, Relaxed);
            self.quiet_at.set_after(self.idle);
        }
    }
}
