//! The margin: price, cost and the difference.

use chrono::DateTime;
use serde::{Deserialize, Serialize};

use crate::store::{
    MarginQuery, MarginRow, RequestQuery, Store, StoreError, sql::statements::margin,
};

/// A row that the statement returns.
#[derive(Deserialize)]
struct MarginSumRow {
    service: String,
    version: u32,
    method: String,
    provider: Option<String>,
    currency: Option<String>,
    cost_currency: Option<String>,
    day: i64,
    price: [i128; 2],
    cost: [i128; 2],
    paid: u64,
    cost_unknown: u64,
}

#[derive(Serialize)]
struct MarginArgument<'s> {
    #[serde(flatten)]
    span: &'s MarginQuery,
    low: String,
    high: String,
}

impl Store {
    /// Returns price and cost by service, method, provider and currency, and by day if `span`
    /// groups by day.
    ///
    /// # Errors
    ///
    /// Fails if the database is unavailable, or too slow for the number of requests.
    pub async fn margin(&self, span: &MarginQuery) -> Result<Vec<MarginRow>, StoreError> {
        let ids = RequestQuery { since: span.since, until: span.until, ..RequestQuery::default() }
            .id_range();
        let argument = MarginArgument { span, low: ids.start, high: ids.end };
        let rows: Vec<MarginSumRow> = self.read(&margin::margin(span), &argument).await?;
        Ok(rows.into_iter().flat_map(|row| by_currency(row, span.group_by_day)).collect())
    }
}

/// Returns a row for each currency: the price can be in another currency than the cost.
fn by_currency(row: MarginSumRow, by_day: bool) -> impl Iterator<Item = MarginRow> {
    let day = DateTime::from_timestamp(row.day.saturating_mul(86_400), 0).filter(|_| by_day);
    let day = day.map(|day| day.format("%Y-%m-%d").to_string());
    let nanos = |[units, rest]: [i128; 2]| units * 1_000_000_000 + rest;
    let price = nanos(row.price);
    let cost = nanos(row.cost);
    let has_one_currency = row.currency == row.cost_currency || row.cost_currency.is_none();
    let charged = MarginRow {
        service: row.service,
        version: row.version,
        method: row.method,
        provider: row.provider,
        day,
        currency: row.currency,
        price,
        cost: if has_one_currency { cost } else { 0 },
        paid: row.paid,
        cost_unknown: row.cost_unknown,
    };
    let spent = (!has_one_currency).then(|| MarginRow {
        currency: row.cost_currency,
        price: 0,
        cost,
        paid: 0,
        cost_unknown: 0,
        ..charged.clone()
    });
    // A row without price and known cost carries no information, unless it counts unknown costs.
    let is_informative = |row: &MarginRow| row.currency.is_some() || row.cost_unknown > 0;
    [Some(charged), spent].into_iter().flatten().filter(is_informative)
}
