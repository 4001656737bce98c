//! Sections of the configuration, validated against the JSON Schema of their type.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::json::{
    document::Document,
    schema::{self, InputSchema},
    violation::Violation,
};

/// Parses `value`, the section `name` of the configuration, as a `T`. Each unknown, missing or
/// invalid key is a problem, reported under its full name.
///
/// A string is parsed as TOML where the schema requires another type, since the environment has
/// only strings.
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

/// Replaces a string by its value as TOML; returns false when it is only a string.
fn read_text(value: &mut Value, pointer: &str) -> bool {
    let Some(member) = value.pointer_mut(pointer) else { return false };
    let Some(parsed) = member.as_str().and_then(parse_toml_value) else { return false };
    *member = parsed;
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

/// Parses a number, a boolean, a list or a table of TOML; returns `None` for what is only a string.
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
    fn toml_values_are_parsed_and_strings_are_not() {
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
    fn strings_are_parsed_where_the_schema_requires_another_type() {
        let section = read(serde_json::json!({"key": "0012", "workers": "4"})).unwrap();
        assert_eq!(section, Section { key: "0012".to_owned(), workers: 4 });
    }

    #[test]
    fn every_problem_is_reported_under_its_full_name() {
        let problems =
            read(serde_json::json!({"worker": 2, "key": true, "workers": 300})).unwrap_err();
        let all = problems.join("\n");
        assert!(all.contains("`workers`") && all.contains("`providers.x.key`"), "{all}");
        assert!(all.contains("`providers.x.workers`") && all.contains("255"), "{all}");
    }
}
