//! A secret: it can be used, and neither printed nor logged nor serialised.

use std::{borrow::Cow, fmt, sync::Arc};

use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};
use zeroize::Zeroizing;

/// A password, a token or a key: cheap to clone, redacted wherever it is printed, and wiped from memory with its last
/// clone.
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
    /// Keeps `value` from being printed.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(Arc::new(Zeroizing::new(value.into())))
    }

    /// The value itself, for the one place that needs it.
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

/// There is no `Serialize`: what is written out is read by somebody.
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Asked for a text, formats would refuse a number themselves, and quote it.
        deserializer.deserialize_any(SecretVisitor)
    }
}

/// Takes texts alone; the usual messages would repeat a number that was meant to be a secret.
struct SecretVisitor;

impl SecretVisitor {
    fn refuse<E: Error>() -> Result<Secret, E> {
        Err(E::custom("a secret is a text, in quotes"))
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
    fn what_is_no_text_is_refused_without_being_repeated() {
        for json in ["12345", "-12345", "12345.5"] {
            let error = serde_json::from_str::<Secret>(json).unwrap_err().to_string();
            assert!(error.contains("in quotes") && !error.contains("12345"), "{error}");
        }
    }
}
