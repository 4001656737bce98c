//! The selection of available providers for a call, in the strategy's order.

use std::{ops::Range, sync::atomic::Ordering::Relaxed};

use smallvec::SmallVec;
use tokio::time::Instant;

use crate::{
    base::cost::Argument,
    provider::{
        bound_pool::BoundPool,
        breaker::Availability,
        pool_core::PoolCore,
        settings::ProviderSettings,
        strategy::{BreakerState, Candidate, CandidateState, Candidates, StrategyCall},
    },
};

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
    member: usize,
    breaker: BreakerState,
    settings: ProviderSettings,
}

/// A member whose open breaker is due for a probe.
#[derive(Clone, Copy)]
struct DueMember {
    ready: ReadyMember,
    /// The time since which it is due.
    since: Instant,
}

/// The availability of all the members that a call may use.
#[derive(Default)]
struct PoolAvailability {
    ready: SmallVec<[ReadyMember; 8]>,
    probe_due: SmallVec<[DueMember; 4]>,
    has_half_open: bool,
    has_probe_in_flight: bool,
    has_unavailable: bool,
}

impl PoolAvailability {
    fn of(core: &PoolCore, pinned: Option<usize>, method: usize, now: Instant) -> Self {
        let mut availability = Self::default();
        for index in members(core, pinned) {
            let member = &core.members[index];
            let Some(found) = member.availability(method, now, &core.settings.breaker) else {
                continue;
            };
            let ready = |breaker| ReadyMember { member: index, breaker, settings: found.settings };
            match found.availability {
                Availability::Ready(state) => availability.ready.push(ready(state)),
                Availability::Due(since) => availability
                    .probe_due
                    .push(DueMember { ready: ready(BreakerState::HalfOpen), since }),
                Availability::ProbesInFlight => availability.has_half_open = true,
                Availability::SingleProbeInFlight => availability.has_probe_in_flight = true,
                Availability::Until(_) => availability.has_unavailable = true,
            }
        }
        availability
    }
}

/// Returns the indexes of the members that a call may use.
pub(super) fn members(core: &PoolCore, pinned: Option<usize>) -> Range<usize> {
    pinned.map_or(0..core.members.len(), |member| member..member + 1)
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
        probe_due,
        has_half_open,
        has_probe_in_flight,
        has_unavailable,
    } = PoolAvailability::of(bound.core, bound.pinned, method, now);
    let all_open = ready.is_empty() && !has_half_open;
    let mut selection = Selection {
        is_single_probe: all_open,
        is_partial: has_half_open || has_probe_in_flight || has_unavailable,
        ..Selection::default()
    };
    if all_open && has_probe_in_flight {
        return selection;
    }
    ready.extend(probe_due.iter().map(|due| due.ready));
    if !probe_due.is_empty() {
        ready.sort_unstable_by_key(|ready| ready.member);
    }
    selection.order = order(bound, method, arguments, &ready, now);
    if all_open {
        let due_since = |member: &usize| {
            probe_due.iter().find(|due| due.ready.member == *member).map(|due| due.since)
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
        return ready.iter().map(|ready| ready.member).collect();
    }
    let millis = core.millis(now);
    let candidate = |ready: &ReadyMember| {
        let member = &core.members[ready.member];
        let state = &member.methods[method];
        Candidate::from(CandidateState {
            index: ready.member,
            provider: member.provider.spec().name,
            weight: ready.settings.weight,
            order: ready.settings.order,
            in_flight: state.in_flight.load(Relaxed),
            breaker: ready.breaker,
            latency: state.latency.read(millis),
            state: &state.strategy_state,
            cost: state.cost,
            arguments,
        })
    };
    let mut candidates: Candidates<'_> = ready.iter().map(candidate).collect();
    let spec = &core.capability.methods[method];
    let call =
        StrategyCall::new(bound.call, core.capability, spec, arguments, core.next_sequence(method));
    bound.strategy.order(&call, &mut candidates);
    let mut order: MemberOrder = candidates.iter().map(|candidate| candidate.index).collect();
    if let (Some(key), Some(first)) = (bound.sticky, order.first()) {
        let assigned = core.sticky.assign(key, *first);
        if let Some(position) = order.iter().position(|member| *member == assigned) {
            order[..=position].rotate_right(1);
        }
    }
    order
}
