//! The section `[quota]`, which is also the body of `PUT /admin/limits`: limits besides those that
//! attributes declare.

#[cfg(test)]
mod tests;

use std::{borrow::Cow, collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::Error as _};
use serde_json::json;

use crate::quota::Rate;

/// Rates and concurrencies of accounts; the account of an anonymous caller is its address.
///
/// A limit of an account takes precedence over that of its plan, and that over the general one.
/// Each is resolved by itself: the total, a service, a method; the rate, the concurrency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct QuotaSettings {
    /// Whether quotas are enforced, including those of attributes.
    pub enabled: bool,
    /// Whether a call that failed gives back the tokens of its rates.
    pub only_fulfilled: bool,
    /// The number of gateways that share Redis. While Redis is unavailable, each admits its local
    /// share: the limit divided by this number.
    #[schemars(range(min = 1))]
    pub replicas: u32,
    /// The limit of all methods together.
    #[serde(skip_serializing_if = "LimitSettings::is_none")]
    pub total: LimitSettings,
    /// The limits of a service's methods together, by the service's name.
    pub services: BTreeMap<String, LimitSettings>,
    /// The limits of a method, by a name such as `currency/v1/rates`; they replace that of its
    /// attribute.
    pub methods: BTreeMap<String, LimitSettings>,
    /// The limits of a plan's accounts, by the plan's name.
    pub plans: BTreeMap<String, LimitOverrides>,
    /// The limits of an account, by the account's name.
    pub accounts: BTreeMap<String, LimitOverrides>,
}

impl Default for QuotaSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            only_fulfilled: false,
            replicas: 1,
            total: LimitSettings::default(),
            services: BTreeMap::new(),
            methods: BTreeMap::new(),
            plans: BTreeMap::new(),
            accounts: BTreeMap::new(),
        }
    }
}

/// Limits that replace the general ones.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LimitOverrides {
    /// The limit of all methods together.
    #[serde(skip_serializing_if = "LimitSettings::is_none")]
    pub total: LimitSettings,
    /// The limits of a service's methods together, by the service's name.
    pub services: BTreeMap<String, LimitSettings>,
    /// The limits of a method, by a name such as `currency/v1/rates`.
    pub methods: BTreeMap<String, LimitSettings>,
}

/// A limit: a rate, a concurrency, or both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LimitSettings {
    /// The maximum rate of calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// The maximum number of running calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u64>,
}

impl QuotaSettings {
    /// Returns whether limits differ by plan.
    #[must_use]
    pub fn differs_by_plan(&self) -> bool {
        self.enabled && !self.plans.is_empty()
    }
}

impl LimitSettings {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// The serialized form: a rate alone, or a table.
#[derive(Deserialize)]
#[serde(untagged)]
enum LimitRepr {
    Rate(Rate),
    LimitTable(LimitTable),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitTable {
    rate: Option<Rate>,
    concurrency: Option<u64>,
}

impl<'de> Deserialize<'de> for LimitSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match LimitRepr::deserialize(deserializer)? {
            LimitRepr::Rate(rate) => Self { rate: Some(rate), concurrency: None },
            LimitRepr::LimitTable(LimitTable { rate, concurrency }) => Self { rate, concurrency },
        })
    }
}

const RATE: &str = "^[1-9][0-9]{0,14}/(s|min|h|day)$";

impl JsonSchema for LimitSettings {
    fn schema_name() -> Cow<'static, str> {
        "LimitSettings".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let rate = "A number of calls, `/` and a unit (s, min, h, day), such as `100/min`.";
        let table = json!({
            "rate": { "description": rate, "type": "string", "pattern": RATE },
            "concurrency": {
                "description": "The maximum number of calls in progress.",
                "type": "integer",
                "format": "uint64",
                "minimum": 1,
            },
        });
        // One list of types instead of two alternatives, so that a violation is reported as what it
        // is.
        schemars::json_schema!({
            "description": "A rate, such as `100/min`, or a table of `rate` and `concurrency`.",
            "type": ["string", "object"],
            "pattern": RATE,
            "properties": table,
            "additionalProperties": false,
        })
    }
}

const UNITS: [(&str, u64); 4] = [("s", 1), ("min", 60), ("h", 3600), ("day", 86_400)];

/// Parses a rate in the form of attributes, such as `100/min`.
impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        read(&text).ok_or_else(|| {
            D::Error::custom("expected a number of calls, `/` and one of s, min, h, day")
        })
    }
}

/// Writes a rate in the form in which it is parsed.
impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let unit = UNITS.iter().find(|(_, seconds)| Duration::from_secs(*seconds) == self.per);
        let (unit, _) = unit.ok_or_else(|| S::Error::custom("a rate of no unit"))?;
        serializer.collect_str(&format_args!("{}/{unit}", self.calls))
    }
}

fn read(text: &str) -> Option<Rate> {
    let (calls, unit) = text.split_once('/')?;
    let (_, seconds) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let calls = calls.parse().ok().filter(|calls| *calls > 0)?;
    Some(Rate { calls, per: Duration::from_secs(*seconds) })
}
