//! The life of one WebSocket: messages in, answers out, pings in silence.
//!
//! **A client that does not read is not read either**, so that it cannot make the gateway queue more than one answer: nothing
//! is read before all that was to be written has been, a Pong (RFC 6455 §5.5.3) as well as the answer to a call.

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

use crate::edge::http::{
    Peer,
    stream::shutdown_deadline,
    websocket::{
        WebSocketSettings,
        calls::Calls,
        charged::ChargedIo,
        ending::{CloseReason, broken},
    },
};

/// A connection is mostly idle, and its messages are small.
const BUFFER_BYTES: usize = 4 * 1024;

pub(super) type Socket = WebSocketStream<ChargedIo>;

/// One connection.
pub(super) struct Session {
    pub(super) calls: Calls,
    pub(super) peer: Peer,
    pub(super) settings: WebSocketSettings,
    pub(super) drain_timeout: Duration,
}

const CLOSING: CloseReason = CloseReason::Closed(CloseCode::Away, "the gateway is closing");

const EXHAUSTED: CloseReason = CloseReason::Closed(
    CloseCode::Again,
    "the messages that are being read take as much memory as they may",
);

/// All that is sent because of the messages that were read.
type Answers = SelectAll<BoxStream<'static, Bytes>>;

/// What happens on a connection.
enum SessionEvent {
    /// An answer is ready; none when what was running has ended.
    Answer(Option<Bytes>),
    /// A message came; none at the end of the connection.
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

    async fn serve(&mut self, socket: &mut Socket) -> CloseReason {
        let peer = self.peer.clone();
        let mut stopping = pin!(peer.stopping());
        let mut goodbye = pin!(shutdown_deadline(self.peer.clone(), self.drain_timeout));
        let mut closing = false;
        let mut running = Answers::new();
        let mut heard = Instant::now();
        // An interval of nothing is none.
        let mut ticks = interval(self.settings.ping_interval.max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // After a message comes an answer, so that answers do not pile up; after an answer a message, so that a stream
        // which is always ready does not keep its client from being heard.
        let mut answer_first = false;
        loop {
            if closing && running.is_empty() {
                return CLOSING;
            }
            // A client that asks faster than it reads is not read either.
            let reads = running.len() < 2 * self.settings.calls;
            tokio::select! {
                event = poll_fn(|cx| poll(socket, &mut running, reads, answer_first, cx)) => match event {
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
                        heard = Instant::now();
                        match message {
                            Some(Ok(Message::Text(text))) => match ByteString::try_from(socket.get_mut().complete(text.into())) {
                                Ok(text) => running.push(self.calls.answer(&text)),
                                Err(_) => return CloseReason::Closed(CloseCode::Invalid, "the message is not UTF-8"),
                            },
                            Some(Ok(Message::Binary(_))) => return CloseReason::Closed(CloseCode::Unsupported, "messages are text"),
                            // Pings are answered by the library.
                            Some(Ok(Message::Ping(payload) | Message::Pong(payload))) => {
                                socket.get_mut().forget_control(&payload);
                            }
                            Some(Ok(Message::Frame(_))) => {}
                            Some(Ok(Message::Close(_))) => return CloseReason::ClosedByClient,
                            None => return CloseReason::Left,
                            Some(Err(_)) if socket.get_ref().is_exhausted() => return EXHAUSTED,
                            Some(Err(error)) => return broken(&error),
                        }
                    }
                },
                now = ticks.tick() => {
                    if !reads {
                        // It is not the client that is silent.
                        heard = now;
                    }
                    let silence = now.saturating_duration_since(heard);
                    if silence >= self.settings.idle_timeout {
                        return CloseReason::Closed(CloseCode::Policy, "nothing was heard for too long");
                    }
                    if silence >= self.settings.ping_interval && socket.send(Message::Ping(Bytes::new())).await.is_err() {
                        return CloseReason::Left;
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

/// What happens next: an answer or, if it `reads`, a message.
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

/// The next message, after all that reading the last one has queued is written.
fn poll_message(
    socket: &mut Socket,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Message, tungstenite::Error>>> {
    if let Err(error) = ready!(socket.poll_flush_unpin(cx)) {
        return Poll::Ready(Some(Err(error)));
    }
    socket.poll_next_unpin(cx)
}

async fn send(socket: &mut Socket, json: Bytes) -> Result<(), tungstenite::Error> {
    socket.send(Message::Text(Utf8Bytes::try_from(json)?)).await
}
