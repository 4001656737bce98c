//! What calls are written down with: the journal, which of them are, and how long idempotency keys hold.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::Duration,
};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    base::duration::{self, DurationText},
    bus::publisher::RequestLogPublisher,
    store::{RequestRecord, StoreWriter},
};

/// What calls are written down with.
#[derive(Debug)]
pub struct Persistence {
    /// Where they are written down.
    pub journal: StoreWriter,
    /// How long their keys hold.
    pub keys: IdempotencySettings,
    /// Which calls are written down.
    pub records: RequestLogSettings,
    /// Who else is told of them.
    pub(crate) feed: Option<RequestLogPublisher>,
    /// What keys of anonymous callers take in the database.
    pub(crate) anonymous: Arc<AnonymousBytes>,
}

impl Persistence {
    /// What is kept with a journal.
    #[must_use]
    pub fn new(
        journal: StoreWriter,
        keys: IdempotencySettings,
        records: RequestLogSettings,
    ) -> Self {
        let anonymous = Arc::default();
        Self { journal, keys, records, feed: None, anonymous }
    }

    /// Tells of a call's record whoever else wants to know.
    pub(super) fn tell(&self, request: &RequestRecord) {
        if let Some(feed) = &self.feed {
            feed.tell(request);
        }
    }
}

/// How many bytes the keys of anonymous callers take in the database: as counted last, and what this gateway has had
/// written since.
#[derive(Debug, Default)]
pub(crate) struct AnonymousBytes(AtomicI64);

impl AnonymousBytes {
    /// What a key takes besides its answer.
    pub(crate) const KEY: i64 = 300;

    /// The database has counted them.
    pub(crate) fn count(&self, bytes: u64) {
        self.0.store(i64::try_from(bytes).unwrap_or(i64::MAX), Relaxed);
    }

    pub(super) fn add(&self, bytes: i64) {
        self.0.fetch_add(bytes, Relaxed);
    }

    pub(super) fn has_room(&self, limit: u64) -> bool {
        u64::try_from(self.0.load(Relaxed)).unwrap_or(0) < limit
    }
}

/// `[request_log]`: whether each call has a row in the books.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RequestLogSettings {
    /// Whether each call has; a call that was charged or claimed an idempotency key has one in any case.
    pub enabled: bool,
}

impl Default for RequestLogSettings {
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
    pub retention: Duration,
    /// The most bytes that keys of callers who are not known take in the database, with their answers. Beyond it their new
    /// keys are refused with 503 `overloaded`; those of known callers are not counted.
    pub anonymous_bytes: u64,
}

impl Default for IdempotencySettings {
    fn default() -> Self {
        Self {
            enabled: true,
            lease: Duration::from_secs(60),
            retention: Duration::from_secs(24 * 3600),
            anonymous_bytes: 256 * 1024 * 1024,
        }
    }
}
