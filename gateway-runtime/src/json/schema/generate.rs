//! From a Rust type to its schema document: `schemars`, and the bounds of the number types that it leaves out.

use schemars::{
    JsonSchema, Schema,
    generate::{Contract, SchemaSettings},
    transform::RecursiveTransform,
};
use serde_json::{Map, Value};

use crate::json::schema::string_enums;

/// The schema of what a method answers with: JSON Schema 2020-12, as `T` is serialized, self-contained.
#[must_use]
pub fn output_schema<T: JsonSchema + ?Sized>() -> Value {
    document::<T>(Contract::Serialize)
}

/// The schema document of `T`, as it is deserialized or serialized.
pub(super) fn document<T: JsonSchema + ?Sized>(contract: Contract) -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    // What is read must fit the type; what is written does, except that 128-bit integers can outgrow a JSON value.
    let bound: fn(&mut Schema) = if contract.is_deserialize() { bound_input } else { bound_output };
    settings.contract = contract;
    let settings = settings
        .with_transform(RecursiveTransform(bound))
        .with_transform(RecursiveTransform(string_enums::list))
        .with_transform(RecursiveTransform(say_no_null_default));
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// A default of null says no more than that the property need not be there.
fn say_no_null_default(schema: &mut Schema) {
    if schema.get("default") == Some(&Value::Null) {
        schema.remove("default");
    }
}

fn bound_input(schema: &mut Schema) {
    if let Some(object) = schema.as_object_mut() {
        bound(object, true);
    }
}

fn bound_output(schema: &mut Schema) {
    if let Some(object) = schema.as_object_mut() {
        bound(object, false);
    }
}

/// Gives a number the range of its Rust type, where the author has not given it a narrower one.
fn bound(schema: &mut Map<String, Value>, with_128_bits: bool) {
    let Some(format) = schema.get("format").and_then(Value::as_str) else { return };
    let (name, low, high): (_, Value, Value) = match format {
        "int8" => ("integer", i8::MIN.into(), i8::MAX.into()),
        "int16" => ("integer", i16::MIN.into(), i16::MAX.into()),
        "int32" => ("integer", i32::MIN.into(), i32::MAX.into()),
        "int64" => ("integer", i64::MIN.into(), i64::MAX.into()),
        "int" => ("integer", isize::MIN.into(), isize::MAX.into()),
        "uint8" => ("integer", 0.into(), u8::MAX.into()),
        "uint16" => ("integer", 0.into(), u16::MAX.into()),
        "uint32" => ("integer", 0.into(), u32::MAX.into()),
        "uint64" => ("integer", 0.into(), u64::MAX.into()),
        "uint" => ("integer", 0.into(), usize::MAX.into()),
        "int128" if with_128_bits => ("integer", i64::MIN.into(), u64::MAX.into()),
        "uint128" if with_128_bits => ("integer", 0.into(), u64::MAX.into()),
        "float" => ("number", f64::from(f32::MIN).into(), f64::from(f32::MAX).into()),
        _ => return,
    };
    let is_of_type = match schema.get("type") {
        Some(Value::String(only)) => only == name,
        Some(Value::Array(several)) => several.iter().any(|one| one == name),
        _ => false,
    };
    if is_of_type {
        limit(schema, ["minimum", "exclusiveMinimum"], low, less);
        limit(schema, ["maximum", "exclusiveMaximum"], high, |bound, high| less(high, bound));
    }
}

/// Sets the inclusive limit `keys[0]` to `edge`, unless one of the `keys` says something at least as narrow.
fn limit(
    schema: &mut Map<String, Value>,
    keys: [&str; 2],
    edge: Value,
    is_wider: fn(&Value, &Value) -> bool,
) {
    let is_narrow = |key| schema.get(key).is_some_and(|bound| !is_wider(bound, &edge));
    if !keys.into_iter().any(is_narrow) {
        schema.insert(keys[0].to_owned(), edge);
    }
}

/// Compares exactly as long as both are integers.
fn less(a: &Value, b: &Value) -> bool {
    let whole = |n: &Value| n.as_i64().map(i128::from).or_else(|| n.as_u64().map(i128::from));
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => a < b,
        _ => a.as_f64() < b.as_f64(),
    }
}
