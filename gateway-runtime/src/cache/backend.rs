//! The contract of cache backends: what is stored, and how it is looked up.

use std::{fmt, time::Duration};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use crate::cache::key::CacheKey;

/// A cached reply, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedReply {
    /// The body, as it was first sent.
    pub body: Bytes,
    /// The time at which the reply was made.
    pub stored: Instant,
}

impl CachedReply {
    /// Returns the age of the reply.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.stored.elapsed()
    }
}

/// A store of replies. Failures are no errors: a cache that is unavailable acts as an empty one.
pub trait CacheStore: fmt::Debug + Send + Sync {
    /// Returns the reply if it is in this process's own memory.
    fn get_local(&self, key: &CacheKey) -> Option<CachedReply>;

    /// Returns the reply, from memory or from elsewhere.
    fn get<'a>(&'a self, key: &'a CacheKey) -> BoxFuture<'a, Option<CachedReply>>;

    /// Stores a reply for `time`, or for less if there is no room. Returns whether it was stored.
    fn put<'a>(&'a self, key: CacheKey, reply: CachedReply, time: Duration) -> BoxFuture<'a, bool>;

    /// Returns the usage of the store, as far as it is known.
    fn usage(&self) -> CacheUsage;
}

/// The contents and failures of a cache store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheUsage {
    /// The number of stored replies.
    pub entries: u64,
    /// Bytes of memory in use, keys and overhead included.
    pub bytes: u64,
    /// Lookups and writes that failed or timed out.
    pub failures: u64,
}
