//! The selection of available providers for a call, in the strategy's order.

use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use smallvec::SmallVec;
use tokio::time::Instant;

use crate::{
    base::cost::Argument,
    provider::{
        bound_pool::BoundPool,
        breaker::Availability,
        pool::PoolCore,
        settings::ProviderSettings,
        strategy::{BreakerState, Candidate, CandidateState, Candidates, StrategyCall},
    },
};

/// The retry delay if no provider's return can be predicted: none is enabled, or all probes are in
/// flight.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(1);

/// Indexes of members, in the order in which they are tried.
pub(super) type MemberOrder = SmallVec<[usize; 8]>;

/// The available providers of a call.
#[derive(Debug, Default)]
pub(super) struct Selection {
    pub(super) order: MemberOrder,
    /// True if every breaker is open: one probe is sent, to the provider that has been due for
    /// longest.
    pub(super) is_single_probe: bool,
    /// True if an enabled provider is unavailable now.
    pub(super) is_partial: bool,
}

/// A member that is available to this call, with the settings by which it was selected.
#[derive(Clone, Copy)]
struct ReadyMember {
    place: usize,
    breaker: BreakerState,
    switches: ProviderSettings,
}

/// The availability of all the members that a call may use.
#[derive(Default)]
struct PoolAvailability {
    ready: SmallVec<[ReadyMember; 8]>,
    probe_due: SmallVec<[(ReadyMember, Instant); 4]>,
    has_half_open: bool,
    has_probe_in_flight: bool,
    has_unavailable: bool,
}

impl PoolAvailability {
    fn of(core: &PoolCore, only: Option<usize>, method: usize, now: Instant) -> Self {
        let mut survey = Self::default();
        let places = only.map_or(0..core.members.len(), |only| only..only + 1);
        for place in places {
            let member = &core.members[place];
            let Some((standing, switches)) =
                member.availability(method, now, &core.settings.breaker)
            else {
                continue;
            };
            let ready = |breaker| ReadyMember { place, breaker, switches };
            match standing {
                Availability::Ready(state) => survey.ready.push(ready(state)),
                Availability::Due(since) => {
                    survey.probe_due.push((ready(BreakerState::HalfOpen), since))
                }
                Availability::ProbesInFlight => survey.has_half_open = true,
                Availability::SingleProbeInFlight => survey.has_probe_in_flight = true,
                Availability::Until(_) => survey.has_unavailable = true,
            }
        }
        survey
    }
}

/// Selects the available providers, in the strategy's order.
pub(super) fn select(
    bound: &BoundPool<'_>,
    method: usize,
    arguments: &[&Argument],
    now: Instant,
) -> Selection {
    let PoolAvailability {
        mut ready,
        probe_due: due,
        has_half_open: is_one_half_open,
        has_probe_in_flight: is_one_probing,
        has_unavailable: is_one_away,
    } = PoolAvailability::of(bound.core, bound.pinned, method, now);
    let all_open = ready.is_empty() && !is_one_half_open;
    let mut selection = Selection {
        is_single_probe: all_open,
        is_partial: is_one_half_open || is_one_probing || is_one_away,
        ..Selection::default()
    };
    if all_open && is_one_probing {
        return selection;
    }
    ready.extend(due.iter().map(|(ready, _)| *ready));
    if !due.is_empty() {
        ready.sort_unstable_by_key(|ready| ready.place);
    }
    selection.order = order(bound, method, arguments, &ready, now);
    if all_open {
        let due_since = |place: &usize| {
            due.iter().find(|(due, _)| due.place == *place).map(|(_, since)| *since)
        };
        selection.order.sort_by_key(due_since);
    }
    selection
}

/// Sorts the ready members by the strategy; the provider of a sticky key comes first.
fn order(
    bound: &BoundPool<'_>,
    method: usize,
    arguments: &[&Argument],
    ready: &[ReadyMember],
    now: Instant,
) -> MemberOrder {
    let core = bound.core;
    if bound.pinned.is_some() || ready.is_empty() {
        return ready.iter().map(|ready| ready.place).collect();
    }
    let millis = core.millis(now);
    let view = |ReadyMember { place, breaker, switches }: &ReadyMember| {
        let member = &core.members[*place];
        let state = &member.methods[method];
        Candidate::from(CandidateState {
            index: *place,
            provider: member.provider.spec().name,
            weight: switches.weight,
            order: switches.order,
            in_flight: state.in_flight.load(Relaxed),
            breaker: *breaker,
            latency: state.latency.read(millis),
            state: &state.strategy_state,
            cost: state.cost,
            arguments,
        })
    };
    let mut candidates: Candidates<'_> = ready.iter().map(view).collect();
    let spec = &core.capability.methods[method];
    let call =
        StrategyCall::new(bound.call, core.capability, spec, arguments, core.next_sequence(method));
    bound.strategy.order(&call, &mut candidates);
    let mut order: MemberOrder = candidates.iter().map(|candidate| candidate.index).collect();
    if let (Some(key), Some(first)) = (bound.sticky, order.first()) {
        let given = core.sticky.given(key, *first);
        if let Some(at) = order.iter().position(|place| *place == given) {
            order[..=at].rotate_right(1);
        }
    }
    order
}

/// Returns the time until a provider may be available, in whole seconds from now, and the reasons
/// why none is now.
pub(super) fn unavailability(
    core: &PoolCore,
    only: Option<usize>,
    method: usize,
    now: Instant,
) -> (Duration, String) {
    let mut soonest: Option<Duration> = None;
    let mut reasons = Vec::new();
    for place in only.map_or(0..core.members.len(), |only| only..only + 1) {
        let member = &core.members[place];
        let name = member.provider.spec().name;
        reasons.push(match member.availability(method, now, &core.settings.breaker) {
            None => format!("{name} is disabled"),
            Some((Availability::Until(until), _)) => {
                let wait = until - now;
                soonest = Some(soonest.map_or(wait, |soonest| soonest.min(wait)));
                let why = if member.provider.set_aside_until(now).is_some() {
                    "set aside"
                } else {
                    "left alone"
                };
                format!("{name} is {why} for {wait:.1?}")
            }
            Some((Availability::ProbesInFlight | Availability::SingleProbeInFlight, _)) => {
                format!("{name} is being probed")
            }
            Some((Availability::Ready(_) | Availability::Due(_), _)) => {
                format!("{name} was not chosen")
            }
        });
    }
    let reasons = if reasons.is_empty() { "there is none".to_owned() } else { reasons.join(", ") };
    let seconds = soonest.unwrap_or(DEFAULT_RETRY_AFTER).as_secs_f64().ceil().max(1.0);
    (Duration::from_secs(seconds as u64), reasons)
}
