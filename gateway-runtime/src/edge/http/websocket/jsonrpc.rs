//! Responses and error codes of [JSON-RPC 2.0](https://www.jsonrpc.org/specification).

use bytes::Bytes;
use serde::Serialize;

use crate::{
    base::{
        error::{Code, Error},
        problem::ProblemDetails,
    },
    edge::http::websocket::message::Id,
};

/// The codes that the specification defines.
pub(super) mod code {
    pub(crate) const PARSE_ERROR: i32 = -32_700;
    pub(crate) const INVALID_REQUEST: i32 = -32_600;
    pub(crate) const METHOD_NOT_FOUND: i32 = -32_601;
    pub(crate) const INVALID_PARAMS: i32 = -32_602;
    pub(crate) const INTERNAL_ERROR: i32 = -32_603;
    /// Code of authors' errors, which `data.code` distinguishes.
    pub(crate) const SERVER_ERROR: i32 = -32_000;
}

/// Error code of a call that its client cancelled. 499 is the status that nginx logs for a client
/// that did not wait.
pub(super) const CANCELLED: Code = Code::new("cancelled", 499, "Cancelled");

/// The gateway's errors, in the range that the specification reserves for servers. Their numbers
/// never change; new errors are appended.
const SERVER_ERRORS: [Code; 19] = [
    Code::UNAUTHENTICATED, // -32001, and so on
    Code::FORBIDDEN,
    Code::INSUFFICIENT_FUNDS,
    Code::NOT_FOUND,
    Code::METHOD_NOT_ALLOWED,
    Code::NOT_ACCEPTABLE,
    Code::REQUEST_TIMEOUT,
    Code::IDEMPOTENCY_CONFLICT,
    Code::PAYLOAD_TOO_LARGE,
    Code::UNSUPPORTED_MEDIA_TYPE,
    Code::IDEMPOTENCY_MISMATCH,
    Code::QUOTA_EXCEEDED,
    Code::PROVIDER_FAILED,
    Code::NO_PROVIDER,
    Code::UNROUTABLE,
    Code::OVERLOADED,
    Code::TIMEOUT,
    Code::OUTCOME_UNKNOWN,
    CANCELLED,
];

/// Returns the JSON-RPC code of an error.
pub(super) fn number(error: &Error) -> i32 {
    match error.code() {
        Code::INVALID_REQUEST => code::INVALID_PARAMS,
        Code::INTERNAL => code::INTERNAL_ERROR,
        code => (SERVER_ERRORS.iter().position(|known| *known == code))
            .and_then(|index| i32::try_from(index).ok())
            .map_or(code::SERVER_ERROR, |index| code::SERVER_ERROR - 1 - index),
    }
}

/// Returns the specification's message for a code of the specification, otherwise the title of the
/// error.
fn message(number: i32, error: &Error) -> &'static str {
    match number {
        code::PARSE_ERROR => "Parse error",
        code::INVALID_REQUEST => "Invalid Request",
        code::METHOD_NOT_FOUND => "Method not found",
        code::INVALID_PARAMS => "Invalid params",
        code::INTERNAL_ERROR => "Internal error",
        _ => error.code().title(),
    }
}

#[derive(Serialize)]
/// The `error` member of a response.
struct ErrorObject<'a> {
    code: i32,
    message: &'static str,
    data: ProblemDetails<'a>,
}

/// Creates the response to a failed request.
pub(super) fn failure(id: &Id, code: i32, error: &Error, data: ProblemDetails<'_>) -> Bytes {
    // The serialisation cannot fail: the object holds only strings and numbers.
    let error = serde_json::to_vec(&ErrorObject { code, message: message(code, error), data })
        .unwrap_or_default();
    join(&[b"{\"jsonrpc\":\"2.0\",\"error\":", &error, b",\"id\":", id.as_bytes(), b"}"])
}

/// Creates the response with a result, which is already JSON.
pub(super) fn success(id: &Id, result: &[u8]) -> Bytes {
    join(&[b"{\"jsonrpc\":\"2.0\",\"result\":", result, b",\"id\":", id.as_bytes(), b"}"])
}

/// Creates the notification of one item of a stream.
pub(super) fn item(id: &Id, item: &[u8]) -> Bytes {
    join(&[
        b"{\"jsonrpc\":\"2.0\",\"method\":\"item\",\"params\":{\"id\":",
        id.as_bytes(),
        b",\"item\":",
        item,
        b"}}",
    ])
}

/// Creates the response to a batch; `None` if it held only notifications.
pub(super) fn batch(responses: &[&Bytes]) -> Option<Bytes> {
    let (first, rest) = responses.split_first()?;
    let mut parts: Vec<&[u8]> = vec![b"[", first];
    rest.iter().for_each(|response| parts.extend([b",".as_slice(), response]));
    parts.push(b"]");
    Some(join(&parts))
}

fn join(parts: &[&[u8]]) -> Bytes {
    parts.concat().into()
}

#[cfg(test)]
mod tests {
    use bytestring::ByteString;
    use serde_json::{Value, json};

    use super::*;
    use crate::edge::http::websocket::message::{BatchItem, RpcMessage, RpcRequest};

    #[test]
    fn each_code_has_a_stable_number() {
        let number = |code| number(&Error::new(code, ""));
        assert_eq!(number(Code::INVALID_REQUEST), -32602);
        assert_eq!(number(Code::INTERNAL), -32603);
        assert_eq!(number(Code::UNAUTHENTICATED), -32001);
        assert_eq!(number(Code::QUOTA_EXCEEDED), -32012);
        assert_eq!(number(Code::OUTCOME_UNKNOWN), -32018);
        assert_eq!(number(CANCELLED), -32019);
        assert_eq!(number(Code::new("sold-out", 409, "Sold out")), -32000);
        let mut all: Vec<_> = Code::ALL.iter().map(|code| number(*code)).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), Code::ALL.len(), "{all:?}");
        assert!(!all.contains(&-32000), "every code of ours has a number: {all:?}");
    }

    #[test]
    fn responses_have_the_form_of_the_specification() {
        let read = |bytes: Bytes| serde_json::from_slice::<Value>(&bytes).unwrap();
        let text = ByteString::from_static(r#"{"jsonrpc":"2.0","method":"m","id":"a\"b"}"#);
        let Ok(RpcMessage::One(BatchItem::RpcRequest(RpcRequest { id: Some(id), .. }))) =
            RpcMessage::parse(&text, 1)
        else {
            panic!("no request")
        };
        assert_eq!(
            read(success(&id, b"[1]")),
            json!({"jsonrpc": "2.0", "result": [1], "id": "a\"b"})
        );
        let expected =
            json!({"jsonrpc": "2.0", "method": "item", "params": {"id": "a\"b", "item": 1}});
        assert_eq!(read(item(&id, b"1")), expected);
        assert_eq!(batch(&[]), None);
        let both = batch(&[&success(&Id::NULL, b"1"), &success(&Id::NULL, b"2")]).unwrap();
        assert_eq!(read(both).as_array().unwrap().len(), 2);
    }
}
