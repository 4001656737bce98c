//! How failover behaves, and which providers take part.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::duration::{self, DurationText};

/// How often, how long and how soon providers are tried.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FailoverSettings {
    /// The most attempts that one call may make, at all providers together.
    #[schemars(range(min = 1, max = 100))]
    pub max_attempts: u32,
    /// How often a call may repeat an attempt at the same provider, when no other is left or the effect demands the
    /// same one.
    #[schemars(range(max = 100))]
    pub repeats: u32,
    /// The longest that one attempt may take; for a stream, until its first item.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub attempt_timeout: Duration,
    /// The longest that a provider may be silent between two items of a stream. Time in which the
    /// client does not read does not count.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub item_timeout: Duration,
    /// The longest that all attempts of a call may take together, pauses included; the call's own deadline holds too.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub total_timeout: Duration,
    /// Before the same provider is asked again, a random time up to this passes, doubled with each repeat (full
    /// jitter).
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub backoff: Duration,
    /// What the doubled pause never exceeds; `Retry-After` of a provider may.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub max_backoff: Duration,
    /// Of the active calls of a capability, at most so many percent may be repeating what a provider may have begun.
    #[schemars(range(max = 100))]
    pub retry_percent: u32,
    /// So many may repeat in any case.
    pub min_retries: u32,
    /// How many keys `sticky` remembers for a capability, in this process; the least recently used go first.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub sticky_keys: u32,
    /// When providers that fail are left alone.
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

/// When a provider's method is left alone, and how it comes back.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BreakerSettings {
    /// How far back calls are counted.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub window: Duration,
    /// With fewer calls than this in the window, their share of failures decides nothing.
    #[schemars(range(min = 1))]
    pub min_calls: u32,
    /// The breaker opens when so many percent of the calls in the window failed …
    #[schemars(range(min = 1, max = 100))]
    pub failure_percent: u32,
    /// … or so many in a row.
    #[schemars(range(min = 1))]
    pub failures_in_a_row: u32,
    /// How long it stays open at first; doubled each time that the probes fail, and always 10 % more or less at random.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub open: Duration,
    /// The longest that it stays open.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub max_open: Duration,
    /// How many calls a half-open breaker lets through at a time.
    #[schemars(range(min = 1, max = 1_000))]
    pub half_open_calls: u32,
    /// How many of them must succeed for it to close.
    #[schemars(range(min = 1, max = 1_000))]
    pub successes_to_close: u32,
    /// After this a call that was let through and never came back no longer counts; at least the time of an attempt,
    /// whatever is said here.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub permit_timeout: Duration,
    /// How long a provider's method is left alone after a 429 that does not say how long.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub cool_down: Duration,
    /// The longest cool-down that a provider's `Retry-After` can cause.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub max_cool_down: Duration,
    /// How long a provider is left alone, with all its methods, after a 401, 402 or 403: its credentials or its
    /// account need somebody's care.
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

/// A provider's switches, which may change while the gateway runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderSettings {
    /// Whether it is asked at all.
    pub enabled: bool,
    /// Its share of the calls under the strategy `Weighted`, beside the others' weights.
    #[schemars(range(max = 1_000_000))]
    pub weight: u32,
    /// Its place under the strategy `Ordered`, smallest first.
    pub order: i32,
}

impl ProviderSettings {
    /// The keys that they take of a provider's section of the configuration; the rest is the provider's own.
    pub(crate) const KEYS: [&str; 3] = ["enabled", "weight", "order"];
}

impl Default for ProviderSettings {
    fn default() -> Self {
        Self { enabled: true, weight: 1, order: 0 }
    }
}
