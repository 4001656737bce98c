//! The end of a WebSocket: a closing handshake by either side (RFC 6455 §5.5.1, §7), or a
//! disconnect without one.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt, stream::FusedStream};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};
use tokio_tungstenite::tungstenite::{
    self, Message, Utf8Bytes,
    error::ProtocolError,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use crate::edge::http::{stream::SHUTDOWN_NOTICE, websocket::socket::Socket};

/// Silence after which a client that violated the protocol, and has received a Close, has nothing
/// more to send.
const LINGER_TIMEOUT: Duration = Duration::from_millis(200);

/// The reason that a connection ends.
pub(super) enum CloseReason {
    /// A broken connection, or a disconnect without a Close.
    Left,
    /// A Close from the client.
    ClosedByClient,
    /// A Close from the gateway, with its code and reason.
    Closed(CloseCode, &'static str),
}

impl CloseReason {
    /// Completes the closing handshake, within [`SHUTDOWN_NOTICE`]. Errors are ignored: the
    /// connection ends in any case.
    pub(super) async fn conclude(self, socket: Socket) {
        let end = async {
            match self {
                Self::Left => Ok(()),
                Self::ClosedByClient => acknowledge(socket).await,
                Self::Closed(code, reason) => {
                    close(socket, code, Utf8Bytes::from_static(reason)).await
                }
            }
        };
        let _ = timeout(SHUTDOWN_NOTICE, end).await;
    }
}

/// Returns the reason to close after a failed read.
pub(super) fn broken(error: &tungstenite::Error) -> CloseReason {
    match error {
        tungstenite::Error::Capacity(_) => {
            CloseReason::Closed(CloseCode::Size, "the message is too long")
        }
        tungstenite::Error::Utf8(_) => {
            CloseReason::Closed(CloseCode::Invalid, "the message is not UTF-8")
        }
        tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            CloseReason::Left
        }
        tungstenite::Error::Protocol(_) => {
            CloseReason::Closed(CloseCode::Protocol, "violation of the WebSocket protocol")
        }
        _ => CloseReason::Left,
    }
}

/// Sends the Close that the library queued when it read the client's: the same code, or 1002 if no
/// endpoint may send that code.
async fn acknowledge(mut socket: Socket) -> Result<(), tungstenite::Error> {
    socket.flush().await?;
    hang_up(socket).await
}

/// Sends a Close, and waits for the client's.
async fn close(
    mut socket: Socket,
    code: CloseCode,
    reason: Utf8Bytes,
) -> Result<(), tungstenite::Error> {
    let is_broken = socket.is_terminated();
    socket.send(Message::Close(Some(CloseFrame { code, reason }))).await?;
    if is_broken {
        // The client's frames can no longer be parsed. But the client reads the Close, and responds
        // to it after everything that it had begun to send.
        let io = socket.get_mut();
        let mut space = [0; 4096];
        while let Ok(Ok(1..)) = timeout(LINGER_TIMEOUT, io.read(&mut space)).await {}
    } else {
        while socket.next().await.transpose()?.is_some() {}
    }
    hang_up(socket).await
}

/// Ends the TCP connection: the server first (RFC 6455 §7.1.1), and only after the client has read
/// everything, since closing a socket with unread bytes resets it.
async fn hang_up(socket: Socket) -> Result<(), tungstenite::Error> {
    let mut io = socket.into_inner();
    io.shutdown().await?;
    tokio::io::copy(&mut io, &mut tokio::io::sink()).await?;
    Ok(())
}
