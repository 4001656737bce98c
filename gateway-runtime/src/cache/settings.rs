//! `[cache]`: whether and where answers are kept, and for how long after they are fresh.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::duration::{self, DurationText};

/// Where answers are kept.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum CacheBackend {
    /// In the gateway's memory.
    Memory,
    /// In Redis, for all gateways together.
    Redis,
}

/// `[cache]`: how the answers of methods with a `cache` attribute are kept.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CacheSettings {
    /// Whether answers are kept, whatever attributes say.
    pub enabled: bool,
    /// Where; when left out, in Redis if `[redis]` says where that is, else in memory.
    pub backend: Option<CacheBackend>,
    /// Bytes of memory that answers may take, keys and administration counted: 64 MiB.
    #[schemars(range(min = 4096))]
    pub memory_bytes: u64,
    /// The longest answer that is kept, in bytes: 1 MiB.
    pub reply_bytes: usize,
    /// So long after it was fresh an answer is still given, while it is being made anew: 30 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub stale_while_revalidate: Duration,
    /// So long after it was fresh an answer is given when making it anew fails: 5 min.
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
