//! The rows of the failover rules: effect × class of the first attempt.

use super::*;

const EFFECTS: [Effect; 4] = [Effect::Read, Effect::Idempotent, Effect::Keyed, Effect::Once];

/// Returns the end of a call, and the attempts at each provider, if the first attempt, at `a`, ends
/// as `first`, and `b` would fulfil.
async fn row(effect: Effect, first: Act) -> (&'static str, Vec<usize>) {
    let bench = Bench::new(&[&[first, Act::Fulfil], &[Act::Fulfil]]);
    let outcome = bench.call(effect).await;
    assert_eq!(
        outcome.attempts.len(),
        bench.times_asked().iter().sum::<usize>(),
        "every attempt is recorded"
    );
    assert_eq!(bench.in_flight(), 0);
    (outcome.what(), bench.times_asked())
}

#[tokio::test(start_paused = true)]
async fn call_goes_on_to_the_next_provider_when_it_was_not_executed() {
    let rejections =
        [Act::Reject, Act::Status(401), Act::Status(402), Act::Status(403), Act::Status(429)];
    // Misdirected (RFC 9110 §15.5.20) and too early (RFC 8470): the server did not process them.
    let not_sent = [Act::NotSent, Act::Status(421), Act::Status(425)];
    for first in not_sent.into_iter().chain([Act::Unsupported]).chain(rejections) {
        for effect in EFFECTS {
            assert_eq!(row(effect, first).await, ("b", vec![1, 1]), "{effect:?} after {first:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn ambiguous_call_goes_on_only_when_that_does_no_harm() {
    for first in [
        Act::Ambiguous,
        Act::Hang,
        Act::Status(408),
        Act::Status(500),
        Act::Status(502),
        Act::Status(503),
        Act::Status(302),
    ] {
        for (effect, what, asked) in [
            (Effect::Read, "b", vec![1, 1]),
            (Effect::Idempotent, "b", vec![1, 1]),
            // The same provider with the same key, which fulfils the second time.
            (Effect::Keyed, "a", vec![2, 0]),
            (Effect::Once, "outcome-unknown", vec![1, 0]),
        ] {
            assert_eq!(row(effect, first).await, (what, asked), "{effect:?} after {first:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_request_is_wrong_everywhere() {
    for first in [
        Act::Invalid,
        Act::Status(400),
        Act::Status(404),
        Act::Status(407),
        Act::Status(423),
        Act::Status(409),
        Act::Status(422),
    ] {
        for effect in EFFECTS {
            assert_eq!(
                row(effect, first).await,
                ("invalid-request", vec![1, 0]),
                "{effect:?} after {first:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_ends_the_call() {
    for effect in EFFECTS {
        assert_eq!(row(effect, Act::Fulfil).await, ("a", vec![1, 0]), "{effect:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn keyed_call_stays_at_its_provider_after_an_ambiguous_attempt() {
    for second in [
        Act::NotSent,
        Act::Reject,
        Act::Ambiguous,
        Act::Invalid,
        Act::Unsupported,
        Act::Status(429),
    ] {
        let bench = Bench::new(&[&[Act::Ambiguous, second, Act::Fulfil], &[Act::Fulfil]]);
        let outcome = bench.call(Effect::Keyed).await;
        assert_eq!(
            (outcome.what(), bench.times_asked()),
            ("outcome-unknown", vec![2, 0]),
            "then {second:?}"
        );
        assert!(!outcome.error().is_retryable());
    }
}

#[tokio::test(start_paused = true)]
async fn once_call_fails_over_until_an_ambiguous_attempt() {
    let bench = Bench::new(&[&[Act::NotSent], &[Act::Ambiguous], &[Act::Fulfil]]);
    let outcome = bench.call(Effect::Once).await;
    assert_eq!(outcome.what(), "outcome-unknown");
    assert_eq!(outcome.attempts, [("a", AttemptClass::NotSent), ("b", AttemptClass::Ambiguous)]);
}

#[tokio::test(start_paused = true)]
async fn there_are_three_attempts_in_all() {
    let bench = Bench::new(&[&[Act::NotSent], &[Act::Reject], &[Act::Ambiguous], &[Act::Fulfil]]);
    let outcome = bench.call(Effect::Read).await;
    assert_eq!((outcome.what(), bench.times_asked()), ("provider-failed", vec![1, 1, 1, 0]));
    assert!(outcome.error().is_retryable(), "another call does no harm");
}

#[tokio::test(start_paused = true)]
async fn the_same_provider_is_asked_once_more_when_nobody_else_is_left() {
    for (act, asked) in
        [(Act::NotSent, 2), (Act::Ambiguous, 2), (Act::Reject, 1), (Act::Unsupported, 1)]
    {
        let alone = Bench::new(&[&[act]]);
        alone.call(Effect::Read).await;
        assert_eq!(alone.times_asked(), [asked], "{act:?}");
    }
    let two = Bench::new(&[&[Act::NotSent, Act::Fulfil], &[Act::Ambiguous]]);
    let outcome = two.call(Effect::Read).await;
    assert_eq!(
        outcome.attempts,
        [
            ("a", AttemptClass::NotSent),
            ("b", AttemptClass::Ambiguous),
            ("a", AttemptClass::Fulfilled)
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn retry_goes_to_a_provider_that_is_available() {
    let breaker = crate::provider::BreakerSettings { failures_in_a_row: 1, ..Default::default() };
    let settings = FailoverSettings { breaker, ..Default::default() };
    // `a` could be tried again at once, but its breaker has opened; `b` has sent `Retry-After`.
    let bench = Bench::with(
        &settings,
        &[&[Act::NotSent], &[Act::StatusLater(429, seconds(2)), Act::Fulfil]],
    );
    let begun = Instant::now();
    assert_eq!((bench.call(Effect::Once).await.what(), begun.elapsed().as_secs()), ("b", 2));
}

#[tokio::test(start_paused = true)]
async fn call_is_invalid_when_no_provider_supports_it() {
    let bench = Bench::new(&[&[Act::Unsupported], &[Act::Unsupported]]);
    let outcome = bench.call(Effect::Once).await;
    assert_eq!((outcome.what(), outcome.attempts.len()), ("invalid-request", 2));
    // The provider that is cooling down might support the call.
    let bench = Bench::new(&[&[Act::Status(429), Act::Fulfil], &[Act::Unsupported]]);
    bench.call(Effect::Read).await;
    let outcome = bench.call(Effect::Read).await;
    assert_eq!(
        (outcome.what(), outcome.attempts),
        ("no-provider", vec![("b", AttemptClass::Unsupported)])
    );
    // A provider that failed is more informative than one that does not support the call.
    let bench = Bench::new(&[&[Act::Ambiguous], &[Act::Unsupported]]);
    assert_eq!(bench.call(Effect::Read).await.what(), "provider-failed");
}

#[tokio::test(start_paused = true)]
async fn the_client_reads_only_what_is_public() {
    let outcome = Bench::new(&[&[Act::Invalid]]).call(Effect::Read).await;
    assert_eq!(outcome.error().detail(), "no such currency");
    assert_eq!(outcome.error().log_message(), Some("scripted"));
    for act in [Act::NotSent, Act::Ambiguous, Act::Reject, Act::Status(400), Act::Unsupported] {
        for effect in EFFECTS {
            let outcome = Bench::new(&[&[act]]).call(effect).await;
            let error = outcome.error();
            assert!(
                !error.detail().contains("scripted") && !error.detail().contains("400"),
                "{error:?}"
            );
            assert!(
                error
                    .log_message()
                    .is_some_and(|log| log.contains("scripted") || log.contains("400"))
            );
        }
    }
}
