//! Strict schemas: a schema with every property denied that it does not declare.

use serde_json::Value;

use crate::json::schema::{applicators, formats::SECRET, pointer};

/// Forbids white space at the ends of secrets. Secrets of the configuration have none; those of a
/// call's input may be as they are.
pub(super) fn trim_secrets(document: &mut Value) {
    match document {
        Value::Object(object) => {
            let is_secret = object.get("format").is_some_and(|format| format == "password")
                && object.get("writeOnly").is_some_and(|is_write_only| *is_write_only == true);
            if is_secret {
                object.insert("format".to_owned(), SECRET.into());
            }
            object.values_mut().for_each(trim_secrets);
        }
        Value::Array(items) => items.iter_mut().for_each(trim_secrets),
        _ => {}
    }
}

/// Denies undeclared properties of every object in `document` that declares any.
///
/// A denial is added where a value is described as a whole, and not to the parts that describe it
/// together (`allOf`, `$ref` and so on), which would deny each other's properties.
pub(super) fn deny_undeclared(document: &mut Value) {
    let mut pointers = Vec::new();
    find(document, document, String::new(), true, &mut pointers);
    for pointer in pointers {
        if let Some(schema) = document.pointer_mut(&pointer).and_then(Value::as_object_mut) {
            schema.insert("unevaluatedProperties".to_owned(), Value::Bool(false));
        }
    }
}

/// Collects the pointers to the schemas that describe a value as a whole and declare properties of
/// it.
fn find(root: &Value, schema: &Value, at: String, whole: bool, places: &mut Vec<String>) {
    let Some(object) = schema.as_object() else { return };
    let mut below = |key: &str, whole: bool| match object.get(key) {
        Some(Value::Array(schemas)) => {
            for (index, schema) in schemas.iter().enumerate() {
                find(root, schema, format!("{at}/{key}/{index}"), whole, places);
            }
        }
        Some(schema) => find(root, schema, format!("{at}/{key}"), whole, places),
        None => {}
    };
    for key in ["items", "prefixItems", "additionalProperties", "unevaluatedProperties"] {
        below(key, true);
    }
    for key in ["allOf", "anyOf", "oneOf"] {
        below(key, false);
    }
    for (key, whole) in [("properties", true), ("patternProperties", true), ("$defs", false)] {
        for (name, schema) in applicators::members(object, key) {
            find(root, schema, pointer::property(&format!("{at}/{key}"), name), whole, places);
        }
    }
    if whole && declares_properties(root, schema) {
        places.push(at);
    }
}

fn declares_properties(root: &Value, schema: &Value) -> bool {
    let mut declares = false;
    applicators::visit(root, schema, &mut |part| declares |= part.contains_key("properties"));
    declares && schema.get("unevaluatedProperties").is_none()
}
