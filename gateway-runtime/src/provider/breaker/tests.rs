//! The states of the breaker, on a simulated clock.

use std::time::Duration;

use proptest::prelude::{Just, any, prop, prop_assert, prop_oneof, proptest};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// A breaker with the default settings, and the time.
struct Bench {
    settings: BreakerSettings,
    breaker: Breaker,
    now: Instant,
}

impl Bench {
    fn new() -> Self {
        let (settings, now) = (BreakerSettings::default(), Instant::now());
        Self { breaker: Breaker::new(&settings, now), settings, now }
    }

    fn acquire(&self) -> Option<Permit> {
        self.breaker.acquire(self.now, false, &self.settings)
    }

    fn record(&self, permit: Permit, sample: Sample) -> Option<Transition> {
        self.breaker.record(permit, sample, self.now, &self.settings)
    }

    fn availability(&self) -> Availability {
        self.breaker.availability(self.now, &self.settings)
    }

    /// Sends one call that ends at once.
    fn call(&self, sample: Sample) -> Option<Transition> {
        self.record(self.acquire().expect("the breaker lets calls through"), sample)
    }

    fn fail(&self, times: u32) -> Option<Transition> {
        (0..times).fold(None, |_, _| self.call(Sample::Failure))
    }

    /// Fails until the breaker opens, and returns for how long it is open.
    fn open(&self) -> Duration {
        match self.fail(self.settings.failures_in_a_row) {
            Some(Transition::Opened(length)) => length,
            other => panic!("{other:?}"),
        }
    }

    /// Advances the time until an open breaker is due.
    fn wait(&mut self) {
        match self.availability() {
            Availability::Until(until) => self.now = until,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn breaker_opens_after_five_failures_in_a_row() {
    let bench = Bench::new();
    assert_eq!(bench.fail(4), None);
    bench.call(Sample::Success);
    assert_eq!(bench.fail(4), None);
    assert!(matches!(bench.call(Sample::Failure), Some(Transition::Opened(_))));
    assert_eq!((bench.acquire().is_none(), bench.breaker.state()), (true, BreakerState::Open));
}

#[test]
fn breaker_opens_with_that_of_another_gateway() {
    let mut bench = Bench::new();
    let open = |bench: &Bench, seconds: u32, openings| {
        let until = bench.now + seconds * SECOND;
        bench.breaker.open_until(until, until + SECOND, openings)
    };
    assert!(open(&bench, 5, 2) && bench.acquire().is_none());
    // An event that is repeated, or that ends sooner, changes nothing.
    assert!(!open(&bench, 5, 2) && !open(&bench, 3, 9));
    assert_eq!(bench.availability(), Availability::Until(bench.now + 6 * SECOND));
    bench.wait();
    let probe = bench.acquire().unwrap();
    assert!(probe.is_probe());
    // The breaker opens for as long as if it had opened as often itself.
    let transition = bench.record(probe, Sample::Failure);
    assert!(matches!(transition, Some(Transition::Opened(length)) if length > 17 * SECOND));
    bench.wait();
    let probe = bench.acquire().unwrap();
    assert!(open(&bench, 1, 0), "one that probes leaves off");
    assert_eq!((bench.record(probe, Sample::Failure), bench.acquire().is_none()), (None, true));
    bench.wait();
    for _ in 0..2 {
        bench.call(Sample::Success);
    }
    assert_eq!(bench.breaker.state(), BreakerState::Closed);
}

#[test]
fn breaker_opens_when_half_of_twenty_calls_fail() {
    let bench = Bench::new();
    for _ in 0..9 {
        assert_eq!(bench.call(Sample::Failure), None);
        assert_eq!(bench.call(Sample::Success), None);
    }
    assert_eq!(bench.call(Sample::Success), None, "nineteen calls decide nothing");
    assert!(matches!(bench.call(Sample::Failure), Some(Transition::Opened(_))));
}

#[test]
fn breaker_stays_closed_when_less_than_half_fail() {
    let bench = Bench::new();
    for _ in 0..100 {
        bench.call(Sample::Success);
        bench.call(Sample::Failure);
        assert_eq!(bench.call(Sample::Success), None);
    }
    assert_eq!(bench.breaker.state(), BreakerState::Closed);
}

#[test]
fn failures_of_long_ago_do_not_count() {
    let mut bench = Bench::new();
    for _ in 0..9 {
        bench.call(Sample::Failure);
        bench.call(Sample::Success);
    }
    bench.now += 31 * SECOND;
    for _ in 0..12 {
        bench.call(Sample::Success);
    }
    for _ in 0..4 {
        assert_eq!(bench.call(Sample::Failure), None);
    }
}

#[test]
fn ignored_samples_do_not_count() {
    let bench = Bench::new();
    bench.fail(4);
    assert_eq!(bench.call(Sample::Ignored), None);
    assert!(
        matches!(bench.call(Sample::Failure), Some(Transition::Opened(_))),
        "they are still in a row"
    );
}

#[test]
fn breaker_stays_open_for_five_seconds_doubling_to_sixty() {
    for _ in 0..20 {
        let mut bench = Bench::new();
        let mut lengths = vec![bench.open()];
        for _ in 0..5 {
            bench.wait();
            match bench.call(Sample::Failure) {
                Some(Transition::Opened(length)) => lengths.push(length),
                other => panic!("{other:?}"),
            }
        }
        for (length, expected) in lengths.iter().zip([5.0, 10.0, 20.0, 40.0, 60.0, 60.0]) {
            let part = length.as_secs_f64() / expected;
            assert!((0.9..=1.1).contains(&part), "{length:?} of {expected}");
        }
        assert!(
            lengths.iter().any(|length| length.subsec_nanos() != 0),
            "no two come back at once"
        );
    }
}

#[test]
fn half_open_breaker_lets_three_through_and_closes_after_two_successes() {
    let mut bench = Bench::new();
    bench.open();
    bench.wait();
    assert_eq!(bench.availability(), Availability::Due(bench.now));
    let permits: Vec<_> = std::iter::from_fn(|| bench.acquire()).take(9).collect();
    assert_eq!((permits.len(), bench.availability()), (3, Availability::ProbesInFlight));
    assert_eq!(bench.record(permits[0], Sample::Success), None);
    assert_eq!(bench.availability(), Availability::Ready(BreakerState::HalfOpen));
    assert_eq!(bench.record(permits[1], Sample::Success), Some(Transition::Closed));
    assert_eq!(
        bench.record(permits[2], Sample::Failure),
        None,
        "it was let through before the breaker closed"
    );
    assert_eq!(bench.availability(), Availability::Ready(BreakerState::Closed));
    assert!((4.5..=5.5).contains(&bench.open().as_secs_f64()), "the doubling begins anew");
}

#[test]
fn half_open_breaker_opens_after_one_failure() {
    let mut bench = Bench::new();
    bench.open();
    bench.wait();
    let permits = [bench.acquire().unwrap(), bench.acquire().unwrap()];
    bench.record(permits[0], Sample::Success);
    assert!(matches!(bench.record(permits[1], Sample::Failure), Some(Transition::Opened(_))));
    assert!(bench.acquire().is_none());
}

#[test]
fn permit_is_returned_when_its_probe_is_cancelled() {
    let mut bench = Bench::new();
    bench.open();
    bench.wait();
    let permits: Vec<_> = std::iter::from_fn(|| bench.acquire()).take(9).collect();
    bench.record(permits[1], Sample::Ignored);
    assert!(bench.acquire().is_some() && bench.acquire().is_none());
}

#[test]
fn a_permit_that_is_never_returned_expires() {
    let mut bench = Bench::new();
    bench.open();
    bench.wait();
    let lost: Vec<_> = std::iter::from_fn(|| bench.acquire()).take(9).collect();
    bench.now += bench.settings.permit_timeout - SECOND;
    assert!(bench.acquire().is_none());
    bench.now += SECOND;
    let permit = bench.acquire().expect("the lost ones have expired");
    assert_eq!(bench.record(lost[0], Sample::Failure), None, "it comes too late to be heard");
    assert_eq!(bench.record(permit, Sample::Success), None);
    assert_eq!(bench.call(Sample::Success), Some(Transition::Closed));
}

#[test]
fn a_single_probe_comes_alone_until_it_succeeds() {
    let mut bench = Bench::new();
    bench.open();
    bench.wait();
    let single = |bench: &Bench| bench.breaker.acquire(bench.now, true, &bench.settings);
    let probe = single(&bench).unwrap();
    assert_eq!(
        (single(&bench).is_none(), bench.availability()),
        (true, Availability::SingleProbeInFlight)
    );
    bench.record(probe, Sample::Ignored);
    assert_eq!(
        bench.availability(),
        Availability::Due(bench.now),
        "nothing is known yet, somebody else may try"
    );
    let probe = single(&bench).unwrap();
    bench.record(probe, Sample::Success);
    assert_eq!(std::iter::from_fn(|| single(&bench)).take(9).count(), 3);
}

#[test]
fn probe_is_no_longer_single_when_another_provider_is_back() {
    let mut bench = Bench::new();
    bench.open();
    bench.wait();
    assert!(bench.breaker.acquire(bench.now, true, &bench.settings).is_some());
    assert!(bench.acquire().is_some() && bench.acquire().is_some() && bench.acquire().is_none());
}

#[test]
fn a_cool_down_lets_nothing_through_and_changes_nothing_else() {
    let mut bench = Bench::new();
    bench.fail(4);
    let until = bench.now + 7 * SECOND;
    bench.breaker.cool_down(until);
    bench.breaker.cool_down(bench.now + SECOND);
    assert_eq!(
        (bench.availability(), bench.acquire().is_none()),
        (Availability::Until(until), true)
    );
    assert_eq!(bench.breaker.state(), BreakerState::Closed);
    bench.now = until;
    assert_eq!(bench.availability(), Availability::Ready(BreakerState::Closed));
    assert!(matches!(bench.call(Sample::Failure), Some(Transition::Opened(_))));
}

#[test]
fn calls_pass_without_the_lock_after_a_cool_down() {
    let mut bench = Bench::new();
    bench.breaker.cool_down(bench.now + SECOND);
    bench.now += SECOND;
    bench.call(Sample::Success);
    let _held = bench.breaker.lock();
    assert_eq!(bench.availability(), Availability::Ready(BreakerState::Closed));
    assert!(bench.acquire().is_some());
}

proptest! {
    /// Checks that the states follow each other as they should, however calls come, end and are
    /// lost, and that a breaker that receives only successes closes in the end.
    #[test]
    fn breaker_never_gets_stuck(
        steps in prop::collection::vec((
            any::<bool>(),
            prop_oneof![
                Just(Some(Sample::Success)),
                Just(Some(Sample::Failure)),
                Just(Some(Sample::Ignored)),
                Just(None),
            ],
            0_u64..20_000,
        ), 0..200),
    ) {
        let mut bench = Bench::new();
        let mut before = BreakerState::Closed;
        for (single, sample, millis) in steps {
            let permit = bench.breaker.acquire(bench.now, single, &bench.settings);
            if let (Some(permit), Some(sample)) = (permit, sample) {
                bench.record(permit, sample);
            }
            let state = bench.breaker.state();
            let is_allowed = match (before, state) {
                (BreakerState::Closed, after) => after != BreakerState::HalfOpen,
                (BreakerState::Open, _) => true,
                (BreakerState::HalfOpen, _) => true,
            };
            prop_assert!(is_allowed, "{before:?} to {state:?}");
            before = state;
            bench.now += Duration::from_millis(millis);
        }
        bench.now += bench.settings.max_open.mul_f64(1.1) + bench.settings.permit_timeout;
        for _ in 0..2 {
            bench.call(Sample::Success);
        }
        prop_assert!(bench.breaker.state() == BreakerState::Closed);
    }
}
