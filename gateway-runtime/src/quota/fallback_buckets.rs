//! The buckets in Redis, and what a gateway does alone while Redis is away.

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

/// How long after an end that was not heard it is said again, at first.
const MIN_RELEASE_DELAY: Duration = Duration::from_millis(100);
/// And at last.
const MAX_RELEASE_DELAY: Duration = Duration::from_secs(5);

/// Buckets in Redis, with the local share of each as a stand-in.
#[derive(Debug)]
pub struct FallbackBuckets {
    redis: RedisBuckets,
    share: MemoryBuckets,
    alone: AtomicU64,
    is_refused: AtomicBool,
    /// How many ends are being told.
    telling: watch::Sender<usize>,
}

/// Where a request took its tokens and places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdmittedBy {
    /// In Redis.
    Redis,
    /// In this gateway's share.
    Share,
}

/// What became of a request.
#[derive(Debug)]
pub struct Admission {
    /// Who decided.
    pub place: AdmittedBy,
    /// How it stands; `Err` when it is not let in.
    pub result: Result<QuotaStatus, QuotaStatus>,
}

impl FallbackBuckets {
    /// Buckets in this Redis.
    #[must_use]
    pub fn new(redis: Redis) -> Self {
        Self::over(RedisBuckets::new(redis))
    }

    /// Buckets in these.
    #[must_use]
    pub fn over(redis: RedisBuckets) -> Self {
        Self {
            redis,
            share: MemoryBuckets::default(),
            alone: AtomicU64::new(0),
            is_refused: AtomicBool::new(false),
            telling: watch::Sender::new(0),
        }
    }

    /// How many requests have been judged by this gateway's share alone, since Redis was away.
    #[must_use]
    pub fn local_decisions(&self) -> u64 {
        self.alone.load(Relaxed)
    }

    /// Takes a token and a place of each policy, or none at all: in Redis, or of this gateway's share while Redis is
    /// away.
    pub async fn admit(
        self: &Arc<Self>,
        whose: &PartitionKey,
        limits: &Arc<MethodLimits>,
        call: u64,
    ) -> Admission {
        match self.redis.ask(whose, &limits.policies, call).await {
            Ok(answer) => {
                self.is_refused.store(false, Relaxed);
                self.mirror_to_share(whose, limits, &answer);
                Admission { place: AdmittedBy::Redis, result: answer.standing(&limits.policies) }
            }
            Err(error) => {
                self.log_refusal(&error);
                self.alone.fetch_add(1, Relaxed);
                if error.is_ambiguous() && limits.has_concurrency {
                    // It may have a place in Redis, which it does not need.
                    self.release_in_background(whose.clone(), Arc::clone(limits), Vec::new(), call);
                }
                Admission {
                    place: AdmittedBy::Share,
                    result: self.share.admit(whose, &limits.share),
                }
            }
        }
    }

    /// The share is at least as empty as the whole, so that losing Redis gives nobody a full bucket. Never fuller than
    /// it was, since answers are read in another order than they were given in.
    fn mirror_to_share(&self, whose: &PartitionKey, limits: &MethodLimits, answer: &ScriptReply) {
        match answer {
            ScriptReply::Admitted(missing) => self.share.lower_to(whose, &limits.share, missing),
            ScriptReply::Refused(number, wait) => {
                if let Some(rate) = limits.policies.get(*number).and_then(Policy::rate) {
                    let missing =
                        rate.burst().saturating_sub(rate.interval()).saturating_add(*wait);
                    self.share.lower_to(whose, &limits.share[*number..=*number], &[missing]);
                }
            }
        }
    }

    /// That it is away, Redis itself says once; here what it says when it answers and will not.
    fn log_refusal(&self, error: &RedisError) {
        if !error.is_unavailable() && !self.is_refused.swap(true, Relaxed) {
            tracing::error!(%error, "quotas are judged by this gateway's share alone");
        }
    }

    /// A call that was let in by the share has ended.
    pub fn end_in_share(&self, whose: &PartitionKey, limits: &MethodLimits, refund: &[Policy]) {
        self.share.end(whose, &limits.share, refund);
    }

    /// A call that was let in by Redis has ended.
    ///
    /// # Errors
    ///
    /// When it is not known whether that was heard: [tell it](Self::tell_end) then.
    pub async fn end(
        &self,
        whose: &PartitionKey,
        limits: &MethodLimits,
        refund: &[Policy],
        call: u64,
    ) -> Result<(), RedisError> {
        self.redis.release(whose, &limits.policies, refund, call).await
    }

    /// A call that was let in by Redis has ended; nobody waits until that is heard.
    pub fn release_in_background(
        self: &Arc<Self>,
        whose: PartitionKey,
        limits: Arc<MethodLimits>,
        refund: Vec<Policy>,
        call: u64,
    ) {
        let (this, home) = (Arc::clone(self), self.redis.redis().runtime());
        self.telling.send_modify(|telling| *telling += 1);
        home.spawn(async move {
            this.release_until_confirmed(&whose, &limits, &refund, call).await;
            this.telling.send_modify(|telling| *telling -= 1);
        });
    }

    /// Waits until all ends that were told have been heard.
    pub async fn flushed(&self) {
        // It fails when there is no sender, and this is one.
        let _ = self.telling.subscribe().wait_for(|telling| *telling == 0).await;
    }

    /// Says it until it is heard, for as long as Redis would know that it was said before. Only calls that run when
    /// Redis goes away need this, so there are never many.
    async fn release_until_confirmed(
        &self,
        whose: &PartitionKey,
        limits: &MethodLimits,
        refund: &[Policy],
        call: u64,
    ) {
        let (start, mut pause) = (Instant::now(), MIN_RELEASE_DELAY);
        while let Err(error) = self.end(whose, limits, refund, call).await {
            if start.elapsed() + 2 * MAX_RELEASE_DELAY > RELEASE_DEDUP_TTL {
                tracing::error!(%error, "a quota's tokens could not be given back");
                return;
            }
            tokio::time::sleep(pause).await;
            pause = (2 * pause).min(MAX_RELEASE_DELAY);
        }
    }
}
