use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn parse_text(text: &str) -> RpcMessage {
    RpcMessage::parse(&text.into(), 8).unwrap()
}

fn parse(value: &Value) -> RpcMessage {
    parse_text(&value.to_string())
}

fn id(text: &str) -> Id {
    Id(text.into())
}

#[test]
fn a_request_has_an_id_and_a_notification_has_none() {
    let request = |id, params: Option<&'static str>| {
        RpcMessage::One(BatchItem::RpcRequest(RpcRequest {
            id,
            method: "a.v1.b".into(),
            params: params.map(Bytes::from),
        }))
    };
    for text in [
        "1",
        "\"x\"",
        "null",
        "1.5",
        "\"\"",
        "18446744073709551617",
        "1.0",
        "1e0",
        "\"\\u0061\"",
        "-0",
    ] {
        let message = parse_text(&format!(
            "{{\"jsonrpc\": \"2.0\", \"method\": \"a.v1.b\", \"params\": [1,  2], \
             \"id\": {text} }}"
        ));
        assert_eq!(message, request(Some(id(text)), Some("[1,  2]")));
    }
    assert_eq!(parse(&json!({"jsonrpc": "2.0", "method": "a.v1.b"})), request(None, None));
}

#[test]
fn ids_are_the_same_if_they_are_the_same_text() {
    let ids = [
        "1",
        "1.0",
        "1e0",
        "\"1\"",
        "null",
        "\"null\"",
        "18446744073709551616",
        "18446744073709551617",
    ];
    for one in ids {
        for other in ids {
            assert_eq!(id(one).is(RawJson::check(other).unwrap()), one == other, "{one} {other}");
        }
    }
}

#[test]
fn invalid_requests_keep_their_id_if_it_can_be_read() {
    let cases = [
        (json!(1), "null"),
        (json!("x"), "null"),
        (json!([]), "null"),
        (json!({}), "null"),
        (json!({"jsonrpc": "2.0", "method": "m", "id": {}}), "null"),
        (json!({"jsonrpc": "2.0", "method": "m", "id": true}), "null"),
        (json!({"jsonrpc": "2.0", "method": "m", "id": "x".repeat(1023)}), "null"),
        (json!({"jsonrpc": "1.0", "method": "m", "id": 7}), "7"),
        (json!({"method": "m", "id": 7}), "7"),
        (json!({"jsonrpc": "2.0", "method": 1, "id": 7}), "7"),
        (json!({"jsonrpc": "2.0", "id": 7}), "7"),
        (json!({"jsonrpc": "2.0", "method": "m", "params": null, "id": 7}), "7"),
        (json!({"jsonrpc": "2.0", "method": "m", "params": "p", "id": 7}), "7"),
    ];
    for (message, expected) in cases {
        let RpcMessage::One(BatchItem::Invalid(found, _)) = parse(&message) else {
            panic!("{message} is a request")
        };
        assert_eq!(found, id(expected), "{message}");
    }
    for twice in [r#""id":1,"id":2"#, r#""id":1,"\u0069d":1"#, r#""id":1,"params":[],"params":[]"#]
    {
        let message = parse_text(&format!(r#"{{"jsonrpc":"2.0","method":"m",{twice}}}"#));
        assert_eq!(
            message,
            RpcMessage::One(BatchItem::Invalid(Id::NULL, "the request has a duplicate member"))
        );
    }
    assert!(matches!(
        parse(&json!({"jsonrpc": "2.0", "method": "m", "id": "x".repeat(1022)})),
        RpcMessage::One(BatchItem::RpcRequest(_))
    ));
}

#[test]
fn a_batch_that_is_too_long_is_not_read() {
    let batch = |entries: usize| parse(&Value::from(vec![1; entries]));
    assert!(matches!(batch(8), RpcMessage::Batch(entries) if entries.len() == 8));
    assert_eq!(batch(9), RpcMessage::TooMany);
    assert!(matches!(batch(0), RpcMessage::One(BatchItem::Invalid(..))));
}

#[test]
fn small_params_do_not_keep_the_message_alive() {
    let text = ByteString::from(format!(
        "[{{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"params\":[1]}},\"{}\"]",
        "x".repeat(1000)
    ));
    let RpcMessage::Batch(entries) = RpcMessage::parse(&text, 8).unwrap() else {
        panic!("no batch")
    };
    let BatchItem::RpcRequest(RpcRequest { params: Some(params), .. }) = &entries[0] else {
        panic!("no request")
    };
    assert!(!text.as_bytes().as_ptr_range().contains(&params.as_ptr()), "a copy");
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
            proptest::collection::vec((name, inner), 0..5)
                .prop_map(|all| Value::Object(all.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(text in "\\PC{0,60}") {
        let _ = RpcMessage::parse(&text.into(), 8);
    }

    #[test]
    fn any_json_is_a_request_or_says_why_not(value in any_json()) {
        let is_request = |value: &Value| {
            value["jsonrpc"] == "2.0"
                && value["method"].is_string()
                && value
                    .get("params")
                    .is_none_or(|params| params.is_object() || params.is_array())
                && value
                    .get("id")
                    .is_none_or(|id| id.is_null() || id.is_number() || id.is_string())
        };
        let found = |entry: &BatchItem| matches!(entry, BatchItem::RpcRequest(_));
        match (parse(&value), &value) {
            (RpcMessage::Batch(entries), Value::Array(values)) => {
                let found: Vec<_> = entries.iter().map(found).collect();
                prop_assert_eq!(found, values.iter().map(is_request).collect::<Vec<_>>());
            }
            (RpcMessage::One(entry), value) => {
                prop_assert_eq!(found(&entry), is_request(value))
            }
            (message, _) => prop_assert!(false, "{:?}", message),
        }
    }
}
