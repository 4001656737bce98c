//! Reads a section of the configuration as a type, judged by that type's JSON Schema.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::json::{
    document::Document,
    schema::{self, InputSchema},
    violation::Violation,
};

/// Reads `value`, which stands at `name` in the configuration, as a `T`. Keys that are unknown, missing or wrong are
/// problems, each under its full name.
///
/// Texts that stand where the schema wants something else are read as TOML: the environment has only texts.
pub(crate) fn parse_section<T: DeserializeOwned + JsonSchema>(
    name: &str,
    mut value: Value,
) -> Result<T, Vec<String>> {
    let schema = InputSchema::strict::<T>()
        .map_err(|error| vec![format!("`{name}` in the configuration: {error}")])?;
    if let Err(violations) = schema.check(&value) {
        let read =
            violations.iter().filter(|violation| read_text(&mut value, &violation.pointer)).count();
        if read == 0 {
            return Err(problems(name, violations));
        }
    }
    schema.check(&value).map_err(|violations| problems(name, violations))?;
    schema::decode(&Document::from(&value)).map_err(|violations| problems(name, violations))
}

/// Replaces a text by what it stands for as TOML; false when it is only a text.
fn read_text(value: &mut Value, pointer: &str) -> bool {
    let Some(place) = value.pointer_mut(pointer) else { return false };
    let Some(meaning) = place.as_str().and_then(parse_toml_value) else { return false };
    *place = meaning;
    true
}

fn problems(name: &str, violations: Vec<Violation>) -> Vec<String> {
    let problem = |violation: Violation| {
        let key = format!("{name}{}", violation.pointer.replace('/', "."));
        match key.trim_start_matches('.') {
            "" => format!("the configuration: {}", violation.detail),
            key => format!("`{key}` in the configuration: {}", violation.detail),
        }
    };
    violations.into_iter().map(problem).collect()
}

/// A number, a truth value, a list or a table; none for what is only a text.
fn parse_toml_value(text: &str) -> Option<Value> {
    let table: toml::Table = format!("value = {text}").parse().ok()?;
    let value = serde_json::to_value(table.get("value").filter(|_| table.len() == 1)?).ok()?;
    (!value.is_string() && !text.starts_with(|c: char| c.is_ascii_digit() && text.contains(':')))
        .then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stand_for_what_they_look_like() {
        assert_eq!(parse_toml_value("4"), Some(4.into()));
        assert_eq!(parse_toml_value("[1, 2]"), Some(serde_json::json!([1, 2])));
        assert_eq!(parse_toml_value("true"), Some(true.into()));
        for text in ["info", "\"quoted\"", "127.0.0.1:80", "1\nother = 2", ""] {
            assert_eq!(parse_toml_value(text), None, "{text:?}");
        }
    }

    #[derive(serde::Deserialize, JsonSchema, Debug, PartialEq)]
    #[serde(default)]
    struct Section {
        key: String,
        workers: u8,
    }

    impl Default for Section {
        fn default() -> Self {
            Self { key: "none".to_owned(), workers: 1 }
        }
    }

    fn read(value: Value) -> Result<Section, Vec<String>> {
        parse_section("providers.x", value)
    }

    #[test]
    fn texts_of_the_environment_become_what_the_schema_wants() {
        let section = read(serde_json::json!({"key": "0012", "workers": "4"})).unwrap();
        assert_eq!(section, Section { key: "0012".to_owned(), workers: 4 });
    }

    #[test]
    fn every_problem_is_told_under_its_full_name() {
        let problems =
            read(serde_json::json!({"worker": 2, "key": true, "workers": 300})).unwrap_err();
        let all = problems.join("\n");
        assert!(all.contains("`workers`") && all.contains("`providers.x.key`"), "{all}");
        assert!(all.contains("`providers.x.workers`") && all.contains("255"), "{all}");
    }
}
