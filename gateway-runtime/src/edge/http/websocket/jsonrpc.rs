//! JSON-RPC 2.0: the answers to messages, and the numbers of errors. <https://www.jsonrpc.org/specification>

use bytes::Bytes;
use serde::Serialize;

use crate::{
    base::{
        error::{Code, Error},
        problem::ProblemDetails,
    },
    edge::http::websocket::message::Id,
};

/// The codes that the specification fixes.
pub(super) mod code {
    pub(crate) const PARSE_ERROR: i32 = -32_700;
    pub(crate) const INVALID_REQUEST: i32 = -32_600;
    pub(crate) const METHOD_NOT_FOUND: i32 = -32_601;
    pub(crate) const INVALID_PARAMS: i32 = -32_602;
    pub(crate) const INTERNAL_ERROR: i32 = -32_603;
    /// For codes of authors: `data.code` tells them apart.
    pub(crate) const SERVER_ERROR: i32 = -32_000;
}

/// A call that its client cancelled. The status is what nginx writes for a client that did not wait.
pub(super) const CANCELLED: Code = Code::new("cancelled", 499, "Cancelled");

/// The codes of the gateway in the range that is left to servers. They never change; new ones go at the end.
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

/// The number of an error of a call.
pub(super) fn number(error: &Error) -> i32 {
    match error.code() {
        Code::INVALID_REQUEST => code::INVALID_PARAMS,
        Code::INTERNAL => code::INTERNAL_ERROR,
        code => (SERVER_ERRORS.iter().position(|known| *known == code))
            .and_then(|place| i32::try_from(place).ok())
            .map_or(code::SERVER_ERROR, |place| code::SERVER_ERROR - 1 - place),
    }
}

/// The specification's own words, for its own numbers.
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
struct ErrorObject<'a> {
    code: i32,
    message: &'static str,
    data: ProblemDetails<'a>,
}

/// The response that tells of an error.
pub(super) fn failure(id: &Id, code: i32, error: &Error, data: ProblemDetails<'_>) -> Bytes {
    // Nothing in it can fail to be JSON.
    let error = serde_json::to_vec(&ErrorObject { code, message: message(code, error), data })
        .unwrap_or_default();
    join(&[b"{\"jsonrpc\":\"2.0\",\"error\":", &error, b",\"id\":", id.as_bytes(), b"}"])
}

/// The response that brings a result, which is JSON already.
pub(super) fn success(id: &Id, result: &[u8]) -> Bytes {
    join(&[b"{\"jsonrpc\":\"2.0\",\"result\":", result, b",\"id\":", id.as_bytes(), b"}"])
}

/// The notification of one item of a stream.
pub(super) fn item(id: &Id, item: &[u8]) -> Bytes {
    join(&[
        b"{\"jsonrpc\":\"2.0\",\"method\":\"item\",\"params\":{\"id\":",
        id.as_bytes(),
        b",\"item\":",
        item,
        b"}}",
    ])
}

/// The answer to a batch; none when it was notifications alone.
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
    fn numbers_are_stable_and_one_for_each_code() {
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
    fn answers_are_written_as_the_specification_has_them() {
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
