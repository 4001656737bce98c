//! What requests are looked for by.

use std::ops::Range;

use serde::Serialize;

/// Which requests are looked for: those for which all that is said here is so.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RequestQuery {
    /// Its name for the caller.
    pub request_id: Option<String>,
    /// Who pays.
    pub account: Option<String>,
    /// Who called.
    pub user: Option<String>,
    /// By what road: `http`, `ws`, `bus`, `webhook`.
    pub origin: Option<String>,
    /// The service.
    pub service: Option<String>,
    /// Its version.
    pub version: Option<u32>,
    /// The method.
    pub method: Option<String>,
    /// The HTTP status of the answer.
    pub status: Option<u16>,
    /// The error's code.
    pub code: Option<String>,
    /// Whether the caller got what they asked for.
    pub fulfilled: Option<bool>,
    /// Whether the answer came from the cache.
    pub cache_hit: Option<bool>,
    /// Whether the answer was given before, under the same idempotency key.
    pub replay: Option<bool>,
    /// The provider that answered.
    pub provider: Option<String>,
    /// The currency of the price.
    pub currency: Option<String>,
    /// The client's address.
    pub peer: Option<String>,
    /// The trace's id.
    pub trace: Option<String>,
    /// At least so much was paid, in 10⁻⁹ of a unit of whatever currency …
    pub min_price: Option<i64>,
    /// … and at most so much.
    pub max_price: Option<i64>,
    /// At least so much it cost us …
    pub min_cost: Option<i64>,
    /// … and at most so much.
    pub max_cost: Option<i64>,
    /// From then on; microseconds since 1970 …
    pub since: Option<i64>,
    /// … and before then.
    pub until: Option<i64>,
    /// Only those that came before the call of this name.
    pub before: Option<String>,
}

impl RequestQuery {
    /// The names between which calls of that time are: a name begins with the time in milliseconds, taken within a second
    /// of the time that is written down.
    pub(super) fn id_range(&self) -> Range<String> {
        const SECOND: i64 = 1_000_000;
        let name = |at: i64| format!("{:012x}", at.max(0) / 1000);
        let until =
            self.until.map_or_else(|| "g".to_owned(), |until| name(until.saturating_add(SECOND)));
        let before = self.before.clone().unwrap_or_else(|| "g".to_owned());
        name(self.since.unwrap_or(0).saturating_sub(SECOND))..until.min(before)
    }
}
