//! The query parameters of an input, as OpenAPI describes them.

use serde_json::{Value, json};

use crate::json::schema::is_list_that_may_be_empty;

/// Returns one parameter for each property, where the properties do not depend on each other. An
/// input with alternatives is one parameter whose members are in the query themselves (`style:
/// form`, `explode: true`): that is exact, and a list of optional parameters would not be.
///
/// `is_optional` says whether an empty query is valid.
pub(crate) fn parameters(input: &Value, is_optional: bool) -> Vec<Value> {
    let Some(properties) = plain_properties(input) else {
        return vec![json!({
            "name": "query",
            "in": "query",
            "required": !is_optional,
            "style": "form",
            "explode": true,
            "schema": input,
        })];
    };
    let required = input.get("required").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let is_required = |name: &str, schema: &Value| {
        // A list of no items is written by omitting its name.
        required.iter().any(|required| required == name) && !is_list_that_may_be_empty(schema)
    };
    properties.map(|(name, schema)| parameter(name, schema, is_required(name, schema))).collect()
}

/// Returns the properties of an object, if a list of parameters can express the whole schema.
fn plain_properties(input: &Value) -> Option<impl Iterator<Item = (&String, &Value)>> {
    const EXPRESSIBLE: [&str; 9] = [
        "type",
        "properties",
        "required",
        "additionalProperties",
        "title",
        "description",
        "default",
        "examples",
        "deprecated",
    ];
    let keywords = input.as_object()?;
    let others = keywords.get("additionalProperties").unwrap_or(&Value::Bool(true));
    let is_plain = input.get("type")? == "object"
        && others.is_boolean()
        && keywords.keys().all(|keyword| EXPRESSIBLE.contains(&keyword.as_str()));
    is_plain.then(|| keywords.get("properties").and_then(Value::as_object).into_iter().flatten())
}

/// Returns the parameter of a property. Keywords of the schema that concern the whole parameter
/// move to it.
fn parameter(name: &str, schema: &Value, is_required: bool) -> Value {
    let mut schema = schema.as_object().cloned().unwrap_or_default();
    let mut parameter = json!({ "name": name, "in": "query", "required": is_required });
    for keyword in ["description", "deprecated"] {
        if let Some(value) = schema.shift_remove(keyword) {
            parameter[keyword] = value;
        }
    }
    parameter["style"] = json!("form");
    parameter["explode"] = json!(true);
    parameter["schema"] = Value::Object(schema);
    parameter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_property_is_a_parameter() {
        let input = json!({
            "title": "Query",
            "type": "object",
            "properties": {
                "base": { "type": "string", "description": "A currency.", "default": "EUR" },
                "to": { "type": "array", "minItems": 1, "deprecated": true },
                "all": { "type": "array" },
                "any": true,
            },
            "required": ["to", "all"],
            "additionalProperties": false,
        });
        let expected = json!([
            { "name": "base", "in": "query", "required": false, "description": "A currency.",
              "style": "form", "explode": true,
              "schema": { "type": "string", "default": "EUR" } },
            { "name": "to", "in": "query", "required": true, "deprecated": true,
              "style": "form", "explode": true,
              "schema": { "type": "array", "minItems": 1 } },
            { "name": "all", "in": "query", "required": false, "style": "form", "explode": true,
              "schema": { "type": "array" } },
            { "name": "any", "in": "query", "required": false, "style": "form", "explode": true,
              "schema": {} },
        ]);
        assert_eq!(Value::Array(parameters(&input, false)), expected);
        assert!(parameters(&json!({ "type": "object" }), true).is_empty());
    }

    #[test]
    fn input_is_one_parameter_where_properties_depend_on_each_other() {
        for more in [
            json!({ "anyOf": [{ "required": ["a"] }, { "required": ["b"] }] }),
            json!({ "additionalProperties": { "type": "integer" } }),
            json!({ "minProperties": 1 }),
            json!({ "type": ["object", "null"] }),
        ] {
            let mut input = json!({ "type": "object", "properties": { "a": {}, "b": {} } });
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let [parameter] = &parameters(&input, false)[..] else { panic!("{input}") };
            assert_eq!(parameter["schema"], input);
            assert_eq!(
                (&parameter["style"], &parameter["explode"]),
                (&json!("form"), &json!(true))
            );
            assert_eq!(parameter["required"], true);
        }
    }
}
