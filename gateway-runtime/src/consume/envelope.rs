//! What a message that calls a method says: `{"service": …, "version": …, "method": …, "payload": …}`, and who is calling in
//! its header fields.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    bus::{Field, Message},
    digest::digest_name,
    error::{Code, Error},
    registry::Method,
};

/// The body of a message.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope {
    service: String,
    version: u32,
    method: String,
    /// The input of the method.
    #[serde(default)]
    pub(super) payload: Option<Value>,
}

impl Envelope {
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// `invalid-request`.
    pub(super) fn read(body: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(body).map_err(|error| {
            let form = "{\"service\": text, \"version\": number, \"method\": text, \"payload\": the input}";
            Error::new(Code::INVALID_REQUEST, format!("the message is not of the form {form}: {error}"))
        })
    }

    /// The name of the method that is called.
    pub(super) fn name(&self) -> String {
        format!("{}.v{}.{}", self.service, self.version, self.method)
    }
}

/// As [`Envelope::name`] has it.
pub(super) fn name_of(method: &Method) -> Box<str> {
    format!("{}.v{}.{}", method.service.name, method.service.version, method.spec.name).into()
}

/// The header fields of a call: those of the message that could be some over HTTP too, with the message's id as its
/// idempotency key.
pub(super) fn headers(message: &Message) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(message.headers.len() + 1);
    for (name, field) in message.headers.iter() {
        let Field::Text(bytes) = field else { continue };
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_bytes(bytes)) {
            headers.append(name, value);
        }
    }
    const KEY: HeaderName = HeaderName::from_static("idempotency-key");
    if let Some(id) = &message.message_id
        && !headers.contains_key(&KEY)
    {
        headers.insert(KEY, key(id));
    }
    headers
}

/// An id as a key; one that could not be a key has a digest that can.
fn key(id: &str) -> HeaderValue {
    let is_key = (1..=255).contains(&id.len()) && id.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let as_it_is = HeaderValue::from_str(id).ok().filter(|_| is_key);
    as_it_is.or_else(|| HeaderValue::from_str(&digest_name([id])).ok()).unwrap_or(HeaderValue::from_static("-"))
}
