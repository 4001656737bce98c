//! Short strings of AMQP 0-9-1.

use std::borrow::Cow;

/// A string of at most [`MAX_NAME_BYTES`](crate::bus::Message::MAX_NAME_BYTES) bytes: names of
/// exchanges and headers, routing keys, ids (AMQP 0-9-1: short string).
pub type ShortStr = Cow<'static, str>;
