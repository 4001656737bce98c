//! The same tests for each kind of buckets. Those of Redis run if `TEST_REDIS_URL` names a server,
//! as `./test` does.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use proptest::{prelude::*, test_runner::TestRunner};

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

/// A test, once for each kind of buckets.
macro_rules! each_place {
    ($(
        $(#[$attribute:meta])*
        async fn $name:ident($buckets:ident: &impl Buckets) $body:block
    )*) => {$(
        mod $name {
            use super::*;

            async fn test($buckets: &impl Buckets) $body

            $(#[$attribute])*
            #[tokio::test]
            async fn memory() {
                test(&MemoryBuckets::default()).await;
            }

            #[cfg(feature = "redis")]
            $(#[$attribute])*
            #[tokio::test]
            async fn redis() {
                if let Some(redis) = crate::redis::tests::own_redis().await {
                    test(&RedisBuckets::new(redis)).await;
                }
            }
        }
    )*};
}

fn rate(name: &str, calls: u64, per: Duration) -> Policy {
    Policy { name: name.into(), limit: Limit::Rate(Rate { calls, per }) }
}

fn places(name: &str, places: u64) -> Policy {
    Policy { name: name.into(), limit: Limit::Concurrency(places) }
}

fn account(name: &str) -> PartitionKey {
    PartitionKey::Account(name.into())
}

/// Sends a call with a number of its own.
async fn admit(
    buckets: &impl Buckets,
    whose: &PartitionKey,
    policies: &[Policy],
) -> (u64, Result<QuotaStatus, QuotaStatus>) {
    let call = fastrand::u64(..);
    (call, buckets.admit(whose, policies, call).await.unwrap())
}

each_place! {
    async fn call_takes_of_all_policies_or_of_none(buckets: &impl Buckets) {
        let (whose, other) = (account("a"), account("b"));
        let all = [rate("total", 5, HOUR), rate("method", 2, HOUR), places("method:concurrent", 3)];
        let standing = admit(buckets, &whose, &all).await.1.unwrap();
        assert_eq!((&*standing.name, standing.remaining), ("method", 1));
        let next = standing.reset.unwrap();
        assert!(next > HOUR / 3 && next <= HOUR / 2, "{next:?}");
        admit(buckets, &whose, &all).await.1.unwrap();
        for _ in 0..10 {
            let refused = admit(buckets, &whose, &all).await.1.unwrap_err();
            assert_eq!((&*refused.name, refused.remaining), ("method", 0));
            let next = refused.reset.unwrap();
            assert!(next > HOUR / 3 && next <= HOUR / 2, "{next:?}");
        }
        // The refused calls took nothing from `total`, and no slot.
        assert_eq!(admit(buckets, &whose, &all[..1]).await.1.unwrap().remaining, 2);
        assert_eq!(admit(buckets, &whose, &all[2..]).await.1.unwrap().remaining, 0);
        assert_eq!(admit(buckets, &other, &all).await.1.unwrap().remaining, 1);
        // Without limits every call is admitted.
        assert_eq!(admit(buckets, &whose, &[]).await.1.unwrap().remaining, u64::MAX);
    }

    async fn failed_call_gives_its_token_back(buckets: &impl Buckets) {
        let (whose, policies) = (account("a"), [rate("total", 3, HOUR), rate("other", 9, HOUR)]);
        let call = admit(buckets, &whose, &policies).await.0;
        let standing = admit(buckets, &whose, &policies).await.1.unwrap();
        assert_eq!((&*standing.name, standing.remaining), ("total", 1));
        buckets.release(&whose, &policies, &policies[..1], call).await.unwrap();
        assert_eq!(admit(buckets, &whose, &policies[..1]).await.1.unwrap().remaining, 1);
        assert_eq!(admit(buckets, &whose, &policies[1..]).await.1.unwrap().remaining, 6);
        // A bucket that is full, or was never used, gets no more than it holds.
        buckets.release(&account("b"), &policies, &policies, 7).await.unwrap();
        assert_eq!(admit(buckets, &account("b"), &policies).await.1.unwrap().remaining, 2);
    }

    async fn slot_is_free_when_its_call_has_ended(buckets: &impl Buckets) {
        let whose = account("a");
        let policies = [places("total:concurrent", 2), places("method:concurrent", 3)];
        let of_total =
            |remaining| QuotaStatus { name: "total:concurrent".into(), remaining, reset: None };
        let (first, standing) = admit(buckets, &whose, &policies).await;
        assert_eq!(standing.unwrap(), of_total(1));
        let second = admit(buckets, &whose, &policies).await.0;
        let refused = admit(buckets, &whose, &policies).await.1.unwrap_err();
        assert_eq!(refused, of_total(0));
        buckets.release(&whose, &policies, &[], first).await.unwrap();
        assert_eq!(admit(buckets, &whose, &policies[1..]).await.1.unwrap().remaining, 1);
        let third = admit(buckets, &whose, &policies).await;
        assert_eq!(third.1.unwrap().remaining, 0);
        for call in [second, third.0] {
            buckets.release(&whose, &policies, &[], call).await.unwrap();
        }
        assert_eq!(admit(buckets, &whose, &policies[..1]).await.1.unwrap().remaining, 1);
    }

    async fn a_faster_rate_holds_at_once(buckets: &impl Buckets) {
        let (whose, faster) = (account("a"), [rate("total", 100, Duration::from_secs(1))]);
        admit(buckets, &whose, &[rate("total", 1, HOUR)]).await.1.unwrap();
        let refused = admit(buckets, &whose, &faster).await.1.unwrap_err();
        assert!(refused.reset.unwrap() <= Duration::from_millis(10), "{refused:?}");
        let deadline = Instant::now() + Duration::from_secs(5);
        while admit(buckets, &whose, &faster).await.1.is_err() {
            assert!(Instant::now() < deadline, "it does not fill");
        }
    }

    async fn concurrent_calls_are_admitted_up_to_the_limit(buckets: &impl Buckets) {
        let whose = account("a");
        let policies = [rate("total", 50, HOUR), places("total:concurrent", 20)];
        let calls = join_all((0..200).map(|_| admit(buckets, &whose, &policies))).await;
        let admitted: Vec<_> = calls.into_iter().filter(|(_, verdict)| verdict.is_ok()).collect();
        assert_eq!(admitted.len(), 20);
        let release = |call| buckets.release(&whose, &policies, &policies[..1], call);
        join_all(admitted.iter().map(|(call, _)| release(*call))).await;
        let calls = join_all((0..200).map(|_| admit(buckets, &whose, &policies[..1]))).await;
        assert_eq!(calls.iter().filter(|(_, verdict)| verdict.is_ok()).count(), 50);
    }
}

/// Sends calls of several callers for a while, some of which give their tokens back. Returns the
/// number of calls that did not, and the time.
async fn hammer(buckets: &impl Buckets, policies: &[Policy], time: Duration) -> (u64, Duration) {
    let whose = account("a");
    let start = Instant::now();
    let caller = async || {
        let mut kept = 0;
        while start.elapsed() < time {
            let (call, verdict) = admit(buckets, &whose, policies).await;
            match verdict {
                Ok(_) if fastrand::u8(..) < 64 => {
                    buckets.release(&whose, policies, policies, call).await.unwrap()
                }
                Ok(_) => kept += 1,
                Err(_) => {}
            }
            tokio::task::yield_now().await;
        }
        kept
    };
    let kept: u64 = join_all((0..8).map(|_| caller())).await.into_iter().sum();
    (kept, start.elapsed())
}

/// Checks that no more is admitted than the burst and what refilled in the time, at any rate; and
/// hardly less.
fn never_more_than_burst_and_refill<B: Buckets>(buckets: impl AsyncFn() -> Option<B>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 8,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let rates = (1_u64..30, 1_u64..40);
    let checked = runner.run(&rates, |(calls, millis)| {
        runtime.block_on(async {
            let Some(buckets) = buckets().await else { return Ok(()) };
            let policies =
                [rate("total", 1000, HOUR), rate("method", calls, Duration::from_millis(millis))];
            let (kept, time) = hammer(&buckets, &policies, Duration::from_millis(60)).await;
            let most = (calls + u64::try_from(time.as_micros()).unwrap() * calls / (millis * 1000))
                .min(1000);
            prop_assert!(kept <= most, "{} of {}", kept, most);
            prop_assert!(kept >= calls, "{} of {}", kept, calls);
            Ok(())
        })
    });
    checked.unwrap();
}

#[test]
fn never_more_than_burst_and_refill_in_memory() {
    never_more_than_burst_and_refill(async || Some(MemoryBuckets::default()));
}

#[cfg(feature = "redis")]
mod redis {
    use super::*;
    use crate::redis::{Script, tests::own_redis};

    #[test]
    fn never_more_than_burst_and_refill() {
        super::never_more_than_burst_and_refill(async || {
            Some(RedisBuckets::new(own_redis().await?))
        });
    }

    #[tokio::test]
    async fn release_counts_once_when_it_is_repeated() {
        let Some(redis) = own_redis().await else { return };
        let (buckets, whose) = (RedisBuckets::new(redis), account("a"));
        let policies = [rate("total", 10, HOUR), places("total:concurrent", 10)];
        let (call, _) = admit(&buckets, &whose, &policies).await;
        admit(&buckets, &whose, &policies).await.1.unwrap();
        for _ in 0..5 {
            buckets.release(&whose, &policies, &policies, call).await.unwrap();
        }
        assert_eq!(admit(&buckets, &whose, &policies[..1]).await.1.unwrap().remaining, 8);
        assert_eq!(admit(&buckets, &whose, &policies[1..]).await.1.unwrap().remaining, 8);
    }

    #[tokio::test]
    async fn slot_lasts_as_long_as_its_lease_is_renewed() {
        let Some(redis) = own_redis().await else { return };
        let lease = Duration::from_millis(150);
        let (dies, lives) = (
            RedisBuckets::with_lease(redis.clone(), lease),
            RedisBuckets::with_lease(redis, lease),
        );
        let (whose, policies) = (account("a"), [places("total:concurrent", 1)]);
        admit(&dies, &whose, &policies).await.1.unwrap();
        let start = Instant::now();
        while start.elapsed() < 3 * lease {
            assert!(
                admit(&lives, &whose, &policies).await.1.is_err(),
                "after {:?}",
                start.elapsed()
            );
        }
        drop(dies);
        let deadline = Instant::now() + Duration::from_secs(10);
        while admit(&lives, &whose, &policies).await.1.is_err() {
            assert!(Instant::now() < deadline, "the place is not free");
        }
    }

    #[tokio::test]
    async fn every_key_ends() {
        let Some(redis) = own_redis().await else { return };
        let (buckets, whose) = (RedisBuckets::new(redis.clone()), account("}{strange"));
        let policies = [
            rate("total", 2, Duration::from_secs(2)),
            rate("method", 60, HOUR),
            places("total:concurrent", 1),
        ];
        let (call, verdict) = admit(&buckets, &whose, &policies).await;
        verdict.unwrap();
        let lasts = async |key: &str| {
            let script = Script::new("return {redis.call('PTTL', KEYS[1])}");
            redis.run(&script, &[key], &[]).await.unwrap()[0]
        };
        let key = "quota:{account:}{strange}";
        let (bucket, set) = (lasts(key).await, lasts(&format!("{key}:total:concurrent")).await);
        assert!(
            (50_000..=60_000).contains(&bucket) && (10_000..=15_000).contains(&set),
            "{bucket} {set}"
        );
        buckets.release(&whose, &policies, &policies, call).await.unwrap();
        let mark = lasts(&format!("{key}:ended:{call:016x}")).await;
        assert!((500_000..=600_000).contains(&mark), "{mark}");
        // A shorter policy does not shorten the time of a longer one.
        admit(&buckets, &whose, &policies[..1]).await.1.unwrap();
        assert!((50_000..=60_000).contains(&lasts(key).await));
    }
}
