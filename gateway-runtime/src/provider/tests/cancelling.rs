//! Clients that go away, and code that panics: an attempt ends once in every case, and leaves
//! nothing behind.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use super::*;
use crate::provider::strategy::BreakerState;

#[tokio::test(start_paused = true)]
async fn an_attempt_whose_client_goes_away_is_recorded_as_cancelled() {
    let bench = Bench::new(&[&[Act::Hang]]);
    for _ in 0..30 {
        let call = call();
        let providers = bench.bound_to(&call);
        let left = tokio::time::timeout(seconds(2), ask(&providers, Effect::Once)).await;
        assert!(left.is_err());
        call.with_attempts(|attempts| {
            assert_eq!((attempts.len(), attempts[0].class), (1, AttemptClass::Cancelled));
            assert_eq!(attempts[0].latency.as_secs(), 2);
        });
        assert_eq!((bench.in_flight(), bench.pool.core.budget.counts()), (0, (0, 0)));
    }
    assert_eq!(bench.pool.health().providers[0].methods[3].breaker, BreakerState::Closed);
    assert_eq!(
        bench.pool.health().providers[0].methods[3].attempts,
        [(AttemptClass::Cancelled, 30)].into()
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_away_in_a_pause_leaves_no_repetition_behind() {
    let bench = Bench::new(&[&[Act::StatusLater(503, seconds(5))]]);
    let call = call();
    let providers = bench.bound_to(&call);
    {
        let asking = ask(&providers, Effect::Read);
        tokio::pin!(asking);
        assert!(tokio::time::timeout(seconds(1), &mut asking).await.is_err());
        assert_eq!(bench.pool.core.budget.counts(), (1, 1));
    }
    assert_eq!(bench.pool.core.budget.counts(), (0, 0));
    assert_eq!(attempts(&call), [("a", AttemptClass::Ambiguous)]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_at_its_deadline_was_not_left_by_its_client() {
    let bench = Bench::new(&[&[Act::Hang]]);
    let call = call_within(seconds(3), HeaderMap::new());
    let providers = bench.bound_to(&call);
    {
        // A caller of the future drops it at the deadline, without polling it again.
        let asking = ask(&providers, Effect::Once);
        tokio::pin!(asking);
        assert!(tokio::time::timeout(seconds(1), &mut asking).await.is_err());
        tokio::time::advance(seconds(5)).await;
    }
    call.with_attempts(|attempts| {
        assert_eq!(
            (attempts[0].class, &*attempts[0].reason),
            (AttemptClass::Ambiguous, "the call's deadline passed")
        );
    });
}

#[tokio::test(start_paused = true)]
async fn a_panic_counts_against_its_provider() {
    let bench = Bench::new(&[&[Act::Panic]]);
    for _ in 0..5 {
        let call = call();
        let providers = bench.bound_to(&call);
        let panicked = AssertUnwindSafe(ask(&providers, Effect::Once)).catch_unwind().await;
        assert!(panicked.is_err());
        assert_eq!((attempts(&call), bench.in_flight()), (vec![("a", AttemptClass::Ambiguous)], 0));
    }
    assert_eq!(bench.pool.health().providers[0].methods[3].breaker, BreakerState::Open);
}
