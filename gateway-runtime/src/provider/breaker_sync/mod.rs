//! Provider state shared between gateways on one Redis: open breakers, cool-downs and providers set
//! aside. A gateway that receives an event spares the provider for as long; recovery is probed by
//! each gateway itself.
//!
//! The state is one hash, from the key of an event to its end, which every gateway polls four times
//! a second. It is advice: what is lost with Redis is learned anew.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
    time::Duration,
};

use tokio::{sync::mpsc, time::Instant};

use crate::{
    provider::{health::PoolHealth, pool::PoolCore, registration::Provider},
    redis::{Redis, RedisError, Script, ScriptArg},
};

static TELL: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("publish.lua")));
static HEAR: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("poll.lua")));

const KEY: &str = "providers";
/// The interval at which events of other gateways are polled.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// The maximum number of queued events. A gateway that opens more breakers than that at once has
/// lost the network, and the others detect failures themselves.
const MAX_QUEUED_EVENTS: usize = 256;

/// A pool without the type of its capability.
#[derive(Clone, Debug)]
pub struct ErasedPool(pub(super) Arc<PoolCore>);

/// An event for other gateways: a provider or method to spare for a while.
#[derive(Debug)]
pub(super) struct BreakerEvent {
    key: String,
    length: Duration,
    /// The number of openings since the breaker last closed; 0 if the event is not a breaker's.
    openings: u32,
}

/// The sender of events; there is none without Redis.
pub(super) type EventSender = mpsc::Sender<BreakerEvent>;

enum SyncTarget {
    Breaker(Arc<PoolCore>, usize, usize),
    Pause(Arc<PoolCore>, usize, usize),
    Aside(Arc<Provider>),
}

impl ErasedPool {
    /// Returns the health of the providers now.
    #[must_use]
    pub fn health(&self) -> PoolHealth {
        PoolHealth::read(&self.0, Instant::now())
    }

    fn subjects(&self) -> impl Iterator<Item = (String, SyncTarget)> {
        let core = &self.0;
        core.members.iter().enumerate().flat_map(move |(place, member)| {
            let methods = (0..member.methods.len()).flat_map(move |method| {
                let breaker = (
                    core.name_of("open", place, method),
                    SyncTarget::Breaker(Arc::clone(core), place, method),
                );
                [
                    breaker,
                    (
                        core.name_of("pause", place, method),
                        SyncTarget::Pause(Arc::clone(core), place, method),
                    ),
                ]
            });
            methods
                .chain([(core.name_aside(place), SyncTarget::Aside(Arc::clone(&member.provider)))])
        })
    }
}

impl PoolCore {
    pub(super) fn publish_open(&self, place: usize, method: usize, length: Duration) {
        let openings = self.members[place].methods[method].breaker.openings();
        self.tell(|| self.name_of("open", place, method), length, openings);
    }

    pub(super) fn publish_cool_down(&self, place: usize, method: usize, length: Duration) {
        self.tell(|| self.name_of("pause", place, method), length, 0);
    }

    pub(super) fn publish_set_aside(&self, place: usize, length: Duration) {
        self.tell(|| self.name_aside(place), length, 0);
    }

    fn tell(&self, what: impl FnOnce() -> String, length: Duration, openings: u32) {
        if let Some(outbox) = self.outbox.get() {
            // If the queue is full, further events are of no use.
            let _ = outbox.try_send(BreakerEvent { key: what(), length, openings });
        }
    }

    fn name_of(&self, kind: &str, place: usize, method: usize) -> String {
        let (provider, method) =
            (self.members[place].provider.spec().name, self.capability.methods[method].name);
        format!("{kind}:{provider}:{}.{method}", self.capability.name)
    }

    fn name_aside(&self, place: usize) -> String {
        format!("aside:{}", self.members[place].provider.spec().name)
    }
}

/// Publishes the events of these pools and applies those of other gateways, for as long as it is
/// polled.
pub async fn synchronize(redis: Redis, pools: Vec<ErasedPool>) {
    let (outbox, mut news) = mpsc::channel(MAX_QUEUED_EVENTS);
    for pool in &pools {
        // Fails if the pool is synchronized already.
        let _ = pool.0.outbox.set(outbox.clone());
    }
    let subjects: BTreeMap<_, _> = pools.iter().flat_map(ErasedPool::subjects).collect();
    // At most 2⁵², which Lua represents exactly.
    let (own, mut heard) = (fastrand::u64(1..1 << 52), 0);
    let mut listening = tokio::time::interval(POLL_INTERVAL);
    loop {
        tokio::select! {
            Some(news) = news.recv() => drop(tell(&redis, own, &news).await),
            _ = listening.tick() => {
                if let Ok(version) = poll(&redis, own, heard, &subjects).await {
                    heard = version;
                }
            }
        }
    }
}

async fn tell(redis: &Redis, own: u64, news: &BreakerEvent) -> Result<(), RedisError> {
    let length = u64::try_from(news.length.as_micros()).unwrap_or(u64::MAX);
    let arguments = [
        ScriptArg::Text(&news.key),
        ScriptArg::Number(length),
        ScriptArg::Number(news.openings.into()),
        ScriptArg::Number(own),
    ];
    redis.run(&TELL, &[KEY], &arguments).await.map(drop)
}

/// Applies the events since the version `heard`, and returns the new version.
async fn poll(
    redis: &Redis,
    own: u64,
    heard: i64,
    subjects: &BTreeMap<String, SyncTarget>,
) -> Result<i64, RedisError> {
    if redis.run(&HEAR, &[KEY], &[]).await?.first() == Some(&heard) {
        return Ok(heard);
    }
    let names = subjects.keys().map(|name| ScriptArg::Text(name));
    let arguments: Vec<_> = std::iter::once(ScriptArg::Number(own)).chain(names).collect();
    let answer = redis.run(&HEAR, &[KEY], &arguments).await?;
    let Some((version, left)) = answer.split_first() else { return Ok(heard) };
    let (numbers, _) = left.as_chunks::<2>();
    let now = Instant::now();
    for (subject, [micros, openings]) in subjects.values().zip(numbers) {
        if let (Ok(micros @ 1..), Ok(openings)) = (u64::try_from(*micros), u32::try_from(*openings))
        {
            subject.leave_alone(Duration::from_micros(micros), openings, now);
        }
    }
    Ok(*version)
}

impl SyncTarget {
    fn leave_alone(&self, length: Duration, openings: u32, now: Instant) {
        match self {
            Self::Breaker(core, place, method) => {
                // Up to 10 % later, so that gateways do not probe at the same time.
                let due = now + length.mul_f64(1.0 + 0.1 * fastrand::f64());
                let (member, spec) = (&core.members[*place], &core.capability.methods[*method]);
                if member.methods[*method].breaker.open_until(now + length, due, openings) {
                    let (provider, capability) =
                        (member.provider.spec().name, core.capability.name);
                    tracing::warn!(
                        provider,
                        capability,
                        method = spec.name,
                        "breaker opened: that of another gateway has"
                    );
                }
            }
            Self::Pause(core, place, method) => {
                core.members[*place].methods[*method].breaker.cool_down(now + length)
            }
            Self::Aside(provider) => provider.adopt_set_aside(now + length, now),
        }
    }
}
