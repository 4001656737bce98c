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
        Buckets, Limits, Memory, Policy, RedisBuckets, Standing, Whose,
        redis_buckets::{Answer, REMEMBERED},
    },
    redis::{Redis, RedisError},
};

/// How long after an end that was not heard it is said again, at first.
const PAUSE: Duration = Duration::from_millis(100);
/// And at last.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Buckets in Redis, with the local share of each as a stand-in.
#[derive(Debug)]
pub struct Shared {
    redis: RedisBuckets,
    share: Memory,
    alone: AtomicU64,
    is_refused: AtomicBool,
    /// How many ends are being told.
    telling: watch::Sender<usize>,
}

/// Where a request took its tokens and places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In Redis.
    Redis,
    /// In this gateway's share.
    Share,
}

/// What became of a request.
#[derive(Debug)]
pub struct Admission {
    /// Who decided.
    pub place: Place,
    /// How it stands; `Err` when it is not let in.
    pub verdict: Result<Standing, Standing>,
}

impl Shared {
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
            share: Memory::default(),
            alone: AtomicU64::new(0),
            is_refused: AtomicBool::new(false),
            telling: watch::Sender::new(0),
        }
    }

    /// How many requests have been judged by this gateway's share alone, since Redis was away.
    #[must_use]
    pub fn judged_alone(&self) -> u64 {
        self.alone.load(Relaxed)
    }

    /// Takes a token and a place of each policy, or none at all: in Redis, or of this gateway's share while Redis is
    /// away.
    pub async fn admit(self: &Arc<Self>, whose: &Whose, limits: &Arc<Limits>, call: u64) -> Admission {
        match self.redis.ask(whose, &limits.policies, call).await {
            Ok(answer) => {
                self.is_refused.store(false, Relaxed);
                self.keep_in_step(whose, limits, &answer);
                Admission { place: Place::Redis, verdict: answer.standing(&limits.policies) }
            }
            Err(error) => {
                self.complain(&error);
                self.alone.fetch_add(1, Relaxed);
                if error.may_have_happened() && limits.has_places {
                    // It may have a place in Redis, which it does not need.
                    self.tell_end(whose.clone(), Arc::clone(limits), Vec::new(), call);
                }
                Admission { place: Place::Share, verdict: self.share.admit(whose, &limits.share) }
            }
        }
    }

    /// The share is at least as empty as the whole, so that losing Redis gives nobody a full bucket. Never fuller than
    /// it was, since answers are read in another order than they were given in.
    fn keep_in_step(&self, whose: &Whose, limits: &Limits, answer: &Answer) {
        match answer {
            Answer::Admitted(missing) => self.share.drain_to(whose, &limits.share, missing),
            Answer::Refused(number, wait) => {
                if let Some(rate) = limits.policies.get(*number).and_then(Policy::rate) {
                    let missing = rate.burst().saturating_sub(rate.interval()).saturating_add(*wait);
                    self.share.drain_to(whose, &limits.share[*number..=*number], &[missing]);
                }
            }
        }
    }

    /// That it is away, Redis itself says once; here what it says when it answers and will not.
    fn complain(&self, error: &RedisError) {
        if !error.is_away() && !self.is_refused.swap(true, Relaxed) {
            tracing::error!(%error, "quotas are judged by this gateway's share alone");
        }
    }

    /// A call that was let in by the share has ended.
    pub fn end_in_share(&self, whose: &Whose, limits: &Limits, refund: &[Policy]) {
        self.share.end(whose, &limits.share, refund);
    }

    /// A call that was let in by Redis has ended.
    ///
    /// # Errors
    ///
    /// When it is not known whether that was heard: [tell it](Self::tell_end) then.
    pub async fn end(&self, whose: &Whose, limits: &Limits, refund: &[Policy], call: u64) -> Result<(), RedisError> {
        self.redis.end(whose, &limits.policies, refund, call).await
    }

    /// A call that was let in by Redis has ended; nobody waits until that is heard.
    pub fn tell_end(self: &Arc<Self>, whose: Whose, limits: Arc<Limits>, refund: Vec<Policy>, call: u64) {
        let (this, home) = (Arc::clone(self), self.redis.redis().home());
        self.telling.send_modify(|telling| *telling += 1);
        home.spawn(async move {
            this.end_surely(&whose, &limits, &refund, call).await;
            this.telling.send_modify(|telling| *telling -= 1);
        });
    }

    /// Waits until all ends that were told have been heard.
    pub async fn settled(&self) {
        // It fails when there is no sender, and this is one.
        let _ = self.telling.subscribe().wait_for(|telling| *telling == 0).await;
    }

    /// Says it until it is heard, for as long as Redis would know that it was said before. Only calls that run when
    /// Redis goes away need this, so there are never many.
    async fn end_surely(&self, whose: &Whose, limits: &Limits, refund: &[Policy], call: u64) {
        let (start, mut pause) = (Instant::now(), PAUSE);
        while let Err(error) = self.end(whose, limits, refund, call).await {
            if start.elapsed() + 2 * LONGEST_PAUSE > REMEMBERED {
                tracing::error!(%error, "a quota's tokens could not be given back");
                return;
            }
            tokio::time::sleep(pause).await;
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }
}
