//! Persistence of calls: the store's writer, and the settings of the request log and of idempotency
//! keys.

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

/// The store's writer, and the settings of what calls write through it.
#[derive(Debug)]
pub struct Persistence {
    /// The writer of the store.
    pub writer: StoreWriter,
    /// The settings of idempotency keys.
    pub keys: IdempotencySettings,
    /// The settings of the request log.
    pub records: RequestLogSettings,
    /// The publisher of the request log, if it is published to the bus.
    pub(crate) feed: Option<RequestLogPublisher>,
    /// The bytes that keys of anonymous callers take in the database.
    pub(crate) anonymous: Arc<AnonymousBytes>,
}

impl Persistence {
    /// Creates a persistence that is not published to the bus.
    #[must_use]
    pub fn new(
        writer: StoreWriter,
        keys: IdempotencySettings,
        records: RequestLogSettings,
    ) -> Self {
        let anonymous = Arc::default();
        Self { writer, keys, records, feed: None, anonymous }
    }

    /// Publishes the record of a call, if the request log is published.
    pub(super) fn tell(&self, request: &RequestRecord) {
        if let Some(feed) = &self.feed {
            feed.tell(request);
        }
    }
}

/// The number of bytes that the keys of anonymous callers take in the database: the last count, and
/// the bytes that this gateway has written since.
#[derive(Debug, Default)]
pub(crate) struct AnonymousBytes(AtomicI64);

impl AnonymousBytes {
    /// The bytes of a key without its stored answer.
    pub(crate) const KEY: i64 = 300;

    /// Sets the count of the database.
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

/// `[request_log]`: whether each call has a row in the store.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RequestLogSettings {
    /// Whether each call has a row; a call that was charged or claimed an idempotency key has one
    /// in any case.
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
    /// Whether keys are honoured, if there is a store; otherwise methods that require a key accept
    /// calls without one.
    pub enabled: bool,
    /// The duration of a claim that is not renewed. So long after a crash, the key is free or its
    /// outcome unknown. Claims are renewed after a third of it.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub lease: Duration,
    /// The time for which a stored answer is replayed.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub retention: Duration,
    /// The maximum of bytes that keys of anonymous callers take in the database, with their stored
    /// answers. Beyond it their new keys are refused with 503 `overloaded`; keys of known callers
    /// are not counted.
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
