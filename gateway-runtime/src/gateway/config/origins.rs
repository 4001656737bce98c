//! Origins: the source of each key of the configuration, so that a problem names the place where it
//! can be mended.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value};

/// The text that a problem has in place of a source.
const ANYWHERE: &str = "` in the configuration";

/// The sources of keys, by the keys' dotted names: ``the environment (`DB_URL`)``.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origins(BTreeMap<String, Arc<str>>);

impl Origins {
    /// Creates origins in which all keys of `tree` come from `origin`.
    pub(super) fn all(tree: &Map<String, Value>, origin: &str) -> Self {
        let mut this = Self::default();
        this.collect("", tree, &Arc::from(origin));
        this
    }

    fn collect(&mut self, parent: &str, tree: &Map<String, Value>, origin: &Arc<str>) {
        for (name, value) in tree {
            // Escaped as in the JSON Pointer of a violation (RFC 6901 §3).
            let name = name.replace('~', "~0").replace('/', "~1");
            let key = if parent.is_empty() { name } else { format!("{parent}.{name}") };
            match value {
                Value::Object(section) if !section.is_empty() => {
                    self.collect(&key, section, origin)
                }
                _ => drop(self.0.insert(key, Arc::clone(origin))),
            }
        }
    }

    pub(super) fn insert(&mut self, key: &str, origin: &str) {
        self.0.insert(key.to_owned(), origin.into());
    }

    pub(super) fn add(&mut self, over: Self) {
        self.0.extend(over.0);
    }

    /// Returns the source of a key, of a section around it, or the single source of all keys within
    /// it.
    fn of(&self, key: &str) -> Option<&str> {
        let parents = key.rmatch_indices('.').map(|(end, _)| key.get(..end).unwrap_or_default());
        if let Some(origin) = [key].into_iter().chain(parents).find_map(|key| self.0.get(key)) {
            return Some(origin);
        }
        let prefix = format!("{key}.");
        let mut within =
            self.0.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(&prefix));
        let (_, first) = within.next()?;
        within.all(|(_, origin)| origin == first).then_some(first)
    }

    /// Replaces "the configuration" in a problem by the source of its key.
    pub(crate) fn attributed(&self, problem: String) -> String {
        let Some((key, detail)) =
            problem.strip_prefix('`').and_then(|rest| rest.split_once(ANYWHERE))
        else {
            return problem;
        };
        match self.of(key) {
            Some(origin) => format!("`{key}` in {origin}{detail}"),
            None => problem,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_name_the_source_of_their_key() {
        let tree = serde_json::json!({
            "http": {"listen": "x"},
            "quota": {"methods": {"a/v1/b": "1/s"}},
            "list": [1],
        });
        let mut origins = Origins::all(tree.as_object().unwrap(), "`gateway.toml`");
        origins.insert("http.workers", "the environment (`GATEWAY__HTTP__WORKERS`)");
        for (problem, attributed) in [
            ("`http.listen` in the configuration: bad", "`http.listen` in `gateway.toml`: bad"),
            (
                "`http.workers` in the configuration: bad",
                "`http.workers` in the environment (`GATEWAY__HTTP__WORKERS`): bad",
            ),
            ("`http` in the configuration: two", "`http` in the configuration: two"),
            ("`list.0` in the configuration: bad", "`list.0` in `gateway.toml`: bad"),
            ("`quota` in the configuration: bad", "`quota` in `gateway.toml`: bad"),
            (
                "`quota.methods.a~1v1~1b` in the configuration: bad",
                "`quota.methods.a~1v1~1b` in `gateway.toml`: bad",
            ),
            ("`log.level` in the configuration: bad", "`log.level` in the configuration: bad"),
            ("[store]: bad", "[store]: bad"),
        ] {
            assert_eq!(origins.attributed(problem.to_owned()), attributed);
        }
    }
}
