//! Secrets: values that can be used, and are never printed, logged or serialised (SEMANTICS §12).

use std::{borrow::Cow, fmt, sync::Arc};

use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};
use zeroize::Zeroizing;

/// A password, a token or a key: cheap to clone, redacted when printed, and wiped from memory with
/// its last clone.
///
/// ```
/// use gateway_runtime::Secret;
///
/// let key = Secret::new("s3cr3t");
/// assert_eq!(format!("{key} {key:?}"), "[secret] [secret]");
/// assert_eq!(key.expose(), "s3cr3t");
/// ```
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// Creates a secret from `value`.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(Arc::new(Zeroizing::new(value.into())))
    }

    /// Returns the value, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// [`Secret`] has no `Serialize`, since serialised values are stored or sent, and then read.
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // `deserialize_string` would let the format reject a number itself, with a message that
        // quotes it.
        deserializer.deserialize_any(SecretVisitor)
    }
}

/// A visitor that accepts strings alone; serde's usual messages would repeat a number that was
/// meant as a secret.
struct SecretVisitor;

impl SecretVisitor {
    fn refuse<E: Error>() -> Result<Secret, E> {
        Err(E::custom("a secret must be a string, in quotes"))
    }
}

impl Visitor<'_> for SecretVisitor {
    type Value = Secret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Secret, E> {
        Ok(Secret::new(value))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Secret, E> {
        Ok(Secret::new(value))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Secret, E> {
        Self::refuse()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Secret, E> {
        Self::refuse()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Secret, E> {
        Self::refuse()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Secret, E> {
        Self::refuse()
    }
}

impl schemars::JsonSchema for Secret {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "password", "writeOnly": true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_within_other_values_is_not_printed() {
        #[derive(Debug, Deserialize)]
        #[expect(dead_code, reason = "read by Debug alone")]
        struct Settings {
            key: Secret,
        }
        let settings: Settings = serde_json::from_str(r#"{"key": "hunter2"}"#).unwrap();
        assert_eq!(format!("{settings:?}"), "Settings { key: [secret] }");
    }

    #[test]
    fn values_that_are_no_strings_are_refused_without_being_repeated() {
        for json in ["12345", "-12345", "12345.5"] {
            let error = serde_json::from_str::<Secret>(json).unwrap_err().to_string();
            assert!(error.contains("in quotes") && !error.contains("12345"), "{error}");
        }
    }
}
