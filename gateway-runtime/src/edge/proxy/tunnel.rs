//! A WebSocket after its handshake: bytes in both directions, until both sides have ended or are
//! silent for too long.

use std::{io, time::Duration};

use http::{
    HeaderValue, Response,
    header::{CONNECTION, UPGRADE},
    response::Parts,
};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::{Instant, timeout_at},
};

use crate::{
    base::{body::Body, error::Error},
    edge::proxy::{
        clock::AtomicTime, connection::Connection, error, instance::Lease, response_head,
    },
};

/// The size of the buffer of one direction, in bytes.
const BUFFER_BYTES: usize = 16 * 1024;

/// Returns the response that switches the client's connection, from the instance's.
///
/// # Errors
///
/// `upstream-failed` if the instance switches to another protocol than the one requested.
pub(super) fn accept(head: &Parts) -> Result<Response<Body>, Error> {
    let protocol = head.headers.get(UPGRADE).map(HeaderValue::as_bytes);
    if !protocol.is_some_and(|protocol| protocol.eq_ignore_ascii_case(b"websocket")) {
        return Err(error::malformed("the response switches to another protocol"));
    }
    let mut head = head.clone();
    response_head::strip(&mut head, &http::Method::GET);
    head.headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    head.headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    let mut response = Response::new(Body::empty());
    *response.status_mut() = head.status;
    *response.headers_mut() = head.headers;
    Ok(response)
}

/// Spawns the tunnel, which begins when the client's connection has switched.
pub(super) fn spawn(client: OnUpgrade, connection: Connection, lease: Lease, idle: Duration) {
    tokio::spawn(async move {
        let upgraded = match client.await {
            Ok(upgraded) => TokioIo::new(upgraded),
            // The client left before it had read the response.
            Err(error) => return tracing::debug!(%error, "a WebSocket was not opened"),
        };
        let Some((socket, ahead)) = connection.into_socket() else { return };
        let ended = run(upgraded, socket, &ahead, idle).await;
        if let Err(error) = ended {
            tracing::debug!(%error, instance = lease.instance().address(), "a WebSocket broke off");
        }
    });
}

/// Copies bytes in both directions. A side that ends its sending half ends that of the other side,
/// and may still receive.
async fn run(
    client: impl AsyncRead + AsyncWrite,
    instance: impl AsyncRead + AsyncWrite,
    ahead: &[u8],
    idle: Duration,
) -> io::Result<()> {
    let (mut from_client, mut to_client) = tokio::io::split(client);
    let (mut from_instance, mut to_instance) = tokio::io::split(instance);
    let quiet_at = AtomicTime::default();
    quiet_at.set_after(idle);
    let up = copy(&mut from_client, &mut to_instance, &quiet_at, idle);
    let down = async {
        to_client.write_all(ahead).await?;
        copy(&mut from_instance, &mut to_client, &quiet_at, idle).await
    };
    tokio::try_join!(up, down).map(|((), ())| ())
}

/// Copies bytes until `from` ends, then ends `to`. `quiet_at` is the end of the silence that both
/// directions may share.
async fn copy(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    quiet_at: &AtomicTime,
    idle: Duration,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let read = match timeout_at(quiet_at.get(), from.read(&mut buffer)).await {
            Ok(read) => read?,
            // The other direction may have moved meanwhile.
            Err(_) if quiet_at.get() > Instant::now() => continue,
            Err(_) => return Err(io::ErrorKind::TimedOut.into()),
        };
        if read == 0 {
            return to.shutdown().await;
        }
        quiet_at.set_after(idle);
        let written = timeout_at(Instant::now() + idle, to.write_all(&buffer[..read])).await;
        written.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
        quiet_at.set_after(idle);
    }
}
