//! What the bus carries.

use std::{borrow::Cow, time::Duration};

use bytes::Bytes;

use crate::bus::MessageHeaders;

/// A short text, of at most [`Message::LONGEST_NAME`] bytes: exchanges, keys, ids, the names of header fields.
pub type ShortStr = Cow<'static, str>;

/// A message: where it goes, what is said of it, and its body.
///
/// What is received has here where it had been sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    /// The exchange; empty for the one that brings each message to the queue whose name is its key.
    pub exchange: ShortStr,
    /// The routing key.
    pub routing_key: ShortStr,
    /// Whether publishing it fails where no queue gets it.
    pub mandatory: bool,
    /// Whether it survives a restart of the broker, in a queue that does.
    pub persistent: bool,
    /// After which time nobody wants it any more.
    pub expiration: Option<Duration>,
    /// The media type of the body.
    pub content_type: Option<ShortStr>,
    /// How the body is compressed.
    pub content_encoding: Option<ShortStr>,
    /// What else is said of it.
    pub headers: MessageHeaders,
    /// Where an answer goes: the key of a message to the exchange without a name.
    pub reply_to: Option<ShortStr>,
    /// What an answer says, so that it finds its question.
    pub correlation_id: Option<ShortStr>,
    /// What it is called. Who gets one twice knows it by that.
    pub message_id: Option<ShortStr>,
    /// What kind of message it is: the property `type`.
    pub message_type: Option<ShortStr>,
    /// When it was made, in whole seconds since 1970.
    pub timestamp: Option<u64>,
    /// The priority, in a queue that has priorities.
    pub priority: Option<u8>,
    /// The program that made the message.
    pub app_id: Option<ShortStr>,
    /// The user of the broker who published the message. The broker refuses a message with the name of another user.
    pub user_id: Option<ShortStr>,
    /// The property `cluster_id`, which AMQP 0-9-1 reserves.
    pub cluster_id: Option<ShortStr>,
    /// The body.
    pub body: Bytes,
}

impl Message {
    /// The longest [`Name`], in bytes (AMQP 0-9-1 §4.2.5.3, short strings).
    pub const MAX_NAME_BYTES: usize = 255;

    /// The header field in which an answer has its status, that of an HTTP response.
    pub const STATUS: &str = "X-WASP-STATUS";

    /// The header field of a received message whose properties could not be read whole: why not. `amqp` sets it in the place of
    /// what it left out.
    pub const UNREADABLE: &str = "x-gateway-unreadable";

    /// A message to the exchange, under the key.
    #[must_use]
    pub fn new(exchange: impl Into<ShortStr>, key: impl Into<ShortStr>) -> Self {
        Self { exchange: exchange.into(), routing_key: key.into(), ..Self::default() }
    }

    /// A message to one queue.
    #[must_use]
    pub fn to_queue(queue: impl Into<ShortStr>) -> Self {
        Self::new("", queue)
    }

    /// The message again, for another queue of the gateway: body, header fields and properties stay as they came.
    ///
    /// Three things would make the broker refuse, drop or multiply the message. They move into header fields: the
    /// `expiration`, the `user_id`, and the further routing keys (`CC`, `BCC`).
    #[must_use]
    pub fn sent_on(mut self, exchange: impl Into<ShortStr>, key: impl Into<ShortStr>) -> Self {
        if let Some(left) = self.expiration.take() {
            self.headers.set("x-gateway-expiration", left.as_millis().to_string());
        }
        if let Some(user) = self.user_id.take() {
            self.headers.set("x-gateway-user-id", user);
        }
        for (name, kept) in [("CC", "x-gateway-cc"), ("BCC", "x-gateway-bcc")] {
            if let Some(keys) = self.headers.remove(name) {
                self.headers.set(kept, keys);
            }
        }
        Self {
            exchange: exchange.into(),
            routing_key: key.into(),
            mandatory: true,
            persistent: true,
            ..self
        }
    }

    /// Why properties of the message could not be read, if some could not: they are missing here, so nothing may be concluded from
    /// their absence.
    #[must_use]
    pub fn unreadable(&self) -> Option<&str> {
        // A sender may set the field too.
        const MAX_REASON_BYTES: usize = 100;

        self.headers.get(Self::UNREADABLE)?;
        let reason =
            self.headers.text(Self::UNREADABLE).filter(|reason| reason.len() <= MAX_REASON_BYTES);
        Some(reason.unwrap_or("no reason is given"))
    }

    /// The status of an answer, 200 where it says nothing of it; none where it says what cannot be one. Interim answers are of
    /// the connection, and no answers here.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        // Field names of HTTP are the same in any case, and some workers write them in lower case.
        let mut names = self.headers.iter().map(|(name, _)| name);
        let Some(name) = names.find(|name| name.eq_ignore_ascii_case(Self::STATUS)) else {
            return Some(200);
        };
        let status = self.headers.number(name).and_then(|number| u16::try_from(number).ok());
        status.filter(|status| (200..=599).contains(status))
    }
}
