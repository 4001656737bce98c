//! Exchange rates from three sources of one capability. `cargo run --release -p currency` replies
//! from the European Central Bank's file alone; `-- --stand-ins` also starts stand-ins of two HTTP
//! APIs that can be made to fail.

#![allow(unreachable_pub, reason = "services and providers are `pub` in a program too")]

mod providers;
mod rates;
mod stand_ins;

use gateway_runtime::{prelude::*, provider::AttemptClass};
use providers::{RateHistory, RateSource};
use rates::{Conversion, ConvertQuery, DayRate, Exact, HistoryQuery, Rates, RatesQuery};

/// Exchange rates, latest and historical.
#[service(name = "currency", version = 1, title = "Currency exchange", strategy = Ordered)]
pub struct Currency;

#[service]
impl Currency {
    /// Returns the rates of a base currency: the latest, or those of a day.
    #[expose_method(GET, price = "0.001 USD", cache = "60s", quota = "100/min")]
    async fn rates(&self, query: RatesQuery, sources: Providers<dyn RateSource>) -> Result<Rates> {
        sources.rates(&query).await.map_err(unpublished)
    }

    /// Converts an amount at the latest rate or at the rate of a day; uses the cheapest source.
    #[expose_method(GET, price = "0.002 USD", strategy = Cheapest)]
    async fn convert(
        &self,
        query: ConvertQuery,
        sources: Providers<dyn RateSource>,
    ) -> Result<Conversion> {
        let ConvertQuery { from, to, amount, date } = query;
        let rates = sources
            .rates(&RatesQuery { base: from, symbols: vec![to], date })
            .await
            .map_err(unpublished)?;
        let rate = *rates
            .rates
            .get(&to)
            .ok_or_else(|| Error::not_found(format!("no rate of {to} for {from}")))?;
        let result = amount
            .0
            .checked_mul(rate.0)
            .ok_or_else(|| Error::not_found("the amount is too large"))?;
        let result = Exact(result.normalize());
        Ok(Conversion { from, to, amount, rate, result, date: rates.date, source: rates.source })
    }

    /// Streams the rates of one currency in another by day, oldest first: as Server-Sent Events, or
    /// as NDJSON, by `Accept`.
    #[expose_method(GET)]
    async fn history(
        &self,
        query: HistoryQuery,
        sources: Providers<dyn RateHistory>,
    ) -> Result<Streaming<DayRate>> {
        Ok(sources.history(&query).await?)
    }
}

/// Maps `unsupported`, which means that no source has the rates, to `not-found`. All other errors
/// stay as they are.
fn unpublished(error: ProviderError) -> Error {
    match error.class() {
        AttemptClass::Unsupported => {
            Error::not_found("no rates were published for this day or these currencies")
        }
        _ => error.into(),
    }
}

fn main() -> Result<(), StartError> {
    let mut arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let with_stand_ins = arguments.iter().position(|argument| argument == "--stand-ins");
    let mut defaults = include_str!("../gateway.toml").to_owned();
    if let Some(place) = with_stand_ins {
        arguments.remove(place);
        defaults = stand_ins::start()?.over(&defaults);
    }
    let gateway =
        Gateway::from_arguments_over(&defaults, arguments)?.version(env!("CARGO_PKG_VERSION"));
    gateway.expect_services(["currency"]).run()
}
