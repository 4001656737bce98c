//! The same schemas, written so that generators of clients and linters understand them.

use serde_json::{Map, Value, json};

/// The keywords that say something of values of one type alone.
const OF_TYPES: [(&[&str], &[&str]); 4] = [
    (&["string"], &["pattern", "minLength", "maxLength", "format"]),
    (&["number", "integer"], &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "format"]),
    (&["object"], &["properties", "required", "additionalProperties", "patternProperties", "propertyNames"]),
    (&["array"], &["items", "prefixItems", "minItems", "maxItems", "uniqueItems"]),
];

/// Rewrites all schemas in a document: a tuple says that it has no more items, and a list of types becomes alternatives.
pub(crate) fn tidy(document: &mut Value) {
    match document {
        Value::Object(members) => {
            members.values_mut().for_each(tidy);
            close_tuple(members);
            split_types(members);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

fn close_tuple(schema: &mut Map<String, Value>) {
    let first = schema.get("prefixItems").and_then(Value::as_array).map(Vec::len);
    let most = schema.get("maxItems").and_then(Value::as_u64).and_then(|most| usize::try_from(most).ok());
    if first.is_some() && first == most && !schema.contains_key("items") {
        schema.insert("items".to_owned(), Value::Bool(false));
    }
}

/// `"type": ["string", "object"]` with what each of them must be; null beside one type stays, as all read that.
fn split_types(schema: &mut Map<String, Value>) {
    let Some(Value::Array(types)) = schema.get("type") else { return };
    let is_split = types.iter().filter(|kind| *kind != "null").count() > 1 && !schema.contains_key("anyOf");
    if !is_split || !types.iter().all(Value::is_string) {
        return;
    }
    let types = types.clone();
    let alternatives = types.iter().map(|kind| {
        let mut alternative = Map::from_iter([("type".to_owned(), kind.clone())]);
        let own = OF_TYPES.iter().filter(|(kinds, _)| kinds.iter().any(|it| kind == it));
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
    schema.insert("anyOf".to_owned(), json!(alternatives));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tuples_are_closed_and_types_are_alternatives() {
        let mut document = json!({
            "a": { "type": "array", "prefixItems": [{}, {}], "minItems": 2, "maxItems": 2 },
            "b": { "type": "array", "prefixItems": [{}], "items": { "type": ["string", "null"] } },
            "c": { "type": ["string", "object"], "pattern": "x", "properties": {}, "description": "C" },
        });
        tidy(&mut document);
        assert_eq!(document["a"]["items"], false);
        assert_eq!(document["b"]["items"], json!({ "type": ["string", "null"] }));
        let alternatives = json!([{ "type": "string", "pattern": "x" }, { "type": "object", "properties": {} }]);
        assert_eq!(document["c"], json!({ "description": "C", "anyOf": alternatives }));
    }
}
