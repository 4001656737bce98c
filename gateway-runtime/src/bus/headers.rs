//! Headers of messages, with the types of AMQP 0-9-1 (§4.2.5.5, in RabbitMQ's variant). Values are
//! passed on unchanged.

use std::borrow::Cow;

use bytes::Bytes;

use crate::bus::ShortStr;

/// The headers of a message, in the order in which they were added; RabbitMQ does not preserve the
/// order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MessageHeaders(Vec<(ShortStr, MessageHeader)>);

/// The value of a header.
#[derive(Clone, Debug, PartialEq)]
pub enum MessageHeader {
    /// Text, or arbitrary bytes (AMQP: long string).
    Text(Bytes),
    /// An integer of 64 bits.
    Number(i64),
    /// An integer of fewer bits.
    Narrow(Narrow),
    /// A boolean.
    Flag(bool),
    /// A floating-point number of 32 bits.
    Float(f32),
    /// A floating-point number of 64 bits.
    Double(f64),
    /// `value` divided by ten to the power of `scale`.
    Decimal {
        /// The number of decimal places.
        scale: u8,
        /// The digits.
        value: u32,
    },
    /// A time, in seconds since 1970.
    Timestamp(u64),
    /// Bytes that are not text (AMQP: byte array).
    Bytes(Bytes),
    /// A list of values.
    List(Vec<MessageHeader>),
    /// A table of values.
    Table(MessageHeaders),
    /// A field without a value.
    Void,
}

/// An integer of fewer than 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Narrow {
    /// A signed integer of 8 bits.
    I8(i8),
    /// An unsigned integer of 8 bits.
    U8(u8),
    /// A signed integer of 16 bits.
    I16(i16),
    /// An unsigned integer of 16 bits.
    U16(u16),
    /// A signed integer of 32 bits.
    I32(i32),
    /// An unsigned integer of 32 bits.
    U32(u32),
}

impl From<Narrow> for i64 {
    fn from(number: Narrow) -> Self {
        match number {
            Narrow::I8(number) => number.into(),
            Narrow::U8(number) => number.into(),
            Narrow::I16(number) => number.into(),
            Narrow::U16(number) => number.into(),
            Narrow::I32(number) => number.into(),
            Narrow::U32(number) => number.into(),
        }
    }
}

impl MessageHeader {
    /// Returns the bytes of a text or a byte array.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&Bytes> {
        match self {
            Self::Text(bytes) | Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Returns the value of an integer of any width.
    #[must_use]
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Narrow(number) => Some((*number).into()),
            _ => None,
        }
    }

    /// Returns the value as text: texts and byte arrays unchanged, integers in decimal.
    #[must_use]
    pub fn to_text(&self) -> Option<Bytes> {
        self.as_bytes().cloned().or_else(|| Some(self.as_integer()?.to_string().into()))
    }
}

impl MessageHeaders {
    /// Sets a header, and replaces one of the same name.
    pub fn set(&mut self, name: impl Into<ShortStr>, value: impl Into<MessageHeader>) {
        let name = name.into();
        let value = value.into();
        match self.0.iter_mut().find(|(other, _)| *other == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// Adds a header. The caller ensures that its name is new.
    pub fn add(&mut self, name: impl Into<ShortStr>, value: impl Into<MessageHeader>) {
        self.0.push((name.into(), value.into()));
    }

    /// Returns the header with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&MessageHeader> {
        Some(&self.0.iter().find(|(other, _)| other == name)?.1)
    }

    /// Returns the header with this name, if it is UTF-8 text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.get(name)?.as_bytes()?).ok()
    }

    /// Returns the header with this name as a number; texts are parsed.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i64> {
        let field = self.get(name)?;
        field
            .as_integer()
            .or_else(|| std::str::from_utf8(field.as_bytes()?).ok()?.trim().parse().ok())
    }

    /// Removes a header, and returns its value.
    pub fn remove(&mut self, name: &str) -> Option<MessageHeader> {
        let index = self.0.iter().position(|(other, _)| other == name)?;
        Some(self.0.remove(index).1)
    }

    /// Returns an iterator over names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &MessageHeader)> {
        self.0.iter().map(|(name, field)| (&**name, field))
    }

    /// Returns the number of headers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there are no headers.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl IntoIterator for MessageHeaders {
    type Item = (ShortStr, MessageHeader);
    type IntoIter = std::vec::IntoIter<(ShortStr, MessageHeader)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<N: Into<ShortStr>> FromIterator<(N, MessageHeader)> for MessageHeaders {
    fn from_iter<I: IntoIterator<Item = (N, MessageHeader)>>(fields: I) -> Self {
        Self(fields.into_iter().map(|(name, field)| (name.into(), field)).collect())
    }
}

impl From<Bytes> for MessageHeader {
    fn from(bytes: Bytes) -> Self {
        Self::Text(bytes)
    }
}

impl From<String> for MessageHeader {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<ShortStr> for MessageHeader {
    fn from(text: ShortStr) -> Self {
        match text {
            Cow::Borrowed(text) => text.into(),
            Cow::Owned(text) => text.into(),
        }
    }
}

impl From<&'static str> for MessageHeader {
    fn from(text: &'static str) -> Self {
        Self::Text(Bytes::from_static(text.as_bytes()))
    }
}

impl From<i64> for MessageHeader {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for MessageHeader {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}
