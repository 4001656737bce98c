//! The choice of a provider: settings, breakers, set aside and cool-down; `named` and `sticky`;
//! strategies.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use futures_util::future::join_all;

use super::*;
use crate::{
    Country, Money,
    provider::{
        BreakerSettings,
        strategy::{
            BreakerState, Candidates, Cheapest, Fastest, LeastBusy, RoundRobin, StrategyCall,
            Weighted,
        },
    },
};

/// Returns the state of the breaker of `read` at each provider.
fn breakers(bench: &Bench) -> Vec<BreakerState> {
    bench.pool.health().providers.iter().map(|provider| provider.methods[0].breaker).collect()
}

/// Opens the breaker of `read` at each provider, by five calls.
async fn open_all(bench: &Bench) {
    for _ in 0..5 {
        bench.call(Effect::Read).await;
    }
    assert!(breakers(bench).iter().all(|state| *state == BreakerState::Open));
}

/// Enough failures to open each provider's breaker, when each call tries all of them once.
const FIVE_TIMES: [Act; 6] =
    [Act::NotSent, Act::NotSent, Act::NotSent, Act::NotSent, Act::NotSent, Act::Fulfil];

fn one_attempt_each() -> FailoverSettings {
    FailoverSettings { repeats: 0, ..Default::default() }
}

async fn who(bench: &Bench) -> &'static str {
    bench.call(Effect::Read).await.what()
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_spares_the_provider() {
    let bench = Bench::new(&[&[Act::NotSent], &[Act::Fulfil]]);
    for _ in 0..5 {
        assert_eq!(who(&bench).await, "b");
    }
    assert_eq!(bench.times_asked(), [5, 5]);
    for _ in 0..5 {
        assert_eq!(who(&bench).await, "b");
    }
    assert_eq!(bench.times_asked(), [5, 10]);
    assert_eq!(bench.bound_to(&call()).idempotent(&Query::default()).await.unwrap(), "b");
    assert_eq!(bench.times_asked(), [6, 11], "another method has a breaker of its own");
}

#[tokio::test(start_paused = true)]
async fn three_calls_probe_when_other_providers_work() {
    let slow = Act::FulfilAfter(seconds(1));
    let script = [&FIVE_TIMES[..5], &[slow; 5]].concat();
    let bench = Bench::with(&one_attempt_each(), &[&script, &[Act::Fulfil]]);
    for _ in 0..5 {
        bench.call(Effect::Read).await;
    }
    sleep(seconds(6)).await;
    let outcomes = join_all((0..10).map(|_| bench.call(Effect::Read))).await;
    let probes = outcomes.iter().filter(|outcome| outcome.what() == "a").count();
    assert_eq!((probes, breakers(&bench)[0]), (3, BreakerState::Closed));
}

#[tokio::test(start_paused = true)]
async fn one_call_probes_and_the_others_wait_when_all_breakers_are_open() {
    let slow = [&FIVE_TIMES[..5], &[Act::FulfilAfter(seconds(1))]].concat();
    let bench = Bench::with(&one_attempt_each(), &[&slow, &slow, &slow]);
    open_all(&bench).await;
    let outcome = bench.call(Effect::Read).await;
    assert_eq!((outcome.what(), outcome.error().is_retryable()), ("no-provider", true));
    let wait = outcome.error().retry_after().unwrap();
    assert!(wait == seconds(5) || wait == seconds(6), "{wait:?}");
    assert!(
        outcome.error().log_message().unwrap().contains("b is cooling down for"),
        "{outcome:?}"
    );
    // All are due, but only one of many calls gets through, to one of them.
    sleep(seconds(6)).await;
    let asked = bench.times_asked().iter().sum::<usize>();
    let outcomes = join_all((0..10).map(|_| bench.call(Effect::Read))).await;
    assert_eq!(bench.times_asked().iter().sum::<usize>(), asked + 1);
    let refused: Vec<_> = outcomes.iter().filter(|outcome| outcome.answer.is_err()).collect();
    assert_eq!(refused.len(), 9);
    assert!(
        refused
            .iter()
            .all(|refused| refused.what() == "no-provider"
                && refused.error().retry_after().is_some())
    );
    // After its success the same breaker lets three through.
    let outcomes = join_all((0..10).map(|_| bench.call(Effect::Read))).await;
    assert!(outcomes.iter().filter(|outcome| outcome.answer.is_ok()).count() >= 3);
}

#[tokio::test(start_paused = true)]
async fn single_probe_goes_to_the_provider_that_is_due_first() {
    for _ in 0..8 {
        let bench = Bench::with(&one_attempt_each(), &[&FIVE_TIMES, &FIVE_TIMES]);
        open_all(&bench).await;
        let health = bench.pool.health();
        let wait = |place: usize| health.providers[place].methods[0].retry_after;
        let first = if wait(0) < wait(1) { "a" } else { "b" };
        sleep(seconds(6)).await;
        assert_eq!(who(&bench).await, first);
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_was_left_by_its_client_lets_another_probe() {
    let script = [&FIVE_TIMES[..5], &[Act::Hang, Act::Fulfil]].concat();
    let bench = Bench::with(&one_attempt_each(), &[&script]);
    open_all(&bench).await;
    sleep(seconds(6)).await;
    {
        let left = bench.call(Effect::Read);
        assert!(tokio::time::timeout(seconds(1), left).await.is_err());
    }
    assert_eq!(who(&bench).await, "a");
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_set_a_provider_aside_with_all_its_methods() {
    for status in [401, 402, 403] {
        let bench = Bench::new(&[&[Act::Status(status), Act::Fulfil], &[Act::Fulfil]]);
        assert_eq!(who(&bench).await, "b");
        assert_eq!(bench.bound_to(&call()).once(&Query::default()).await.unwrap(), "b");
        sleep(seconds(59)).await;
        assert_eq!((who(&bench).await, bench.times_asked()[0]), ("b", 1));
        assert_eq!(
            bench.pool.health().providers[0].set_aside.map(|left| left.as_millis()),
            Some(1_000)
        );
        sleep(seconds(1)).await;
        assert_eq!(who(&bench).await, "a");
    }
}

#[tokio::test(start_paused = true)]
async fn too_many_requests_cool_a_method_down() {
    for (act, cool_down) in [(Act::Status(429), 5), (Act::StatusLater(429, seconds(20)), 20)] {
        let bench = Bench::new(&[&[act, Act::Fulfil], &[Act::Fulfil]]);
        assert_eq!(who(&bench).await, "b");
        assert_eq!(
            bench.bound_to(&call()).once(&Query::default()).await.unwrap(),
            "a",
            "only this method"
        );
        sleep(seconds(cool_down) - Duration::from_millis(2)).await;
        assert_eq!(who(&bench).await, "b");
        sleep(Duration::from_millis(2)).await;
        assert_eq!(who(&bench).await, "a");
    }
    let bench = Bench::new(&[&[Act::StatusLater(429, seconds(1_000_000)), Act::Fulfil]]);
    bench.call(Effect::Read).await;
    assert_eq!(
        bench.call(Effect::Read).await.error().retry_after(),
        Some(seconds(3_600)),
        "an hour at most"
    );
}

#[tokio::test(start_paused = true)]
async fn what_opens_a_breaker_and_what_does_not() {
    let five_of = |act| Bench::with(&one_attempt_each(), &[&[act][..]]);
    for act in [
        Act::NotSent,
        Act::Ambiguous,
        Act::Status(500),
        Act::Status(503),
        Act::Hang,
        Act::Status(302),
    ] {
        let bench = five_of(act);
        open_all(&bench).await;
    }
    for act in [Act::Invalid, Act::Status(404), Act::Status(422), Act::Unsupported, Act::Reject] {
        let bench = five_of(act);
        for _ in 0..30 {
            bench.call(Effect::Read).await;
        }
        assert_eq!(
            (breakers(&bench), bench.times_asked()),
            (vec![BreakerState::Closed], vec![30]),
            "{act:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn switches_work_at_once() {
    let bench = Bench::new(&[&[Act::Fulfil], &[Act::Fulfil]]);
    assert_eq!(who(&bench).await, "a");
    let (first, second) = (&bench.providers[0], &bench.providers[1]);
    first.apply(&ProviderSettings { enabled: false, ..first.settings() });
    assert_eq!(who(&bench).await, "b");
    first.apply(&ProviderSettings { enabled: true, order: 1, ..first.settings() });
    assert_eq!(who(&bench).await, "b");
    first.apply(&ProviderSettings { enabled: false, ..first.settings() });
    second.apply(&ProviderSettings { enabled: false, ..second.settings() });
    let outcome = bench.call(Effect::Read).await;
    assert_eq!((outcome.what(), outcome.error().retry_after()), ("no-provider", Some(seconds(1))));
    assert!(outcome.error().log_message().unwrap().ends_with("a is disabled, b is disabled"));
}

#[tokio::test]
async fn a_call_sees_the_whole_of_a_change_of_switches() {
    /// Returns whether weight and order are the same number, and at most 1 exactly if the provider
    /// is enabled.
    fn is_whole(enabled: bool, weight: u32, order: i32) -> bool {
        i64::from(weight) == i64::from(order) && enabled == (weight <= 1)
    }
    struct Whole;
    impl Strategy for Whole {
        fn order(&self, _: &StrategyCall<'_>, candidates: &mut Candidates<'_>) {
            assert!(candidates.iter().all(|it| is_whole(true, it.weight(), it.order())));
        }
    }
    let mut bench = Bench::new(&[&[Act::Fulfil]]);
    bench.strategy = Arc::new(Whole);
    let (provider, stop) = (Arc::clone(&bench.providers[0]), Arc::new(AtomicBool::new(false)));
    let set = |number: i32| ProviderSettings {
        enabled: number <= 1,
        weight: number.unsigned_abs(),
        order: number,
    };
    provider.apply(&set(0));
    let stopped = Arc::clone(&stop);
    let changing = std::thread::spawn(move || {
        for number in (0..=2).cycle().take_while(|_| !stopped.load(Relaxed)) {
            provider.apply(&set(number));
        }
    });
    for _ in 0..10_000 {
        assert!(matches!(who(&bench).await, "a" | "no-provider"));
        let ProviderSettings { enabled, weight, order } = bench.providers[0].settings();
        assert!(is_whole(enabled, weight, order));
    }
    stop.store(true, Relaxed);
    changing.join().unwrap();
}

#[tokio::test(start_paused = true)]
async fn without_providers_there_is_no_provider() {
    let bench = Bench::new(&[]);
    assert_eq!(who(&bench).await, "no-provider");
    assert!(bench.bound_to(&call()).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_named_provider_is_asked_and_no_other() {
    let bench = Bench::new(&[&[Act::Fulfil], &[Act::NotSent], &[Act::Fulfil]]);
    let call = call();
    let providers = bench.bound_to(&call);
    assert_eq!((providers.len(), providers.names().collect::<Vec<_>>()), (3, vec!["a", "b", "c"]));
    let error = providers.named("b").unwrap().read(&Query::default()).await.unwrap_err();
    assert_eq!(error.code().name(), "provider-failed");
    assert_eq!(attempts(&call), [("b", AttemptClass::NotSent), ("b", AttemptClass::NotSent)]);
    bench.providers[1].apply(&ProviderSettings { enabled: false, ..Default::default() });
    let error = providers.named("b").unwrap().read(&Query::default()).await.unwrap_err();
    assert_eq!(error.code().name(), "no-provider");
    let error = Error::from(providers.named("x").unwrap_err());
    assert_eq!((error.code().name(), error.detail()), ("invalid-request", "unknown provider"));
    assert!(error.log_message().unwrap().contains("registered: a, b, c"));
}

#[tokio::test(start_paused = true)]
async fn a_sticky_key_returns_to_its_provider() {
    let mut bench = Bench::new(&[&[Act::Fulfil], &[Act::Fulfil], &[Act::Fulfil]]);
    bench.strategy = Arc::new(RoundRobin);
    let ask = async |key: &str| {
        bench.bound_to(&call()).sticky(key).read(&Query::default()).await.unwrap()
    };
    let mut given = std::collections::BTreeSet::new();
    for key in ["x", "y", "z", "u", "v", "w"] {
        let first = ask(key).await;
        given.insert(first);
        for _ in 0..4 {
            assert_eq!(ask(key).await, first);
        }
    }
    assert_eq!(given.len(), 3, "keys are spread by the strategy");
}

#[tokio::test(start_paused = true)]
async fn sticky_key_stays_with_the_first_success_and_fails_over_for_single_calls() {
    let bench =
        Bench::new(&[&[Act::NotSent, Act::Fulfil], &[Act::Fulfil, Act::NotSent, Act::Fulfil]]);
    let ask = async || bench.bound_to(&call()).sticky("key").read(&Query::default()).await.unwrap();
    // `a` was chosen, but `b` succeeded, so the key is assigned to `b` from then on.
    assert_eq!(ask().await, "b");
    assert_eq!(ask().await, "a", "b fails once");
    assert_eq!(ask().await, "b");
    assert_eq!(bench.times_asked(), [2, 3]);
}

#[tokio::test(start_paused = true)]
async fn two_first_calls_of_a_key_agree() {
    let slow = Act::FulfilAfter(seconds(1));
    let mut bench = Bench::new(&[&[slow], &[slow], &[slow]]);
    bench.strategy = Arc::new(RoundRobin);
    let call = call();
    let providers = bench.bound_to(&call).sticky("key");
    let answers = join_all((0..6).map(|_| ask(&providers, Effect::Read))).await;
    let first = *answers[0].as_ref().unwrap();
    assert!(answers.iter().all(|answer| *answer.as_ref().unwrap() == first));
}

#[tokio::test(start_paused = true)]
async fn the_memory_of_sticky_keys_is_bounded() {
    let settings = FailoverSettings { sticky_keys: 2, ..Default::default() };
    let mut bench = Bench::with(&settings, &[&[Act::Fulfil], &[Act::Fulfil]]);
    bench.strategy = Arc::new(RoundRobin);
    let ask = async |key: &str| {
        bench.bound_to(&call()).sticky(key).read(&Query::default()).await.unwrap()
    };
    let turns = [
        ask("x").await,
        ask("y").await,
        ask("x").await,
        ask("z").await,
        ask("x").await,
        ask("y").await,
    ];
    // `y` is the least recently used key when `z` comes, so the sixth call assigns it anew.
    assert_eq!(turns, ["a", "b", "a", "b", "a", "b"]);
    assert_eq!(ask("z").await, "a", "and `z` was the next to go");
}

#[tokio::test(start_paused = true)]
async fn strategies_see_what_the_pool_measures() {
    let by = |millis| Act::FulfilAfter(Duration::from_millis(millis));
    let mut bench = Bench::new(&[&[by(50)], &[by(10)]]);
    bench.strategy = Arc::new(Fastest);
    let mut answers = Vec::new();
    for _ in 0..10 {
        answers.push(who(&bench).await);
    }
    assert!(answers[2..].iter().all(|answer| *answer == "b"), "{answers:?}");

    let mut bench = Bench::new(&[&[Act::Hang], &[Act::Hang], &[Act::Hang]]);
    bench.strategy = Arc::new(LeastBusy);
    let calls = join_all((0..9).map(|_| bench.call(Effect::Once)));
    assert!(tokio::time::timeout(seconds(1), calls).await.is_err());
    assert_eq!(bench.times_asked(), [3, 3, 3]);

    let mut bench = Bench::new(&[&[Act::Fulfil], &[Act::Fulfil]]);
    bench.strategy = Arc::new(Weighted);
    bench.providers[0].apply(&ProviderSettings { weight: 3, ..Default::default() });
    for _ in 0..8 {
        who(&bench).await;
    }
    assert_eq!(bench.times_asked(), [6, 2]);
}

#[tokio::test(start_paused = true)]
async fn turns_are_taken_for_each_method_by_itself() {
    let mut bench = Bench::new(&[&[Act::Fulfil], &[Act::Fulfil]]);
    bench.strategy = Arc::new(RoundRobin);
    let mut answers = Vec::new();
    for effect in [Effect::Read, Effect::Once, Effect::Read, Effect::Once] {
        answers.push(bench.call(effect).await.what());
    }
    assert_eq!(answers, ["a", "a", "b", "b"]);
}

#[tokio::test(start_paused = true)]
async fn costs_of_the_request_decide_and_are_recorded() {
    const PER_ITEM: Cost = Cost::PerRequest(|arguments| {
        let size = crate::provider::argument::<Query>(arguments, 0)?.size;
        Money::literal(10, "USD").checked_mul(size)
    });
    let flat = Cost::Flat(Money::literal(100, "USD"));
    let fulfil: &[Act] = &[Act::Fulfil];
    let mut bench = Bench::with_costs(
        &FailoverSettings::default(),
        &[fulfil, fulfil, fulfil],
        &[Cost::Unknown, flat, PER_ITEM],
    );
    bench.strategy = Arc::new(Cheapest);
    for (size, answer, cost) in [(9, "c", 90), (11, "b", 100)] {
        let call = call();
        assert_eq!(bench.bound_to(&call).read(&Query { size }).await.unwrap(), answer);
        call.with_attempts(|attempts| {
            assert_eq!(attempts[0].cost, Some(Money::literal(cost, "USD")))
        });
    }
}

#[tokio::test(start_paused = true)]
async fn candidate_is_never_tried_when_the_strategy_removes_it() {
    struct NotA;
    impl Strategy for NotA {
        fn order(&self, call: &StrategyCall<'_>, candidates: &mut Candidates<'_>) {
            assert_eq!((call.capability().name, call.country()), ("Source1", None::<Country>));
            candidates.retain(|candidate| candidate.provider() != "a");
        }
    }
    let settings = FailoverSettings {
        repeats: 0,
        breaker: BreakerSettings { failures_in_a_row: 1, ..Default::default() },
        ..Default::default()
    };
    let mut bench = Bench::with(&settings, &[&[Act::Fulfil], &[Act::NotSent]]);
    bench.strategy = Arc::new(NotA);
    assert_eq!(who(&bench).await, "provider-failed");
    assert_eq!(who(&bench).await, "no-provider");
    sleep(seconds(6)).await;
    assert_eq!((who(&bench).await, bench.times_asked()), ("provider-failed", vec![0, 2]));
}
