//! Decoding: turns a valid document into its type.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

use crate::json::{
    document::Document,
    schema::{messages::shorten, pointer},
    violation::Violation,
};

/// Decodes a document that its schema has found valid.
///
/// `1.0` is an integer in JSON Schema and not in serde: numbers whose exact value is an integer are
/// decoded as such where the type requires one.
///
/// # Errors
///
/// Returns an error if the type rejects a value that its schema allows, as its own `TryFrom` or a
/// custom `Deserialize` may: one violation, with the place and the type's own reason.
pub fn decode<T: DeserializeOwned>(document: &Document) -> Result<T, Vec<Violation>> {
    T::deserialize(document.root()).or_else(|_| decode_again(document))
}

#[cold]
fn decode_again<T: DeserializeOwned>(document: &Document) -> Result<T, Vec<Violation>> {
    let value = document.root().to_value_of_integers();
    serde_path_to_error::deserialize(&value).map_err(|error| {
        let pointer = pointer_to(&value, error.path());
        vec![Violation { pointer, detail: reason(&error.inner().to_string()) }]
    })
}

/// Returns the path as a JSON Pointer, as far as it leads into `value`.
fn pointer_to(value: &Value, path: &serde_path_to_error::Path) -> String {
    let mut pointer = String::new();
    for segment in path.iter() {
        let next = match segment {
            Segment::Seq { index } => format!("{pointer}/{index}"),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                pointer::short_property(&pointer, key)
            }
            Segment::Unknown => break,
        };
        if value.pointer(&next).is_none() {
            break;
        }
        pointer = next;
    }
    pointer
}

/// Returns serde's message without the value, which it repeats in full.
fn reason(message: &str) -> String {
    let repeats =
        ["invalid type: ", "invalid value: "].iter().any(|start| message.starts_with(start));
    match message.rsplit_once(", expected ") {
        Some((_, expected)) if repeats => shorten(&format!("expected {expected}"), 200),
        _ => shorten(message, 200),
    }
}
