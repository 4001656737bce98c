//! The buckets of one gateway, in memory.

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    future::{Future, ready},
    hash::BuildHasher,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use foldhash::fast::RandomState;
use smallvec::SmallVec;

use crate::{
    quota::{
        Buckets, Limit, PartitionKey, Policy, QuotaStatus,
        gcra::{GcraDecision, Remaining},
    },
    redis::RedisError,
};

/// The number of locks over which the buckets are spread.
const SHARDS: usize = 64;
/// The minimum number of buckets in a shard that is swept of full ones.
const MIN_SWEEP_BUCKETS: usize = 1024;

/// Buckets in memory; a bucket that is full again is dropped.
#[derive(Debug)]
pub struct MemoryBuckets {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
    start: Instant,
}

#[derive(Debug, Default)]
struct Shard {
    /// The time at which each bucket is full again, in microseconds after the start.
    buckets: HashMap<(PartitionKey, Arc<str>), u64, RandomState>,
    /// The number of running calls of each limited concurrency; never zero.
    running: HashMap<(PartitionKey, Arc<str>), u64, RandomState>,
    /// The number of buckets above which the shard is swept of full ones.
    sweep_threshold: usize,
}

impl Default for MemoryBuckets {
    fn default() -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::default(),
            start: Instant::now(),
        }
    }
}

/// The state of a policy after a call is admitted.
enum PolicyState {
    /// The time at which the bucket of a rate is full.
    Full(u64),
    /// The number of running calls.
    Running(u64),
}

/// A policy that refuses a call.
struct Refusal<'p> {
    policy: &'p Policy,
    retry_at: u64,
}

impl MemoryBuckets {
    /// Takes a token or a slot of each policy, if each has one, and returns the status of the
    /// policy that has the least left.
    ///
    /// # Errors
    ///
    /// The status of the policy that refuses for the longest; nothing was taken then.
    pub fn admit(
        &self,
        account: &PartitionKey,
        policies: &[Policy],
    ) -> Result<QuotaStatus, QuotaStatus> {
        let now = self.now();
        // All buckets of an account are in one shard, so that they change in one step.
        let mut shard = self.shard(account);
        let mut taken = SmallVec::<[(&Policy, PolicyState); 6]>::new();
        let mut refused: Option<Refusal<'_>> = None;
        for policy in policies {
            let retry_at = match shard.decide(account, policy, now) {
                Ok(after) => {
                    taken.push((policy, after));
                    continue;
                }
                Err(retry_at) => retry_at,
            };
            if refused.as_ref().is_none_or(|longest| longest.retry_at < retry_at) {
                refused = Some(Refusal { policy, retry_at });
            }
        }
        if let Some(Refusal { policy, retry_at }) = refused {
            let reset = policy.rate().map(|_| Duration::from_micros(retry_at - now));
            return Err(QuotaStatus { name: Arc::clone(&policy.name), remaining: 0, reset });
        }
        let statuses =
            taken.into_iter().map(|(policy, after)| shard.take(account, policy, after, now));
        let least = statuses.min_by_key(|status| status.remaining);
        shard.sweep(now);
        Ok(least.unwrap_or_else(QuotaStatus::unlimited))
    }

    /// Releases a call: frees its slots in `policies`, and gives a token back to each rate of
    /// `refund`.
    pub fn release(&self, account: &PartitionKey, policies: &[Policy], refund: &[Policy]) {
        let mut shard = self.shard(account);
        for policy in policies.iter().filter(|policy| policy.concurrency().is_some()) {
            let key = (account.clone(), Arc::clone(&policy.name));
            match shard.running.get_mut(&key) {
                Some(running @ 2..) => *running -= 1,
                _ => drop(shard.running.remove(&key)),
            }
        }
        for (policy, rate) in refund.iter().filter_map(|policy| Some((policy, policy.rate()?))) {
            // A missing bucket is full.
            if let Some(full) = shard.buckets.get_mut(&(account.clone(), Arc::clone(&policy.name)))
            {
                *full = full.saturating_sub(rate.interval());
            }
        }
    }

    /// Lowers each bucket to at least `missing` microseconds short of full.
    pub(super) fn lower_to(&self, account: &PartitionKey, policies: &[Policy], missing: &[u64]) {
        let now = self.now();
        let mut shard = self.shard(account);
        for (policy, missing) in
            policies.iter().zip(missing).filter(|(policy, _)| policy.rate().is_some())
        {
            let full =
                shard.buckets.entry((account.clone(), Arc::clone(&policy.name))).or_default();
            *full = (*full).max(now.saturating_add(*missing));
        }
        shard.sweep(now);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    #[expect(clippy::cast_possible_truncation, reason = "a remainder of 64")]
    fn shard(&self, account: &PartitionKey) -> MutexGuard<'_, Shard> {
        let index = self.hasher.hash_one(account) as usize % SHARDS;
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Buckets for MemoryBuckets {
    fn admit(
        &self,
        account: &PartitionKey,
        policies: &[Policy],
        _: u64,
    ) -> impl Future<Output = Result<Result<QuotaStatus, QuotaStatus>, RedisError>> + Send {
        ready(Ok(self.admit(account, policies)))
    }

    fn release(
        &self,
        account: &PartitionKey,
        policies: &[Policy],
        refund: &[Policy],
        _: u64,
    ) -> impl Future<Output = Result<(), RedisError>> + Send {
        // A release in memory is always confirmed, so it is never repeated.
        Self::release(self, account, policies, refund);
        ready(Ok(()))
    }
}

impl Shard {
    /// Returns the state of the policy after the call, or the time at which the call might be
    /// admitted.
    fn decide(
        &mut self,
        account: &PartitionKey,
        policy: &Policy,
        now: u64,
    ) -> Result<PolicyState, u64> {
        let key = (account.clone(), Arc::clone(&policy.name));
        match policy.limit {
            Limit::Rate(rate) => {
                let full = self.buckets.get_mut(&key).map_or(0, |full| {
                    *full = rate.clamp_to_empty(*full, now);
                    *full
                });
                match rate.decide(full, now) {
                    GcraDecision::Allow { full_at } => Ok(PolicyState::Full(full_at)),
                    GcraDecision::Deny { retry_at } => Err(retry_at),
                }
            }
            Limit::Concurrency(slots) => match self.running.get(&key).copied().unwrap_or(0) {
                running if running < slots => Ok(PolicyState::Running(running + 1)),
                _ => Err(now),
            },
        }
    }

    fn take(
        &mut self,
        account: &PartitionKey,
        policy: &Policy,
        after: PolicyState,
        now: u64,
    ) -> QuotaStatus {
        let key = (account.clone(), Arc::clone(&policy.name));
        match after {
            PolicyState::Full(full) => drop(self.buckets.insert(key, full)),
            PolicyState::Running(running) => drop(self.running.insert(key, running)),
        }
        let name = Arc::clone(&policy.name);
        match (policy.limit, after) {
            (Limit::Rate(rate), PolicyState::Full(full)) => {
                let Remaining { tokens, reset_micros } = rate.remaining(full, now);
                let reset = Some(Duration::from_micros(reset_micros));
                QuotaStatus { name, remaining: tokens, reset }
            }
            (Limit::Concurrency(slots), PolicyState::Running(running)) => {
                QuotaStatus { name, remaining: slots.saturating_sub(running), reset: None }
            }
            _ => QuotaStatus { name, remaining: 0, reset: None },
        }
    }

    /// Drops full buckets each time that the buckets have doubled, so that the cost for each call
    /// stays small, whichever accounts call.
    fn sweep(&mut self, now: u64) {
        if self.buckets.len() > self.sweep_threshold.max(MIN_SWEEP_BUCKETS) {
            self.buckets.retain(|_, full| *full > now);
            self.sweep_threshold = 2 * self.buckets.len();
        }
    }
}
