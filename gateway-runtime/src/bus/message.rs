//! What the bus carries.

use std::{
    borrow::Cow,
    time::{Duration, SystemTime},
};

use bytes::Bytes;

/// A short text, of at most [`Message::LONGEST_NAME`] bytes: exchanges, keys, ids, the names of header fields.
pub type Name = Cow<'static, str>;

/// A message: where it goes, what is said of it, and its body.
///
/// What is received has here where it had been sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    /// The exchange; empty for the one that brings each message to the queue whose name is its key.
    pub exchange: Name,
    /// The routing key.
    pub key: Name,
    /// Whether publishing it fails where no queue gets it.
    pub mandatory: bool,
    /// Whether it survives a restart of the broker, in a queue that does.
    pub persistent: bool,
    /// After which time nobody wants it any more.
    pub expiration: Option<Duration>,
    /// The media type of the body.
    pub content_type: Option<Name>,
    /// How the body is compressed.
    pub content_encoding: Option<Name>,
    /// What else is said of it.
    pub headers: Fields,
    /// Where an answer goes: the key of a message to the exchange without a name.
    pub reply_to: Option<Name>,
    /// What an answer says, so that it finds its question.
    pub correlation_id: Option<Name>,
    /// What it is called. Who gets one twice knows it by that.
    pub message_id: Option<Name>,
    /// What kind of message it is: the property `type`.
    pub kind: Option<Name>,
    /// When it was made, in whole seconds.
    pub timestamp: Option<SystemTime>,
    /// The body.
    pub body: Bytes,
}

impl Message {
    /// The longest [`Name`], in bytes (AMQP 0-9-1 §4.2.5.3, short strings).
    pub const LONGEST_NAME: usize = 255;

    /// The header field in which an answer has its status, that of an HTTP response.
    pub const STATUS: &str = "X-WASP-STATUS";

    /// A message to the exchange, under the key.
    #[must_use]
    pub fn to(exchange: impl Into<Name>, key: impl Into<Name>) -> Self {
        Self { exchange: exchange.into(), key: key.into(), ..Self::default() }
    }

    /// A message to one queue.
    #[must_use]
    pub fn to_queue(queue: impl Into<Name>) -> Self {
        Self::to("", queue)
    }

    /// The status of an answer, 200 where it says nothing of it; none where it says what cannot be one. Interim answers are of
    /// the connection, and no answers here.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        if self.headers.get(Self::STATUS).is_none() {
            return Some(200);
        }
        let status = self.headers.number(Self::STATUS).and_then(|number| u16::try_from(number).ok());
        status.filter(|status| (200..=599).contains(status))
    }
}

/// Header fields, in the order in which they were added; RabbitMQ does not keep the order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields(Vec<(Name, Field)>);

/// What a header field says.
#[derive(Clone, Debug, PartialEq)]
pub enum Field {
    /// Text, or bytes of any kind.
    Text(Bytes),
    /// A whole number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
    /// What has no place here: tables, lists, floats. It cannot be sent.
    Other,
}

impl Fields {
    /// Adds a field, in the place of one of this name.
    pub fn set(&mut self, name: impl Into<Name>, value: impl Into<Field>) {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(other, _)| *other == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// Adds a field whose name none has yet.
    pub fn add(&mut self, name: impl Into<Name>, value: impl Into<Field>) {
        self.0.push((name.into(), value.into()));
    }

    /// The field of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Field> {
        Some(&self.0.iter().find(|(other, _)| other == name)?.1)
    }

    /// The field of a name, if it is text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Field::Text(bytes) => std::str::from_utf8(bytes).ok(),
            Field::Number(_) | Field::Flag(_) | Field::Other => None,
        }
    }

    /// The field of a name as a number, also where a text says it.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i64> {
        match self.get(name)? {
            Field::Number(number) => Some(*number),
            Field::Text(bytes) => std::str::from_utf8(bytes).ok()?.trim().parse().ok(),
            Field::Flag(_) | Field::Other => None,
        }
    }

    /// Takes a field away.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(other, _)| other != name);
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Field)> {
        self.0.iter().map(|(name, field)| (&**name, field))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl IntoIterator for Fields {
    type Item = (Name, Field);
    type IntoIter = std::vec::IntoIter<(Name, Field)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl From<Bytes> for Field {
    fn from(bytes: Bytes) -> Self {
        Self::Text(bytes)
    }
}

impl From<String> for Field {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<&'static str> for Field {
    fn from(text: &'static str) -> Self {
        Self::Text(Bytes::from_static(text.as_bytes()))
    }
}

impl From<i64> for Field {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Field {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}
