//! Enums without data as one list of values, also when their variants are documented: `schemars`
//! then makes a schema of each variant, and generators of clients make unions of these instead of
//! an enum, and wrong ones.

use std::fmt::Write;

use schemars::Schema;
use serde_json::{Map, Value};

/// Turns a `oneOf` of strings alone into one `enum`; the descriptions of the alternatives become
/// part of its description.
pub(super) fn list(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    if object.contains_key("type") || object.contains_key("enum") {
        return;
    }
    let Some(Value::Array(alternatives)) = object.get("oneOf") else { return };
    let Some(variants) = alternatives.iter().map(variants).collect::<Option<Vec<_>>>() else {
        return;
    };
    let mut values: Vec<Value> = Vec::new();
    let mut description = String::new();
    for (names, said) in &variants {
        for name in *names {
            // Equal alternatives of a `oneOf` exclude each other.
            if values.contains(name) {
                return;
            }
            values.push(name.clone());
            if let (Some(said), Some(name)) = (said, name.as_str()) {
                // Writing to a string cannot fail.
                let _ = write!(description, "\n- `{name}`: {}", said.replace('\n', "\n  "));
            }
        }
    }
    describe(object, &description);
    object.remove("oneOf");
    object.insert("type".to_owned(), "string".into());
    object.insert("enum".to_owned(), values.into());
}

/// Returns the strings that an alternative allows, and its description; `None` when it has other
/// keywords.
fn variants(alternative: &Value) -> Option<(&[Value], Option<&str>)> {
    let object = alternative.as_object()?;
    if object.keys().any(|key| !["type", "const", "enum", "description"].contains(&key.as_str())) {
        return None;
    }
    let names = match (object.get("const"), object.get("enum")) {
        (Some(only), None) => std::slice::from_ref(only),
        (None, Some(Value::Array(several))) => several,
        _ => return None,
    };
    let texts = object.get("type")? == "string" && names.iter().all(Value::is_string);
    texts.then_some((names, object.get("description").and_then(Value::as_str)))
}

/// Appends a list to the description, or makes it the description.
fn describe(object: &mut Map<String, Value>, list: &str) {
    let before = object.get("description").and_then(Value::as_str).unwrap_or_default();
    let whole =
        if before.is_empty() { list.trim_start().to_owned() } else { format!("{before}\n{list}") };
    if !list.is_empty() {
        object.insert("description".to_owned(), whole.into());
    }
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::Serialize;
    use serde_json::{Value, json};

    use crate::json::schema::output_schema;

    /// State of a message.
    #[derive(Serialize, JsonSchema)]
    #[allow(dead_code, reason = "only described")]
    enum State {
        /// Taken over
        /// by the provider.
        Accepted,
        Plain,
        /// Received.
        Delivered,
    }

    #[derive(Serialize, JsonSchema)]
    #[allow(dead_code, reason = "only described")]
    enum WithData {
        /// Variant without data.
        Empty,
        /// Variant with data.
        Full(u8),
    }

    fn without_names(mut schema: Value) -> Value {
        schema.as_object_mut().unwrap().retain(|key, _| key != "$schema" && key != "title");
        schema
    }

    #[test]
    fn documented_variants_are_one_list() {
        let description = "State of a message.\n\n- `Accepted`: Taken over\n  by the provider.\n\
                           - `Delivered`: Received.";
        let mut schema = without_names(output_schema::<State>());
        let mut values = schema["enum"].take().as_array().cloned().unwrap();
        values.sort_by_key(Value::to_string);
        assert_eq!(values, ["Accepted", "Delivered", "Plain"]);
        assert_eq!(schema, json!({ "description": description, "enum": null, "type": "string" }));
    }

    #[test]
    fn other_alternatives_stay_as_they_are() {
        let schema = output_schema::<WithData>();
        assert_eq!(schema["oneOf"].as_array().unwrap().len(), 2, "{schema}");
        assert_eq!(schema["enum"], Value::Null);
    }
}
