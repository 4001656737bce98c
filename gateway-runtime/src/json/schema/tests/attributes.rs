//! Attributes of serde that change names: the schema follows them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::json::schema::{
    decode, output_schema,
    tests::{schema, violations_of},
};

#[derive(JsonSchema, Serialize, Deserialize, Debug, PartialEq)]
struct Renamed {
    #[serde(rename(deserialize = "from", serialize = "to"))]
    place: String,
}

#[test]
fn a_name_that_differs_by_direction_is_that_of_the_direction() {
    let document = schema::<Renamed>().parse_json(r#"{"from":"x"}"#.into()).unwrap();
    assert_eq!(decode::<Renamed>(&document), Ok(Renamed { place: "x".to_owned() }));
    assert_eq!(
        violations_of(schema::<Renamed>().parse_json(r#"{"to":"x"}"#.into())),
        [": `from` is missing"]
    );
    let output = output_schema::<Renamed>();
    assert_eq!(output["properties"].as_object().unwrap().keys().collect::<Vec<_>>(), ["to"]);
}

#[derive(JsonSchema, Deserialize, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
struct Outer {
    a: u8,
    #[serde(flatten)]
    inner: Inner,
}

#[derive(JsonSchema, Deserialize, Debug, PartialEq)]
struct Inner {
    b: Option<u8>,
}

#[test]
fn a_flattened_struct_within_one_that_denies_unknown_fields() {
    let document = schema::<Outer>().parse_json(r#"{"a":1,"b":2}"#.into()).unwrap();
    assert_eq!(decode::<Outer>(&document), Ok(Outer { a: 1, inner: Inner { b: Some(2) } }));
    assert_eq!(violations_of(schema::<Outer>().parse_json(r#"{"a":1,"c":2}"#.into())).len(), 1);
    assert_eq!(violations_of(schema::<Outer>().parse_query("a=1&c=2")).len(), 1);
}

#[derive(JsonSchema, Deserialize, Debug, PartialEq)]
struct Open {
    a: u8,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[test]
fn a_flattened_map_takes_what_is_left() {
    let document = schema::<Open>().parse_json(r#"{"a":1,"c":[2]}"#.into()).unwrap();
    assert_eq!(
        decode::<Open>(&document).unwrap().rest,
        BTreeMap::from([("c".to_owned(), json!([2]))])
    );
}
