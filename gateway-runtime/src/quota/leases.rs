//! Leases of concurrency slots in Redis. A gateway renews the leases of its running calls; those of
//! a gateway that dies expire, and the slots are free soon.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};

use crate::redis::{Redis, Script, ScriptArg};

static RENEW: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/renew.lua")));
static REMOVE: LazyLock<Script> = LazyLock::new(|| {
    Script::new("for i = 1, #KEYS do redis.call('ZREM', KEYS[i], ARGV[1]) end return {}")
});

/// The maximum number of renewals in flight.
const RENEW_BATCH: usize = 64;

/// Returns the name of a call in Redis.
pub(super) fn call_name(call: u64) -> String {
    format!("{call:016x}")
}

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
    pub(super) fn spawn(redis: Redis, lease: Duration) -> Arc<Self> {
        let this = Arc::<Self>::default();
        redis.runtime().clone().spawn(renew(Arc::downgrade(&this), redis, lease));
        this
    }

    pub(super) fn add(&self, call: u64, sets: Vec<String>) {
        self.lock().insert(call, Lease { sets: sets.into(), since: Instant::now() });
    }

    pub(super) fn remove(&self, call: u64) {
        self.lock().remove(&call);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Lease>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Renews the leases that are due. Most calls end before their first renewal.
async fn renew(leases: Weak<Leases>, redis: Redis, lease: Duration) {
    loop {
        tokio::time::sleep(lease / 3).await;
        let Some(leases) = leases.upgrade() else { return };
        let due: Vec<_> = {
            let held = leases.lock();
            let due = held.iter().filter(|(_, slots)| slots.since.elapsed() >= lease / 3);
            due.map(|(call, slots)| (*call, slots.clone())).collect()
        };
        let each = stream::iter(due).for_each_concurrent(RENEW_BATCH, |(call, slots)| {
            let leases = &leases;
            let redis = &redis;
            async move { leases.renew(redis, lease, call, slots).await }
        });
        each.await;
    }
}

impl Leases {
    async fn renew(&self, redis: &Redis, lease: Duration, call: u64, slots: Lease) {
        let name = call_name(call);
        let lease = u64::try_from(lease.as_micros()).unwrap_or(u64::MAX);
        let keys: Vec<_> = slots.sets.iter().map(String::as_str).collect();
        // A renewal that fails is due again before the lease ends.
        let renewed =
            redis.run(&RENEW, &keys, &[ScriptArg::Text(&name), ScriptArg::Number(lease)]).await;
        match self.lock().get_mut(&call) {
            Some(slots) if renewed.is_ok() => slots.since = Instant::now(),
            Some(_) => return,
            None => {}
        }
        if !self.lock().contains_key(&call) {
            // The call ended meanwhile, and the renewal may have restored its slot.
            let _ = redis.run(&REMOVE, &keys, &[ScriptArg::Text(&name)]).await;
        }
    }
}
