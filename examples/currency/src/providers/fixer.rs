//! fixer.io: `GET /latest` or `GET /{date}`; errors come with status 200.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use gateway_runtime::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{RateSource, symbols, table};
use crate::rates::{Rates, RatesQuery};

/// The section `[providers.fixer_io]`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct FixerConfig {
    /// The base URL of the API.
    #[serde(default = "base_url")]
    base_url: String,
    /// The account's key.
    access_key: Secret,
}

fn base_url() -> String {
    "https://data.fixer.io/api".to_owned()
}

/// The provider fixer.io.
#[provider(name = "fixer_io", title = "Fixer.io")]
pub struct FixerIo {
    http: HttpClient,
    config: Config<FixerConfig>,
}

#[provider]
impl RateSource for FixerIo {
    #[provide_method(cost = "0.0002 USD")]
    async fn rates(&self, query: &RatesQuery) -> Result<Rates, ProviderError> {
        let day = query.date.map_or("latest".to_owned(), |date| date.to_string());
        let wanted = symbols(&query.symbols);
        let answer: Answer = self
            .http
            .get(format!("{}/{day}", self.config.base_url))
            .query(&[
                ("access_key", self.config.access_key.expose()),
                ("base", query.base.code()),
                ("symbols", &wanted),
            ])
            .send()
            .await?
            .json()
            .await?;
        answer.judge(query)
    }
}

/// The body of a response, for a success or an error.
#[derive(Deserialize)]
struct Answer {
    date: Option<NaiveDate>,
    #[serde(default)]
    rates: BTreeMap<String, serde_json::Number>,
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
        let date = self.date.ok_or_else(|| ProviderError::ambiguous("an answer without a date"))?;
        table(query.base, date, self.rates, "fixer_io")
    }
}

/// Maps the documented codes: <https://fixer.io/documentation#errorcodes>.
fn refusal(code: u32) -> ProviderError {
    match code {
        101 | 102 => {
            ProviderError::from_status(401).log(format!("code {code}: the key or the account"))
        }
        104 => ProviderError::from_status(429).log("code 104: the month's calls are used up"),
        105 | 106 | 302 => ProviderError::unsupported(format!(
            "code {code}: not in the plan, or no rates of that day"
        ))
        .with_public_detail("no rates were published for this"),
        201 | 202 => {
            ProviderError::unsupported(format!("code {code}: a currency that it does not know"))
                .with_public_detail("no rates were published for this")
        }
        _ => ProviderError::ambiguous(format!("code {code}")),
    }
}
