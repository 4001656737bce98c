//! The promises of failover, whatever providers do, and in whatever order.

use proptest::prelude::{
    Just, ProptestConfig, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};

use super::*;

fn act() -> impl proptest::strategy::Strategy<Value = Act> {
    prop_oneof![
        Just(Act::Fulfil),
        Just(Act::NotSent),
        Just(Act::Reject),
        Just(Act::Ambiguous),
        Just(Act::Invalid),
        Just(Act::Unsupported),
        Just(Act::Hang),
        prop::sample::select(vec![400, 401, 404, 429, 500, 503]).prop_map(Act::Status),
        (prop::sample::select(vec![429, 503]), 0_u64..20)
            .prop_map(|(status, s)| Act::StatusLater(status, seconds(s))),
        (0_u64..15_000).prop_map(|millis| Act::FulfilAfter(Duration::from_millis(millis))),
    ]
}

use proptest::strategy::Strategy as _;

/// A call: its effect, its time, and when its client goes away, in milliseconds.
type Request = (Effect, u64, Option<u64>);

fn request() -> impl proptest::strategy::Strategy<Value = Request> {
    let effect = prop_oneof![
        Just(Effect::Read),
        Just(Effect::Idempotent),
        Just(Effect::Keyed),
        Just(Effect::Once)
    ];
    (effect, 1_u64..60_000, prop::option::of(0_u64..30_000))
}

/// Checks the attempts of a call against the rules of its effect.
fn check(
    effect: Effect,
    attempts: &[(&'static str, AttemptClass)],
    settings: &FailoverSettings,
) -> Result<(), String> {
    let at_most = |limit: u32, count: usize, what: &str| {
        if count <= limit as usize { Ok(()) } else { Err(format!("{count} {what}: {attempts:?}")) }
    };
    at_most(settings.max_attempts, attempts.len(), "attempts")?;
    for (provider, _) in attempts {
        let times = attempts.iter().filter(|(other, _)| other == provider).count();
        at_most(settings.repeats + 1, times, "attempts at one provider")?;
    }
    for (place, (provider, class)) in attempts.iter().enumerate() {
        let later = &attempts[place + 1..];
        let may_follow = match (class, effect) {
            (AttemptClass::Fulfilled | AttemptClass::Invalid | AttemptClass::Cancelled, _) => {
                later.is_empty()
            }
            (AttemptClass::Ambiguous, Effect::Once) => later.is_empty(),
            (AttemptClass::Ambiguous, Effect::Keyed) => {
                later.iter().all(|(other, _)| other == provider)
            }
            _ => true,
        };
        if !may_follow {
            return Err(format!("{effect:?}: {later:?} after {class:?} at {provider}"));
        }
    }
    Ok(())
}

async fn play(
    scripts: Vec<Vec<Act>>,
    requests: Vec<Request>,
    settings: FailoverSettings,
) -> Result<(), String> {
    let scripts: Vec<_> = scripts.iter().map(Vec::as_slice).collect();
    let bench = Bench::with(&settings, &scripts);
    let mut recorded = 0;
    for (effect, time, leaves) in requests {
        let call = call_within(Duration::from_millis(time), HeaderMap::new());
        let begun = Instant::now();
        let patience = Duration::from_millis(leaves.unwrap_or(u64::from(u32::MAX)));
        let answer = tokio::time::timeout(patience, ask(&bench.bound_to(&call), effect)).await;
        let attempts = attempts(&call);
        recorded += attempts.len();
        check(effect, &attempts, &settings)?;
        let limit = settings.total_timeout.min(Duration::from_millis(time));
        // The resolution of the timer.
        if begun.elapsed() > limit + Duration::from_millis(2) {
            return Err(format!("{:?} of {limit:?}", begun.elapsed()));
        }
        let fulfilled =
            attempts.iter().filter(|(_, class)| *class == AttemptClass::Fulfilled).count();
        let may_be_done = attempts.iter().any(|(_, class)| *class == AttemptClass::Ambiguous);
        let repeating_harms = matches!(effect, Effect::Keyed | Effect::Once);
        match answer {
            Ok(Ok(_)) if fulfilled == 1 => {}
            Ok(Err(error)) if fulfilled == 0 => {
                let code = error.code().name();
                if (code == "outcome-unknown") != (may_be_done && repeating_harms) {
                    return Err(format!("{effect:?} ended in {code} after {attempts:?}"));
                }
            }
            Err(_) if fulfilled == 0 => {}
            other => return Err(format!("{other:?} after {attempts:?}")),
        }
    }
    let asked: usize = bench.times_asked().iter().sum();
    let counted: u64 = {
        let health = bench.pool.health();
        let methods = health.providers.iter().flat_map(|provider| &provider.methods);
        methods.flat_map(|method| method.attempts.values()).sum()
    };
    if (recorded, recorded as u64) != (asked, counted) {
        return Err(format!("{asked} attempts, {recorded} recorded, {counted} counted"));
    }
    match (bench.in_flight(), bench.pool.core.budget.counts()) {
        (0, (0, 0)) => Ok(()),
        left => Err(format!("{left:?} left behind")),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_promises_hold(
        scripts in prop::collection::vec(prop::collection::vec(act(), 1..8), 1..4),
        requests in prop::collection::vec(request(), 1..12),
        max_attempts in 1_u32..6,
        repeats in 0_u32..3,
    ) {
        let settings = FailoverSettings { max_attempts, repeats, ..Default::default() };
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        let result = runtime.block_on(play(scripts, requests, settings));
        prop_assert!(result.is_ok(), "{}", result.unwrap_err());
    }

    #[test]
    fn statuses_are_classified(status in any::<u16>()) {
        let class = ProviderError::from_status(status).class();
        let expected = match status {
            401 | 402 | 403 | 429 => AttemptClass::Rejected,
            400..=499 => AttemptClass::Invalid,
            _ => AttemptClass::Ambiguous,
        };
        prop_assert_eq!(class, expected);
    }
}
