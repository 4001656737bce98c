//! References between schemas. Only subschemas are searched for them: a `$ref` in an example is no
//! reference.

use serde_json::{Map, Value};

/// Copies `schema`, and replaces every `$ref` by the result of `rename`.
pub(super) fn rewrite(schema: &Value, rename: &mut dyn FnMut(&str) -> String) -> Value {
    let Value::Object(keywords) = schema else { return schema.clone() };
    let rewritten = keywords.iter().map(|(keyword, value)| {
        let value = match (keyword.as_str(), value) {
            ("$ref", Value::String(reference)) => Value::String(rename(reference)),
            (
                "additionalProperties"
                | "contains"
                | "contentSchema"
                | "else"
                | "if"
                | "items"
                | "not"
                | "propertyNames"
                | "then"
                | "unevaluatedItems"
                | "unevaluatedProperties",
                schema,
            ) => rewrite(schema, rename),
            ("allOf" | "anyOf" | "oneOf" | "prefixItems", Value::Array(schemas)) => {
                schemas.iter().map(|schema| rewrite(schema, rename)).collect()
            }
            (
                "$defs" | "dependentSchemas" | "patternProperties" | "properties",
                Value::Object(schemas),
            ) => {
                let rewritten =
                    schemas.iter().map(|(name, schema)| (name.clone(), rewrite(schema, rename)));
                Value::Object(rewritten.collect::<Map<_, _>>())
            }
            _ => value.clone(),
        };
        (keyword.clone(), value)
    });
    Value::Object(rewritten.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_references_of_subschemas_are_rewritten() {
        let data = json!({ "$ref": "#/data" });
        let schema = |reference: &str| {
            let schema = json!({ "$ref": reference, "description": "kept" });
            json!({
                "properties": {
                    "$ref": schema,
                    "items": true,
                    "b": { "items": { "anyOf": [schema, { "prefixItems": [schema] }] } },
                },
                "patternProperties": { "^x": schema },
                "dependentSchemas": { "a": { "not": schema } },
                "additionalProperties": {
                    "if": schema,
                    "then": schema,
                    "else": schema,
                    "contains": schema,
                },
                "unevaluatedProperties": schema,
                "propertyNames": schema,
                "default": data,
                "const": data,
                "enum": [data],
                "examples": [data, { "properties": { "a": data } }],
            })
        };
        let mut seen = 0;
        let rewritten = rewrite(&schema("#/a"), &mut |reference| {
            seen += 1;
            assert_eq!(reference, "#/a");
            "#/b".to_owned()
        });
        assert_eq!(rewritten, schema("#/b"));
        assert_eq!(seen, 11);
    }
}
