//! Listening sockets: one a worker on one address, and accepting from them.

use std::{
    error, fmt,
    io::{self, ErrorKind},
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};
use tokio::{net::TcpStream, time::sleep};

/// Connections that the kernel holds for each listener until they are accepted.
const BACKLOG: i32 = 1024;

/// A client that vanished without a word is found out by probes after this much silence.
const TCP_KEEPALIVE_TIME: Duration = Duration::from_secs(60);

/// Opens `count` listeners on `address`; for port 0, all on the port that the first was given.
///
/// On Linux each is its own socket, and the kernel spreads new connections over them (`SO_REUSEPORT`). Elsewhere, where
/// it would not spread them, all are one socket.
pub(super) fn bind(address: SocketAddr, count: usize) -> Result<Vec<TcpListener>, BindError> {
    let error = |source| BindError { address, source };
    let first = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))
        .map_err(error)?;
    prepare(&first).map_err(error)?;
    // Without `SO_REUSEPORT` yet: a second gateway on the same port shall fail here, not silently get half the requests.
    first.bind(&address.into()).map_err(error)?;
    let address = first.local_addr().map_err(error)?.as_socket().unwrap_or(address);

    let mut sockets = vec![first];
    for _ in 1..count {
        let another =
            another(&sockets[0], address).map_err(|source| BindError { address, source })?;
        sockets.push(another);
    }
    for socket in &sockets {
        socket.listen(BACKLOG).map_err(|source| BindError { address, source })?;
    }
    Ok(sockets.into_iter().map(TcpListener::from).collect())
}

/// Options that accepted sockets inherit.
fn prepare(socket: &Socket) -> io::Result<()> {
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(TCP_KEEPALIVE_TIME))?;
    socket.set_nonblocking(true)
}

#[cfg(target_os = "linux")]
fn another(first: &Socket, address: SocketAddr) -> io::Result<Socket> {
    first.set_reuse_port(true)?;
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    prepare(&socket)?;
    socket.set_reuse_port(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

#[cfg(not(target_os = "linux"))]
fn another(first: &Socket, _: SocketAddr) -> io::Result<Socket> {
    first.try_clone()
}

/// Why the server cannot listen.
#[derive(Debug)]
pub struct BindError {
    address: SocketAddr,
    source: io::Error,
}

impl BindError {
    /// The address that was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, source } = self;
        write!(f, "cannot listen on {address}: ")?;
        match source.kind() {
            ErrorKind::AddrInUse => {
                write!(
                    f,
                    "another program listens on port {}; end it, or choose another port (0: any)",
                    address.port()
                )
            }
            ErrorKind::PermissionDenied => write!(
                f,
                "this user may not listen on port {}; choose one from 1024 up, or grant CAP_NET_BIND_SERVICE",
                address.port()
            ),
            ErrorKind::AddrNotAvailable => {
                write!(
                    f,
                    "this machine has no address {}; 0.0.0.0 or [::] stands for all it has",
                    address.ip()
                )
            }
            _ => write!(f, "{source}"),
        }
    }
}

impl error::Error for BindError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&self.source)
    }
}

/// The next connection. When the system has no descriptor or memory left for it, waits and tries again.
pub(super) async fn accept(listener: &tokio::net::TcpListener) -> (TcpStream, SocketAddr) {
    const MIN_ACCEPT_DELAY: Duration = Duration::from_millis(10);
    const MAX_ACCEPT_DELAY: Duration = Duration::from_secs(1);
    let mut wait = MIN_ACCEPT_DELAY;
    loop {
        let error = match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => error,
        };
        // Errors of that one connection, which the client gave up before it was accepted: accept(2).
        if matches!(
            error.kind(),
            ErrorKind::ConnectionAborted
                | ErrorKind::ConnectionReset
                | ErrorKind::ConnectionRefused
        ) {
            continue;
        }
        if wait == MIN_ACCEPT_DELAY {
            tracing::error!(%error, "cannot accept connections; if too many files are open, raise the limit (ulimit -n)");
        }
        sleep(wait).await;
        wait = MAX_ACCEPT_DELAY.min(wait * 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn accepted_sockets_inherit_the_options() {
        let listener = bind(([127, 0, 0, 1], 0).into(), 2).unwrap().remove(0);
        let address = listener.local_addr().unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        // The kernel may choose the other listener.
        let clients =
            (0..20).map(|_| std::net::TcpStream::connect(address).unwrap()).collect::<Vec<_>>();
        let (accepted, _) = accept(&listener).await;
        let socket = socket2::SockRef::from(&accepted);
        assert!(socket.tcp_nodelay().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), TCP_KEEPALIVE_TIME);
        drop(clients);
    }

    #[test]
    fn why_it_cannot_listen_is_said_with_what_to_do() {
        let say = |kind| {
            BindError { address: ([0, 0, 0, 0], 80).into(), source: io::Error::from(kind) }
                .to_string()
        };
        assert!(say(ErrorKind::PermissionDenied).contains("CAP_NET_BIND_SERVICE"));
        assert!(say(ErrorKind::AddrInUse).contains("another program listens on port 80"));
        assert!(say(ErrorKind::AddrNotAvailable).contains("no address 0.0.0.0"));
    }
}
