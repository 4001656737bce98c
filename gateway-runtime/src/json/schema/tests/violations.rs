//! Tests of violations, as a client reads them.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::json::schema::tests::{check, parse, schema, violations_of};

#[derive(JsonSchema, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only described")]
struct Mail {
    #[schemars(length(min = 1, max = 3), inner(email))]
    to: Vec<String>,
    #[schemars(length(min = 1, max = 10))]
    subject: String,
    #[serde(default)]
    priority: Priority,
    #[schemars(range(min = 1, max = 5))]
    copies: Option<u8>,
    #[schemars(regex(pattern = "^[A-Z]{3}$"))]
    currency: Option<String>,
    #[serde(default)]
    headers: HashMap<String, String>,
    from: Option<Address>,
}

#[derive(JsonSchema, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum Priority {
    #[default]
    Low,
    High,
}

#[derive(JsonSchema, Deserialize)]
#[expect(dead_code, reason = "only described")]
struct Address {
    street: String,
    zip: u32,
}

#[test]
fn all_violations_at_once_each_with_its_place() {
    let value = json!({
        "to": ["ann@example.org", "bob"],
        "priority": "medium",
        "copies": 6,
        "currency": "eur",
        "headers": {"a/b": 1},
        "from": {"street": 1},
        "subjct": "x",
    });
    assert_eq!(
        check::<Mail>(value),
        [
            ": `subject` is missing",
            "/to/1: must be of the format `email`, such as ann@example.org",
            "/priority: must be one of \"low\", \"high\"",
            "/copies: must be at most 5",
            "/currency: must match the pattern ^[A-Z]{3}$",
            "/headers/a~1b: expected string, got number",
            "/from: `zip` is missing",
            "/from/street: expected string, got number",
            "/subjct: unknown property `subjct`: did you mean `subject`?",
        ]
    );
}

#[test]
fn sizes_and_types() {
    let mail = |to: Value, subject: &str| json!({"to": to, "subject": subject});
    assert_eq!(
        check::<Mail>(mail(json!([]), "")),
        ["/to: must have at least 1 item", "/subject: must have at least 1 character"]
    );
    assert_eq!(
        check::<Mail>(mail(json!(1), "more than ten")),
        ["/to: expected array, got number", "/subject: must have at most 10 characters"]
    );
    assert_eq!(check::<Mail>(json!([])), [": expected object, got array"]);
    assert_eq!(check::<u8>(json!(1.5)), [": expected integer, got a number with a fraction"]);
    assert_eq!(check::<Option<u8>>(json!("x")), [": expected null or integer, got string"]);
    assert_eq!(check::<std::num::NonZeroI8>(json!(0)), [": must not be 0"]);
    assert_eq!(
        check::<std::collections::HashSet<u8>>(json!([1, 1])),
        [": must not have duplicate items"]
    );
}

#[test]
fn a_choice_is_explained_by_the_alternative_that_was_meant() {
    #[derive(JsonSchema, Deserialize)]
    #[serde(tag = "kind", rename_all = "lowercase")]
    #[expect(dead_code, reason = "only described")]
    enum Tagged {
        Card { number: String, cvc: u16 },
        Cash { amount: u32 },
    }
    assert_eq!(
        check::<Tagged>(json!({"kind": "card", "cvc": "1"})),
        [": `number` is missing", "/cvc: expected integer, got string"]
    );
    assert_eq!(check::<Tagged>(json!({})), [": `kind` is missing"]);
    assert_eq!(check::<Tagged>(json!(1)), [": expected object, got number"]);
    assert_eq!(
        check::<Tagged>(json!({"kind": "cheque"})),
        ["/kind: must be one of \"card\", \"cash\""]
    );

    #[derive(JsonSchema, Deserialize)]
    #[expect(dead_code, reason = "only described")]
    enum External {
        None,
        Card { number: String },
        Cash(u32),
    }
    assert_eq!(
        check::<External>(json!({"Card": {"number": 1}})),
        ["/Card/number: expected string, got number"]
    );
    assert_eq!(
        check::<External>(json!({"Gold": 1})),
        [": must have one of the properties \"Card\", \"Cash\""]
    );
    assert_eq!(check::<External>(json!("Gold")), [": must be one of \"None\""]);
    assert_eq!(check::<External>(json!({"Cash": -1})), ["/Cash: must be at least 0"]);

    #[derive(JsonSchema, Deserialize)]
    #[serde(untagged)]
    #[expect(dead_code, reason = "only described")]
    enum Untagged {
        Id(u32),
        Name(String),
    }
    assert_eq!(check::<Untagged>(json!(-1)), [": must be at least 0"]);
    assert_eq!(check::<Untagged>(json!([])), [": expected integer or string, got array"]);
    assert_eq!(check::<Vec<Option<Untagged>>>(json!([1, null, -1])), ["/2: must be at least 0"]);
}

#[test]
fn values_are_never_repeated() {
    let secret = "hunter2";
    let value = json!({"to": [secret], "subject": format!("{secret}{secret}"),
        "currency": secret, "priority": secret,
        "from": secret, "copies": secret});
    let violations = check::<Mail>(value).join("\n");
    assert_eq!(violations.lines().count(), 6, "{violations}");
    assert!(!violations.contains(secret), "{violations}");
}

#[test]
fn long_names_are_cut_and_odd_ones_escaped() {
    let long = "n".repeat(100_000);
    let violations = schema::<Mail>()
        .check(&json!({"to": ["a@b.c"], "subject": "x", long: 1, "a\n\"": 2}))
        .unwrap_err();
    assert_eq!(violations.len(), 2);
    assert_eq!(violations[0].pointer, "");
    assert!(violations[0].detail.len() < 200, "{}", violations[0].detail.len());
    assert_eq!(violations[1].pointer, "/a\n\"");
    assert_eq!(violations[1].detail, "unknown property `a\\n\\\"`");
}

#[test]
fn unknown_properties_of_flattened_types_are_named() {
    #[derive(JsonSchema, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only described")]
    struct Outer {
        first: u8,
        #[serde(flatten)]
        kind: Kind,
    }
    #[derive(JsonSchema, Deserialize)]
    #[serde(tag = "type")]
    #[expect(dead_code, reason = "only described")]
    enum Kind {
        A { second: u8 },
    }
    assert_eq!(
        check::<Outer>(json!({"first": 1, "type": "A", "second": 1, "secnd": 1})),
        ["/secnd: unknown property `secnd`: did you mean `second`?"]
    );
}

#[test]
fn violations_beyond_a_hundred_are_summarised() {
    let violations = violations_of(schema::<Vec<u8>>().check(&json!(vec!["x"; 150])));
    assert_eq!(violations.len(), 101);
    assert_eq!(violations[99], "/99: expected integer, got string");
    assert_eq!(violations[100], ": more violations exist than the 100 listed");
    assert_eq!(violations_of(schema::<Vec<u8>>().check(&json!(vec!["x"; 100]))).len(), 100);
}

#[test]
fn syntax() {
    let errors = |body: &str| violations_of(parse::<Mail>(body));
    assert_eq!(errors("{\n\"to\" 1}"), [": not valid JSON: expected `:` at line 2 column 6"]);
    assert_eq!(errors("{} x"), [": not valid JSON: trailing characters at line 1 column 4"]);
    assert_eq!(errors(" "), [": not valid JSON: EOF while parsing a value at line 1 column 1"]);
    assert_eq!(errors("1e400"), [": not valid JSON: number out of range at line 1 column 5"]);
    assert_eq!(
        errors(r#""\ud800""#),
        [": not valid JSON: unexpected end of hex escape at line 1 column 8"]
    );
    assert_eq!(
        violations_of(parse::<Mail>(b"\"\xff\"")),
        [": not valid JSON: invalid unicode code point at line 1 column 2"]
    );
}

#[test]
fn empty_body_is_valid_where_the_input_is_optional() {
    #[derive(JsonSchema, Deserialize)]
    #[expect(dead_code, reason = "only described")]
    struct Optional {
        a: Option<u8>,
    }
    assert_eq!(parse::<()>(b""), Ok(Value::Null));
    assert_eq!(parse::<Optional>(b""), Ok(json!({})));
    assert_eq!(parse::<Option<Optional>>(b""), Ok(Value::Null));
    assert_eq!(violations_of(parse::<Mail>(b"")), [": the body is empty; JSON is expected"]);
}

#[test]
fn repeated_key_has_its_last_value() {
    assert_eq!(
        parse::<HashMap<String, u8>>(br#"{"a":1,"b":2,"a":3}"#),
        Ok(json!({"a": 3, "b": 2}))
    );
}
