//! Provider state shared between gateways on one Redis: open breakers, cool-downs and providers set
//! aside. A gateway that receives an event spares the provider for as long; recovery is probed by
//! each gateway itself.
//!
//! The state is one hash, from the key of an event to its end, which every gateway polls four times
//! a second. It is advice: what is lost with Redis is learned anew.

pub(super) mod event;
mod publish;
mod target;

use std::{collections::BTreeMap, sync::LazyLock, time::Duration};

use tokio::{sync::mpsc, time::Instant};

use crate::{
    provider::{
        breaker_sync::{
            event::BreakerEvent,
            target::{SyncTarget, targets},
        },
        erased_pool::ErasedPool,
    },
    redis::{Redis, RedisError, Script, ScriptArg},
};

static PUBLISH: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("publish.lua")));
static POLL: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("poll.lua")));

/// The key of the hash of events.
const KEY: &str = "providers";
/// The interval at which events of other gateways are polled.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// The maximum number of queued events. A gateway that opens more breakers than that at once has
/// lost the network, and the others detect failures themselves.
const MAX_QUEUED_EVENTS: usize = 256;

/// Publishes the events of these pools and applies those of other gateways, for as long as it is
/// polled.
pub async fn synchronize(redis: Redis, pools: Vec<ErasedPool>) {
    let (sender, mut events) = mpsc::channel(MAX_QUEUED_EVENTS);
    for pool in &pools {
        // Fails if the pool is synchronized already.
        let _ = pool.0.events.set(sender.clone());
    }
    let targets: BTreeMap<_, _> = pools.iter().flat_map(targets).collect();
    // At most 2⁵², which Lua represents exactly.
    let gateway = fastrand::u64(1..1 << 52);
    let mut version = 0;
    let mut interval = tokio::time::interval(POLL_INTERVAL);
    loop {
        tokio::select! {
            Some(event) = events.recv() => drop(publish(&redis, gateway, &event).await),
            _ = interval.tick() => {
                if let Ok(newest) = poll(&redis, gateway, version, &targets).await {
                    version = newest;
                }
            }
        }
    }
}

async fn publish(redis: &Redis, gateway: u64, event: &BreakerEvent) -> Result<(), RedisError> {
    let length = u64::try_from(event.length.as_micros()).unwrap_or(u64::MAX);
    let arguments = [
        ScriptArg::Text(&event.key),
        ScriptArg::Number(length),
        ScriptArg::Number(event.openings.into()),
        ScriptArg::Number(gateway),
    ];
    redis.run(&PUBLISH, &[KEY], &arguments).await.map(drop)
}

/// Applies the events since `version`, and returns the newest version.
async fn poll(
    redis: &Redis,
    gateway: u64,
    version: i64,
    targets: &BTreeMap<String, SyncTarget>,
) -> Result<i64, RedisError> {
    if redis.run(&POLL, &[KEY], &[]).await?.first() == Some(&version) {
        return Ok(version);
    }
    let keys = targets.keys().map(|key| ScriptArg::Text(key));
    let arguments: Vec<_> = std::iter::once(ScriptArg::Number(gateway)).chain(keys).collect();
    let reply = redis.run(&POLL, &[KEY], &arguments).await?;
    let Some((newest, remaining)) = reply.split_first() else { return Ok(version) };
    let (pairs, _) = remaining.as_chunks::<2>();
    let now = Instant::now();
    for (target, [micros, openings]) in targets.values().zip(pairs) {
        if let (Ok(micros @ 1..), Ok(openings)) = (u64::try_from(*micros), u32::try_from(*openings))
        {
            target.spare(Duration::from_micros(micros), openings, now);
        }
    }
    Ok(*newest)
}
