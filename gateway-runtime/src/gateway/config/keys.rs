//! The names of all keys of the settings, from their JSON Schema, and the right spelling of a
//! misspelled environment variable.

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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_without_enough_underscores_are_respelled() {
        for (name, right) in [
            ("GATEWAY_HTTP_LISTEN", Some("GATEWAY__HTTP__LISTEN")),
            ("GATEWAY_HTTP__REQUEST_TIMEOUT", Some("GATEWAY__HTTP__REQUEST_TIMEOUT")),
            ("GATEWAY_ADMIN_TOKEN", Some("GATEWAY__ADMIN__TOKEN")),
            ("GATEWAY_AUTH_JWT_JWKS_URL", Some("GATEWAY__AUTH__JWT__JWKS_URL")),
            (
                "GATEWAY_SECRETS_EMAIL_WEBHOOK_SECRET",
                Some("GATEWAY__SECRETS__EMAIL_WEBHOOK_SECRET"),
            ),
            ("GATEWAY__HTTP__LISTEN", None),
            ("GATEWAY_SERVICE_HOST", None),
            ("GATEWAY_PORT_80_TCP", None),
            ("GATEWAY_TEST_SECRETS", None),
        ] {
            assert_eq!(respelled(name).as_deref(), right, "{name}");
        }
    }

    /// Returns the keys of a TOML text, also those in comments (`# url = …`).
    fn written(text: &str) -> BTreeSet<String> {
        let mut section = String::new();
        let mut keys = BTreeSet::new();
        for line in text.lines().map(|line| line.trim_start_matches("# ")) {
            if let Some(name) = line.strip_prefix('[') {
                section = name.trim_start_matches('[').split(']').next().unwrap().to_owned();
            } else if let Some((key, value)) = line.split_once(" = ") {
                let key = format!("{section}.{key}");
                match format!("value = {value}")
                    .parse::<toml::Table>()
                    .unwrap()
                    .remove("value")
                    .unwrap()
                {
                    toml::Value::Table(table) => nested(&key, &table, &mut keys),
                    _ => drop(keys.insert(key)),
                }
            }
        }
        keys
    }

    fn nested(key: &str, table: &toml::Table, keys: &mut BTreeSet<String>) {
        for (name, value) in table {
            let key = format!("{key}.{name}");
            match value {
                toml::Value::Table(table) => nested(&key, table, keys),
                _ => drop(keys.insert(key)),
            }
        }
    }

    fn is_of(pattern: &str, key: &str) -> bool {
        let (pattern, key): (Vec<_>, Vec<_>) =
            (pattern.split('.').collect(), key.split('.').collect());
        pattern.len() == key.len()
            && pattern.iter().zip(key).all(|(pattern, part)| *pattern == "*" || *pattern == part)
    }

    #[test]
    fn documented_keys_are_those_of_the_settings() {
        let page = include_str!("../../../../docs/configuration.md");
        let text: String =
            page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
        let documented = written(&text);
        let known = known();
        // Sections of services, providers and dispatchers declare keys of their own.
        let own = ["services.", "providers.", "routes."];
        let is_own = |key: &str| own.iter().any(|section| key.starts_with(section));
        let is_documented =
            |key: &String| is_own(key) || documented.iter().any(|doc| is_of(key, doc));
        let missing: Vec<_> = known.iter().filter(|key| !is_documented(key)).collect();
        assert!(missing.is_empty(), "not in docs/configuration.md: {missing:#?}");
        let unknown: Vec<_> = documented
            .iter()
            .filter(|doc| !is_own(doc) && !known.iter().any(|key| is_of(key, doc)))
            .collect();
        assert!(
            unknown.is_empty(),
            "docs/configuration.md has keys that do not exist: {unknown:#?}"
        );
    }
}
