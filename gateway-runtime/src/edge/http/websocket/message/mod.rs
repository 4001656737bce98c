//! Parser of a client's [JSON-RPC 2.0](https://www.jsonrpc.org/specification) messages.

#[cfg(test)]
mod tests;

use bytes::Bytes;
use bytestring::ByteString;

use crate::edge::http::websocket::raw::RawJson;

/// A client's message.
#[derive(Debug, PartialEq)]
pub(super) enum RpcMessage {
    /// A single request.
    One(BatchItem),
    /// A batch of requests.
    Batch(Vec<BatchItem>),
    /// A batch with more entries than allowed; its entries are not parsed.
    TooMany,
}

/// A request object, or an invalid value in its position.
#[derive(Debug, PartialEq)]
pub(super) enum BatchItem {
    /// A valid request.
    RpcRequest(RpcRequest),
    /// The id and the fault of an invalid request.
    Invalid(Id, &'static str),
}

/// A request to call a method.
#[derive(Debug, PartialEq)]
pub(super) struct RpcRequest {
    /// The request id; `None` for a notification, which never gets a response.
    pub(super) id: Option<Id>,
    pub(super) method: String,
    /// The JSON text of an object or array, if present.
    pub(super) params: Option<Bytes>,
}

/// The id of a request: the JSON text of a string, a number or null, as the client wrote it.
///
/// Ids are equal if their texts are equal: `1`, `1.0` and `"1"` are three ids. An id is a copy,
/// which does not keep the message alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Id(ByteString);

impl Id {
    /// The id in the response to a request whose id could not be read.
    pub(super) const NULL: Self = Self(ByteString::from_static("null"));

    /// Maximum length of an id in bytes: each item of a stream repeats it.
    pub(super) const MAX_BYTES: usize = 1024;

    /// Returns whether a client's value is this id.
    pub(super) fn is(&self, other: RawJson<'_>) -> bool {
        *self.0 == *other.as_str()
    }

    /// Returns the JSON text.
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Reads an id; returns the fault of an invalid one.
    fn of(raw: RawJson<'_>) -> Result<Self, &'static str> {
        if !(raw.is_string() || raw.is_number() || raw.is_null()) {
            return Err("`id` must be a string, a number or null");
        }
        if raw.as_str().len() > Self::MAX_BYTES {
            return Err("`id` must have at most 1024 bytes");
        }
        Ok(Self(raw.as_str().into()))
    }
}

impl RpcMessage {
    /// Parses a message; a batch may have up to `max_entries` entries.
    ///
    /// # Errors
    ///
    /// The message is not JSON.
    pub(super) fn parse(text: &ByteString, max_entries: usize) -> Result<Self, serde_json::Error> {
        let raw = RawJson::check(text)?;
        if !raw.is_array() {
            return Ok(Self::One(BatchItem::of(raw, text)));
        }
        Ok(match raw.items().take(max_entries.saturating_add(1)).count() {
            0 => Self::One(BatchItem::Invalid(Id::NULL, "a batch must have at least one request")),
            entries if entries > max_entries => Self::TooMany,
            _ => Self::Batch(raw.items().map(|entry| BatchItem::of(entry, text)).collect()),
        })
    }
}

/// The members of a request object that JSON-RPC defines.
#[derive(Default)]
struct RequestMembers<'t> {
    jsonrpc: Option<RawJson<'t>>,
    id: Option<RawJson<'t>>,
    method: Option<RawJson<'t>>,
    params: Option<RawJson<'t>>,
    /// A repeated member, so that the request could be read two ways.
    repeats: bool,
}

impl<'t> RequestMembers<'t> {
    /// Collects the members of an object.
    fn of(object: RawJson<'t>) -> Self {
        let mut members = Self::default();
        for (name, value) in object.members() {
            let member = match name.to_text().as_deref() {
                Some("jsonrpc") => &mut members.jsonrpc,
                Some("id") => &mut members.id,
                Some("method") => &mut members.method,
                Some("params") => &mut members.params,
                _ => continue,
            };
            members.repeats |= member.replace(value).is_some();
        }
        members
    }
}

impl BatchItem {
    /// Parses a request; returns an invalid one with its id, if it could be read.
    fn of(raw: RawJson<'_>, message: &ByteString) -> Self {
        if !raw.is_object() {
            return Self::Invalid(Id::NULL, "a request must be an object");
        }
        let members = RequestMembers::of(raw);
        if members.repeats {
            return Self::Invalid(Id::NULL, "the request has a duplicate member");
        }
        let id = match members.id.map(Id::of).transpose() {
            Ok(id) => id,
            Err(why) => return Self::Invalid(Id::NULL, why),
        };
        Self::with_id(id.clone(), &members, message)
            .unwrap_or_else(|why| Self::Invalid(id.unwrap_or(Id::NULL), why))
    }

    fn with_id(
        id: Option<Id>,
        members: &RequestMembers<'_>,
        message: &ByteString,
    ) -> Result<Self, &'static str> {
        if members.jsonrpc.and_then(RawJson::to_text).as_deref() != Some("2.0") {
            return Err("`jsonrpc` must be \"2.0\"");
        }
        let method = members
            .method
            .and_then(RawJson::to_text)
            .ok_or("`method` must be a string")?
            .into_owned();
        let params = match members.params {
            Some(params) if !params.is_object() && !params.is_array() => {
                return Err("`params` must be an object or a list");
            }
            params => params.map(|params| part(message, params)),
        };
        Ok(Self::RpcRequest(RpcRequest { id, method, params }))
    }
}

/// Returns a part of a message. A large part shares the message's bytes; a small one is copied, so
/// that it does not keep the whole message alive.
fn part(message: &ByteString, piece: RawJson<'_>) -> Bytes {
    let piece = piece.as_str();
    if piece.len() < message.len() / 2 {
        return Bytes::copy_from_slice(piece.as_bytes());
    }
    message.slice_ref(piece).into_bytes()
}
