//! The configuration tree: the keys of all sources. Later sources win, key by key.

#[cfg(test)]
mod tests;

use std::path::Path;

use serde_json::{Map, Value};

use crate::{
    base::start_error::StartError,
    gateway::config::{exclusive::displace, keys::respelled, origins::Origins},
};

/// The prefix of environment variables; `__` separates the keys.
const PREFIX: &str = "GATEWAY__";

/// The names without the prefix (SEMANTICS §12), as operators of the older gateways use them.
const SHORT_NAMES: &[(&str, &str)] = &[
    ("DB_URL", "store.url"),
    ("INTERNAL_GATEWAY_KEY", "auth.internal_key"),
    ("LOG_LEVEL", "log.level"),
    ("MESSAGE_BUS_AMQP_URL", "bus.amqp"),
    ("REDIS_HOST", "redis.host"),
    ("REDIS_PORT", "redis.port"),
    ("REDIS_DB", "redis.db"),
];

/// The keys and values before they have types. Values from the environment and from flags are
/// texts. Where the schema requires a number or another scalar,
/// [`parse_section`](crate::json::section::parse_section) converts them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    values: Map<String, Value>,
    origins: Origins,
}

impl Tree {
    /// Parses a TOML text; `origin` names it in messages.
    pub(crate) fn from_toml(text: &str, origin: &str) -> Result<Self, StartError> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            // The error's own text repeats the line, which may contain a secret.
            let before = text.get(..error.span().map_or(0, |span| span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            StartError::new(format!(
                "`{origin}` is not valid TOML: line {line}: {}",
                error.message()
            ))
        })?;
        let values = object(table);
        // The program's defaults are no file that an operator could open, so they have no
        // backticks.
        let name = if Path::new(origin).extension().is_some() {
            format!("`{origin}`")
        } else {
            origin.to_owned()
        };
        let origins = Origins::all(&values, &name);
        Ok(Self { values, origins })
    }

    /// Reads a file, which must exist if it was `asked_for`.
    pub(crate) fn from_file(path: &Path, asked_for: bool) -> Result<Self, StartError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::from_toml(&text, &path.display().to_string()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !asked_for => {
                Ok(Self::default())
            }
            Err(error) => {
                Err(StartError::new(format!("`{}` cannot be read: {error}", path.display())))
            }
        }
    }

    /// Merges another tree over this one, key by key. Of keys that exclude each other, the later
    /// source's holds.
    pub(crate) fn add(&mut self, over: Self) {
        displace(&mut self.values, &over.values);
        merge(&mut self.values, over.values);
        self.origins.add(over.origins);
    }

    /// Merges environment variables over the tree.
    pub(crate) fn add_env(
        &mut self,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<(), StartError> {
        let mut problems = Vec::new();
        let mut variables: Vec<_> = variables.collect();
        variables.sort();
        for (name, value) in variables {
            let key = match name.strip_prefix(PREFIX) {
                Some(rest) => rest.to_lowercase().replace("__", "."),
                None => match SHORT_NAMES.iter().find(|(short, _)| *short == name) {
                    // Kubernetes sets this variable in all pods beside a service named `redis`.
                    _ if name == "REDIS_PORT" && value.starts_with("tcp://") => continue,
                    Some((_, key)) => (*key).to_owned(),
                    None => {
                        problems.extend(misspelled(&name, &value));
                        continue;
                    }
                },
            };
            // Names of secrets are in capitals, whatever their source.
            let key = key
                .strip_prefix("secrets.")
                .map_or(key.clone(), |s| format!("secrets.{}", s.to_uppercase()));
            match self.set(&key, value) {
                Ok(()) => self.origins.insert(&key, &format!("the environment (`{name}`)")),
                Err(problem) => problems.push(format!("`{name}` in the environment: {problem}")),
            }
        }
        StartError::from_problems(problems)
    }

    /// Merges flags over the tree.
    pub(crate) fn add_flags(&mut self, pairs: &[(String, String)]) -> Result<(), StartError> {
        let mut problems = Vec::new();
        for (key, value) in pairs {
            match self.set(key, value.clone()) {
                Ok(()) => self.origins.insert(key, "the flags"),
                Err(problem) => problems.push(format!("`--set {key}=…`: {problem}")),
            }
        }
        StartError::from_problems(problems)
    }

    fn set(&mut self, key: &str, value: String) -> Result<(), String> {
        let (parents, last) =
            key.rsplit_once('.').map_or((None, key), |(parents, last)| (Some(parents), last));
        if key.split('.').any(str::is_empty) {
            return Err(format!("invalid key `{key}`\nhelp: write keys such as `http.listen`"));
        }
        let mut table = &mut self.values;
        for parent in parents.iter().flat_map(|parents| parents.split('.')) {
            let child = table.entry(parent).or_insert_with(|| Value::Object(Map::new()));
            table = child
                .as_object_mut()
                .ok_or_else(|| format!("`{parent}` in `{key}` is a value, not a section"))?;
        }
        table.insert(last.to_owned(), Value::String(value));
        Ok(())
    }

    /// Returns a section.
    pub(crate) fn section(&self, name: &str) -> Value {
        self.values.get(name).cloned().unwrap_or_else(|| Value::Object(Map::new()))
    }

    /// Returns the sources of the keys.
    pub(crate) fn origins(&self) -> &Origins {
        &self.origins
    }

    /// Splits the tree into its value and the sources of the keys.
    pub(crate) fn into_parts(self) -> (Value, Origins) {
        (Value::Object(self.values), self.origins)
    }
}

/// Reports a variable that would be a key if it had more underscores. Variables with addresses of
/// services, which Kubernetes sets in all pods, may begin with the same prefix and are no mistake.
fn misspelled(name: &str, value: &str) -> Option<String> {
    if value.starts_with("tcp://") {
        return None;
    }
    let right = respelled(name)?;
    Some(format!(
        "`{name}` in the environment has no effect: two underscores separate keys\n\
         help: write `{right}`"
    ))
}

fn merge(under: &mut Map<String, Value>, over: Map<String, Value>) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Object(under)), Value::Object(over)) => merge(under, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

fn object(table: toml::Table) -> Map<String, Value> {
    table.into_iter().map(|(key, value)| (key, json(value))).collect()
}

fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(truth) => truth.into(),
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Array(items) => items.into_iter().map(json).collect(),
        toml::Value::Table(table) => Value::Object(object(table)),
    }
}
