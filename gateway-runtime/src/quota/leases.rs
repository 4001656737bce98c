//! Leases of concurrency slots in Redis. A gateway renews the leases of its running calls; those of
//! a gateway that dies expire, and the slots are free soon.

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

/// The maximum number of renewals in flight.
const RENEW_BATCH: usize = 64;

/// The calls of this gateway that hold slots.
#[derive(Debug, Default)]
pub(super) struct Leases(Mutex<HashMap<u64, Lease>>);

/// The slots of a call, and the start of its lease.
#[derive(Clone, Debug)]
struct Lease {
    sets: Arc<[String]>,
    since: Instant,
}

impl Leases {
    /// Creates an empty set, and spawns a task that renews its leases three times in each `lease`.
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

/// Renews the leases that are due. Most calls end before their first renewal.
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
        // A renewal that fails is due again before the lease ends.
        let renewed =
            redis.run(&RENEW, &keys, &[ScriptArg::Text(&name), ScriptArg::Number(lease)]).await;
        match self.held().get_mut(&call) {
            Some(held) if renewed.is_ok() => held.since = Instant::now(),
            Some(_) => return,
            None => {}
        }
        if !self.held().contains_key(&call) {
            // The call ended meanwhile, and the renewal may have restored its slot.
            let _ = redis.run(&LEAVE, &keys, &[ScriptArg::Text(&name)]).await;
        }
    }
}
