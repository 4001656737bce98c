//! A WebSocket session: reads messages, sends responses, and pings a silent client.
//!
//! **The gateway does not read from a client that does not read**, so that the client cannot make
//! it queue more than one response: it reads nothing before everything queued is written, a Pong
//! (RFC 6455 §5.5.3) as well as the response to a call.

use std::{
    future::poll_fn,
    pin::pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use bytestring::ByteString;
use futures_util::{SinkExt, StreamExt, stream::BoxStream, stream::SelectAll};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message, Utf8Bytes,
        protocol::{Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

use crate::edge::http::websocket_settings::WebSocketSettings;
use crate::edge::http::{
    Peer,
    stream::shutdown_deadline,
    websocket::{
        calls::Calls,
        charged::ChargedIo,
        ending::{CloseReason, broken},
        socket::Socket,
    },
};

/// Size of the read and write buffers: a connection is mostly idle, and its messages are small.
const BUFFER_BYTES: usize = 4 * 1024;

/// A session: one connection and its calls.
pub(super) struct Session {
    pub(super) calls: Calls,
    pub(super) peer: Peer,
    pub(super) settings: WebSocketSettings,
    pub(super) drain_timeout: Duration,
}

const CLOSING: CloseReason = CloseReason::Closed(CloseCode::Away, "the gateway is shutting down");

const EXHAUSTED: CloseReason =
    CloseReason::Closed(CloseCode::Again, "the memory for messages in flight is used up");

const NOT_UTF8: CloseReason = CloseReason::Closed(CloseCode::Invalid, "the message is not UTF-8");

const NOT_TEXT: CloseReason =
    CloseReason::Closed(CloseCode::Unsupported, "binary messages are not supported; send text");

const SILENT: CloseReason =
    CloseReason::Closed(CloseCode::Policy, "no frame was received for too long");

/// The streams of everything that is sent because of the messages read so far.
type Answers = SelectAll<BoxStream<'static, Bytes>>;

/// An event of a session.
enum SessionEvent {
    /// A message to send; `None` when no call is in flight any more.
    Answer(Option<Bytes>),
    /// A message of the client; `None` at the end of the connection.
    Message(Option<Result<Message, tungstenite::Error>>),
}

impl Session {
    /// Serves the connection to its end. All calls run in this one task, and end with it.
    pub(super) async fn run(mut self, io: ChargedIo) {
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER_BYTES)
            .write_buffer_size(BUFFER_BYTES)
            .max_message_size(Some(self.settings.message_bytes))
            .max_frame_size(Some(self.settings.message_bytes));
        let mut socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
        self.serve(&mut socket).await.conclude(socket).await;
    }

    /// Exchanges messages until there is a reason to close.
    async fn serve(&mut self, socket: &mut Socket) -> CloseReason {
        let peer = self.peer.clone();
        let mut stopping = pin!(peer.stopping());
        let mut deadline = pin!(shutdown_deadline(self.peer.clone(), self.drain_timeout));
        let mut closing = false;
        let mut running = Answers::new();
        let mut last_read = Instant::now();
        // `interval` panics if its period is zero.
        let mut ticks = interval(self.settings.ping_interval.max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // A message and a response take turns: responses do not pile up, and a stream that is
        // always ready does not keep the client's messages from being read.
        let mut answer_first = false;
        loop {
            if closing && running.is_empty() {
                return CLOSING;
            }
            // The gateway does not read from a client that sends requests faster than it reads
            // responses.
            let reads = running.len() < 2 * self.settings.calls;
            tokio::select! {
                event = poll_fn(
                    |cx| poll(socket, &mut running, reads, answer_first, cx)
                ) => match event {
                    SessionEvent::Answer(answer) => {
                        answer_first = false;
                        if let Some(answer) = answer
                            && send(socket, answer).await.is_err()
                        {
                            return CloseReason::Left;
                        }
                    }
                    SessionEvent::Message(message) => {
                        answer_first = true;
                        last_read = Instant::now();
                        if let Err(reason) = self.receive(message, socket, &mut running) {
                            return reason;
                        }
                    }
                },
                now = ticks.tick() => {
                    if !reads {
                        // The silence is the gateway's: it does not read.
                        last_read = now;
                    }
                    let silence = now.saturating_duration_since(last_read);
                    if let Err(reason) = self.after_silence(silence, socket).await {
                        return reason;
                    }
                }
                () = &mut stopping, if !closing => {
                    closing = true;
                    self.calls.close();
                }
                () = &mut deadline => return CLOSING,
            }
        }
    }

    /// Pings a client that has been silent for a while.
    ///
    /// # Errors
    ///
    /// Returns the reason to close, if the client has been silent for too long or has left.
    async fn after_silence(
        &self,
        silence: Duration,
        socket: &mut Socket,
    ) -> Result<(), CloseReason> {
        if silence >= self.settings.idle_timeout {
            return Err(SILENT);
        }
        if silence >= self.settings.ping_interval {
            let ping = Message::Ping(Bytes::new());
            return socket.send(ping).await.map_err(|_| CloseReason::Left);
        }
        Ok(())
    }

    /// Begins the calls of a message.
    ///
    /// # Errors
    ///
    /// Returns the reason to close, for a message after which the session cannot go on.
    fn receive(
        &mut self,
        message: Option<Result<Message, tungstenite::Error>>,
        socket: &mut Socket,
        running: &mut Answers,
    ) -> Result<(), CloseReason> {
        match message {
            Some(Ok(Message::Text(text))) => {
                let text = socket.get_mut().complete(text.into());
                let text = ByteString::try_from(text).map_err(|_| NOT_UTF8)?;
                running.push(self.calls.answer(&text));
            }
            Some(Ok(Message::Binary(_))) => return Err(NOT_TEXT),
            // The library responds to pings.
            Some(Ok(Message::Ping(payload) | Message::Pong(payload))) => {
                socket.get_mut().forget_control(&payload);
            }
            Some(Ok(Message::Frame(_))) => {}
            Some(Ok(Message::Close(_))) => return Err(CloseReason::ClosedByClient),
            None => return Err(CloseReason::Left),
            Some(Err(_)) if socket.get_ref().is_exhausted() => return Err(EXHAUSTED),
            Some(Err(error)) => return Err(broken(&error)),
        }
        Ok(())
    }
}

/// Returns the next event: a response or, if `reads`, a message.
fn poll(
    socket: &mut Socket,
    running: &mut Answers,
    reads: bool,
    answer_first: bool,
    cx: &mut Context<'_>,
) -> Poll<SessionEvent> {
    for is_answer in [answer_first, !answer_first] {
        let polled = match is_answer {
            true if !running.is_empty() => running.poll_next_unpin(cx).map(SessionEvent::Answer),
            false if reads => poll_message(socket, cx).map(SessionEvent::Message),
            _ => Poll::Pending,
        };
        if polled.is_ready() {
            return polled;
        }
    }
    Poll::Pending
}

/// Returns the next message, after everything that reading the last one has queued is written.
fn poll_message(
    socket: &mut Socket,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Message, tungstenite::Error>>> {
    if let Err(error) = ready!(socket.poll_flush_unpin(cx)) {
        return Poll::Ready(Some(Err(error)));
    }
    socket.poll_next_unpin(cx)
}

/// Sends a text message.
async fn send(socket: &mut Socket, json: Bytes) -> Result<(), tungstenite::Error> {
    socket.send(Message::Text(Utf8Bytes::try_from(json)?)).await
}
