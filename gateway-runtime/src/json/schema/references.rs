//! Goes through the schemas in a schema, and no further: what an example says is no reference.

use serde_json::{Map, Value};

/// A copy of `schema` in which every `$ref` is what `rename` makes of it.
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
    fn only_references_are_references() {
        let data = json!({ "$ref": "#/data" });
        let schema = |reference: &str| {
            let it = json!({ "$ref": reference, "description": "kept" });
            json!({
                "properties": { "$ref": it, "items": true, "b": { "items": { "anyOf": [it, { "prefixItems": [it] }] } } },
                "patternProperties": { "^x": it },
                "dependentSchemas": { "a": { "not": it } },
                "additionalProperties": { "if": it, "then": it, "else": it, "contains": it },
                "unevaluatedProperties": it,
                "propertyNames": it,
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
