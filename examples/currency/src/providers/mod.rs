//! The capabilities of a source of rates, and three providers.

pub mod currencylayer;
pub mod ecb;
pub mod fixer;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use gateway_runtime::prelude::*;
use rust_decimal::Decimal;

use crate::rates::{DayRate, Exact, HistoryQuery, Rates, RatesQuery, Symbol};

/// A source of exchange rates.
#[capability]
pub trait RateSource {
    /// Returns the rates of one day.
    #[provide_method(effect = read)]
    async fn rates(&self, query: &RatesQuery) -> Result<Rates, ProviderError>;
}

/// A source of historical rates.
#[capability]
pub trait RateHistory {
    /// Streams the rates of one currency in another by day, oldest first.
    #[provide_method(effect = read)]
    async fn history(&self, query: &HistoryQuery) -> Result<Streaming<DayRate>, ProviderError>;
}

/// Returns the requested codes as both APIs take them; all codes that this service knows if none is
/// requested.
fn symbols(wanted: &[Symbol]) -> String {
    let wanted = if wanted.is_empty() { Symbol::ALL } else { wanted };
    wanted.iter().map(|symbol| symbol.code()).collect::<Vec<_>>().join(",")
}

/// Parses an API's numbers as exact decimals, by the digits as written. Currencies that this
/// service does not know are dropped.
fn table(
    base: Symbol,
    date: NaiveDate,
    rates: BTreeMap<String, serde_json::Number>,
    source: &str,
) -> Result<Rates, ProviderError> {
    let exact = |number: &serde_json::Number| {
        let text = number.to_string();
        text.parse()
            .or_else(|_| Decimal::from_scientific(&text))
            .ok()
            .filter(|rate| *rate > Decimal::ZERO)
    };
    let rates: BTreeMap<_, _> = rates
        .iter()
        .filter_map(|(code, rate)| Some((code.parse().ok()?, Exact(exact(rate)?.normalize()))))
        .collect();
    if rates.is_empty() {
        return Err(ProviderError::unsupported("an answer without rates")
            .with_public_detail("no rates were published for this"));
    }
    Ok(Rates { base, date, rates, source: source.to_owned() })
}
