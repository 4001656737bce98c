//! Answers in Redis, for all gateways together. While it is away nothing is found and nothing is kept.

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

/// The first byte of a value, so that a later form of it can be told from this one.
const FORMAT_VERSION: u8 = 1;

/// What stands before a body: the form, and when the answer was made, in microseconds since 1970.
const HEADER_BYTES: usize = 1 + 8;

/// Answers in Redis.
#[derive(Debug)]
pub struct RedisCache {
    redis: Redis,
    failures: AtomicU64,
}

impl RedisCache {
    /// Keeps answers there. How much it holds, and what makes room, is its own to know (`maxmemory`).
    #[must_use]
    pub fn new(redis: Redis) -> Self {
        Self { redis, failures: AtomicU64::new(0) }
    }

    /// What was asked for, unless Redis would not or could not; it has told the log so itself.
    fn count_failure<T>(&self, answer: Result<T, RedisError>) -> Option<T> {
        if answer.is_err() {
            self.failures.fetch_add(1, Relaxed);
        }
        answer.ok()
    }
}

impl CacheStore for RedisCache {
    fn get_local(&self, _: &CacheKey) -> Option<CachedReply> {
        None
    }

    fn get<'a>(&'a self, key: &'a CacheKey) -> BoxFuture<'a, Option<CachedReply>> {
        Box::pin(async {
            let value = self.count_failure(self.redis.get(&name(key)).await)??;
            read(value, unix_micros(SystemTime::now()))
        })
    }

    fn put<'a>(&'a self, key: CacheKey, entry: CachedReply, time: Duration) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let age = entry.age();
            let Some(left) = time.checked_sub(age).filter(|left| !left.is_zero()) else {
                return false;
            };
            let made = SystemTime::now().checked_sub(age).map_or(0, unix_micros);
            let value = written(&entry.body, made);
            self.count_failure(self.redis.set(&name(&key), &value, left).await).is_some()
        })
    }

    fn usage(&self) -> CacheUsage {
        CacheUsage { failures: self.failures.load(Relaxed), ..CacheUsage::default() }
    }
}

fn name(key: &CacheKey) -> String {
    format!("cache:{}", hex::encode(key.digest()))
}

fn written(body: &[u8], made: i64) -> Bytes {
    let mut value = BytesMut::with_capacity(HEADER_BYTES + body.len());
    value.put_u8(FORMAT_VERSION);
    value.put_i64(made);
    value.put_slice(body);
    value.freeze()
}

/// The answer in a value, if it is in our form. The clocks of gateways differ: what comes from the future is new.
fn read(mut value: Bytes, now: i64) -> Option<CachedReply> {
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
            let entry = read(written(body, 5_000_000), 7_500_000).expect("our form");
            assert_eq!(entry.body, body);
            assert!((2500..3500).contains(&entry.age().as_millis()), "{:?}", entry.age());
        }
        assert!(
            read(written(b"", 9), 5).expect("our form").age() < Duration::from_secs(1),
            "of another's clock"
        );
        for other in [&b""[..], &[FORMAT_VERSION; 8], &[2; 9], &[0; 20]] {
            assert_eq!(read(Bytes::copy_from_slice(other), 5), None);
        }
    }
}
