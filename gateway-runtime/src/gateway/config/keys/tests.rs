use std::collections::BTreeSet;

use super::*;

#[test]
fn names_without_enough_underscores_are_respelled() {
    for (name, right) in [
        ("GATEWAY_HTTP_LISTEN", Some("GATEWAY__HTTP__LISTEN")),
        ("GATEWAY_HTTP__REQUEST_TIMEOUT", Some("GATEWAY__HTTP__REQUEST_TIMEOUT")),
        ("GATEWAY_ADMIN_TOKEN", Some("GATEWAY__ADMIN__TOKEN")),
        ("GATEWAY_AUTH_JWT_JWKS_URL", Some("GATEWAY__AUTH__JWT__JWKS_URL")),
        ("GATEWAY_SECRETS_EMAIL_WEBHOOK_SECRET", Some("GATEWAY__SECRETS__EMAIL_WEBHOOK_SECRET")),
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
    let (pattern, key): (Vec<_>, Vec<_>) = (pattern.split('.').collect(), key.split('.').collect());
    pattern.len() == key.len()
        && pattern.iter().zip(key).all(|(pattern, part)| *pattern == "*" || *pattern == part)
}

#[test]
fn documented_keys_are_those_of_the_settings() {
    let page = include_str!("../../../../../docs/configuration.md");
    let text: String =
        page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let documented = written(&text);
    let known = known();
    // Sections of services, providers and dispatchers declare keys of their own.
    let own = ["services.", "providers.", "routes."];
    let is_own = |key: &str| own.iter().any(|section| key.starts_with(section));
    let is_documented = |key: &String| is_own(key) || documented.iter().any(|doc| is_of(key, doc));
    let missing: Vec<_> = known.iter().filter(|key| !is_documented(key)).collect();
    assert!(missing.is_empty(), "not in docs/configuration.md: {missing:#?}");
    let unknown: Vec<_> = documented
        .iter()
        .filter(|doc| !is_own(doc) && !known.iter().any(|key| is_of(key, doc)))
        .collect();
    assert!(unknown.is_empty(), "docs/configuration.md has keys that do not exist: {unknown:#?}");
}
