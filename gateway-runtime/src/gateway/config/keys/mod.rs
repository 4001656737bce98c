//! The names of all keys of the settings, from their JSON Schema, and the right spelling of a
//! misspelled environment variable.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::{gateway::config::Settings, json::schema::InputSchema};

/// Returns the dotted names of the keys that have a value; `*` stands for a name that an operator
/// or an author chooses.
pub(crate) fn known() -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    if let Ok(schema) = InputSchema::of::<Settings>() {
        walk(schema.json(), schema.json(), "", &mut keys);
    }
    keys
}

/// Collects the keys below `key`.
fn walk(root: &Value, schema: &Value, key: &str, keys: &mut BTreeSet<String>) {
    let below = |name: &str| if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
    let mut has_keys = false;
    let parts_of_it = parts(root, schema);
    // A key that can be written as one scalar ends here, even if it has longer forms.
    let is_value = parts_of_it.iter().any(|part| is_scalar(part));
    for part in parts_of_it.into_iter().filter(|_| !is_value) {
        let properties = part.get("properties").and_then(Value::as_object);
        for (name, schema) in properties.into_iter().flatten() {
            has_keys = true;
            walk(root, schema, &below(name), keys);
        }
        if let Some(values) = part.get("additionalProperties").filter(|values| !values.is_boolean())
        {
            has_keys = true;
            walk(root, values, &below("*"), keys);
        }
        // The items of a list have their keys in a section of the list's name: `[[auth.jwt.keys]]`.
        if let Some(items) = part.get("items")
            && parts(root, items).iter().any(|part| part.contains_key("properties"))
        {
            has_keys = true;
            walk(root, items, key, keys);
        }
    }
    if !has_keys && !key.is_empty() {
        keys.insert(key.to_owned());
    }
}

fn is_scalar(part: &Map<String, Value>) -> bool {
    let is_scalar =
        |kind: &Value| matches!(kind.as_str(), Some("string" | "integer" | "number" | "boolean"));
    match part.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(is_scalar),
        kind => kind.is_some_and(is_scalar),
    }
}

/// Returns a schema, the schema that it refers to, and its alternatives.
fn parts<'s>(root: &'s Value, schema: &'s Value) -> Vec<&'s Map<String, Value>> {
    let Some(object) = schema.as_object() else { return Vec::new() };
    let target = object
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| reference.strip_prefix('#'));
    let target = target.and_then(|pointer| root.pointer(pointer));
    let alternatives =
        ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|word| object.get(word)?.as_array());
    let below = target.into_iter().chain(alternatives.flatten());
    [object].into_iter().chain(below.flat_map(|below| parts(root, below))).collect()
}

/// Returns the right spelling of an environment variable whose name lacks underscores:
/// `GATEWAY__HTTP__LISTEN` for `GATEWAY_HTTP_LISTEN`. `None` for names that are no key, which other
/// programs may use.
pub(super) fn respelled(name: &str) -> Option<String> {
    let rest = name.strip_prefix("GATEWAY_").filter(|rest| !rest.starts_with('_'))?;
    if let Some(secret) = rest.strip_prefix("SECRETS_").filter(|secret| !secret.is_empty()) {
        return Some(format!("GATEWAY__SECRETS__{}", secret.trim_start_matches('_')));
    }
    let letters = |name: &str| name.replace(['_', '.'], "").to_lowercase();
    let key = known().into_iter().find(|key| letters(key) == letters(rest))?;
    Some(format!("GATEWAY__{}", key.to_uppercase().replace('.', "__")))
}
