//! Tests of the judge.

mod agreement;
mod hostile;
mod properties;
mod query;
mod violations;

use schemars::JsonSchema;
use serde_json::Value;

use super::InputSchema;
use crate::error::Violation;

fn schema<T: JsonSchema>() -> InputSchema {
    InputSchema::of::<T>().unwrap()
}

/// The violations as `pointer: detail`.
fn told<T>(result: Result<T, Vec<Violation>>) -> Vec<String> {
    let violations = result.err().expect("violations");
    violations.into_iter().map(|Violation { pointer, detail }| format!("{pointer}: {detail}")).collect()
}

fn check<T: JsonSchema>(value: Value) -> Vec<String> {
    told(schema::<T>().check(&value))
}

#[test]
fn one_schema_serves_all_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<InputSchema>();
}
