//! Conversion between [`Message`] and the messages of the client library.

use std::{collections::BTreeMap, mem, time::Duration};

use bytes::Bytes;
use lapin::{
    BasicProperties,
    message::Delivery,
    types::{AMQPValue, DecimalValue, FieldTable, ShortString},
};

use crate::bus::{
    BusError, BusErrorKind, Message, MessageHeader, MessageHeaders, Narrow, ShortStr,
};

/// The size of a content header frame beyond the counted properties, in bytes.
///
/// Includes a reserve: the broker makes `reply_to` longer before it returns a message, and the
/// library treats a frame that is too large as an error of its own.
const FRAME_OVERHEAD_BYTES: usize = 512;
/// RabbitMQ's default limit for a message body, in bytes.
const MAX_MESSAGE_BYTES: usize = 128 << 20;

/// The arguments of a `basic.publish`.
pub(super) struct PublishRequest {
    pub(super) exchange: ShortString,
    pub(super) key: ShortString,
    pub(super) properties: BasicProperties,
    pub(super) body: Bytes,
}

impl PublishRequest {
    /// Converts a message. Checks limits whose violation would close the channel, or the connection
    /// that others share.
    pub(super) fn new(mut message: Message, largest_frame: usize) -> Result<Self, BusError> {
        if message.body.len() > MAX_MESSAGE_BYTES {
            return Err(unfit("the body is larger than 128 MiB"));
        }
        let exchange = mem::take(&mut message.exchange);
        let key = mem::take(&mut message.routing_key);
        let body = mem::take(&mut message.body);
        let EncodedProperties { properties, bytes } = EncodedProperties::new(message)?;
        if bytes > largest_frame {
            return Err(unfit(
                "the headers are larger than a frame of RabbitMQ (128 KiB by default)",
            ));
        }
        Ok(Self { exchange: short(exchange)?, key: short(key)?, properties, body })
    }
}

/// The properties of a message, and the size of their frame.
struct EncodedProperties {
    properties: BasicProperties,
    bytes: usize,
}

impl EncodedProperties {
    fn new(message: Message) -> Result<Self, BusError> {
        let mut properties =
            BasicProperties::default().with_delivery_mode(if message.persistent { 2 } else { 1 });
        let mut length = FRAME_OVERHEAD_BYTES;
        let mut short = |name: ShortStr| {
            length += name.len() + 1;
            short(name)
        };
        if let Some(value) = message.content_type {
            properties = properties.with_content_type(short(value)?);
        }
        if let Some(value) = message.content_encoding {
            properties = properties.with_content_encoding(short(value)?);
        }
        if let Some(value) = message.reply_to {
            properties = properties.with_reply_to(short(value)?);
        }
        if let Some(value) = message.correlation_id {
            properties = properties.with_correlation_id(short(value)?);
        }
        if let Some(value) = message.message_id {
            properties = properties.with_message_id(short(value)?);
        }
        if let Some(value) = message.message_type {
            properties = properties.with_type(short(value)?);
        }
        if let Some(left) = message.expiration {
            // RabbitMQ accepts 32 bits.
            let milliseconds = u32::try_from(left.as_millis()).unwrap_or(u32::MAX);
            properties = properties.with_expiration(short(milliseconds.to_string().into())?);
        }
        if let Some(value) = message.app_id {
            properties = properties.with_app_id(short(value)?);
        }
        if let Some(value) = message.user_id {
            properties = properties.with_user_id(short(value)?);
        }
        if let Some(value) = message.cluster_id {
            properties = properties.with_cluster_id(short(value)?);
        }
        if let Some(seconds) = message.timestamp {
            properties = properties.with_timestamp(seconds);
        }
        if let Some(priority) = message.priority {
            properties = properties.with_priority(priority);
        }
        if !message.headers.is_empty() {
            let (headers, bytes) = table(message.headers)?;
            length += bytes;
            properties = properties.with_headers(headers);
        }
        Ok(Self { properties, bytes: length })
    }
}

fn unfit(why: &'static str) -> BusError {
    BusError::new(BusErrorKind::InvalidMessage, why)
}

pub(super) fn short(name: ShortStr) -> Result<ShortString, BusError> {
    ShortString::try_new(name).map_err(|_| too_long())
}

pub(super) fn too_long() -> BusError {
    unfit("an exchange, a key or a property is longer than 255 bytes")
}

/// Converts headers; returns the table and its encoded size in bytes.
fn table(fields: MessageHeaders) -> Result<(FieldTable, usize), BusError> {
    let mut bytes = 4;
    let mut table = BTreeMap::new();
    for (name, field) in fields {
        let (value, length) = value(field)?;
        bytes += name.len() + 1 + length;
        let name = ShortString::try_new(name)
            .map_err(|_| unfit("the name of a header is longer than 255 bytes"))?;
        table.insert(name, value);
    }
    Ok((table.into(), bytes))
}

/// Converts a header value; returns the value and its encoded size in bytes, type included.
fn value(field: MessageHeader) -> Result<(AMQPValue, usize), BusError> {
    Ok(match field {
        MessageHeader::Text(text) => {
            let length = text.len() + 5;
            (AMQPValue::LongString(Vec::from(text).into()), length)
        }
        MessageHeader::Bytes(bytes) => {
            let length = bytes.len() + 5;
            (AMQPValue::ByteArray(Vec::from(bytes).into()), length)
        }
        MessageHeader::Number(number) => (AMQPValue::LongLongInt(number), 9),
        MessageHeader::Narrow(number) => (narrow(number), 5),
        MessageHeader::Flag(flag) => (AMQPValue::Boolean(flag), 2),
        MessageHeader::Float(number) => (AMQPValue::Float(number), 5),
        MessageHeader::Double(number) => (AMQPValue::Double(number), 9),
        MessageHeader::Decimal { scale, value } => {
            (AMQPValue::DecimalValue(DecimalValue { scale, value }), 6)
        }
        MessageHeader::Timestamp(seconds) => (AMQPValue::Timestamp(seconds), 9),
        MessageHeader::Void => (AMQPValue::Void, 1),
        MessageHeader::Table(fields) => {
            let (table, bytes) = table(fields)?;
            (AMQPValue::FieldTable(table), bytes + 1)
        }
        MessageHeader::List(fields) => {
            let mut list = Vec::with_capacity(fields.len());
            let mut bytes = 5;
            for field in fields {
                let (value, length) = value(field)?;
                list.push(value);
                bytes += length;
            }
            (AMQPValue::FieldArray(list.into()), bytes)
        }
    })
}

fn narrow(number: Narrow) -> AMQPValue {
    match number {
        Narrow::I8(number) => AMQPValue::ShortShortInt(number),
        Narrow::U8(number) => AMQPValue::ShortShortUInt(number),
        Narrow::I16(number) => AMQPValue::ShortInt(number),
        Narrow::U16(number) => AMQPValue::ShortUInt(number),
        Narrow::I32(number) => AMQPValue::LongInt(number),
        Narrow::U32(number) => AMQPValue::LongUInt(number),
    }
}

/// Converts a received message.
pub(super) fn message(delivery: Delivery) -> Message {
    let properties = &delivery.properties;
    let name = |value: &Option<ShortString>| {
        value.as_ref().map(|value| ShortStr::from(value.as_str().to_owned()))
    };
    let milliseconds = properties.expiration().as_ref().and_then(|text| text.as_str().parse().ok());
    Message {
        persistent: *properties.delivery_mode() == Some(2),
        expiration: milliseconds.map(Duration::from_millis),
        content_type: name(properties.content_type()),
        content_encoding: name(properties.content_encoding()),
        headers: properties.headers().as_ref().map(fields).unwrap_or_default(),
        reply_to: name(properties.reply_to()),
        correlation_id: name(properties.correlation_id()),
        message_id: name(properties.message_id()),
        message_type: name(properties.kind()),
        timestamp: *properties.timestamp(),
        priority: *properties.priority(),
        app_id: name(properties.app_id()),
        user_id: name(properties.user_id()),
        cluster_id: name(properties.cluster_id()),
        exchange: String::from(delivery.exchange).into(),
        routing_key: String::from(delivery.routing_key).into(),
        mandatory: false,
        body: delivery.data.into(),
    }
}

fn fields(table: &FieldTable) -> MessageHeaders {
    table.into_iter().map(|(name, value)| (name.as_str().to_owned(), field(value))).collect()
}

fn field(value: &AMQPValue) -> MessageHeader {
    let narrow = MessageHeader::Narrow;
    match value {
        AMQPValue::LongString(text) => MessageHeader::Text(Bytes::copy_from_slice(text.as_bytes())),
        AMQPValue::ShortString(text) => {
            MessageHeader::Text(Bytes::copy_from_slice(text.as_str().as_bytes()))
        }
        AMQPValue::ByteArray(bytes) => {
            MessageHeader::Bytes(Bytes::copy_from_slice(bytes.as_slice()))
        }
        AMQPValue::Boolean(flag) => MessageHeader::Flag(*flag),
        AMQPValue::ShortShortInt(number) => narrow(Narrow::I8(*number)),
        AMQPValue::ShortShortUInt(number) => narrow(Narrow::U8(*number)),
        AMQPValue::ShortInt(number) => narrow(Narrow::I16(*number)),
        AMQPValue::ShortUInt(number) => narrow(Narrow::U16(*number)),
        AMQPValue::LongInt(number) => narrow(Narrow::I32(*number)),
        AMQPValue::LongUInt(number) => narrow(Narrow::U32(*number)),
        AMQPValue::LongLongInt(number) => MessageHeader::Number(*number),
        AMQPValue::Timestamp(seconds) => MessageHeader::Timestamp(*seconds),
        AMQPValue::Float(number) => MessageHeader::Float(*number),
        AMQPValue::Double(number) => MessageHeader::Double(*number),
        AMQPValue::DecimalValue(DecimalValue { scale, value }) => {
            MessageHeader::Decimal { scale: *scale, value: *value }
        }
        AMQPValue::FieldArray(list) => {
            MessageHeader::List(list.as_slice().iter().map(field).collect())
        }
        AMQPValue::FieldTable(table) => MessageHeader::Table(fields(table)),
        AMQPValue::Void => MessageHeader::Void,
    }
}
