//! The reply cache: its stores, its keys, and one flight for each key.
//!
//! `pipeline/cache` decides what may be stored and for how long; here a reply is bytes with an age.

mod backend;
mod key;
mod memory_cache;
mod redis_cache;
mod settings;
mod single_flight;
#[cfg(test)]
mod tests;

pub(crate) use crate::cache::single_flight::{FlightHandle, SingleFlight};
pub use crate::cache::{
    backend::{CacheStore, CacheUsage, CachedReply},
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
            "[cache]: `backend` is `redis`, and no Redis is configured\n\
             help: set `url` in [redis] (in the environment: `REDIS_HOST`), or remove `backend`",
        )),
        None => Ok(Some(Box::new(MemoryCache::new(settings.memory_bytes)?))),
    }
}
