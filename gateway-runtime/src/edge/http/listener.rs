//! Listening sockets, one for each worker on the same address, and the accept loop.

use std::{
    error, fmt,
    io::{self, ErrorKind},
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};
use tokio::{net::TcpStream, time::sleep};

/// Connections that the kernel queues for each listener until they are accepted.
const BACKLOG: i32 = 1024;

/// Silence after which TCP probes detect a client that vanished without closing.
const TCP_KEEPALIVE_TIME: Duration = Duration::from_secs(60);

/// Opens `count` listeners on `address`; for port 0, all on the port that the first one receives.
///
/// On Linux each is a socket of its own, and the kernel distributes new connections over them
/// (`SO_REUSEPORT`). Other systems would not distribute them, so all listeners share one socket.
pub(super) fn bind(address: SocketAddr, count: usize) -> Result<Vec<TcpListener>, BindError> {
    let error = |source| BindError { address, source };
    let first = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))
        .map_err(error)?;
    prepare(&first).map_err(error)?;
    // Without `SO_REUSEPORT` yet: a second gateway on the same port must fail here, not silently
    // receive half of the requests.
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

/// Sets the options that accepted sockets inherit.
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

/// An error of listening on an address.
#[derive(Debug)]
pub struct BindError {
    address: SocketAddr,
    source: io::Error,
}

impl BindError {
    /// Returns the requested address.
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
                    "another program listens on port {}\n\
                     help: end it, or choose another port (0: any)",
                    address.port()
                )
            }
            ErrorKind::PermissionDenied => write!(
                f,
                "this user may not listen on port {}\n\
                 help: choose a port from 1024 up, or grant `CAP_NET_BIND_SERVICE`",
                address.port()
            ),
            ErrorKind::AddrNotAvailable => {
                write!(
                    f,
                    "this machine has no address {}\n\
                     help: use 0.0.0.0 or [::] for all of its addresses",
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

/// Accepts the next connection. Waits and retries while the system has no descriptor or memory left
/// for it.
pub(super) async fn accept(listener: &tokio::net::TcpListener) -> (TcpStream, SocketAddr) {
    const MIN_ACCEPT_DELAY: Duration = Duration::from_millis(10);
    const MAX_ACCEPT_DELAY: Duration = Duration::from_secs(1);
    let mut wait = MIN_ACCEPT_DELAY;
    loop {
        let error = match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => error,
        };
        // Errors of one connection, which the client aborted before it was accepted: accept(2).
        if matches!(
            error.kind(),
            ErrorKind::ConnectionAborted
                | ErrorKind::ConnectionReset
                | ErrorKind::ConnectionRefused
        ) {
            continue;
        }
        if wait == MIN_ACCEPT_DELAY {
            tracing::error!(
                %error,
                "cannot accept connections; if too many files are open, raise the limit \
                 (ulimit -n)"
            );
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
    fn bind_error_says_how_to_mend_it() {
        let say = |kind| {
            BindError { address: ([0, 0, 0, 0], 80).into(), source: io::Error::from(kind) }
                .to_string()
        };
        assert!(say(ErrorKind::PermissionDenied).contains("CAP_NET_BIND_SERVICE"));
        assert!(say(ErrorKind::AddrInUse).contains("another program listens on port 80"));
        assert!(say(ErrorKind::AddrNotAvailable).contains("no address 0.0.0.0"));
    }
}
