//! Queries of the request log.

use std::ops::Range;

use serde::Serialize;

/// A query of the request log. It finds the requests that match all of the members that are set.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RequestQuery {
    /// The request id that the caller sees.
    pub request_id: Option<String>,
    /// The account that pays.
    pub account: Option<String>,
    /// The user within the account.
    pub user: Option<String>,
    /// The origin: `http`, `ws`, `bus` or `webhook`.
    pub origin: Option<String>,
    /// The name of the service.
    pub service: Option<String>,
    /// The version of the service.
    pub version: Option<u32>,
    /// The name of the method.
    pub method: Option<String>,
    /// The HTTP status of the reply.
    pub status: Option<u16>,
    /// The code of the error.
    pub code: Option<String>,
    /// Fulfilled requests only, or the others only.
    pub fulfilled: Option<bool>,
    /// Cache hits only, or the others only.
    pub cache_hit: Option<bool>,
    /// Replays under an idempotency key only, or the others only.
    pub replay: Option<bool>,
    /// The provider that answered.
    pub provider: Option<String>,
    /// The currency of the price.
    pub currency: Option<String>,
    /// The address of the client.
    pub peer: Option<String>,
    /// The trace id.
    pub trace: Option<String>,
    /// The lowest price, in 10⁻⁹ of a unit of any currency.
    pub min_price: Option<i64>,
    /// The highest price, in 10⁻⁹ of a unit of any currency.
    pub max_price: Option<i64>,
    /// The lowest cost to the operator, in 10⁻⁹ of a unit of any currency.
    pub min_cost: Option<i64>,
    /// The highest cost to the operator, in 10⁻⁹ of a unit of any currency.
    pub max_cost: Option<i64>,
    /// The start of the period, inclusive, in microseconds since 1970.
    pub since: Option<i64>,
    /// The end of the period, exclusive, in microseconds since 1970.
    pub until: Option<i64>,
    /// The id of a call; only earlier calls are found.
    pub before: Option<String>,
}

impl RequestQuery {
    /// Returns the range of the ids of calls in the period. An id begins with the time in
    /// milliseconds, at most a second away from the recorded time.
    pub(super) fn id_range(&self) -> Range<String> {
        const SECOND: i64 = 1_000_000;
        let name = |at: i64| format!("{:012x}", at.max(0) / 1000);
        let until =
            self.until.map_or_else(|| "g".to_owned(), |until| name(until.saturating_add(SECOND)));
        let before = self.before.clone().unwrap_or_else(|| "g".to_owned());
        name(self.since.unwrap_or(0).saturating_sub(SECOND))..until.min(before)
    }
}
