//! The vocabulary of the service: currencies, rates and queries.

use std::{borrow::Cow, collections::BTreeMap, fmt, str::FromStr};

use chrono::NaiveDate;
use gateway_runtime::prelude::model;
use rust_decimal::Decimal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

macro_rules! symbols {
    ($($symbol:ident)*) => {
        /// A currency, by its ISO 4217 code.
        #[model]
        #[derive(Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
        #[allow(
            missing_docs,
            clippy::upper_case_acronyms,
            reason = "ISO 4217 says what each is, and in capitals"
        )]
        pub enum Symbol {
            #[default]
            EUR,
            $($symbol,)*
        }

        impl Symbol {
            /// The currencies that the European Central Bank publishes or has published since 2015,
            /// and the euro.
            pub const ALL: &[Self] = &[Self::EUR, $(Self::$symbol),*];

            /// Returns the ISO 4217 code.
            pub const fn code(self) -> &'static str {
                match self {
                    Self::EUR => "EUR",
                    $(Self::$symbol => stringify!($symbol),)*
                }
            }
        }
    };
}

symbols! {
    USD JPY BGN CZK DKK GBP HUF PLN RON SEK CHF ISK NOK HRK RUB TRY AUD BRL CAD CNY HKD IDR ILS
    INR KRW MXN MYR NZD PHP SGD THB ZAR
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An error: this service does not know the currency.
#[derive(Debug)]
pub struct UnknownSymbol;

impl FromStr for Symbol {
    type Err = UnknownSymbol;

    fn from_str(code: &str) -> Result<Self, UnknownSymbol> {
        Self::ALL.iter().copied().find(|symbol| symbol.code() == code).ok_or(UnknownSymbol)
    }
}

/// An exact decimal number; in JSON a string, so that no reader turns it into a binary fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Exact(#[serde(with = "rust_decimal::serde::str")] pub Decimal);

impl JsonSchema for Exact {
    fn schema_name() -> Cow<'static, str> {
        "Exact".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^[0-9]{1,29}(\.[0-9]{1,28})?$",
            "description": "An exact decimal number, such as `1234.5`.",
        })
    }
}

/// A query for the rates of one day.
#[model]
#[derive(Default)]
#[serde(deny_unknown_fields)]
pub struct RatesQuery {
    /// The currency whose unit is expressed in the others.
    #[serde(default)]
    pub base: Symbol,
    /// The requested currencies; all of them if the list is empty.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub symbols: Vec<Symbol>,
    /// The day; the latest if left out. For a day without rates those of the last day before it
    /// apply.
    pub date: Option<NaiveDate>,
}

/// The rates of one day.
#[model]
pub struct Rates {
    /// The currency whose unit is expressed in the others.
    pub base: Symbol,
    /// The day of the rates.
    pub date: NaiveDate,
    /// Units of each currency for one unit of `base`.
    pub rates: BTreeMap<Symbol, Exact>,
    /// The source that published the rates.
    pub source: String,
}

/// A query that converts an amount from one currency to another.
#[model]
#[serde(deny_unknown_fields)]
pub struct ConvertQuery {
    /// The currency of the amount.
    pub from: Symbol,
    /// The currency of the result.
    pub to: Symbol,
    /// The amount in `from`.
    #[schemars(length(max = 20))]
    pub amount: Exact,
    /// The day; the latest if left out.
    pub date: Option<NaiveDate>,
}

/// An amount in another currency.
#[model]
pub struct Conversion {
    /// The currency of the amount.
    pub from: Symbol,
    /// The currency of the result.
    pub to: Symbol,
    /// The amount in `from`.
    pub amount: Exact,
    /// Units of `to` for one unit of `from`.
    pub rate: Exact,
    /// The amount in `to`.
    pub result: Exact,
    /// The day of the rate.
    pub date: NaiveDate,
    /// The source that published the rate.
    pub source: String,
}

/// A query for the rates of one currency in another, day by day.
#[model]
#[serde(deny_unknown_fields)]
pub struct HistoryQuery {
    /// The currency whose unit is expressed in the other.
    #[serde(default)]
    pub base: Symbol,
    /// The currency in which the rate is expressed.
    pub symbol: Symbol,
    /// The first day; the first that is available if left out.
    pub from: Option<NaiveDate>,
    /// The last day; the latest if left out.
    pub until: Option<NaiveDate>,
}

/// The rate of one day.
#[model]
pub struct DayRate {
    /// The day of the rate.
    pub date: NaiveDate,
    /// Units of `symbol` for one unit of `base`.
    pub rate: Exact,
}
