//! Where rates come from: what every source can do, and three that can.

pub mod currencylayer;
pub mod ecb;
pub mod fixer;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use gateway_runtime::prelude::*;
use rust_decimal::Decimal;

use crate::rates::{DayRate, Exact, HistoryQuery, Rates, RatesQuery, Symbol};

/// What every source of exchange rates can do.
#[capability]
pub trait RateSource {
    /// The rates of one day.
    #[provide_method(effect = read)]
    async fn rates(&self, query: &RatesQuery) -> Result<Rates, ProviderError>;
}

/// What a source that keeps the past can do.
#[capability]
pub trait RateHistory {
    /// One currency in another, day by day, oldest first.
    #[provide_method(effect = read)]
    async fn history(&self, query: &HistoryQuery) -> Result<Streaming<DayRate>, ProviderError>;
}

/// The codes asked for, as both APIs take them; all that this service knows when none is named.
fn symbols(wanted: &[Symbol]) -> String {
    let wanted = if wanted.is_empty() { Symbol::ALL } else { wanted };
    wanted.iter().map(|symbol| symbol.code()).collect::<Vec<_>>().join(",")
}

/// An API's numbers as exact decimals, by the digits that were written; currencies that nobody asked about fall away.
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
