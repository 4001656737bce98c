//! `[quota]`: what is limited besides what attributes declare.

use std::{borrow::Cow, collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::Rate;

/// `[quota]`: how often an account may call; a stranger's account is its address.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct QuotaSettings {
    /// Whether quotas are enforced, those of attributes too.
    pub enabled: bool,
    /// Of all methods together, such as `1000/min`.
    pub total: Option<Rate>,
    /// Of a service's methods together, by its name.
    pub services: BTreeMap<String, Rate>,
    /// Whether a call that failed gives back what it took.
    pub only_fulfilled: bool,
}

impl Default for QuotaSettings {
    fn default() -> Self {
        Self { enabled: true, total: None, services: BTreeMap::new(), only_fulfilled: false }
    }
}

const UNITS: [(&str, u64); 4] = [("s", 1), ("min", 60), ("h", 3600), ("day", 86_400)];

/// `100/min`, as in attributes.
impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        read(&text).ok_or_else(|| D::Error::custom("expected a number of calls, `/` and one of s, min, h, day"))
    }
}

fn read(text: &str) -> Option<Rate> {
    let (calls, unit) = text.split_once('/')?;
    let (_, seconds) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let calls = calls.parse().ok().filter(|calls| *calls > 0)?;
    Some(Rate { calls, per: Duration::from_secs(*seconds) })
}

impl JsonSchema for Rate {
    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A number of calls, `/` and one of s, min, h, day, such as `100/min`.",
            "pattern": "^[1-9][0-9]{0,17}/(s|min|h|day)$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_written_as_in_attributes() {
        assert_eq!(read("100/min"), Some(Rate { calls: 100, per: Duration::from_secs(60) }));
        for wrong in ["", "100", "/min", "0/min", "-1/min", "1/week", "1/min ", "1.5/s"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
