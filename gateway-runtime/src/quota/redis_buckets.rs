//! The buckets of all gateways, in Redis: one script for all policies of a call, by the server's
//! clock.
//!
//! The keys of an account carry its name as hash tag, so that they are in one slot of a cluster.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use smallvec::SmallVec;

use crate::{
    quota::{Buckets, PartitionKey, Policy, QuotaStatus, Rate, leases::Leases},
    redis::{Redis, RedisError, Script, ScriptArg},
};

static ADMIT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/admit.lua")));
static END: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/release.lua")));

/// The maximum time for which a call that has ended holds a slot if its gateway died.
const LEASE_TTL: Duration = Duration::from_secs(15);
/// The time for which a release is de-duplicated. A release is no longer repeated after it.
pub(super) const RELEASE_DEDUP_TTL: Duration = Duration::from_secs(600);

/// Buckets in Redis.
#[derive(Debug)]
pub struct RedisBuckets {
    redis: Redis,
    leases: Arc<Leases>,
    lease: Duration,
}

/// The reply of the admission script.
pub(super) enum ScriptReply {
    /// The call is admitted. For each policy, rates first: the microseconds by which its bucket is
    /// short of full, or the number of running calls.
    Admitted(Vec<u64>),
    /// The policy with this index refuses the call, for this many microseconds.
    Refused(usize, u64),
}

impl RedisBuckets {
    /// Creates buckets in this Redis.
    #[must_use]
    pub fn new(redis: Redis) -> Self {
        Self::with_lease(redis, LEASE_TTL)
    }

    /// Creates buckets as [`new`](Self::new) does; the lease of a running call lasts for `lease`,
    /// and is renewed three times in it.
    #[must_use]
    pub fn with_lease(redis: Redis, lease: Duration) -> Self {
        Self { leases: Leases::keep(redis.clone(), lease), redis, lease }
    }

    pub(super) fn redis(&self) -> &Redis {
        &self.redis
    }

    /// Runs the admission script.
    pub(super) async fn ask(
        &self,
        whose: &PartitionKey,
        policies: &[Policy],
        call: u64,
    ) -> Result<ScriptReply, RedisError> {
        let (name, key) = (name(call), buckets(whose));
        let (sets, lease) =
            (sets(&key, policies), u64::try_from(self.lease.as_micros()).unwrap_or(u64::MAX));
        let mut arguments = SmallVec::<[ScriptArg<'_>; 16]>::new();
        arguments.extend([ScriptArg::Text(&name), ScriptArg::Number(lease)]);
        for (policy, rate) in rates(policies) {
            arguments.extend([
                ScriptArg::Text(&policy.name),
                ScriptArg::Number(rate.interval()),
                ScriptArg::Number(rate.burst()),
            ]);
        }
        arguments.extend(policies.iter().filter_map(Policy::concurrency).map(ScriptArg::Number));
        let answer = {
            let keys: SmallVec<[&str; 4]> =
                std::iter::once(&*key).chain(sets.iter().map(|set| &**set)).collect();
            self.redis.run(&ADMIT, &keys, &arguments).await?
        };
        if answer.first() == Some(&1) && !sets.is_empty() {
            self.leases.add(call, sets);
        }
        read(&answer, policies.len())
    }
}

impl Buckets for RedisBuckets {
    async fn admit(
        &self,
        whose: &PartitionKey,
        policies: &[Policy],
        call: u64,
    ) -> Result<Result<QuotaStatus, QuotaStatus>, RedisError> {
        self.ask(whose, policies, call).await.map(|answer| answer.standing(policies))
    }

    async fn release(
        &self,
        whose: &PartitionKey,
        policies: &[Policy],
        refund: &[Policy],
        call: u64,
    ) -> Result<(), RedisError> {
        self.leases.remove(call);
        let (name, key) = (name(call), buckets(whose));
        let (sets, mark) = (sets(&key, policies), format!("{key}:ended:{name}"));
        let mut arguments = SmallVec::<[ScriptArg<'_>; 8]>::new();
        let remembered = u64::try_from(RELEASE_DEDUP_TTL.as_millis()).unwrap_or(u64::MAX);
        arguments.extend([ScriptArg::Text(&name), ScriptArg::Number(remembered)]);
        for (policy, rate) in rates(refund) {
            arguments.extend([ScriptArg::Text(&policy.name), ScriptArg::Number(rate.interval())]);
        }
        let keys: SmallVec<[&str; 5]> =
            [&*key, &*mark].into_iter().chain(sets.iter().map(|set| &**set)).collect();
        self.redis.run(&END, &keys, &arguments).await.map(drop)
    }
}

impl ScriptReply {
    /// Returns the quota status of the call.
    pub(super) fn standing(&self, policies: &[Policy]) -> Result<QuotaStatus, QuotaStatus> {
        let ordered = || {
            rates(policies)
                .map(|(policy, _)| policy)
                .chain(policies.iter().filter(|p| p.concurrency().is_some()))
        };
        let micros = Duration::from_micros;
        match self {
            Self::Refused(number, wait) => {
                let policy = ordered().nth(*number);
                let next = policy.and_then(Policy::rate).map(|_| micros(*wait));
                Err(QuotaStatus {
                    name: policy.map_or("".into(), |policy| Arc::clone(&policy.name)),
                    remaining: 0,
                    reset: next,
                })
            }
            Self::Admitted(numbers) => {
                let standings = ordered().zip(numbers).map(|(policy, number)| {
                    let (remaining, next) = match policy.rate() {
                        Some(rate) => rate.remaining(*number, 0),
                        None => (policy.concurrency().unwrap_or(0).saturating_sub(*number), 0),
                    };
                    let next = policy.rate().map(|_| micros(next));
                    QuotaStatus { name: Arc::clone(&policy.name), remaining, reset: next }
                });
                let least = standings.min_by_key(|standing| standing.remaining);
                Ok(least.unwrap_or(QuotaStatus {
                    name: "".into(),
                    remaining: u64::MAX,
                    reset: None,
                }))
            }
        }
    }
}

fn read(answer: &[i64], policies: usize) -> Result<ScriptReply, RedisError> {
    let number = |number: &i64| u64::try_from(*number).unwrap_or(0);
    match answer {
        [1, numbers @ ..] if numbers.len() == policies => {
            Ok(ScriptReply::Admitted(numbers.iter().map(number).collect()))
        }
        [0, policy, wait] if (1..=policies).contains(&usize::try_from(*policy).unwrap_or(0)) => {
            Ok(ScriptReply::Refused(usize::try_from(*policy - 1).unwrap_or(0), number(wait)))
        }
        other => Err(RedisError::refused(format!("Redis answered a quota with {other:?}"))),
    }
}

fn rates(policies: &[Policy]) -> impl Iterator<Item = (&Policy, Rate)> {
    policies.iter().filter_map(|policy| Some((policy, policy.rate()?)))
}

/// Returns a call's name in Redis.
pub(super) fn name(call: u64) -> String {
    format!("{call:016x}")
}

/// Returns the key of an account's buckets.
fn buckets(whose: &PartitionKey) -> String {
    format!("quota:{{{whose}}}")
}

/// Returns the keys of the sets of an account's running calls.
fn sets(key: &str, policies: &[Policy]) -> Vec<String> {
    let limited = policies.iter().filter(|policy| policy.concurrency().is_some());
    limited.map(|policy| format!("{key}:{}", policy.name)).collect()
}
