//! How a WebSocket ends: the closing handshake of either side (RFC 6455 §5.5.1, §7), or without a word.

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

use crate::edge::http::{stream::SHUTDOWN_NOTICE, websocket::session::Socket};

/// A client that was told that it broke the protocol, and sends nothing for so long, has sent all that it had.
const LINGER_TIMEOUT: Duration = Duration::from_millis(200);

/// Why a connection ends.
pub(super) enum CloseReason {
    /// It broke, or the client went without a Close.
    Left,
    /// The client sent a Close.
    ClosedByClient,
    /// The gateway sends a Close, and says why.
    Closed(CloseCode, &'static str),
}

impl CloseReason {
    /// Does what is left to do. Whatever goes wrong now, it is over.
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

/// What the client did that cannot go on.
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
            CloseReason::Closed(CloseCode::Protocol, "this is not the WebSocket protocol")
        }
        _ => CloseReason::Left,
    }
}

/// Sends the Close that reading the client's has queued: its code again, or 1002 if nobody may send that code.
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
        // What it sends makes no sense any more. But it reads the Close, and answers it, after all that it has begun to send.
        let io = socket.get_mut();
        let mut space = [0; 4096];
        while let Ok(Ok(1..)) = timeout(LINGER_TIMEOUT, io.read(&mut space)).await {}
    } else {
        while socket.next().await.transpose()?.is_some() {}
    }
    hang_up(socket).await
}

/// Ends the connection below: the server first (RFC 6455 §7.1.1), and not before the client has read all, since closing a
/// socket with unread bytes resets it.
async fn hang_up(socket: Socket) -> Result<(), tungstenite::Error> {
    let mut io = socket.into_inner();
    io.shutdown().await?;
    tokio::io::copy(&mut io, &mut tokio::io::sink()).await?;
    Ok(())
}
