//! The life of one WebSocket: messages in, answers out, pings in silence, and an end with a reason (RFC 6455 §7.4).

use std::{pin::pin, time::Duration};

use bytes::Bytes;
use futures_util::{
    SinkExt, StreamExt,
    stream::{FusedStream, SelectAll},
};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::{
    io::AsyncWriteExt,
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message, Utf8Bytes,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

use super::{WebSocketSettings, calls::Calls};
use crate::http::{
    Peer,
    stream::{FAREWELL, goodbye},
};

/// A connection is mostly idle, and its messages are small.
const BUFFER: usize = 4 * 1024;

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// One connection.
pub(super) struct Session {
    pub(super) calls: Calls,
    pub(super) peer: Peer,
    pub(super) settings: WebSocketSettings,
    pub(super) drain_timeout: Duration,
}

/// Why a connection ends.
enum End {
    /// The client closed it, or it broke.
    Left,
    /// We do, and say why.
    Closed(CloseCode, &'static str),
}

const CLOSING: End = End::Closed(CloseCode::Away, "the gateway is closing");

impl Session {
    /// Serves the connection to its end. All calls run in this one task, and end with it.
    pub(super) async fn run(mut self, upgraded: Upgraded) {
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER)
            .write_buffer_size(BUFFER)
            .max_message_size(Some(self.settings.message_bytes))
            .max_frame_size(Some(self.settings.message_bytes));
        let mut socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
        if let End::Closed(code, reason) = self.serve(&mut socket).await {
            farewell(socket, CloseFrame { code, reason: Utf8Bytes::from_static(reason) }).await;
        }
    }

    async fn serve(&mut self, socket: &mut Socket) -> End {
        let peer = self.peer.clone();
        let mut stopping = pin!(peer.stopping());
        let mut goodbye = pin!(goodbye(self.peer.clone(), self.drain_timeout));
        let mut closing = false;
        let mut running = SelectAll::new();
        let mut heard = Instant::now();
        // An interval of nothing is none.
        let mut ticks = interval(self.settings.ping_interval.max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if closing && running.is_empty() {
                return CLOSING;
            }
            // A client that asks faster than it reads is not read either.
            let reads = running.len() < 2 * self.settings.calls;
            tokio::select! {
                answer = running.next(), if !running.is_empty() => {
                    // None: what was running has ended.
                    if let Some(answer) = answer
                        && send(socket, answer).await.is_err()
                    {
                        return End::Left;
                    }
                }
                message = socket.next(), if reads => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(Message::Text(text))) => running.push(self.calls.answer(text.as_bytes())),
                        Some(Ok(Message::Binary(_))) => return End::Closed(CloseCode::Unsupported, "messages are text"),
                        // Pings are answered by the library.
                        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                        Some(Ok(Message::Close(_))) | None => return End::Left,
                        Some(Err(error)) => return broken(&error),
                    }
                }
                now = ticks.tick() => {
                    let silence = now.saturating_duration_since(heard);
                    if silence >= self.settings.idle_timeout {
                        return End::Closed(CloseCode::Policy, "nothing was heard for too long");
                    }
                    if silence >= self.settings.ping_interval && socket.send(Message::Ping(Bytes::new())).await.is_err() {
                        return End::Left;
                    }
                }
                () = &mut stopping, if !closing => {
                    closing = true;
                    self.calls.close();
                }
                () = &mut goodbye => return CLOSING,
            }
        }
    }
}

async fn send(socket: &mut Socket, json: Bytes) -> Result<(), tungstenite::Error> {
    socket.send(Message::Text(Utf8Bytes::try_from(json)?)).await
}

/// What the client did that cannot go on.
fn broken(error: &tungstenite::Error) -> End {
    match error {
        tungstenite::Error::Capacity(_) => End::Closed(CloseCode::Size, "the message is too long"),
        tungstenite::Error::Utf8(_) => End::Closed(CloseCode::Invalid, "the message is not UTF-8"),
        tungstenite::Error::Protocol(_) => End::Closed(CloseCode::Protocol, "this is not the WebSocket protocol"),
        _ => End::Left,
    }
}

/// Says why, and waits until the client has taken notice.
async fn farewell(mut socket: Socket, frame: CloseFrame) {
    let end = async {
        let broken = socket.is_terminated();
        socket.send(Message::Close(Some(frame))).await?;
        if !broken {
            while socket.next().await.transpose()?.is_some() {}
            return Ok::<_, tungstenite::Error>(());
        }
        // Its words make no sense any more, but closing a socket with unread bytes would reset it before it has read ours.
        let mut io = socket.into_inner();
        io.shutdown().await?;
        tokio::io::copy(&mut io, &mut tokio::io::sink()).await?;
        Ok(())
    };
    // Whatever goes wrong now, it is over.
    let _ = timeout(FAREWELL, end).await;
}
