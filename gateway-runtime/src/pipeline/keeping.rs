//! What calls are written down with: the journal, and how long idempotency keys hold.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    duration::{self, DurationText},
    store::Journal,
};

/// What calls are written down with.
#[derive(Debug)]
pub struct Keeping {
    /// Where they are written down.
    pub journal: Journal,
    /// How long their keys hold.
    pub keys: IdempotencySettings,
}

/// `[idempotency]`: how long keys hold.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IdempotencySettings {
    /// How long a key is its call's without being renewed: so long after a crash it is free, or its outcome unknown.
    /// Renewed three times as often.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub lease: Duration,
    /// How long an answer is kept.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub kept: Duration,
}

impl Default for IdempotencySettings {
    fn default() -> Self {
        Self { lease: Duration::from_secs(60), kept: Duration::from_secs(24 * 3600) }
    }
}
