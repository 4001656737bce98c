//! Answers that are given again: where they are kept, under which key, and one flight for each.
//!
//! What may be kept and for how long is decided by `pipeline/cache`; here an answer is bytes with an age.

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

/// The backend that is configured; none when answers are not kept.
///
/// # Errors
///
/// When it cannot be had.
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
            "[cache] backend is `redis`, and nothing says where that is: add `[redis]` with `url` (or REDIS_HOST in the \
             environment), or leave `backend` out",
        )),
        None => Ok(Some(Box::new(MemoryCache::new(settings.memory_bytes)?))),
    }
}

/// An answer, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedReply {
    /// The body, as it was sent first.
    pub body: Bytes,
    /// When it was made.
    pub stored: Instant,
}

impl CachedReply {
    /// How old it is.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.stored.elapsed()
    }
}

/// Where answers are kept. What it cannot do now it does not do: a cache that is away is an empty one.
pub trait CacheStore: fmt::Debug + Send + Sync {
    /// The answer, if it is in this gateway's own memory.
    fn get_local(&self, key: &CacheKey) -> Option<CachedReply>;

    /// The answer, wherever it is.
    fn get<'a>(&'a self, key: &'a CacheKey) -> BoxFuture<'a, Option<CachedReply>>;

    /// Keeps an answer for `time`, or for less when there is no room. Gives whether it did.
    fn put<'a>(&'a self, key: CacheKey, entry: CachedReply, time: Duration) -> BoxFuture<'a, bool>;

    /// What it holds, as far as it knows.
    fn usage(&self) -> CacheUsage;
}

/// What a backend holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheUsage {
    /// Answers.
    pub entries: u64,
    /// Bytes of memory, keys and administration counted.
    pub bytes: u64,
    /// Look-ups and writes that failed or took too long.
    pub failures: u64,
}
