//! Equivalent schemas that generators of clients and linters understand.

use std::collections::HashSet;

use serde_json::{Map, Value};

/// Keywords that apply to values of one type alone, by type.
const OF_TYPES: [(&[&str], &[&str]); 4] = [
    (&["string"], &["pattern", "minLength", "maxLength", "format"]),
    (
        &["number", "integer"],
        &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "format"],
    ),
    (
        &["object"],
        &["properties", "required", "additionalProperties", "patternProperties", "propertyNames"],
    ),
    (&["array"], &["items", "prefixItems", "minItems", "maxItems", "uniqueItems"]),
];

/// Rewrites all schemas in a document: a tuple states that it has no more items, a list of types
/// becomes alternatives, and alternatives of different types exclude each other.
pub(crate) fn tidy(document: &mut Value) {
    match document {
        Value::Object(members) => {
            members.values_mut().for_each(tidy);
            close_tuple(members);
            split_types(members);
            exclude(members);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

fn close_tuple(schema: &mut Map<String, Value>) {
    let first = schema.get("prefixItems").and_then(Value::as_array).map(Vec::len);
    let most =
        schema.get("maxItems").and_then(Value::as_u64).and_then(|most| usize::try_from(most).ok());
    if first.is_some() && first == most && !schema.contains_key("items") {
        schema.insert("items".to_owned(), Value::Bool(false));
    }
}

/// Splits `"type": ["string", "object"]` into alternatives, each with the keywords of its type. A
/// type beside null stays, since all tools support that.
fn split_types(schema: &mut Map<String, Value>) {
    let Some(Value::Array(types)) = schema.get("type") else { return };
    let is_split =
        types.iter().filter(|kind| *kind != "null").count() > 1 && !schema.contains_key("anyOf");
    if !is_split || !types.iter().all(Value::is_string) {
        return;
    }
    let types = types.clone();
    let alternatives = types.iter().map(|kind| {
        let mut alternative = Map::from_iter([("type".to_owned(), kind.clone())]);
        let own = OF_TYPES.iter().filter(|(kinds, _)| kinds.iter().any(|own| kind == own));
        for keyword in own.flat_map(|(_, keywords)| *keywords) {
            if let Some(value) = schema.get(*keyword) {
                alternative.insert((*keyword).to_owned(), value.clone());
            }
        }
        Value::Object(alternative)
    });
    let alternatives: Value = alternatives.collect();
    for keyword in OF_TYPES.iter().flat_map(|(_, keywords)| *keywords).chain(&["type"]) {
        schema.shift_remove(*keyword);
    }
    schema.insert("anyOf".to_owned(), alternatives);
}

/// Turns `anyOf` into `oneOf` where the alternatives have different types, and so exclude each
/// other. Of `anyOf`, typescript-fetch makes one object of all members and loses the alternatives
/// that are no objects. A type or null stays, since all tools support that.
fn exclude(schema: &mut Map<String, Value>) {
    let Some(Value::Array(alternatives)) = schema.get("anyOf") else { return };
    let types: Option<HashSet<&str>> =
        alternatives.iter().map(|schema| schema.get("type")?.as_str()).collect();
    let is_exclusive = types.is_some_and(|types| {
        let is_nullable = types.len() == 2 && types.contains("null");
        let has_whole_numbers_twice = types.contains("integer") && types.contains("number");
        types.len() == alternatives.len()
            && types.len() > 1
            && !is_nullable
            && !has_whole_numbers_twice
    });
    if is_exclusive
        && !schema.contains_key("oneOf")
        && let Some(alternatives) = schema.shift_remove("anyOf")
    {
        schema.insert("oneOf".to_owned(), alternatives);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tuples_are_closed_and_types_are_alternatives() {
        let mut document = json!({
            "a": { "type": "array", "prefixItems": [{}, {}], "minItems": 2, "maxItems": 2 },
            "b": { "type": "array", "prefixItems": [{}], "items": { "type": ["string", "null"] } },
            "c": {
                "type": ["string", "object"],
                "pattern": "x",
                "properties": {},
                "description": "C",
            },
            "d": { "type": ["integer", "number", "string"], "minimum": 0 },
            "e": { "anyOf": [{ "type": "array" }, { "type": "boolean" }, { "type": "null" }] },
            "f": { "anyOf": [{ "type": "string", "format": "date" }, { "type": "null" }] },
            "g": { "anyOf": [{ "type": "object" }, { "$ref": "#/components/schemas/A" }] },
        });
        let same = [document["f"].clone(), document["g"].clone()];
        tidy(&mut document);
        assert_eq!(document["a"]["items"], false);
        assert_eq!(document["b"]["items"], json!({ "type": ["string", "null"] }));
        let alternatives =
            json!([{ "type": "string", "pattern": "x" }, { "type": "object", "properties": {} }]);
        assert_eq!(document["c"], json!({ "description": "C", "oneOf": alternatives }));
        // An integer is of two of these types.
        let (integer, number) =
            (json!({ "type": "integer", "minimum": 0 }), json!({ "type": "number", "minimum": 0 }));
        assert_eq!(document["d"], json!({ "anyOf": [integer, number, { "type": "string" }] }));
        assert_eq!(
            document["e"],
            json!({ "oneOf": [{ "type": "array" }, { "type": "boolean" }, { "type": "null" }] })
        );
        assert_eq!([document["f"].clone(), document["g"].clone()], same);
    }
}
