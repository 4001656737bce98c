//! Inputs that a JSON-RPC request can carry: its `params` are an object or an array (JSON-RPC 2.0
//! §4.2).

use serde_json::Value;

/// The maximum depth of nested schemas and references; a deeper schema is taken to allow anything.
const MAX_DEPTH: u32 = 32;

/// Returns whether `schema` allows an object or an array.
pub(super) fn can_carry(schema: &Value) -> bool {
    allows(schema, schema, MAX_DEPTH)
}

fn allows(schema: &Value, root: &Value, depth: u32) -> bool {
    let Some(schema) = schema.as_object() else { return schema != &Value::Bool(false) };
    if depth == 0 {
        return true;
    }
    let each = |name: &str| schema.get(name).and_then(Value::as_array);
    let below = |schema: &Value| allows(schema, root, depth - 1);
    let is_structured = |value: &Value| value.is_object() || value.is_array();
    let is_structured_type = |name: &Value| name == "object" || name == "array";
    let of_type = schema.get("type").is_none_or(|types| match types {
        Value::Array(types) => types.iter().any(is_structured_type),
        one => is_structured_type(one),
    });
    let referred = schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|to| root.pointer(to.strip_prefix('#')?));
    of_type
        && schema.get("const").is_none_or(is_structured)
        && each("enum").is_none_or(|values| values.iter().any(is_structured))
        && referred.is_none_or(below)
        && ["anyOf", "oneOf"].iter().all(|name| each(name).is_none_or(|any| any.iter().any(below)))
        && each("allOf").is_none_or(|all| all.iter().all(below))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::can_carry;

    #[test]
    fn objects_and_arrays_are_carried_and_scalars_are_not() {
        for schema in [
            json!(true),
            json!({}),
            json!({ "type": "object" }),
            json!({ "type": ["null", "array"] }),
            json!({ "anyOf": [{ "type": "string" }, { "type": "object" }] }),
            json!({ "$ref": "#/$defs/A", "$defs": { "A": { "type": "object" } } }),
            json!({
                "$ref": "#/$defs/A",
                "$defs": { "A": { "oneOf": [{ "const": 1 }, { "$ref": "#/$defs/A" }] } },
            }),
            json!({ "allOf": [{ "type": "object" }, { "required": ["a"] }] }),
            json!({ "enum": ["a", []] }),
        ] {
            assert!(can_carry(&schema), "{schema}");
        }
        for schema in [
            json!(false),
            json!({ "type": "string" }),
            json!({ "type": ["string", "null"] }),
            json!({ "anyOf": [{ "type": "string" }, { "type": "null" }] }),
            json!({ "$ref": "#/$defs/A", "$defs": { "A": { "enum": ["x", "y"] } } }),
            json!({ "allOf": [{}, { "type": "integer" }] }),
            json!({ "const": 1 }),
        ] {
            assert!(!can_carry(&schema), "{schema}");
        }
    }
}
