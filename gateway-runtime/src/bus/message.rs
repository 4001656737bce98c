//! Messages of the bus.

use std::time::Duration;

use bytes::Bytes;

use crate::bus::{MessageHeaders, ShortStr};

/// A message: its destination, properties, headers and body.
///
/// A received message has the exchange and the routing key to which it was sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    /// The exchange. Empty for the default exchange, which routes each message to the queue that
    /// the routing key names.
    pub exchange: ShortStr,
    /// The routing key.
    pub routing_key: ShortStr,
    /// The flag `mandatory`: publishing fails if no queue receives the message.
    pub mandatory: bool,
    /// The flag `persistent`: the message survives a restart of the broker, in a durable queue.
    pub persistent: bool,
    /// The time after which the message expires.
    pub expiration: Option<Duration>,
    /// The media type of the body.
    pub content_type: Option<ShortStr>,
    /// The content coding of the body, such as `gzip`.
    pub content_encoding: Option<ShortStr>,
    /// The headers.
    pub headers: MessageHeaders,
    /// The queue for a reply: its routing key at the default exchange.
    pub reply_to: Option<ShortStr>,
    /// The id that a reply repeats, by which it finds its call.
    pub correlation_id: Option<ShortStr>,
    /// The id of the message, by which a receiver recognizes duplicates.
    pub message_id: Option<ShortStr>,
    /// The type of the message: the property `type`.
    pub message_type: Option<ShortStr>,
    /// The time of creation, in whole seconds since 1970.
    pub timestamp: Option<u64>,
    /// The priority, in a queue that has priorities.
    pub priority: Option<u8>,
    /// The program that made the message.
    pub app_id: Option<ShortStr>,
    /// The broker's user that published the message. The broker refuses a message with the name of
    /// another user.
    pub user_id: Option<ShortStr>,
    /// The property `cluster_id`, which AMQP 0-9-1 reserves.
    pub cluster_id: Option<ShortStr>,
    /// The body.
    pub body: Bytes,
}

impl Message {
    /// The maximum length of a [`ShortStr`], in bytes (AMQP 0-9-1 §4.2.5.3, short strings).
    pub const MAX_NAME_BYTES: usize = 255;

    /// The header of a reply with its status, that of an HTTP response (SEMANTICS §11).
    pub const STATUS: &str = "X-WASP-STATUS";

    /// The header with the reason why some properties of a received message could not be read.
    /// `amqp` sets it in place of the omitted parts.
    pub const UNREADABLE: &str = "x-gateway-unreadable";

    /// Creates a message to an exchange, with a routing key.
    #[must_use]
    pub fn new(exchange: impl Into<ShortStr>, key: impl Into<ShortStr>) -> Self {
        Self { exchange: exchange.into(), routing_key: key.into(), ..Self::default() }
    }

    /// Creates a message to one queue.
    #[must_use]
    pub fn to_queue(queue: impl Into<ShortStr>) -> Self {
        Self::new("", queue)
    }

    /// Returns the message for another queue of the gateway; body, headers and properties stay as
    /// they came.
    ///
    /// Three properties would make the broker refuse, drop or duplicate the message: `expiration`,
    /// `user_id` and the further routing keys (`CC`, `BCC`). They move into headers.
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

    /// Returns the reason why some properties could not be read, if so. Those are missing here, so
    /// nothing may be concluded from their absence.
    #[must_use]
    pub fn unreadable(&self) -> Option<&str> {
        // A sender may set the header too.
        const MAX_REASON_BYTES: usize = 100;

        self.headers.get(Self::UNREADABLE)?;
        let reason =
            self.headers.text(Self::UNREADABLE).filter(|reason| reason.len() <= MAX_REASON_BYTES);
        Some(reason.unwrap_or("no reason is given"))
    }

    /// Returns the status of a reply: 200 without a status header, none with an invalid one.
    /// Interim statuses (1xx) belong to a connection and are invalid here.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        // HTTP field names are case-insensitive, and some workers write them in lower case.
        let mut names = self.headers.iter().map(|(name, _)| name);
        let Some(name) = names.find(|name| name.eq_ignore_ascii_case(Self::STATUS)) else {
            return Some(200);
        };
        let status = self.headers.number(name).and_then(|number| u16::try_from(number).ok());
        status.filter(|status| (200..=599).contains(status))
    }
}
