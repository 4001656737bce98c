//! The reply cache: its stores, its keys, and one flight for each key.
//!
//! `pipeline/cache` decides what may be stored and for how long; here a reply is bytes with an age.

mod key;
mod memory_cache;
mod redis_cache;
mod settings;
mod single_flight;
#[cfg(test)]
mod tests;

use std::{fmt, time::Duration};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

pub(crate) use crate::cache::single_flight::{FlightHandle, SingleFlight};
pub use crate::cache::{
    key::{CacheKey, KeySpace},
    memory_cache::MemoryCache,
    redis_cache::RedisCache,
    settings::{CacheBackend, CacheSettings},
};
use crate::{base::start_error::StartError, redis::Redis};

/// Opens the configured cache store; `None` if replies are not cached.
///
/// # Errors
///
/// Fails if the store cannot be opened.
pub(crate) fn open(
    settings: &CacheSettings,
    redis: Option<&Redis>,
) -> Result<Option<Box<dyn CacheStore>>, StartError> {
    if !settings.enabled {
        return Ok(None);
    }
    let shared = redis
        .cloned()
        .filter(|_| settings.backend != Some(CacheBackend::Memory))
        .map(RedisCache::new);
    match shared {
        Some(shared) => Ok(Some(Box::new(shared))),
        None if settings.backend == Some(CacheBackend::Redis) => Err(StartError::new(
            "[cache] backend is `redis`, and nothing says where that is: add `[redis]` with `url` \
             (or REDIS_HOST in the environment), or leave `backend` out",
        )),
        None => Ok(Some(Box::new(MemoryCache::new(settings.memory_bytes)?))),
    }
}

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
    fn put<'a>(&'a self, key: CacheKey, entry: CachedReply, time: Duration) -> BoxFuture<'a, bool>;

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
