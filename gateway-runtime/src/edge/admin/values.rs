//! The values of the admin API: amounts, currencies, times and pages.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::base::money::{self, Currency};

/// A time in microseconds since 1970, written as in RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Timestamp(pub(super) i64);

impl Timestamp {
    /// Returns the current time.
    pub(super) fn now() -> Self {
        Self(Utc::now().timestamp_micros())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let time = DateTime::<Utc>::from_timestamp_micros(self.0).unwrap_or_default();
        serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let time = DateTime::parse_from_rfc3339(&text)
            .map_err(|error| D::Error::custom(error.to_string()))?;
        Ok(Self(time.timestamp_micros()))
    }
}

impl JsonSchema for Timestamp {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// An amount in a request: not negative, and less than a billion; in 10⁻⁹ of a unit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Amount(pub(super) i64);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        money::parse_nanos(&text).map(Self).map_err(D::Error::custom)
    }
}

impl JsonSchema for Amount {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,9})?$",
            "examples": ["0.001", "25"],
        })
    }
}

/// An amount in a request that is more than zero, and less than a billion.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Positive(pub(super) Amount);

impl JsonSchema for Positive {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "PositiveAmount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let small: Vec<_> =
            (0..9).map(|zeros| format!("0{{{zeros}}}[1-9][0-9]{{0,{}}}", 8 - zeros)).collect();
        let pattern = format!(r"^([1-9][0-9]{{0,8}}(\.[0-9]{{1,9}})?|0\.({}))$", small.join("|"));
        json_schema!({ "type": "string", "pattern": pattern, "examples": ["0.001", "25"] })
    }
}

/// An amount in a reply, in 10⁻⁹ of a unit. Sums may exceed the range of [`Money`](money::Money).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct DecimalAmount(pub(super) i128);

impl From<i64> for DecimalAmount {
    fn from(nanos: i64) -> Self {
        Self(nanos.into())
    }
}

impl Serialize for DecimalAmount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&money::amount(self.0))
    }
}

impl JsonSchema for DecimalAmount {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Told".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?$",
            "examples": ["0.001"],
        })
    }
}

/// A currency in a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct CurrencyCode(pub(super) Currency);

impl<'de> Deserialize<'de> for CurrencyCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Currency::from_code(&text)
            .map(Self)
            .ok_or_else(|| D::Error::custom("is not an ISO 4217 currency"))
    }
}

impl JsonSchema for CurrencyCode {
    fn schema_name() -> Cow<'static, str> {
        "Currency".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An ISO 4217 currency.",
            "type": "string",
            "enum": Currency::codes().collect::<Vec<_>>(),
        })
    }
}

/// The pattern of the name of an account, a plan, a scope or a reference.
pub(super) const NAME: &str = r"^[^\x00-\x1f\x7f]{1,200}$";

/// A page of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PageOf{T}")]
pub(super) struct Page<T> {
    /// The items, newest first.
    pub(super) items: Vec<T>,
    /// The cursor of the next page, to be sent as `after`; null on the last page.
    pub(super) next: Option<String>,
}

impl<T> Page<T> {
    /// Creates a page of the first `limit` of `items`. Query `limit + 1` items: the last one shows
    /// that another page follows.
    pub(super) fn of<R>(
        mut items: Vec<R>,
        limit: u32,
        cursor: impl Fn(&R) -> String,
        view: impl Fn(R) -> T,
    ) -> Self {
        let is_more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next = items.last().filter(|_| is_more).map(cursor);
        Self { items: items.into_iter().map(view).collect(), next }
    }
}

/// The selection of a page; by default the first 50 items.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct PageQuery {
    /// The cursor: `next` of the page before.
    #[schemars(regex(pattern = r"^[0-9]{1,18}$"))]
    pub(super) after: Option<String>,
    /// The maximum number of items.
    #[schemars(range(min = 1, max = 500))]
    pub(super) limit: u32,
}

impl Default for PageQuery {
    fn default() -> Self {
        Self { after: None, limit: 50 }
    }
}

impl PageQuery {
    /// Returns `after` as a number.
    pub(super) fn after(&self) -> Option<i64> {
        self.after.as_ref()?.parse().ok()
    }
}
