//! `[quota]`, and the body of `PUT /admin/limits`: what is limited besides what attributes declare.

use std::{borrow::Cow, collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::Error as _};
use serde_json::json;

use crate::quota::Rate;

/// How often accounts may call, and how many of their calls may run; a stranger's account is its address.
///
/// What is said of an account holds before what is said of its plan, and that before what is said of everybody, each
/// for itself: everything, a service, a method; the rate, the concurrency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct QuotaSettings {
    /// Whether quotas are enforced, those of attributes too.
    pub enabled: bool,
    /// Whether a call that failed gives back what it took of its rates.
    pub only_fulfilled: bool,
    /// So many gateways share what is in Redis: the part that each lets in alone while Redis is away.
    #[schemars(range(min = 1))]
    pub replicas: u32,
    /// Of all methods together.
    #[serde(skip_serializing_if = "LimitSettings::is_none")]
    pub total: LimitSettings,
    /// Of a service's methods together, by its name.
    pub services: BTreeMap<String, LimitSettings>,
    /// Of a method, such as `currency/v1/rates`; in the place of what its attribute says.
    pub methods: BTreeMap<String, LimitSettings>,
    /// For the accounts of a plan, by its name.
    pub plans: BTreeMap<String, LimitOverrides>,
    /// For an account.
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

/// What is different for some.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LimitOverrides {
    /// Of all methods together.
    #[serde(skip_serializing_if = "LimitSettings::is_none")]
    pub total: LimitSettings,
    /// Of a service's methods together, by its name.
    pub services: BTreeMap<String, LimitSettings>,
    /// Of a method, such as `currency/v1/rates`.
    pub methods: BTreeMap<String, LimitSettings>,
}

/// What may be used of something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LimitSettings {
    /// How often it may be called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// How many calls of it may run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u64>,
}

impl QuotaSettings {
    /// Whether accounts of one plan may call more than others.
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

/// A rate alone, or a table.
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
        let rate = "A number of calls, `/` and one of s, min, h, day, such as `100/min`.";
        let table = json!({
            "rate": { "description": rate, "type": "string", "pattern": RATE },
            "concurrency": { "description": "How many calls may run.", "type": "integer", "format": "uint64", "minimum": 1 },
        });
        // One list of types and not two alternatives: so each problem is told as what it is.
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

/// `100/min`, as in attributes.
impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        read(&text).ok_or_else(|| {
            D::Error::custom("expected a number of calls, `/` and one of s, min, h, day")
        })
    }
}

/// As it is read.
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

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::json::section::parse_section;

    #[test]
    fn rates_are_written_as_in_attributes() {
        assert_eq!(read("100/min"), Some(Rate { calls: 100, per: Duration::from_secs(60) }));
        for wrong in ["", "100", "/min", "0/min", "-1/min", "1/week", "1/min ", "1.5/s"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    fn settings(text: &str) -> Result<QuotaSettings, Vec<String>> {
        let table: toml::Table = text.parse().unwrap();
        parse_section("quota", serde_json::to_value(table).unwrap())
    }

    #[test]
    fn what_is_written_is_what_was_read() {
        let read = settings(
            "total = '1000/min'\nreplicas = 4\nservices = { currency = { concurrency = 10 } }\n\
             plans.gold = { total = { rate = '5000/min', concurrency = 50 } }\n\
             [accounts.acme.methods]\n'currency/v1/rates' = '7/day'",
        );
        let read = read.unwrap();
        assert_eq!(read.services["currency"], LimitSettings { rate: None, concurrency: Some(10) });
        assert_eq!(read.plans["gold"].total.concurrency, Some(50));
        assert_eq!(read.accounts["acme"].methods["currency/v1/rates"].rate.unwrap().calls, 7);
        let written: Value = serde_json::to_value(&read).unwrap();
        assert_eq!(written["total"], json!({ "rate": "1000/min" }));
        assert_eq!(parse_section::<QuotaSettings>("quota", written).unwrap(), read);
    }

    #[test]
    fn every_problem_is_told_where_it_is() {
        let wrong = "total = '10/week'\nservices.a = { rates = '1/s' }\nmethods.b = { concurrency = 0 }\n\
                     plans.c = { totl = '1/s' }\nreplicas = 0\naccounts.d.total = 5";
        let problems = settings(wrong).unwrap_err();
        let all = problems.join("\n");
        for place in [
            "`quota.total`",
            "`quota.services.a",
            "`quota.methods.b.concurrency`",
            "`quota.plans.c",
            "`quota.replicas`",
            "`quota.accounts.d.total`",
        ] {
            assert!(all.contains(place), "{place}: {all}");
        }
        assert_eq!(problems.len(), 6, "{all}");
    }
}
