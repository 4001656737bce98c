//! Tests of schemas.

mod agreement;
mod attributes;
mod hostile;
mod instance;
mod numbers;
mod properties;
mod query;
mod violations;

use bytes::Bytes;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::json::{document::Document, schema::InputSchema, violation::Violation};

fn schema<T: JsonSchema>() -> InputSchema {
    InputSchema::of::<T>().unwrap()
}

fn parse<T: JsonSchema>(body: impl AsRef<[u8]>) -> Result<Value, Vec<Violation>> {
    schema::<T>()
        .parse_json(Bytes::copy_from_slice(body.as_ref()))
        .map(|document| document.to_value())
}

fn decode<T: DeserializeOwned>(value: &Value) -> Result<T, Vec<Violation>> {
    crate::json::schema::decode(&Document::from(value))
}

/// Returns the violations as `pointer: detail`.
fn violations_of<T>(result: Result<T, Vec<Violation>>) -> Vec<String> {
    let violations = result.err().expect("violations");
    violations
        .into_iter()
        .map(|Violation { pointer, detail }| format!("{pointer}: {detail}"))
        .collect()
}

fn check<T: JsonSchema>(value: Value) -> Vec<String> {
    violations_of(schema::<T>().check(&value))
}

#[test]
fn one_schema_serves_all_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<InputSchema>();
}
