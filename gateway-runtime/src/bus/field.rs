//! Header fields of messages, with the types of AMQP 0-9-1 (§4.2.5.5, as RabbitMQ has them): what came is carried on unchanged.

use std::borrow::Cow;

use bytes::Bytes;

use crate::bus::ShortStr;

/// Header fields, in the order in which they were added; RabbitMQ does not keep the order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MessageHeaders(Vec<(ShortStr, MessageHeader)>);

/// The value of a header field.
#[derive(Clone, Debug, PartialEq)]
pub enum MessageHeader {
    /// Text, or bytes of any kind.
    Text(Bytes),
    /// A whole number of 64 bits.
    Number(i64),
    /// A whole number of fewer bits.
    Narrow(Narrow),
    /// A truth value.
    Flag(bool),
    /// A number of 32 bits with a fraction.
    Float(f32),
    /// A number of 64 bits with a fraction.
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
    /// Bytes that are no text.
    Bytes(Bytes),
    /// A list of values.
    List(Vec<MessageHeader>),
    /// A table of values.
    Table(MessageHeaders),
    /// No value.
    Void,
}

/// A whole number of fewer than 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Narrow {
    /// 8 bits with a sign.
    I8(i8),
    /// 8 bits.
    U8(u8),
    /// 16 bits with a sign.
    I16(i16),
    /// 16 bits.
    U16(u16),
    /// 32 bits with a sign.
    I32(i32),
    /// 32 bits.
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
    /// The bytes of a text or a byte array.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&Bytes> {
        match self {
            Self::Text(bytes) | Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The value of a whole number of any width.
    #[must_use]
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Narrow(number) => Some((*number).into()),
            _ => None,
        }
    }

    /// The value as a text: texts and byte arrays as they are, whole numbers in decimal.
    #[must_use]
    pub fn to_text(&self) -> Option<Bytes> {
        self.as_bytes().cloned().or_else(|| Some(self.as_integer()?.to_string().into()))
    }
}

impl MessageHeaders {
    /// Adds a field, in the place of one of this name.
    pub fn set(&mut self, name: impl Into<ShortStr>, value: impl Into<MessageHeader>) {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(other, _)| *other == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// Adds a field whose name none has yet.
    pub fn add(&mut self, name: impl Into<ShortStr>, value: impl Into<MessageHeader>) {
        self.0.push((name.into(), value.into()));
    }

    /// The field of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&MessageHeader> {
        Some(&self.0.iter().find(|(other, _)| other == name)?.1)
    }

    /// The field of a name, if it is text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.get(name)?.as_bytes()?).ok()
    }

    /// The field of a name as a number, also where a text says it.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i64> {
        let field = self.get(name)?;
        field
            .as_integer()
            .or_else(|| std::str::from_utf8(field.as_bytes()?).ok()?.trim().parse().ok())
    }

    /// Takes a field away.
    pub fn remove(&mut self, name: &str) -> Option<MessageHeader> {
        let index = self.0.iter().position(|(other, _)| other == name)?;
        Some(self.0.remove(index).1)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &MessageHeader)> {
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
