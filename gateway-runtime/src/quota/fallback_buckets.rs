//! The buckets in Redis, with the local share as a fallback while Redis is unavailable (SEMANTICS
//! §6).

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use tokio::sync::watch;

use crate::{
    quota::{
        Buckets, MemoryBuckets, MethodLimits, PartitionKey, Policy, QuotaStatus, RedisBuckets,
        redis_buckets::{RELEASE_DEDUP_TTL, ScriptReply},
    },
    redis::{Redis, RedisError},
};

/// The delay before an unconfirmed release is sent again, at first; it doubles each time.
const MIN_RELEASE_DELAY: Duration = Duration::from_millis(100);
/// The maximum delay before an unconfirmed release is sent again.
const MAX_RELEASE_DELAY: Duration = Duration::from_secs(5);

/// Buckets in Redis, with the local share of each as a fallback.
#[derive(Debug)]
pub struct FallbackBuckets {
    redis: RedisBuckets,
    share: MemoryBuckets,
    local_decisions: AtomicU64,
    is_refused: AtomicBool,
    /// The number of releases in flight.
    releasing: watch::Sender<usize>,
}

/// The buckets from which a call took its tokens and slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdmittedBy {
    /// The buckets in Redis.
    Redis,
    /// The local share of this gateway.
    Share,
}

/// The result of an admission.
#[derive(Debug)]
pub struct Admission {
    /// The buckets that decided.
    pub admitted_by: AdmittedBy,
    /// The quota status; `Err` if the call is not admitted.
    pub result: Result<QuotaStatus, QuotaStatus>,
}

impl FallbackBuckets {
    /// Creates buckets in this Redis.
    #[must_use]
    pub fn new(redis: Redis) -> Self {
        Self::over(RedisBuckets::new(redis))
    }

    /// Creates buckets over these.
    #[must_use]
    pub fn over(redis: RedisBuckets) -> Self {
        Self {
            redis,
            share: MemoryBuckets::default(),
            local_decisions: AtomicU64::new(0),
            is_refused: AtomicBool::new(false),
            releasing: watch::Sender::new(0),
        }
    }

    /// Returns the number of calls that the local share alone has decided, while Redis was
    /// unavailable.
    #[must_use]
    pub fn local_decisions(&self) -> u64 {
        self.local_decisions.load(Relaxed)
    }

    /// Takes a token or a slot of each policy, or none at all: in Redis, or in the local share
    /// while Redis is unavailable.
    pub async fn admit(
        self: &Arc<Self>,
        account: &PartitionKey,
        limits: &Arc<MethodLimits>,
        call: u64,
    ) -> Admission {
        match self.redis.run_admission(account, &limits.policies, call).await {
            Ok(reply) => {
                self.is_refused.store(false, Relaxed);
                self.mirror_to_share(account, limits, &reply);
                Admission { admitted_by: AdmittedBy::Redis, result: reply.status(&limits.policies) }
            }
            Err(error) => {
                self.log_refusal(&error);
                self.local_decisions.fetch_add(1, Relaxed);
                if error.is_ambiguous() && limits.has_concurrency {
                    // The call may hold a slot in Redis, which it does not need.
                    self.release_in_background(
                        account.clone(),
                        Arc::clone(limits),
                        Vec::new(),
                        call,
                    );
                }
                Admission {
                    admitted_by: AdmittedBy::Share,
                    result: self.share.admit(account, &limits.share),
                }
            }
        }
    }

    /// Lowers the local share to the level of the buckets in Redis, so that losing Redis gives no
    /// account a full bucket. A bucket is never raised, since replies are read in another order
    /// than they were sent.
    fn mirror_to_share(&self, account: &PartitionKey, limits: &MethodLimits, reply: &ScriptReply) {
        match reply {
            ScriptReply::Admitted(missing) => self.share.lower_to(account, &limits.share, missing),
            ScriptReply::Refused { policy, wait_micros } => {
                if let Some(rate) = limits.policies.get(*policy).and_then(Policy::rate) {
                    let missing =
                        rate.burst().saturating_sub(rate.interval()).saturating_add(*wait_micros);
                    self.share.lower_to(account, &limits.share[*policy..=*policy], &[missing]);
                }
            }
        }
    }

    /// Logs an error that Redis returns, once. The Redis client itself logs that Redis is
    /// unavailable.
    fn log_refusal(&self, error: &RedisError) {
        if !error.is_unavailable() && !self.is_refused.swap(true, Relaxed) {
            tracing::error!(%error, "quotas are decided by this gateway's local share");
        }
    }

    /// Releases a call that the local share admitted.
    pub fn release_in_share(
        &self,
        account: &PartitionKey,
        limits: &MethodLimits,
        refund: &[Policy],
    ) {
        self.share.release(account, &limits.share, refund);
    }

    /// Releases a call that Redis admitted.
    ///
    /// # Errors
    ///
    /// Fails if the release is not confirmed;
    /// [`release_in_background`](Self::release_in_background) repeats it then.
    pub async fn release(
        &self,
        account: &PartitionKey,
        limits: &MethodLimits,
        refund: &[Policy],
        call: u64,
    ) -> Result<(), RedisError> {
        self.redis.release(account, &limits.policies, refund, call).await
    }

    /// Releases a call that Redis admitted, in a task that nothing waits for.
    pub fn release_in_background(
        self: &Arc<Self>,
        account: PartitionKey,
        limits: Arc<MethodLimits>,
        refund: Vec<Policy>,
        call: u64,
    ) {
        let this = Arc::clone(self);
        let runtime = self.redis.redis().runtime();
        self.releasing.send_modify(|releasing| *releasing += 1);
        runtime.spawn(async move {
            this.release_until_confirmed(&account, &limits, &refund, call).await;
            this.releasing.send_modify(|releasing| *releasing -= 1);
        });
    }

    /// Waits until all releases in flight are confirmed or given up.
    pub async fn flushed(&self) {
        // Cannot fail: `self` holds the sender.
        let _ = self.releasing.subscribe().wait_for(|releasing| *releasing == 0).await;
    }

    /// Sends the release until it is confirmed, for as long as Redis de-duplicates it. Only calls
    /// that run when Redis becomes unavailable need this, so they are never many.
    async fn release_until_confirmed(
        &self,
        account: &PartitionKey,
        limits: &MethodLimits,
        refund: &[Policy],
        call: u64,
    ) {
        let start = Instant::now();
        let mut pause = MIN_RELEASE_DELAY;
        while let Err(error) = self.release(account, limits, refund, call).await {
            if start.elapsed() + 2 * MAX_RELEASE_DELAY > RELEASE_DEDUP_TTL {
                tracing::error!(%error, "tokens of a quota not given back");
                return;
            }
            tokio::time::sleep(pause).await;
            pause = (2 * pause).min(MAX_RELEASE_DELAY);
        }
    }
}
