//! The section `[cache]`: whether and where replies are cached, and how long they are used when
//! stale.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::duration::{self, DurationText};

/// The store of cached replies.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum CacheBackend {
    /// The gateway's own memory.
    Memory,
    /// Redis, shared by all gateways.
    Redis,
}

/// Caching of the replies of methods with a `cache` attribute.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CacheSettings {
    /// Whether replies are cached; `false` overrides attributes.
    pub enabled: bool,
    /// The store of cached replies; by default Redis if `[redis]` is configured, otherwise memory.
    pub backend: Option<CacheBackend>,
    /// The maximum memory for cached replies, in bytes, keys and overhead included: 64 MiB.
    #[schemars(range(min = 4096))]
    pub memory_bytes: u64,
    /// The maximum length of a cached reply, in bytes: 1 MiB.
    pub reply_bytes: usize,
    /// The time for which a stale reply is still sent while it is revalidated: 30 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub stale_while_revalidate: Duration,
    /// The time for which a stale reply is sent if its revalidation fails: 5 min.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub stale_if_error: Duration,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            backend: None,
            memory_bytes: 64 * 1024 * 1024,
            reply_bytes: 1024 * 1024,
            stale_while_revalidate: Duration::from_secs(30),
            stale_if_error: Duration::from_secs(300),
        }
    }
}
