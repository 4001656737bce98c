//! Settings of failover, of the breaker, and of each provider.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::duration::{self, DurationText};

/// Attempts, timeouts, retries and the circuit breaker of providers.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FailoverSettings {
    /// The maximum number of attempts of one call, at all providers together.
    #[schemars(range(min = 1, max = 100))]
    pub max_attempts: u32,
    /// The maximum number of repeats at the same provider, if no other is left or the effect
    /// requires the same one.
    #[schemars(range(max = 100))]
    pub repeats: u32,
    /// The maximum time of one attempt; for a stream, until its first item.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub attempt_timeout: Duration,
    /// The maximum silence of a provider between two items of a stream. Time in which the client
    /// does not read does not count.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub item_timeout: Duration,
    /// The maximum time of all attempts of a call together, pauses included; the call's own
    /// deadline applies too.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub total_timeout: Duration,
    /// The maximum pause before the first repeat at the same provider, doubled with each repeat.
    /// The pause is random, from zero to this maximum (full jitter).
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub backoff: Duration,
    /// The limit of the doubled pause; a provider's `Retry-After` may exceed it.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub max_backoff: Duration,
    /// The retry budget: the percentage of a capability's active calls that may be repeating at one
    /// time what a provider may have started.
    #[schemars(range(max = 100))]
    pub retry_percent: u32,
    /// The number of calls that may be repeating at one time in any case.
    pub min_retries: u32,
    /// The maximum number of keys that `sticky` stores for a capability, in this process; the least
    /// recently used are dropped first.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub sticky_keys: u32,
    /// The circuit breaker of each provider's methods.
    pub breaker: BreakerSettings,
}

impl Default for FailoverSettings {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            repeats: 1,
            attempt_timeout: Duration::from_secs(10),
            item_timeout: Duration::from_secs(60),
            total_timeout: Duration::from_secs(30),
            backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(2),
            retry_percent: 20,
            min_retries: 3,
            sticky_keys: 100_000,
            breaker: BreakerSettings::default(),
        }
    }
}

/// The circuit breaker: when a provider's method becomes unavailable, and how it recovers.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BreakerSettings {
    /// The time over which calls are counted.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub window: Duration,
    /// The number of calls in the window below which the percentage of failures does not open the
    /// breaker.
    #[schemars(range(min = 1))]
    pub min_calls: u32,
    /// The percentage of failed calls in the window that opens the breaker.
    #[schemars(range(min = 1, max = 100))]
    pub failure_percent: u32,
    /// The number of failures in a row that opens the breaker.
    #[schemars(range(min = 1))]
    pub failures_in_a_row: u32,
    /// The time for which the breaker is open at first. It doubles each time that the probes fail,
    /// and varies at random by ±10 %.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub open: Duration,
    /// The maximum time for which the breaker is open.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub max_open: Duration,
    /// The maximum number of calls in flight that a half-open breaker lets through.
    #[schemars(range(min = 1, max = 1_000))]
    pub half_open_calls: u32,
    /// The number of successful probes that closes the breaker.
    #[schemars(range(min = 1, max = 1_000))]
    pub successes_to_close: u32,
    /// The time after which a permit that was never returned expires; at least the timeout of an
    /// attempt, whatever is set here.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub permit_timeout: Duration,
    /// The cool-down of a provider's method after a 429 without `Retry-After`.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub cool_down: Duration,
    /// The maximum cool-down that a provider's `Retry-After` can cause.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub max_cool_down: Duration,
    /// The time for which a provider is set aside, with all its methods, after a 401, 402 or 403:
    /// its credentials or its account require an operator's care.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub set_aside: Duration,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(30),
            min_calls: 20,
            failure_percent: 50,
            failures_in_a_row: 5,
            open: Duration::from_secs(5),
            max_open: Duration::from_secs(60),
            half_open_calls: 3,
            successes_to_close: 2,
            permit_timeout: Duration::from_secs(30),
            cool_down: Duration::from_secs(5),
            max_cool_down: Duration::from_secs(3_600),
            set_aside: Duration::from_secs(60),
        }
    }
}

/// The settings of a provider, which may change while the gateway runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderSettings {
    /// Whether the provider is enabled.
    pub enabled: bool,
    /// The provider's share of the calls under the strategy `Weighted`, relative to the others'
    /// weights.
    #[schemars(range(max = 1_000_000))]
    pub weight: u32,
    /// The provider's position under the strategy `Ordered`, smallest first.
    pub order: i32,
}

impl ProviderSettings {
    /// The keys of these settings in a provider's section of the configuration; the other keys are
    /// the provider's own.
    pub(crate) const KEYS: [&str; 3] = ["enabled", "weight", "order"];
}

impl Default for ProviderSettings {
    fn default() -> Self {
        Self { enabled: true, weight: 1, order: 0 }
    }
}
