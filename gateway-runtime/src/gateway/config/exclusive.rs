//! Exclusive keys: a source that names one of them replaces what earlier sources said with the
//! others.
//!
//! A program's defaults may name a file where the operator uses a server. No later source can unset
//! a key, so the later key displaces the earlier one. Two that stand in one source stay, and the
//! settings of the section reject them.

use serde_json::{Map, Value};

/// The groups of keys by section, of which one can hold. The first key of a group displaces the
/// other groups.
const EXCLUSIVE: &[(&str, &[&[&str]])] = &[
    ("store", &[&["path"], &["url"]]),
    ("redis", &[&["url"], &["host", "port", "db"]]),
    ("credentials", &[&["key_file"], &["passphrase"]]),
];

/// Removes the keys from `under` that the keys of a later source displace.
pub(super) fn displace(under: &mut Map<String, Value>, over: &Map<String, Value>) {
    for (section, groups) in EXCLUSIVE {
        let Some(over) = over.get(*section).and_then(Value::as_object) else { continue };
        let Some(under) = under.get_mut(*section).and_then(Value::as_object_mut) else { continue };
        let chosen = |group: &&&[&str]| group.first().is_some_and(|lead| over.contains_key(*lead));
        for group in groups.iter().filter(chosen) {
            let others =
                groups.iter().filter(|other| *other != group).flat_map(|other| other.iter());
            others.for_each(|key| drop(under.remove(*key)));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn displaced(mut under: Value, over: &Value) -> Value {
        displace(under.as_object_mut().unwrap(), over.as_object().unwrap());
        under
    }

    #[test]
    fn later_source_displaces_keys_that_exclude_its_own() {
        let file = json!({"store": {"path": "a.db", "connections": 2}});
        let url = json!({"store": {"url": "postgres://x"}});
        assert_eq!(displaced(file.clone(), &url), json!({"store": {"connections": 2}}));
        assert_eq!(displaced(url, &file), json!({"store": {}}));
        assert_eq!(displaced(file.clone(), &json!({"store": {"connections": 4}})), file);
        let host = json!({"redis": {"host": "x", "port": 1, "db": 2, "prefix": "p"}});
        let url = json!({"redis": {"url": "redis://x"}});
        assert_eq!(displaced(host.clone(), &url), json!({"redis": {"prefix": "p"}}));
        assert_eq!(displaced(url.clone(), &host), json!({"redis": {}}));
        assert_eq!(
            displaced(url.clone(), &json!({"redis": {"port": 1}})),
            url,
            "a port alone is no place"
        );
        let key = json!({"credentials": {"key_file": "k", "profile": "live"}});
        let passphrase = json!({"credentials": {"passphrase": "p"}});
        assert_eq!(displaced(key, &passphrase), json!({"credentials": {"profile": "live"}}));
    }

    #[test]
    fn every_key_is_one_of_the_settings() {
        let known = crate::gateway::config::keys::known();
        for (section, groups) in EXCLUSIVE {
            for key in groups.iter().flat_map(|group| group.iter()) {
                assert!(known.contains(&format!("{section}.{key}")), "{section}.{key}");
            }
        }
    }
}
