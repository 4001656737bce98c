//! Bounds on the time and memory of validation for hostile inputs.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::json::schema::tests::{parse, schema, violations_of};

/// Time limit of a test. It is generous, for an unoptimised build on a busy machine; the costs that
/// it detects take minutes or forever.
const LIMIT: Duration = Duration::from_secs(5);

#[track_caller]
fn is_told_in_time<T: JsonSchema>(value: &Value) -> Vec<String> {
    let started = Instant::now();
    let violations = violations_of(schema::<T>().check(value));
    assert!(started.elapsed() < LIMIT, "took {:?}", started.elapsed());
    assert!(!violations.is_empty() && violations.len() <= 101);
    assert!(violations.iter().map(String::len).sum::<usize>() < 100_000);
    violations
}

#[derive(JsonSchema, Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "only described")]
enum Ambiguous {
    Not { e: Box<Ambiguous> },
    Neg { e: Box<Ambiguous> },
    Literal(i64),
}

#[test]
fn alternatives_within_alternatives() {
    let mut value = json!("x");
    for _ in 0..120 {
        value = json!({ "e": value });
    }
    is_told_in_time::<Ambiguous>(&value);
}

#[test]
fn a_great_many_violations() {
    is_told_in_time::<Vec<String>>(&json!(vec![0; 500_000]));
    #[derive(JsonSchema, Deserialize)]
    #[expect(dead_code, reason = "only described")]
    struct Wrapped {
        list: Vec<Option<Inner>>,
    }
    #[derive(JsonSchema, Deserialize)]
    #[expect(dead_code, reason = "only described")]
    struct Inner {
        a: u8,
    }
    let violations = is_told_in_time::<Option<Wrapped>>(&json!({"list": vec![json!({}); 200_000]}));
    assert!(
        violations[0].contains("`a` is missing") || violations[0].contains("too large"),
        "{violations:?}"
    );
}

#[test]
fn the_wrong_rows_of_a_long_list_are_found() {
    let mut rows = vec![json!({"id": 1, "name": "n", "tag": null}); 50_000];
    rows[7]["id"] = json!("x");
    rows[49_999]["tag"] = json!(1);
    #[derive(JsonSchema, Deserialize)]
    #[expect(dead_code, reason = "only described")]
    struct Row {
        id: u32,
        name: String,
        tag: Option<String>,
    }
    let violations = is_told_in_time::<Vec<Row>>(&Value::Array(rows));
    assert_eq!(
        violations,
        ["/7/id: expected integer, got string", "/49999/tag: expected null or string, got number"]
    );
}

#[test]
fn long_names_in_paths() {
    let value = json!({"n".repeat(500_000): vec![0; 200_000]});
    let violations = is_told_in_time::<HashMap<String, Vec<String>>>(&value);
    assert_eq!(violations[0], ": expected string");
}

#[test]
fn a_great_many_unknown_properties() {
    #[derive(JsonSchema, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}
    let value: Value = (0..100_000)
        .map(|n| (n.to_string(), Value::Null))
        .collect::<serde_json::Map<_, _>>()
        .into();
    assert_eq!(is_told_in_time::<Nothing>(&value).len(), 101);
}

#[test]
fn deep_nesting() {
    let body = "[".repeat(100_000);
    let violations = violations_of(parse::<Value>(body));
    assert_eq!(violations, [": the JSON is nested more than 127 levels deep at line 1 column 128"]);
}

#[test]
fn patterns_that_back_track_elsewhere() {
    #[derive(JsonSchema, Deserialize)]
    #[expect(dead_code, reason = "only described")]
    struct Word {
        #[schemars(regex(pattern = "^(a+)+$"))]
        word: String,
    }
    let violations = is_told_in_time::<Word>(&json!({"word": format!("{}b", "a".repeat(100_000))}));
    assert_eq!(violations, ["/word: must match the pattern ^(a+)+$"]);
}

#[test]
fn a_query_of_a_great_many_parameters() {
    #[derive(JsonSchema, Deserialize)]
    #[expect(dead_code, reason = "only described")]
    struct Query {
        id: Option<Vec<Ambivalent>>,
    }
    #[derive(JsonSchema, Deserialize)]
    #[serde(untagged)]
    #[expect(dead_code, reason = "only described")]
    enum Ambivalent {
        Number(u8),
        Word(#[schemars(length(max = 2))] String),
    }
    let started = Instant::now();
    let schema = schema::<Query>();
    let unknown: Vec<String> = (0..20_000).map(|n| format!("k{n}=1")).collect();
    assert!(schema.parse_query(&unknown.join("&")).is_ok());
    assert_eq!(violations_of(schema.parse_query(&"id=300&".repeat(20_000))).len(), 101);
    assert!(started.elapsed() < LIMIT, "took {:?}", started.elapsed());
}

/// With its feature `raw_value`, `serde_json` would parse such a string as JSON, with a new limit
/// of depth.
#[test]
fn names_of_serde_json_have_no_special_meaning() {
    for name in ["$serde_json::private::RawValue", "$serde_json::private::Number"] {
        let value = json!({ name: "[1]" });
        assert_eq!(parse::<Value>(value.to_string()), Ok(value));
    }
}
