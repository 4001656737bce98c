//! Calls that have a place in Redis say so as long as they run; a gateway that dies says nothing, and its places are
//! free soon.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};

use crate::{
    quota::redis_buckets::name,
    redis::{Redis, Script, ScriptArg},
};

static RENEW: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/renew.lua")));
static LEAVE: LazyLock<Script> = LazyLock::new(|| {
    Script::new("for i = 1, #KEYS do redis.call('ZREM', KEYS[i], ARGV[1]) end return {}")
});

/// So many are asked for at once.
const RENEW_BATCH: usize = 64;

/// The calls of this gateway that have places.
#[derive(Debug, Default)]
pub(super) struct Leases(Mutex<HashMap<u64, Lease>>);

/// A call, and since when its lease runs.
#[derive(Clone, Debug)]
struct Lease {
    sets: Arc<[String]>,
    since: Instant,
}

impl Leases {
    /// None yet; those that will be are renewed three times in each `lease`.
    pub(super) fn keep(redis: Redis, lease: Duration) -> Arc<Self> {
        let this = Arc::<Self>::default();
        redis.runtime().clone().spawn(renew(Arc::downgrade(&this), redis, lease));
        this
    }

    pub(super) fn add(&self, call: u64, sets: Vec<String>) {
        self.held().insert(call, Lease { sets: sets.into(), since: Instant::now() });
    }

    pub(super) fn remove(&self, call: u64) {
        self.held().remove(&call);
    }

    fn held(&self) -> MutexGuard<'_, HashMap<u64, Lease>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Most calls end before it is their turn for the first time.
async fn renew(leases: Weak<Leases>, redis: Redis, lease: Duration) {
    loop {
        tokio::time::sleep(lease / 3).await;
        let Some(leases) = leases.upgrade() else { return };
        let due: Vec<_> = {
            let held = leases.held();
            held.iter()
                .filter(|(_, held)| held.since.elapsed() >= lease / 3)
                .map(|(c, h)| (*c, h.clone()))
                .collect()
        };
        let each = stream::iter(due).for_each_concurrent(RENEW_BATCH, |(call, held)| {
            let (leases, redis) = (&leases, &redis);
            async move { leases.renew(redis, lease, call, held).await }
        });
        each.await;
    }
}

impl Leases {
    async fn renew(&self, redis: &Redis, lease: Duration, call: u64, held: Lease) {
        let (name, lease) = (name(call), u64::try_from(lease.as_micros()).unwrap_or(u64::MAX));
        let keys: Vec<_> = held.sets.iter().map(String::as_str).collect();
        // What fails now has its turn again before the lease ends.
        let renewed =
            redis.run(&RENEW, &keys, &[ScriptArg::Text(&name), ScriptArg::Number(lease)]).await;
        match self.held().get_mut(&call) {
            Some(held) if renewed.is_ok() => held.since = Instant::now(),
            Some(_) => return,
            None => {}
        }
        if !self.held().contains_key(&call) {
            // It ended meanwhile, and may have been put back after it was taken out.
            let _ = redis.run(&LEAVE, &keys, &[ScriptArg::Text(&name)]).await;
        }
    }
}
