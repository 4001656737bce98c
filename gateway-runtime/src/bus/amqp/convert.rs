//! Messages as the library has them, and back.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use lapin::{
    BasicProperties,
    message::Delivery,
    types::{AMQPValue, FieldTable, ShortString},
};

use crate::bus::{BusError, Fault, Field, Fields, Message, Name};

/// What a frame of properties has besides those that are counted; and the broker makes `reply_to` longer before it sends a
/// message back, which the library takes for its fault if the frame is too large then.
const FRAME: usize = 512;
/// What RabbitMQ takes at most, unless it is told otherwise, in bytes.
const LARGEST_BODY: usize = 128 << 20;

/// What is published: where to, and what is said of it.
pub(super) struct Outgoing {
    pub(super) exchange: ShortString,
    pub(super) key: ShortString,
    pub(super) properties: BasicProperties,
    pub(super) body: Bytes,
}

impl Outgoing {
    /// Checks what would end the channel or the connection, of others too.
    pub(super) fn new(message: Message, largest_frame: usize) -> Result<Self, BusError> {
        if message.body.len() > LARGEST_BODY {
            return Err(unfit("the body is larger than 128 MiB"));
        }
        let mut properties = BasicProperties::default().with_delivery_mode(if message.persistent { 2 } else { 1 });
        let mut length = FRAME;
        let mut short = |name: Name| {
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
        if let Some(value) = message.kind {
            properties = properties.with_type(short(value)?);
        }
        if let Some(left) = message.expiration {
            // Thirty-two bits are what the broker takes.
            let milliseconds = u32::try_from(left.as_millis()).unwrap_or(u32::MAX);
            properties = properties.with_expiration(short(milliseconds.to_string().into())?);
        }
        if let Some(at) = message.timestamp {
            let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            properties = properties.with_timestamp(since.as_secs());
        }
        if !message.headers.is_empty() {
            let (headers, bytes) = table(message.headers)?;
            length += bytes;
            properties = properties.with_headers(headers);
        }
        if length > largest_frame {
            return Err(unfit("the headers together are larger than RabbitMQ takes (a frame, 128 KiB by default)"));
        }
        let (exchange, key) = (self::short(message.exchange)?, self::short(message.key)?);
        Ok(Self { exchange, key, properties, body: message.body })
    }
}

fn unfit(why: &'static str) -> BusError {
    BusError::new(Fault::Unfit, why)
}

pub(super) fn short(name: Name) -> Result<ShortString, BusError> {
    ShortString::try_new(name).map_err(|_| too_long())
}

pub(super) fn too_long() -> BusError {
    unfit("an exchange, a key or a property is longer than 255 bytes")
}

/// The headers, and how many bytes they take at most.
fn table(fields: Fields) -> Result<(FieldTable, usize), BusError> {
    let mut bytes = 0;
    let mut table = BTreeMap::new();
    for (name, field) in fields {
        let value = match field {
            Field::Text(text) => AMQPValue::LongString(Vec::from(text).into()),
            Field::Number(number) => AMQPValue::LongLongInt(number),
            Field::Flag(flag) => AMQPValue::Boolean(flag),
            Field::Other => continue,
        };
        let length = if let AMQPValue::LongString(text) = &value { text.len() } else { size_of::<i64>() };
        bytes += name.len() + length + 6;
        let name = ShortString::try_new(name).map_err(|_| unfit("the name of a header is longer than 255 bytes"))?;
        table.insert(name, value);
    }
    Ok((table.into(), bytes))
}

/// What was received.
pub(super) fn message(delivery: Delivery) -> Message {
    let properties = &delivery.properties;
    let name = |value: &Option<ShortString>| value.as_ref().map(|value| Name::from(value.as_str().to_owned()));
    let milliseconds = properties.expiration().as_ref().and_then(|text| text.as_str().parse().ok());
    let since = properties.timestamp().map(Duration::from_secs);
    Message {
        persistent: *properties.delivery_mode() == Some(2),
        expiration: milliseconds.map(Duration::from_millis),
        content_type: name(properties.content_type()),
        content_encoding: name(properties.content_encoding()),
        headers: properties.headers().as_ref().map(fields).unwrap_or_default(),
        reply_to: name(properties.reply_to()),
        correlation_id: name(properties.correlation_id()),
        message_id: name(properties.message_id()),
        kind: name(properties.kind()),
        timestamp: since.and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since)),
        exchange: String::from(delivery.exchange).into(),
        key: String::from(delivery.routing_key).into(),
        mandatory: false,
        body: delivery.data.into(),
    }
}

fn fields(table: &FieldTable) -> Fields {
    let mut fields = Fields::default();
    for (name, value) in table {
        fields.add(name.as_str().to_owned(), field(value));
    }
    fields
}

fn field(value: &AMQPValue) -> Field {
    match value {
        AMQPValue::LongString(text) => Field::Text(Bytes::copy_from_slice(text.as_bytes())),
        AMQPValue::ShortString(text) => Field::Text(Bytes::copy_from_slice(text.as_str().as_bytes())),
        AMQPValue::ByteArray(bytes) => Field::Text(Bytes::copy_from_slice(bytes.as_slice())),
        AMQPValue::Boolean(flag) => Field::Flag(*flag),
        AMQPValue::ShortShortInt(number) => Field::Number((*number).into()),
        AMQPValue::ShortShortUInt(number) => Field::Number((*number).into()),
        AMQPValue::ShortInt(number) => Field::Number((*number).into()),
        AMQPValue::ShortUInt(number) => Field::Number((*number).into()),
        AMQPValue::LongInt(number) => Field::Number((*number).into()),
        AMQPValue::LongUInt(number) => Field::Number((*number).into()),
        AMQPValue::LongLongInt(number) => Field::Number(*number),
        AMQPValue::Timestamp(seconds) => i64::try_from(*seconds).map_or(Field::Other, Field::Number),
        AMQPValue::Float(_)
        | AMQPValue::Double(_)
        | AMQPValue::DecimalValue(_)
        | AMQPValue::FieldArray(_)
        | AMQPValue::FieldTable(_)
        | AMQPValue::Void => Field::Other,
    }
}
