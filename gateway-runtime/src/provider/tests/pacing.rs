//! Timeouts of attempts and calls, pauses between attempts, and the retry budget.

use futures_util::future::join_all;

use super::*;

#[tokio::test(start_paused = true)]
async fn an_attempt_takes_ten_seconds_at_most() {
    let bench = Bench::new(&[&[Act::Hang], &[Act::Fulfil]]);
    let begun = Instant::now();
    let call = call();
    assert_eq!(ask(&bench.bound_to(&call), Effect::Read).await.unwrap(), "b");
    assert_eq!(begun.elapsed().as_secs(), 10);
    call.with_attempts(|attempts| {
        assert_eq!(
            (attempts[0].class, attempts[0].latency.as_secs()),
            (AttemptClass::Ambiguous, 10)
        );
        assert_eq!(attempts[0].reason, "no reply in time");
    });
}

#[tokio::test(start_paused = true)]
async fn all_attempts_take_thirty_seconds_at_most() {
    let settings = FailoverSettings {
        max_attempts: 9,
        repeats: 9,
        attempt_timeout: seconds(12),
        ..Default::default()
    };
    let bench = Bench::with(&settings, &[&[Act::Hang], &[Act::Hang]]);
    let begun = Instant::now();
    let outcome = bench.call(Effect::Read).await;
    assert_eq!(
        (outcome.what(), outcome.attempts.len(), begun.elapsed().as_secs()),
        ("timeout", 3, 30)
    );
    assert!(outcome.error().is_retryable());
}

#[tokio::test(start_paused = true)]
async fn the_calls_own_deadline_holds_too() {
    for (effect, what) in [
        (Effect::Read, "timeout"),
        (Effect::Keyed, "outcome-unknown"),
        (Effect::Once, "outcome-unknown"),
    ] {
        let bench = Bench::new(&[&[Act::Hang], &[Act::Hang]]);
        let begun = Instant::now();
        let call = call_within(seconds(3), HeaderMap::new());
        let error = Error::from(ask(&bench.bound_to(&call), effect).await.unwrap_err());
        assert_eq!((error.code().name(), begun.elapsed().as_secs()), (what, 3), "{effect:?}");
        assert_eq!(attempts(&call), [("a", AttemptClass::Ambiguous)]);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_after_the_deadline() {
    let bench = Bench::new(&[&[Act::Fulfil]]);
    let call = call_within(Duration::ZERO, HeaderMap::new());
    let error = ask(&bench.bound_to(&call), Effect::Once).await.unwrap_err();
    assert_eq!(error.code().name(), "timeout");
    assert_eq!(bench.times_asked(), [0]);
}

#[tokio::test(start_paused = true)]
async fn another_provider_is_asked_at_once_and_the_same_after_a_pause() {
    let begun = Instant::now();
    Bench::new(&[&[Act::NotSent], &[Act::NotSent], &[Act::Fulfil]]).call(Effect::Read).await;
    assert_eq!(begun.elapsed(), Duration::ZERO);
    let mut pauses = Vec::new();
    for _ in 0..200 {
        let bench = Bench::new(&[&[Act::NotSent, Act::Fulfil]]);
        let begun = Instant::now();
        bench.call(Effect::Read).await;
        pauses.push(begun.elapsed());
    }
    // Full jitter: any pause from zero to 100 ms (and the timer's millisecond).
    assert!(pauses.iter().all(|pause| *pause <= Duration::from_millis(101)));
    assert!(pauses.iter().any(|pause| *pause < Duration::from_millis(30)));
    assert!(pauses.iter().any(|pause| *pause > Duration::from_millis(70)));
}

#[tokio::test(start_paused = true)]
async fn pauses_double_up_to_two_seconds() {
    let settings = FailoverSettings { max_attempts: 9, repeats: 8, ..Default::default() };
    let mut longest = [Duration::ZERO; 8];
    for _ in 0..100 {
        let bench = Bench::with(
            &settings,
            &[&[Act::NotSent, Act::NotSent, Act::NotSent, Act::NotSent, Act::Fulfil]],
        );
        bench.call(Effect::Read).await;
        let asked = bench.scripts[0].asked.lock().unwrap().clone();
        for (longest, pair) in longest.iter_mut().zip(asked.windows(2)) {
            *longest = (*longest).max(pair[1] - pair[0]);
        }
    }
    for (pause, most) in longest.iter().zip([100, 200, 400, 800]) {
        let pause = pause.as_millis();
        assert!(pause <= most + 1 && pause > most * 3 / 4, "{pause} of {most}");
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_honoured_within_the_deadline() {
    for (act, waited, what) in [
        (Act::StatusLater(429, seconds(4)), 4, "a"),
        (Act::StatusLater(503, seconds(4)), 4, "a"),
        (Act::StatusLater(429, seconds(100)), 0, "provider-failed"),
        (Act::StatusLater(503, seconds(100)), 0, "provider-failed"),
    ] {
        let bench = Bench::new(&[&[act, Act::Fulfil]]);
        let begun = Instant::now();
        let outcome = bench.call(Effect::Read).await;
        assert_eq!((outcome.what(), begun.elapsed().as_secs()), (what, waited), "{act:?}");
        if what == "provider-failed" {
            assert_eq!(outcome.error().retry_after(), Some(seconds(100)), "the client is told too");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_repetition_after_a_failure_that_took_load_needs_the_budget() {
    // Fifty calls hang at `a`; a fifth of them may go on to `b` at one time.
    let slow = Act::FulfilAfter(seconds(1));
    let settings = FailoverSettings {
        breaker: crate::provider::BreakerSettings {
            failures_in_a_row: 1_000,
            min_calls: 1_000,
            ..Default::default()
        },
        ..Default::default()
    };
    let bench = Bench::with(&settings, &[&[Act::Hang], &[slow]]);
    let outcomes = join_all((0..50).map(|_| bench.call(Effect::Read))).await;
    let answered = outcomes.iter().filter(|outcome| outcome.answer.is_ok()).count();
    assert!((3..=10).contains(&answered), "{answered}");
    assert_eq!(bench.times_asked()[1], answered);
    // A call that never reached `a` is no load there, so all of them go on.
    let bench = Bench::with(&settings, &[&[Act::NotSent], &[slow]]);
    let outcomes = join_all((0..50).map(|_| bench.call(Effect::Read))).await;
    assert!(outcomes.iter().all(|outcome| outcome.what() == "b"));
    assert_eq!(bench.pool.core.budget.counts(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_capped_for_the_client_and_for_the_gateway() {
    let hour = seconds(3_600);
    for (status, delay) in
        [(429, 99_999_999_999), (503, 99_999_999_999), (503, u64::MAX), (408, 7_200)]
    {
        let bench = Bench::new(&[&[Act::StatusLater(status, seconds(delay))]]);
        let outcome = bench.call(Effect::Read).await;
        assert_eq!(outcome.error().retry_after(), Some(hour), "{status} {delay}");
        let retry_after = bench.pool.health().providers[0].methods[0].retry_after;
        assert_eq!(retry_after, (status == 429).then_some(hour));
    }
    // The limit also holds for an error that never passes through a pool.
    let error = Error::from(ProviderError::no_provider(Duration::MAX, String::new()));
    assert_eq!(error.retry_after(), Some(seconds(86_400)));
}
