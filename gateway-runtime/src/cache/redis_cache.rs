//! The cache in Redis, shared by all gateways. While Redis is unavailable, lookups find nothing and
//! replies are not stored.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, SystemTime},
};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::time::Instant;

use futures_util::future::BoxFuture;

use crate::{
    base::duration::unix_micros,
    cache::{CacheKey, CacheStore, CacheUsage, CachedReply},
    redis::{Redis, RedisError},
};

/// The first byte of a value, which distinguishes later formats.
const FORMAT_VERSION: u8 = 1;

/// The length of the header before a body: the format version, and the time at which the reply was
/// made, in microseconds since 1970.
const HEADER_BYTES: usize = 1 + 8;

/// A cache of replies in Redis.
#[derive(Debug)]
pub struct RedisCache {
    redis: Redis,
    failures: AtomicU64,
}

impl RedisCache {
    /// Creates a cache in this Redis. Its size and eviction are configured there (`maxmemory`).
    #[must_use]
    pub fn new(redis: Redis) -> Self {
        Self { redis, failures: AtomicU64::new(0) }
    }

    /// Returns the value of a successful command, and counts a failed one. The Redis client has
    /// already logged the failure.
    fn count_failure<T>(&self, reply: Result<T, RedisError>) -> Option<T> {
        if reply.is_err() {
            self.failures.fetch_add(1, Relaxed);
        }
        reply.ok()
    }
}

impl CacheStore for RedisCache {
    fn get_local(&self, _: &CacheKey) -> Option<CachedReply> {
        None
    }

    fn get<'a>(&'a self, key: &'a CacheKey) -> BoxFuture<'a, Option<CachedReply>> {
        Box::pin(async {
            let value = self.count_failure(self.redis.get(&redis_key(key)).await)??;
            decode(value, unix_micros(SystemTime::now()))
        })
    }

    fn put<'a>(&'a self, key: CacheKey, reply: CachedReply, time: Duration) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let age = reply.age();
            let Some(remaining) = time.checked_sub(age).filter(|remaining| !remaining.is_zero())
            else {
                return false;
            };
            let made_at = SystemTime::now().checked_sub(age).map_or(0, unix_micros);
            let value = encode(&reply.body, made_at);
            self.count_failure(self.redis.set(&redis_key(&key), &value, remaining).await).is_some()
        })
    }

    fn usage(&self) -> CacheUsage {
        CacheUsage { failures: self.failures.load(Relaxed), ..CacheUsage::default() }
    }
}

fn redis_key(key: &CacheKey) -> String {
    format!("cache:{}", hex::encode(key.digest()))
}

fn encode(body: &[u8], made_at: i64) -> Bytes {
    let mut value = BytesMut::with_capacity(HEADER_BYTES + body.len());
    value.put_u8(FORMAT_VERSION);
    value.put_i64(made_at);
    value.put_slice(body);
    value.freeze()
}

/// Parses a value in the current format. The clocks of gateways differ, so a reply from the future
/// has age zero.
fn decode(mut value: Bytes, now: i64) -> Option<CachedReply> {
    if value.len() < HEADER_BYTES || value.get_u8() != FORMAT_VERSION {
        return None;
    }
    let age = now.saturating_sub(value.get_i64());
    let age = Duration::from_micros(u64::try_from(age).unwrap_or_default());
    Some(CachedReply { stored: Instant::now().checked_sub(age)?, body: value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_as_it_was_written() {
        for body in [&b""[..], b"{}", &[0, 255]] {
            let reply = decode(encode(body, 5_000_000), 7_500_000).expect("our form");
            assert_eq!(reply.body, body);
            assert!((2500..3500).contains(&reply.age().as_millis()), "{:?}", reply.age());
        }
        assert!(
            decode(encode(b"", 9), 5).expect("our form").age() < Duration::from_secs(1),
            "of another's clock"
        );
        for other in [&b""[..], &[FORMAT_VERSION; 8], &[2; 9], &[0; 20]] {
            assert_eq!(decode(Bytes::copy_from_slice(other), 5), None);
        }
    }
}
