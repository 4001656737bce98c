//! The buckets of all gateways, in Redis: one script for all policies of a call, one atomic step by
//! the server's clock (SEMANTICS §6).
//!
//! The keys of an account carry its name as hash tag, so that they are in one slot of a cluster.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use smallvec::SmallVec;

use crate::{
    quota::{
        Buckets, PartitionKey, Policy, QuotaStatus, Rate,
        gcra::Remaining,
        leases::{Leases, call_name},
    },
    redis::{Redis, RedisError, Script, ScriptArg},
};

static ADMIT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/admit.lua")));
static RELEASE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/release.lua")));

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
    /// A policy refuses the call.
    Refused {
        /// The index of the policy, rates first.
        policy: usize,
        /// The time for which it does, in microseconds.
        wait_micros: u64,
    },
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
        Self { leases: Leases::spawn(redis.clone(), lease), redis, lease }
    }

    pub(super) fn redis(&self) -> &Redis {
        &self.redis
    }

    /// Runs the admission script.
    pub(super) async fn run_admission(
        &self,
        account: &PartitionKey,
        policies: &[Policy],
        call: u64,
    ) -> Result<ScriptReply, RedisError> {
        let name = call_name(call);
        let key = buckets_key(account);
        let sets = set_keys(&key, policies);
        let lease = u64::try_from(self.lease.as_micros()).unwrap_or(u64::MAX);
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
        let reply = {
            let keys: SmallVec<[&str; 4]> =
                std::iter::once(&*key).chain(sets.iter().map(|set| &**set)).collect();
            self.redis.run(&ADMIT, &keys, &arguments).await?
        };
        if reply.first() == Some(&1) && !sets.is_empty() {
            self.leases.add(call, sets);
        }
        parse_reply(&reply, policies.len())
    }
}

impl Buckets for RedisBuckets {
    async fn admit(
        &self,
        account: &PartitionKey,
        policies: &[Policy],
        call: u64,
    ) -> Result<Result<QuotaStatus, QuotaStatus>, RedisError> {
        self.run_admission(account, policies, call).await.map(|reply| reply.status(policies))
    }

    async fn release(
        &self,
        account: &PartitionKey,
        policies: &[Policy],
        refund: &[Policy],
        call: u64,
    ) -> Result<(), RedisError> {
        self.leases.remove(call);
        let name = call_name(call);
        let key = buckets_key(account);
        let sets = set_keys(&key, policies);
        let mark = format!("{key}:ended:{name}");
        let mut arguments = SmallVec::<[ScriptArg<'_>; 8]>::new();
        let dedup_millis = u64::try_from(RELEASE_DEDUP_TTL.as_millis()).unwrap_or(u64::MAX);
        arguments.extend([ScriptArg::Text(&name), ScriptArg::Number(dedup_millis)]);
        for (policy, rate) in rates(refund) {
            arguments.extend([ScriptArg::Text(&policy.name), ScriptArg::Number(rate.interval())]);
        }
        let keys: SmallVec<[&str; 5]> =
            [&*key, &*mark].into_iter().chain(sets.iter().map(|set| &**set)).collect();
        self.redis.run(&RELEASE, &keys, &arguments).await.map(drop)
    }
}

impl ScriptReply {
    /// Returns the quota status of the call.
    pub(super) fn status(&self, policies: &[Policy]) -> Result<QuotaStatus, QuotaStatus> {
        let ordered = || {
            rates(policies)
                .map(|(policy, _)| policy)
                .chain(policies.iter().filter(|policy| policy.concurrency().is_some()))
        };
        let micros = Duration::from_micros;
        match self {
            Self::Refused { policy, wait_micros } => {
                let policy = ordered().nth(*policy);
                let reset = policy.and_then(Policy::rate).map(|_| micros(*wait_micros));
                Err(QuotaStatus {
                    name: policy.map_or("".into(), |policy| Arc::clone(&policy.name)),
                    remaining: 0,
                    reset,
                })
            }
            Self::Admitted(numbers) => {
                let statuses = ordered().zip(numbers).map(|(policy, number)| {
                    let name = Arc::clone(&policy.name);
                    if let Some(rate) = policy.rate() {
                        let Remaining { tokens, reset_micros } = rate.remaining(*number, 0);
                        QuotaStatus { name, remaining: tokens, reset: Some(micros(reset_micros)) }
                    } else {
                        let slots = policy.concurrency().unwrap_or(0);
                        QuotaStatus { name, remaining: slots.saturating_sub(*number), reset: None }
                    }
                });
                let least = statuses.min_by_key(|status| status.remaining);
                Ok(least.unwrap_or_else(QuotaStatus::unlimited))
            }
        }
    }
}

fn parse_reply(reply: &[i64], policies: usize) -> Result<ScriptReply, RedisError> {
    let number = |number: &i64| u64::try_from(*number).unwrap_or(0);
    match reply {
        [1, numbers @ ..] if numbers.len() == policies => {
            Ok(ScriptReply::Admitted(numbers.iter().map(number).collect()))
        }
        [0, policy, wait] if (1..=policies).contains(&usize::try_from(*policy).unwrap_or(0)) => {
            let policy = usize::try_from(*policy - 1).unwrap_or(0);
            Ok(ScriptReply::Refused { policy, wait_micros: number(wait) })
        }
        other => Err(RedisError::rejected(format!(
            "unexpected reply of Redis to a quota's script: {other:?}"
        ))),
    }
}

fn rates(policies: &[Policy]) -> impl Iterator<Item = (&Policy, Rate)> {
    policies.iter().filter_map(|policy| Some((policy, policy.rate()?)))
}

/// Returns the key of an account's buckets.
fn buckets_key(account: &PartitionKey) -> String {
    format!("quota:{{{account}}}")
}

/// Returns the keys of the sets of an account's running calls.
fn set_keys(key: &str, policies: &[Policy]) -> Vec<String> {
    let limited = policies.iter().filter(|policy| policy.concurrency().is_some());
    limited.map(|policy| format!("{key}:{}", policy.name)).collect()
}
