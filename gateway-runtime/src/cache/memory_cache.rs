//! Answers in this gateway's memory, bounded by bytes: what was asked for least makes room (S3-FIFO, by `quick_cache`).

use std::{future::ready, time::Duration};

use quick_cache::{
    OptionsBuilder, Weighter,
    sync::{Cache, DefaultLifecycle},
};
use tokio::time::Instant;

use futures_util::future::BoxFuture;

use crate::{
    base::start_error::StartError,
    cache::{Backend, Entry, Holding, Key},
};

/// What an entry costs besides its key and its body, in bytes: itself, its places in the table and the queues, and the
/// headers of both texts.
const ADMINISTRATION: u64 = 192;

/// So long an answer is taken to be, in bytes, for the size of the tables.
const USUAL: u64 = 1024;

/// Answers in memory.
#[derive(Debug)]
pub struct Memory(Cache<Key, Kept, Bytes, foldhash::fast::RandomState>);

#[derive(Clone, Debug)]
struct Kept {
    entry: Entry,
    until: Instant,
}

#[derive(Clone, Debug)]
struct Bytes;

impl Weighter<Key, Kept> for Bytes {
    fn weight(&self, key: &Key, kept: &Kept) -> u64 {
        size(key, &kept.entry)
    }
}

fn size(key: &Key, entry: &Entry) -> u64 {
    ADMINISTRATION + key.size() as u64 + entry.body.len() as u64
}

impl Memory {
    /// Holds up to `bytes`, keys and administration counted.
    ///
    /// # Errors
    ///
    /// When there can be no such cache.
    pub fn new(bytes: u64) -> Result<Self, StartError> {
        let entries = usize::try_from(bytes / (ADMINISTRATION + USUAL)).unwrap_or(usize::MAX).max(1);
        let options = OptionsBuilder::new().estimated_items_capacity(entries).weight_capacity(bytes).build();
        let options = options.map_err(|error| StartError::new(format!("[cache]: {error}")))?;
        Ok(Self(Cache::with_options(options, Bytes, Default::default(), DefaultLifecycle::default())))
    }
}

impl Backend for Memory {
    fn at_hand(&self, key: &Key) -> Option<Entry> {
        let kept = self.0.get(key)?;
        if kept.until > Instant::now() {
            return Some(kept.entry);
        }
        self.0.remove_if(key, |kept| kept.until <= Instant::now());
        None
    }

    fn find<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Option<Entry>> {
        Box::pin(ready(self.at_hand(key)))
    }

    fn keep<'a>(&'a self, key: Key, entry: Entry, time: Duration) -> BoxFuture<'a, bool> {
        let until = entry.stored + time;
        let fits = size(&key, &entry) <= self.0.shard_capacity();
        if fits {
            self.0.insert(key, Kept { entry, until });
        }
        Box::pin(ready(fits))
    }

    fn holds(&self) -> Holding {
        Holding { entries: self.0.len() as u64, bytes: self.0.weight(), failures: 0 }
    }
}
