//! A document is valid exactly if the value that it represents is.

use jsonschema::{
    Validator,
    json::{SerdeJson, conformance},
};
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::json::{
    document::Document,
    schema::{InputSchema, compile::compile, instance::Instance, tests::schema},
};

fn by_value(schema: &InputSchema) -> Validator<SerdeJson> {
    compile(schema.json()).unwrap()
}

/// Asserts that the document and the value are both valid, or both invalid.
#[track_caller]
pub(super) fn assert_same_validity(schema: &InputSchema, value: &Value) {
    let expected = by_value(schema).is_valid(value);
    assert_eq!(schema.is_valid(&Document::from(value)), expected, "{value}");
    let document = Document::parse(value.to_string().into()).unwrap();
    assert_eq!(schema.is_valid(&document), expected, "{value}");
}

#[test]
fn instance_satisfies_the_contract_of_the_validator() {
    let document = conformance::document();
    conformance::assert_conformance::<Instance>(&Document::from(&document).root());
    let document = Document::parse(document.to_string().into()).unwrap();
    conformance::assert_conformance::<Instance>(&document.root());
}

/// An object with every keyword of JSON Schema for objects.
#[derive(JsonSchema, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only described")]
struct Many {
    a: Option<u8>,
    b: Option<Box<Many>>,
    #[serde(default)]
    list: Vec<Choice>,
    #[schemars(extend("const" = {"a": [1, {"b": null}]}))]
    constant: Option<Value>,
    #[schemars(extend("uniqueItems" = true))]
    unique: Option<Vec<Value>>,
    #[schemars(extend(
        "propertyNames" = {"maxLength": 2, "pattern": "^[a-z]*$"},
        "minProperties" = 1
    ))]
    names: Option<serde_json::Map<String, Value>>,
}

#[derive(JsonSchema, Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "only described")]
enum Choice {
    Number(f32),
    Text(#[schemars(length(min = 1, max = 3))] String),
    Many(Box<Many>),
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i8>().prop_map(Value::from),
        any::<i8>().prop_map(|n| Value::from(f64::from(n))),
        any::<f64>().prop_map(Value::from),
        "[a-cé]{0,4}".prop_map(Value::from),
        Just(json!({"a": [1.0, {"b": null}]})),
    ];
    leaf.prop_recursive(4, 40, 20, |inner| {
        let name = prop_oneof![8 => "a|b|list|constant|unique|names", 1 => "[a-zé]{0,3}"];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((name, inner), 0..20)
                .prop_map(|members| members.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

proptest! {
    // Failing seeds are not written to files beside the sources.
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: 500,
        ..ProptestConfig::default()
    })]

    #[test]
    fn document_and_value_are_equally_valid(value in json()) {
        thread_local! {
            static MANY: (InputSchema, Validator<SerdeJson>) = {
                let schema = schema::<Many>();
                let by_value = by_value(&schema);
                (schema, by_value)
            };
        }
        MANY.with(|(schema, by_value)| {
            let unique = json!({ "unique": value });
            let names = json!({ "names": value });
            for value in [value.clone(), unique, names] {
                let is_valid = schema.is_valid(&Document::from(&value));
                assert_eq!(is_valid, by_value.is_valid(&value), "{value}");
            }
        });
    }
}
