//! Applicators: the keywords with which several parts of a schema describe the same value.

use std::borrow::Cow;

use jsonschema::JsonType;
use serde_json::{Map, Value};

use crate::json::schema::percent::percent_decode;

/// Calls `visitor` with `schema` and every schema that it applies to the same value: through
/// `$ref`, `allOf`, `anyOf`, `oneOf` and `if`.
pub(super) fn visit<'s>(
    root: &'s Value,
    schema: &'s Value,
    visitor: &mut impl FnMut(&'s Map<String, Value>),
) {
    let mut seen: Vec<&Value> = Vec::new();
    let mut pending = vec![schema];
    while let Some(schema) = pending.pop() {
        let Some(object) = schema.as_object() else { continue };
        if seen.iter().any(|before| std::ptr::eq(*before, schema)) {
            continue;
        }
        seen.push(schema);
        visitor(object);
        // The stack is last in, first out, so alternatives are pushed in reverse to come in their
        // order.
        for key in ["else", "then", "if"] {
            pending.extend(object.get(key));
        }
        for key in ["oneOf", "anyOf", "allOf"] {
            pending.extend(object.get(key).and_then(Value::as_array).into_iter().flatten().rev());
        }
        pending.extend(
            object
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|reference| resolve(root, reference)),
        );
    }
}

/// Resolves a reference within the document (RFC 6901 §6).
pub(super) fn resolve<'s>(root: &'s Value, reference: &str) -> Option<&'s Value> {
    let pointer: Cow<'_, str> = percent_decode(reference.strip_prefix('#')?)?;
    root.pointer(&pointer)
}

/// Returns the types that a schema names, or the types of the values that it lists.
pub(super) fn types(schema: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let named = schema.get("type");
    let list = named
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .chain(named)
        .filter_map(Value::as_str);
    let listed = schema
        .get("enum")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .chain(schema.get("const"));
    let values = listed.filter(move |_| named.is_none());
    list.chain(values.map(|value| JsonType::from(value).as_str()))
}

/// Returns the members of the object that a schema has at `key`.
pub(super) fn members<'s>(
    schema: &'s Map<String, Value>,
    key: &str,
) -> impl Iterator<Item = (&'s String, &'s Value)> + use<'s> {
    schema.get(key).and_then(Value::as_object).into_iter().flatten()
}
