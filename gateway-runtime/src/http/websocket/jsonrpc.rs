//! JSON-RPC 2.0: what messages say, and how answers are written. <https://www.jsonrpc.org/specification>

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    error::{Code, Error},
    problem::Problem,
};

/// One message of a client.
#[derive(Debug, PartialEq)]
pub(super) enum Message {
    One(Entry),
    Batch(Vec<Entry>),
}

/// A request object, or what stands in the place of one.
#[derive(Debug, PartialEq)]
pub(super) enum Entry {
    Request(Request),
    Invalid(Id, &'static str),
}

/// What is to be called.
#[derive(Debug, PartialEq)]
pub(super) struct Request {
    /// None for a notification, which is never answered.
    pub(super) id: Option<Id>,
    pub(super) method: String,
    /// An object or a list, where there are any.
    pub(super) params: Option<Value>,
}

/// A text, a number or null, as the client wrote it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Id(Value);

impl Id {
    /// What stands for an id that could not be read.
    pub(super) const NULL: Self = Self(Value::Null);

    /// Whether it is the one that a client names.
    pub(super) fn is(&self, other: &Value) -> bool {
        self.0 == *other
    }

    fn of(value: Value) -> Option<Self> {
        matches!(value, Value::Null | Value::String(_) | Value::Number(_)).then_some(Self(value))
    }
}

impl Message {
    /// Reads a message.
    ///
    /// # Errors
    ///
    /// What is wrong with it as JSON.
    pub(super) fn parse(text: &[u8]) -> Result<Self, serde_json::Error> {
        Ok(match serde_json::from_slice(text)? {
            Value::Array(batch) if batch.is_empty() => {
                Self::One(Entry::Invalid(Id::NULL, "a batch has at least one request"))
            }
            Value::Array(batch) => Self::Batch(batch.into_iter().map(Entry::of).collect()),
            value => Self::One(Entry::of(value)),
        })
    }
}

impl Entry {
    fn of(value: Value) -> Self {
        let Value::Object(mut object) = value else {
            return Self::Invalid(Id::NULL, "a request is an object");
        };
        let id = match object.remove("id").map(Id::of) {
            Some(None) => return Self::Invalid(Id::NULL, "`id` is a text, a number or null"),
            id => id.flatten(),
        };
        Self::with_id(id.clone(), object).unwrap_or_else(|why| Self::Invalid(id.unwrap_or(Id::NULL), why))
    }

    fn with_id(id: Option<Id>, mut object: Map<String, Value>) -> Result<Self, &'static str> {
        if object.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return Err("`jsonrpc` is \"2.0\"");
        }
        let Some(Value::String(method)) = object.remove("method") else { return Err("`method` is a text") };
        let params = match object.remove("params") {
            params @ (None | Some(Value::Object(_) | Value::Array(_))) => params,
            Some(_) => return Err("`params` is an object or a list"),
        };
        Ok(Self::Request(Request { id, method, params }))
    }
}

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
struct Failure<'a> {
    jsonrpc: &'static str,
    error: ErrorObject<'a>,
    id: &'a Id,
}

#[derive(Serialize)]
struct ErrorObject<'a> {
    code: i32,
    message: &'static str,
    data: Problem<'a>,
}

/// The response that tells of an error.
pub(super) fn failure(id: &Id, code: i32, error: &Error, data: Problem<'_>) -> Bytes {
    // Nothing in it can fail to be JSON.
    let failure = Failure { jsonrpc: "2.0", error: ErrorObject { code, message: message(code, error), data }, id };
    serde_json::to_vec(&failure).unwrap_or_default().into()
}

/// The response that brings a result, which is JSON already.
pub(super) fn success(id: &Id, result: &[u8]) -> Bytes {
    join(&[b"{\"jsonrpc\":\"2.0\",\"result\":", result, b",\"id\":", &id.to_json(), b"}"])
}

/// The notification of one item of a stream.
pub(super) fn item(id: &Id, item: &[u8]) -> Bytes {
    let id = id.to_json();
    join(&[b"{\"jsonrpc\":\"2.0\",\"method\":\"item\",\"params\":{\"id\":", &id, b",\"item\":", item, b"}}"])
}

/// The answer to a batch; none when it was notifications alone.
pub(super) fn batch(responses: &[Bytes]) -> Option<Bytes> {
    let (first, rest) = responses.split_first()?;
    let mut parts: Vec<&[u8]> = vec![b"[", first];
    rest.iter().for_each(|response| parts.extend([b",".as_slice(), response]));
    parts.push(b"]");
    Some(join(&parts))
}

impl Id {
    fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

fn join(parts: &[&[u8]]) -> Bytes {
    parts.concat().into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn parse(value: &Value) -> Message {
        Message::parse(value.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_request_has_an_id_and_a_notification_has_none() {
        let request = |id, params| Message::One(Entry::Request(Request { id, method: "a.v1.b".into(), params }));
        for id in [json!(1), json!("x"), json!(null), json!(1.5), json!("")] {
            let message = parse(&json!({"jsonrpc": "2.0", "method": "a.v1.b", "params": [1], "id": id}));
            assert_eq!(message, request(Some(Id(id)), Some(json!([1]))));
        }
        assert_eq!(parse(&json!({"jsonrpc": "2.0", "method": "a.v1.b"})), request(None, None));
    }

    #[test]
    fn what_is_no_request_is_answered_with_its_id_where_there_is_one() {
        let cases = [
            (json!(1), json!(null)),
            (json!("x"), json!(null)),
            (json!([]), json!(null)),
            (json!({}), json!(null)),
            (json!({"jsonrpc": "2.0", "method": "m", "id": {}}), json!(null)),
            (json!({"jsonrpc": "2.0", "method": "m", "id": true}), json!(null)),
            (json!({"jsonrpc": "1.0", "method": "m", "id": 7}), json!(7)),
            (json!({"method": "m", "id": 7}), json!(7)),
            (json!({"jsonrpc": "2.0", "method": 1, "id": 7}), json!(7)),
            (json!({"jsonrpc": "2.0", "id": 7}), json!(7)),
            (json!({"jsonrpc": "2.0", "method": "m", "params": null, "id": 7}), json!(7)),
            (json!({"jsonrpc": "2.0", "method": "m", "params": "p", "id": 7}), json!(7)),
        ];
        for (message, id) in cases {
            let Message::One(Entry::Invalid(found, _)) = parse(&message) else { panic!("{message} is a request") };
            assert_eq!(found, Id(id), "{message}");
        }
    }

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
        let id = Id(json!("a\"b"));
        assert_eq!(read(success(&id, b"[1]")), json!({"jsonrpc": "2.0", "result": [1], "id": "a\"b"}));
        let expected = json!({"jsonrpc": "2.0", "method": "item", "params": {"id": "a\"b", "item": 1}});
        assert_eq!(read(item(&id, b"1")), expected);
        assert_eq!(batch(&[]), None);
        let both = batch(&[success(&Id::NULL, b"1"), success(&Id::NULL, b"2")]).unwrap();
        assert_eq!(read(both).as_array().unwrap().len(), 2);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "(2\\.0|[a-z.]{0,6})".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            let name = "(jsonrpc|method|params|id|[a-z]{1,3})";
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::vec((name, inner), 0..5).prop_map(|all| Value::Object(all.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn bytes_never_break_the_reader(text in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = Message::parse(&text);
        }

        #[test]
        fn any_json_is_a_request_or_says_why_not(value in any_json()) {
            let is_request = |value: &Value| {
                value["jsonrpc"] == "2.0"
                    && value["method"].is_string()
                    && value.get("params").is_none_or(|params| params.is_object() || params.is_array())
                    && value.get("id").is_none_or(|id| id.is_null() || id.is_number() || id.is_string())
            };
            let found = |entry: &Entry| matches!(entry, Entry::Request(_));
            match (parse(&value), &value) {
                (Message::Batch(entries), Value::Array(values)) => {
                    let found: Vec<_> = entries.iter().map(found).collect();
                    prop_assert_eq!(found, values.iter().map(is_request).collect::<Vec<_>>());
                }
                (Message::One(entry), value) => prop_assert_eq!(found(&entry), is_request(value)),
                (message, _) => prop_assert!(false, "{:?}", message),
            }
        }
    }
}
