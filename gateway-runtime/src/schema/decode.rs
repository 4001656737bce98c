//! From a valid value to its type.

use serde::de::DeserializeOwned;
use serde_json::{Number, Value};
use serde_path_to_error::Segment;

use super::{pointer, wording::shorten};
use crate::{document::Document, error::Violation};

/// The typed value of a document that its schema has found valid.
///
/// To JSON Schema `1.0` is an integer, to serde it is not: numbers without a fraction are read as integers where the
/// type wants one.
///
/// # Errors
///
/// When the type refuses what its schema allows, as its own `TryFrom` or a custom `Deserialize` may: one violation,
/// with the place and the type's own reason.
pub fn decode<T: DeserializeOwned>(document: &Document) -> Result<T, Vec<Violation>> {
    T::deserialize(document.root()).or_else(|_| decode_again(&document.to_value()))
}

#[cold]
fn decode_again<T: DeserializeOwned>(value: &Value) -> Result<T, Vec<Violation>> {
    let mut whole = value.clone();
    write_integers(&mut whole);
    serde_path_to_error::deserialize(whole).map_err(|error| {
        let pointer = pointer_to(value, error.path());
        vec![Violation { pointer, detail: reason(&error.inner().to_string()) }]
    })
}

/// Turns every number without a fraction into an integer, where 64 bits hold it exactly.
fn write_integers(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(integer) = number.as_f64().filter(|_| number.is_f64()).and_then(as_integer) {
                *number = integer;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(write_integers),
        Value::Object(members) => members.values_mut().for_each(write_integers),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "only whole numbers in range are cast")]
fn as_integer(number: f64) -> Option<Number> {
    // The upper ends, 2^63 and 2^64, are exact as floats and just out of range.
    if number.fract() != 0.0 {
        None
    } else if (-(2_f64.powi(63))..2_f64.powi(63)).contains(&number) {
        Some((number as i64).into())
    } else if (0.0..2_f64.powi(64)).contains(&number) {
        Some((number as u64).into())
    } else {
        None
    }
}

/// The path as a JSON Pointer, as far as it leads into `value`.
fn pointer_to(value: &Value, path: &serde_path_to_error::Path) -> String {
    let mut pointer = String::new();
    for segment in path.iter() {
        let next = match segment {
            Segment::Seq { index } => format!("{pointer}/{index}"),
            Segment::Map { key } | Segment::Enum { variant: key } => pointer::short_property(&pointer, key),
            Segment::Unknown => break,
        };
        if value.pointer(&next).is_none() {
            break;
        }
        pointer = next;
    }
    pointer
}

/// Serde's message without the value, which it repeats in full.
fn reason(message: &str) -> String {
    let repeats = ["invalid type: ", "invalid value: "].iter().any(|start| message.starts_with(start));
    match message.rsplit_once(", expected ") {
        Some((_, expected)) if repeats => shorten(&format!("expected {expected}"), 200),
        _ => shorten(message, 200),
    }
}
