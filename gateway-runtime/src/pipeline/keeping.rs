//! What calls are written down with: the journal, which of them are, and how long idempotency keys hold.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    duration::{self, DurationText},
    publisher::Feed,
    store::{Journal, Request},
};

/// What calls are written down with.
#[derive(Debug)]
pub struct Keeping {
    /// Where they are written down.
    pub journal: Journal,
    /// How long their keys hold.
    pub keys: IdempotencySettings,
    /// Which calls are written down.
    pub records: RecordSettings,
    /// Who else is told of them.
    pub(crate) feed: Option<Feed>,
}

impl Keeping {
    /// What is kept with a journal.
    #[must_use]
    pub fn new(journal: Journal, keys: IdempotencySettings, records: RecordSettings) -> Self {
        Self { journal, keys, records, feed: None }
    }

    /// Tells of a call's record whoever else wants to know.
    pub(super) fn tell(&self, request: &Request) {
        if let Some(feed) = &self.feed {
            feed.tell(request);
        }
    }
}

/// `[record]`: whether each call has a row in the books.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RecordSettings {
    /// Whether each call has; a call that was charged or claimed an idempotency key has one in any case.
    pub enabled: bool,
}

impl Default for RecordSettings {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// `[idempotency]`: whether keys are honoured, and how long they hold.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IdempotencySettings {
    /// Whether keys are honoured, where there are books; methods that require one take calls without.
    pub enabled: bool,
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
        Self { enabled: true, lease: Duration::from_secs(60), kept: Duration::from_secs(24 * 3600) }
    }
}
