//! The cache in this gateway's memory, bounded in bytes. The replies that are requested least make
//! room (S3-FIFO, by `quick_cache`).

use std::{future::ready, time::Duration};

use quick_cache::{
    OptionsBuilder, Weighter,
    sync::{Cache, DefaultLifecycle},
};
use tokio::time::Instant;

use futures_util::future::BoxFuture;

use crate::{
    base::start_error::StartError,
    cache::{CacheKey, CacheStore, CacheUsage, CachedReply},
};

/// The cost of an entry besides its key and its body, in bytes: the entry itself, its places in the
/// table and the queues, and the headers of both byte strings.
const ENTRY_OVERHEAD_BYTES: u64 = 192;

/// The assumed length of a reply, in bytes, by which the tables are sized.
const TYPICAL_ENTRY_BYTES: u64 = 1024;

/// A cache of replies in memory.
#[derive(Debug)]
pub struct MemoryCache(Cache<CacheKey, MemoryEntry, EntryBytes, foldhash::fast::RandomState>);

#[derive(Clone, Debug)]
struct MemoryEntry {
    reply: CachedReply,
    expires_at: Instant,
}

#[derive(Clone, Debug)]
struct EntryBytes;

impl Weighter<CacheKey, MemoryEntry> for EntryBytes {
    fn weight(&self, key: &CacheKey, entry: &MemoryEntry) -> u64 {
        size(key, &entry.reply)
    }
}

fn size(key: &CacheKey, reply: &CachedReply) -> u64 {
    ENTRY_OVERHEAD_BYTES + key.size() as u64 + reply.body.len() as u64
}

impl MemoryCache {
    /// Creates a cache of up to `bytes`, keys and overhead included.
    ///
    /// # Errors
    ///
    /// Fails if no cache of this size is possible.
    pub fn new(bytes: u64) -> Result<Self, StartError> {
        let entries = usize::try_from(bytes / (ENTRY_OVERHEAD_BYTES + TYPICAL_ENTRY_BYTES))
            .unwrap_or(usize::MAX)
            .max(1);
        let options =
            OptionsBuilder::new().estimated_items_capacity(entries).weight_capacity(bytes).build();
        let options = options.map_err(|error| StartError::new(format!("[cache]: {error}")))?;
        Ok(Self(Cache::with_options(
            options,
            EntryBytes,
            Default::default(),
            DefaultLifecycle::default(),
        )))
    }
}

impl CacheStore for MemoryCache {
    fn get_local(&self, key: &CacheKey) -> Option<CachedReply> {
        let entry = self.0.get(key)?;
        if entry.expires_at > Instant::now() {
            return Some(entry.reply);
        }
        self.0.remove_if(key, |entry| entry.expires_at <= Instant::now());
        None
    }

    fn get<'a>(&'a self, key: &'a CacheKey) -> BoxFuture<'a, Option<CachedReply>> {
        Box::pin(ready(self.get_local(key)))
    }

    fn put<'a>(&'a self, key: CacheKey, reply: CachedReply, time: Duration) -> BoxFuture<'a, bool> {
        let expires_at = reply.stored + time;
        let fits = size(&key, &reply) <= self.0.shard_capacity();
        if fits {
            self.0.insert(key, MemoryEntry { reply, expires_at });
        }
        Box::pin(ready(fits))
    }

    fn usage(&self) -> CacheUsage {
        CacheUsage { entries: self.0.len() as u64, bytes: self.0.weight(), failures: 0 }
    }
}
