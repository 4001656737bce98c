//! The envelope of a call: the body `{"service": …, "version": …, "method": …, "payload": …}`, and
//! the headers with the caller's credentials.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, de::Error as _};

use crate::{
    base::{
        call::RequestId,
        digest::digest_hex,
        error::{Code, Error},
    },
    bus::Message,
    json::document::{Document, ElementKind},
    provider::has_idempotency_key,
    service::registry::Method,
};

/// The body of a message, parsed.
#[derive(Debug)]
pub(super) struct Envelope {
    method: MethodName,
    /// The input of the method.
    pub(super) payload: Option<Document>,
}

#[derive(Debug, Deserialize)]
struct MethodName {
    service: String,
    version: u32,
    method: String,
}

impl Envelope {
    /// Parses a body.
    ///
    /// # Errors
    ///
    /// `invalid-request` if the body does not have this form.
    pub(super) fn read(body: &Bytes) -> Result<Self, Error> {
        let other_form = |error| {
            let form = "{\"service\": text, \"version\": number, \"method\": text, \
                        \"payload\": the input}";
            Error::new(
                Code::INVALID_REQUEST,
                format!("the message is not of the form {form}: {error}"),
            )
        };
        let document = Document::parse(body.clone()).map_err(other_form)?;
        // A second parse, since only serde_json reports what is wrong and where.
        let method =
            MethodName::deserialize(document.root()).or_else(|_| serde_json::from_slice(body));
        let ElementKind::Object(members) = document.root().kind() else {
            return Err(other_form(serde_json::Error::custom("it is not an object")));
        };
        // A part of the document, with its numbers as they were written.
        let payload =
            members.get("payload").filter(|payload| !payload.is_null()).map(Document::from);
        Ok(Self { method: method.map_err(other_form)?, payload })
    }

    /// Returns the name of the called method, `service.vN.method`.
    pub(super) fn name(&self) -> String {
        let MethodName { service, version, method } = &self.method;
        format!("{service}.v{version}.{method}")
    }
}

/// Returns the name of a method in the form of [`Envelope::name`].
pub(super) fn name_of(method: &Method) -> Box<str> {
    format!("{}.v{}.{}", method.service.name, method.service.version, method.spec.name).into()
}

/// Headers that the gateway reads. One that is not text must not be overlooked.
const READ: [&str; 8] = [
    "authorization",
    "cache-control",
    "idempotency-key",
    "traceparent",
    "tracestate",
    "x-api-key",
    "x-idempotency-key",
    "x-request-id",
];

/// Returns the header fields of a call: the message's headers that are valid in HTTP, with the
/// message id as idempotency key. Integers become decimal text.
///
/// # Errors
///
/// `invalid-request` if a header that the gateway reads is not text, or not valid as a field value;
/// other such headers are left out. The same if properties could not be read: the credentials or
/// the key may be among them.
pub(super) fn headers(message: &Message) -> Result<HeaderMap, Error> {
    if let Some(reason) = message.unreadable() {
        let detail = format!("the properties of the message cannot be read: {reason}");
        return Err(Error::new(Code::INVALID_REQUEST, detail));
    }
    let mut headers = HeaderMap::with_capacity(message.headers.len() + 1);
    for (name, field) in message.headers.iter() {
        let Ok(name) = name.parse::<HeaderName>() else { continue };
        let value = field.to_text().and_then(|text| HeaderValue::from_maybe_shared(text).ok());
        match value {
            Some(value) => drop(headers.append(name, value)),
            None if READ.contains(&name.as_str()) => {
                let detail = format!(
                    "header `{name}` is not text; send it as a string without control characters"
                );
                return Err(Error::new(Code::INVALID_REQUEST, detail));
            }
            None => {}
        }
    }
    if let Some(id) = message.message_id.as_deref().filter(|id| !id.is_empty())
        && !has_idempotency_key(&headers)
    {
        headers.insert(HeaderName::from_static("idempotency-key"), key(id));
    }
    Ok(headers)
}

/// Returns the request id: the caller's `x-request-id` or the message id, if valid; otherwise a new
/// id.
pub(super) fn request_id(message: &Message, headers: Option<&HeaderMap>) -> RequestId {
    let chosen = headers.and_then(|headers| RequestId::from_header(headers.get("x-request-id")?));
    let of_the_message =
        || RequestId::from_header(&HeaderValue::from_str(message.message_id.as_deref()?).ok()?);
    chosen.or_else(of_the_message).unwrap_or_else(RequestId::generate)
}

/// Converts a message id to a bare idempotency key. An id that cannot be one is replaced by its
/// digest.
fn key(id: &str) -> HeaderValue {
    // A leading quote would begin a quoted string.
    let is_bare = id.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && !id.starts_with('"');
    let as_it_is =
        HeaderValue::from_str(id).ok().filter(|_| is_bare && id.len() <= Message::MAX_NAME_BYTES);
    as_it_is
        .or_else(|| HeaderValue::from_str(&digest_hex([id])).ok())
        .unwrap_or(HeaderValue::from_static("-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bus::{MessageHeader, ShortStr},
        provider::parse_idempotency_key,
    };

    fn read(
        headers: impl IntoIterator<Item = (&'static str, MessageHeader)>,
    ) -> Result<HeaderMap, Error> {
        let mut message = Message::default();
        for (name, field) in headers {
            message.headers.add(name, field);
        }
        super::headers(&message)
    }

    #[test]
    fn integer_header_becomes_decimal_text() {
        for name in READ {
            let headers = read([(name, MessageHeader::Number(-77))]).unwrap();
            assert_eq!(headers[name], "-77", "{name}");
        }
    }

    #[test]
    fn known_header_that_is_not_text_is_refused_and_others_are_left_out() {
        for name in READ.into_iter().chain(["Idempotency-Key", "X-Api-Key"]) {
            for field in [
                MessageHeader::Flag(true),
                MessageHeader::Void,
                MessageHeader::Timestamp(7),
                MessageHeader::from("two\nlines"),
                MessageHeader::from("nul\0"),
            ] {
                let error = read([(name, field.clone())]).unwrap_err();
                assert_eq!(error.code(), Code::INVALID_REQUEST, "{name}: {field:?}");
            }
        }
        let others = [
            ("x-flag", MessageHeader::Flag(true)),
            ("x-void", MessageHeader::Void),
            ("not a name", MessageHeader::Void),
        ];
        assert!(read(others).unwrap().is_empty());
    }

    #[test]
    fn message_with_unreadable_properties_is_refused_with_the_reason() {
        let detail = |reason: MessageHeader| {
            let error = read([(Message::UNREADABLE, reason), ("authorization", "Bearer t".into())])
                .unwrap_err();
            assert_eq!(error.code(), Code::INVALID_REQUEST);
            error.detail().to_owned()
        };
        let cannot = "the properties of the message cannot be read: ";
        assert_eq!(detail("too deep".into()), format!("{cannot}too deep"));
        // A sender's text is not repeated at any length.
        assert_eq!(detail("x".repeat(1000).into()), format!("{cannot}no reason is given"));
        assert_eq!(detail(MessageHeader::Void), format!("{cannot}no reason is given"));
    }

    #[test]
    fn distinct_message_ids_become_distinct_keys() {
        let ids =
            ["\"", "\"a\"", "a", "\"a", "", " a", "a ", "ä", "\u{7f}", "a\nb", "\\", "\"\\\"\""];
        let keys: Vec<_> = ids
            .iter()
            .map(|id| {
                let message =
                    Message { message_id: Some(ShortStr::Borrowed(id)), ..Message::default() };
                parse_idempotency_key(&super::headers(&message).unwrap()).unwrap()
            })
            .collect();
        for (place, id) in ids.iter().enumerate() {
            assert_eq!(keys[place].is_none(), id.is_empty(), "an id of no characters is none");
            assert_eq!(keys.iter().filter(|key| **key == keys[place]).count(), 1, "{id:?}");
        }
        let longest = Message { message_id: Some("x".repeat(255).into()), ..Message::default() };
        assert_eq!(
            parse_idempotency_key(&super::headers(&longest).unwrap()),
            Ok(Some("x".repeat(255)))
        );
    }

    #[test]
    fn idempotency_key_header_wins_over_the_message_id() {
        for name in ["idempotency-key", "X-Idempotency-Key"] {
            let mut message = Message { message_id: Some("m".into()), ..Message::default() };
            message.headers.add(name, "k");
            assert_eq!(
                parse_idempotency_key(&super::headers(&message).unwrap()),
                Ok(Some("k".to_owned()))
            );
        }
    }
}
