//! The buckets of one gateway, in memory.

use std::{
    collections::HashMap,
    hash::BuildHasher,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use foldhash::fast::RandomState;

use super::{Policy, Standing, Whose, gcra::Verdict};

/// How many locks the buckets are spread over.
const SHARDS: usize = 64;
/// A shard with fewer buckets is not looked through for full ones.
const FEW: usize = 1024;

/// The buckets; a bucket that is full again is forgotten.
#[derive(Debug)]
pub struct Quotas {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
    start: Instant,
}

#[derive(Debug, Default)]
struct Shard {
    /// When each bucket will be full again, in microseconds after the start.
    buckets: HashMap<(Whose, Arc<str>), u64, RandomState>,
    /// With so many buckets it is time to look for full ones.
    crowd: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::default(),
            start: Instant::now(),
        }
    }
}

impl Quotas {
    /// Takes a token out of each policy's bucket, if each has one, and says how the request stands.
    ///
    /// # Errors
    ///
    /// The policy that refuses for the longest; then nothing was taken.
    pub fn admit(&self, whose: &Whose, policies: &[Policy]) -> Result<Standing, Standing> {
        let now = self.now();
        // All buckets of one account are in one shard, so that they change at once.
        let mut shard = self.shard(whose);
        let mut taken = Vec::with_capacity(policies.len());
        let mut refused: Option<(u64, &Policy)> = None;
        for policy in policies {
            match policy.rate.judge(shard.full(whose, policy), now) {
                Verdict::Admit(after) => taken.push((policy, after)),
                Verdict::Refuse(until) if refused.is_none_or(|(longest, _)| longest < until) => {
                    refused = Some((until, policy));
                }
                Verdict::Refuse(_) => {}
            }
        }
        if let Some((until, policy)) = refused {
            let next = Duration::from_micros(until - now);
            return Err(Standing { name: Arc::clone(&policy.name), remaining: 0, next });
        }
        let standings = taken.into_iter().map(|(policy, after)| {
            shard.buckets.insert((whose.clone(), Arc::clone(&policy.name)), after);
            let (remaining, next) = policy.rate.left(after, now);
            Standing { name: Arc::clone(&policy.name), remaining, next: Duration::from_micros(next) }
        });
        let least = standings.min_by_key(|standing| standing.remaining);
        shard.forget_full(now);
        Ok(least.unwrap_or(Standing { name: "".into(), remaining: u64::MAX, next: Duration::ZERO }))
    }

    /// Gives one token back to each policy's bucket.
    pub fn give_back(&self, whose: &Whose, policies: &[Policy]) {
        let mut shard = self.shard(whose);
        for policy in policies {
            // What is not there is full.
            if let Some(full) = shard.buckets.get_mut(&(whose.clone(), Arc::clone(&policy.name))) {
                *full = full.saturating_sub(policy.rate.interval());
            }
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    #[expect(clippy::cast_possible_truncation, reason = "a remainder of 64")]
    fn shard(&self, whose: &Whose) -> MutexGuard<'_, Shard> {
        let place = self.hasher.hash_one(whose) as usize % SHARDS;
        self.shards[place].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shard {
    fn full(&self, whose: &Whose, policy: &Policy) -> u64 {
        self.buckets.get(&(whose.clone(), Arc::clone(&policy.name))).copied().unwrap_or(0)
    }

    /// Each time that the buckets have doubled, so that it costs little a request whoever comes.
    fn forget_full(&mut self, now: u64) {
        if self.buckets.len() > self.crowd.max(FEW) {
            self.buckets.retain(|_, full| *full > now);
            self.crowd = 2 * self.buckets.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::quota::Rate;

    fn policy(name: &str, calls: u64, per: Duration) -> Policy {
        Policy { name: name.into(), rate: Rate { calls, per } }
    }

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn all_buckets_give_or_none() {
        let quotas = Quotas::default();
        let (whose, other) = (Whose::Account("a".into()), Whose::Account("b".into()));
        let both = [policy("total", 5, HOUR), policy("method", 2, HOUR)];
        let standing = quotas.admit(&whose, &both).unwrap();
        assert_eq!((&*standing.name, standing.remaining), ("method", 1));
        quotas.admit(&whose, &both).unwrap();
        for _ in 0..10 {
            let refused = quotas.admit(&whose, &both).unwrap_err();
            assert_eq!((&*refused.name, refused.remaining), ("method", 0));
            assert!(refused.next > HOUR / 3 && refused.next <= HOUR / 2);
        }
        // The refused took nothing from `total`.
        assert_eq!(quotas.admit(&whose, &both[..1]).unwrap().remaining, 2);
        assert_eq!(quotas.admit(&other, &both).unwrap().remaining, 1);
        quotas.give_back(&whose, &both);
        assert_eq!(quotas.admit(&whose, &both).unwrap().remaining, 0);
    }

    #[test]
    fn many_threads_get_no_more_than_there_is() {
        let quotas = Quotas::default();
        let policies = [policy("total", 1000, HOUR)];
        let admitted: usize = thread::scope(|scope| {
            let callers = [(); 8]
                .map(|()| scope.spawn(|| (0..500).filter(|_| quotas.admit(&Whose::Nobody, &policies).is_ok()).count()));
            callers.into_iter().map(|caller| caller.join().unwrap()).sum()
        });
        assert_eq!(admitted, 1000);
    }

    #[test]
    fn buckets_that_are_full_again_are_forgotten() {
        let quotas = Quotas::default();
        let policies = [policy("total", 1, Duration::from_micros(1))];
        for number in 0..SHARDS * FEW * 4 {
            let whose = Whose::Account(number.to_string().into());
            quotas.admit(&whose, &policies).unwrap();
        }
        let left: usize = quotas.shards.iter().map(|shard| shard.lock().unwrap().buckets.len()).sum();
        assert!(left <= SHARDS * (FEW + 1), "{left} buckets");
    }
}
