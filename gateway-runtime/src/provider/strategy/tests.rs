//! The order and the shares of each strategy.

use std::{collections::BTreeMap, sync::atomic::AtomicI64, time::Duration};

use proptest::prelude::{any, prop, prop_assert_eq, proptest};

use super::*;
use crate::{
    Country, Effect, Money, SourceLocation,
    base::spec::{CapabilityMethodSpec, CapabilitySpec},
    provider::tests::test_call::{call, call_from},
};

const HERE: SourceLocation = SourceLocation { file: file!(), line: line!() };
static METHOD: CapabilityMethodSpec =
    CapabilityMethodSpec { name: "rates", description: "", effect: Effect::Read };
static CAPABILITY: CapabilitySpec =
    CapabilitySpec { name: "RateSource", description: "", methods: &[], source: HERE };

/// Returns the names in the order of `strategy`, for the call with the sequence number `turn`.
fn order<'a>(
    strategy: &dyn Strategy,
    turn: usize,
    candidates: impl IntoIterator<Item = Candidate<'a>>,
) -> Vec<&'static str> {
    let call = call();
    let mut candidates: Candidates<'_> = candidates.into_iter().collect();
    strategy.order(&StrategyCall::new(&call, &CAPABILITY, &METHOD, &[], turn), &mut candidates);
    candidates.iter().map(Candidate::provider).collect()
}

/// Returns how often each candidate comes first in `calls` calls.
fn firsts<'a>(
    strategy: &dyn Strategy,
    calls: usize,
    candidates: impl Fn() -> Vec<Candidate<'a>>,
) -> BTreeMap<&'static str, usize> {
    let mut firsts = BTreeMap::new();
    for turn in 0..calls {
        *firsts.entry(order(strategy, turn, candidates())[0]).or_default() += 1;
    }
    firsts
}

fn plain(names: &[&'static str]) -> Vec<Candidate<'static>> {
    names.iter().copied().map(Candidate::new).collect()
}

fn usd(nanos: i64) -> Money {
    Money::literal(nanos, "USD")
}

#[test]
fn names_are_those_of_the_types() {
    let names = [
        RoundRobin.name(),
        Weighted.name(),
        Cheapest.name(),
        Fastest.name(),
        LeastBusy.name(),
        Ordered.name(),
    ];
    assert_eq!(names, ["RoundRobin", "Weighted", "Cheapest", "Fastest", "LeastBusy", "Ordered"]);
}

#[test]
fn round_robin_takes_turns_and_fails_over_to_the_next() {
    assert_eq!(order(&RoundRobin, 0, plain(&["a", "b", "c"])), ["a", "b", "c"]);
    assert_eq!(order(&RoundRobin, 1, plain(&["a", "b", "c"])), ["b", "c", "a"]);
    assert_eq!(order(&RoundRobin, 5, plain(&["a", "b", "c"])), ["c", "a", "b"]);
    assert_eq!(order(&RoundRobin, 7, plain(&[])), [""; 0]);
}

#[test]
fn weighted_spreads_evenly() {
    let credits = [const { AtomicI64::new(0) }; 3];
    let weights = [("a", 5), ("b", 1), ("c", 1)];
    let candidates = || {
        let views = weights.iter().zip(&credits);
        views.map(|((name, weight), credit)| {
            Candidate::new(name).with_weight(*weight).with_credit(credit)
        })
    };
    let first: String = (0..7).map(|turn| order(&Weighted, turn, candidates())[0]).collect();
    assert_eq!(first, "aabacaa");
}

#[test]
fn weight_zero_comes_last() {
    let credits = [const { AtomicI64::new(0) }; 3];
    for turn in 0..10 {
        let candidates = [("a", 0), ("b", 1), ("c", 3)].iter().zip(&credits);
        let candidates = candidates.map(|((name, weight), credit)| {
            Candidate::new(name).with_weight(*weight).with_credit(credit)
        });
        assert_eq!(order(&Weighted, turn, candidates)[2], "a");
    }
    let alone = [Candidate::new("a").with_weight(0)];
    assert_eq!(order(&Weighted, 0, alone), ["a"]);
}

proptest! {
    #[test]
    fn weighted_gives_each_exactly_its_share(
        weights in prop::collection::vec(1_u32..50, 1..6),
        rounds in 1_usize..4,
    ) {
        const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
        let credits = [const { AtomicI64::new(0) }; 6];
        let total: u32 = weights.iter().sum();
        let firsts = firsts(&Weighted, total as usize * rounds, || {
            let views = NAMES.iter().zip(&weights).zip(&credits);
            let candidates = views.map(|((name, weight), credit)| {
                Candidate::new(name).with_weight(*weight).with_credit(credit)
            });
            candidates.collect()
        });
        for (name, weight) in NAMES.iter().zip(&weights) {
            let share = *weight as usize * rounds;
            prop_assert_eq!(firsts.get(name).copied().unwrap_or_default(), share);
        }
    }

    #[test]
    fn every_strategy_keeps_every_candidate(
        turn in any::<usize>(),
        facts in prop::collection::vec(
            (
                0_u32..4,
                -2_i32..2,
                0_u32..3,
                prop::option::of(0_i64..3),
                prop::option::of(0_u64..3),
            ),
            0..7,
        ),
    ) {
        const NAMES: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g"];
        let credits = [const { AtomicI64::new(0) }; 7];
        let shipped: [&dyn Strategy; 6] =
            [&RoundRobin, &Weighted, &Cheapest, &Fastest, &LeastBusy, &Ordered];
        for strategy in shipped {
            let candidates = NAMES.iter().zip(&facts).zip(&credits).map(|((name, fact), credit)| {
                let (weight, place, in_flight, cost, latency) = *fact;
                let mut view = Candidate::new(name)
                    .with_weight(weight)
                    .with_order(place)
                    .with_in_flight(in_flight)
                    .with_credit(credit);
                if let Some(nanos) = cost {
                    view = view.with_cost(usd(nanos));
                }
                if let Some(millis) = latency {
                    view = view.with_latency(Duration::from_millis(millis));
                }
                view
            });
            let mut names = order(strategy, turn, candidates);
            names.sort_unstable();
            prop_assert_eq!(&names[..], &NAMES[..facts.len()]);
        }
    }
}

#[test]
fn cheapest_asks_unknown_costs_last_and_equals_in_turn() {
    let candidates = || {
        vec![
            Candidate::new("free").with_cost(usd(0)),
            Candidate::new("high").with_cost(usd(9)),
            Candidate::new("low").with_cost(usd(1)),
            Candidate::new("low2").with_cost(usd(1)),
            Candidate::new("unknown"),
        ]
    };
    for turn in 0..5 {
        let order = order(&Cheapest, turn, candidates());
        assert_eq!((order[0], order[3], order[4]), ("free", "high", "unknown"));
    }
    let tied = firsts(&Cheapest, 10, || candidates().split_off(1));
    assert_eq!(tied, [("low", 5), ("low2", 5)].into());
}

#[test]
fn cheapest_compares_within_one_currency() {
    for turn in 0..3 {
        let candidates = [
            Candidate::new("a").with_cost(usd(5)),
            Candidate::new("b").with_cost(Money::literal(1, "JPY")),
            Candidate::new("c").with_cost(usd(4)),
        ];
        assert_eq!(order(&Cheapest, turn, candidates), ["c", "a", "b"]);
    }
}

#[test]
fn fastest_prefers_the_faster_of_two() {
    let of = |millis| Duration::from_millis(millis);
    let candidates = || {
        vec![
            Candidate::new("fast").with_latency(of(10)),
            Candidate::new("medium").with_latency(of(50)),
            Candidate::new("slow").with_latency(of(100)),
        ]
    };
    let firsts = firsts(&Fastest, 3_000, candidates);
    // Of the three pairs, two contain the fastest, and in none is the slowest the better one.
    assert!((1_800..2_200).contains(&firsts["fast"]), "{firsts:?}");
    assert!((800..1_200).contains(&firsts["medium"]), "{firsts:?}");
    assert!(!firsts.contains_key("slow"));
    assert_eq!(order(&Fastest, 0, candidates())[2], "slow");
}

#[test]
fn fastest_tries_the_unknown_once() {
    let known = || Candidate::new("known").with_latency(Duration::from_millis(10));
    assert_eq!(order(&Fastest, 0, [known(), Candidate::new("new")])[0], "new");
    assert_eq!(order(&Fastest, 0, [known(), Candidate::new("new").with_in_flight(1)])[0], "known");
}

#[test]
fn least_busy_counts_what_is_in_flight() {
    let candidates = || {
        vec![
            Candidate::new("a").with_in_flight(2),
            Candidate::new("b").with_in_flight(1),
            Candidate::new("c").with_in_flight(1),
        ]
    };
    assert_eq!(order(&LeastBusy, 0, candidates())[2], "a");
    assert_eq!(firsts(&LeastBusy, 10, candidates), [("b", 5), ("c", 5)].into());
}

#[test]
fn ordered_goes_by_the_configured_order_then_the_name() {
    let candidates = [
        Candidate::new("b"),
        Candidate::new("a"),
        Candidate::new("z").with_order(-1),
        Candidate::new("c"),
    ];
    assert_eq!(order(&Ordered, 3, candidates), ["z", "a", "b", "c"]);
}

#[test]
fn a_strategy_sees_the_call_and_its_arguments() {
    struct Query {
        base: &'static str,
    }
    struct ByBase;
    impl Strategy for ByBase {
        fn order(&self, call: &StrategyCall<'_>, candidates: &mut Candidates<'_>) {
            let home = call.argument::<Query>().map(|query| query.base);
            let at_home =
                call.country() == Country::from_code("CH") && call.argument::<String>().is_none();
            candidates.retain(|candidate| at_home && Some(candidate.provider()) == home);
        }
    }
    let call = call_from(Country::from_code("ch"));
    let query = Query { base: "b" };
    let arguments: [&crate::base::cost::Argument; 2] = [&5_u8, &query];
    let mut candidates: Candidates<'_> = plain(&["a", "b"]).into_iter().collect();
    ByBase.order(&StrategyCall::new(&call, &CAPABILITY, &METHOD, &arguments, 0), &mut candidates);
    assert_eq!(candidates.iter().map(Candidate::provider).collect::<Vec<_>>(), ["b"]);
    assert_eq!(ByBase.name(), "ByBase");
}
