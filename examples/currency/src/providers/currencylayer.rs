//! currencylayer: `GET /live` or `GET /historical`, quotes such as `USDEUR`; errors come with
//! status 200.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate};
use gateway_runtime::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{RateSource, symbols, table};
use crate::rates::{Rates, RatesQuery};

/// The section `[providers.currencylayer]`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct CurrencylayerConfig {
    /// The base URL of the API.
    #[serde(default = "base_url")]
    base_url: String,
    /// The account's key.
    access_key: Secret,
}

fn base_url() -> String {
    "https://api.currencylayer.com".to_owned()
}

/// The provider currencylayer.
#[provider(name = "currencylayer", title = "currencylayer")]
pub struct Currencylayer {
    http: HttpClient,
    config: Config<CurrencylayerConfig>,
}

#[provider]
impl RateSource for Currencylayer {
    #[provide_method(cost = "0.0003 USD")]
    async fn rates(&self, query: &RatesQuery) -> Result<Rates, ProviderError> {
        let wanted = symbols(&query.symbols);
        let mut pairs = vec![
            ("access_key", self.config.access_key.expose().to_owned()),
            ("source", query.base.to_string()),
            ("currencies", wanted),
        ];
        let call = match query.date {
            None => "live",
            Some(date) => {
                pairs.push(("date", date.to_string()));
                "historical"
            }
        };
        let url = format!("{}/{call}", self.config.base_url);
        let answer: Answer = self.http.get(url).query(&pairs).send().await?.json().await?;
        answer.judge(query)
    }
}

/// The body of a response, for a success or an error.
#[derive(Deserialize)]
struct Answer {
    /// Unix seconds.
    timestamp: Option<i64>,
    /// The day of the quotes; present in historical responses only.
    date: Option<NaiveDate>,
    #[serde(default)]
    quotes: BTreeMap<String, serde_json::Number>,
    error: Option<Failure>,
}

#[derive(Deserialize)]
struct Failure {
    code: u32,
}

impl Answer {
    fn judge(self, query: &RatesQuery) -> Result<Rates, ProviderError> {
        if let Some(Failure { code }) = self.error {
            return Err(refusal(code));
        }
        let moment = self.timestamp.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        let date = self.date.or(moment.map(|moment| moment.date_naive()));
        let date = date.ok_or_else(|| ProviderError::ambiguous("an answer without a date"))?;
        // In `USDEUR` the base comes first.
        let quotes = self.quotes.into_iter();
        let rates = quotes.filter_map(|(pair, rate)| {
            Some((pair.strip_prefix(query.base.code())?.to_owned(), rate))
        });
        table(query.base, date, rates.collect(), "currencylayer")
    }
}

/// Maps the documented codes: <https://currencylayer.com/documentation#error_codes>.
fn refusal(code: u32) -> ProviderError {
    match code {
        101 | 102 => {
            ProviderError::from_status(401).log(format!("code {code}: the key or the account"))
        }
        104 => ProviderError::from_status(429).log("code 104: the month's calls are used up"),
        105 | 106 | 201 | 202 | 302 => ProviderError::unsupported(format!(
            "code {code}: not in the plan, not known, or no rates of that day"
        ))
        .with_public_detail("no rates were published for this"),
        _ => ProviderError::ambiguous(format!("code {code}")),
    }
}
