//! Unavailability: why no provider is available to a call now, and when one may be.

use std::time::Duration;

use tokio::time::Instant;

use crate::provider::{
    breaker::Availability, member::PoolMember, pool_core::PoolCore, selection::members,
};

/// The retry delay if no provider's return can be predicted: none is enabled, or all probes are in
/// flight.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(1);

/// The reasons why no provider of a pool is available.
pub(super) struct Unavailability {
    /// The time until a provider may be available, in whole seconds.
    pub(super) retry_after: Duration,
    /// The state of each provider, for the log.
    pub(super) reasons: String,
}

impl Unavailability {
    /// Returns the reasons at `now`, for the providers that a call may use.
    pub(super) fn of(core: &PoolCore, pinned: Option<usize>, method: usize, now: Instant) -> Self {
        let mut soonest: Option<Duration> = None;
        let mut reasons = Vec::new();
        for member in &core.members[members(core, pinned)] {
            let name = member.provider.spec().name;
            let found = member.availability(method, now, &core.settings.breaker);
            reasons.push(match found.map(|found| found.availability) {
                None => format!("{name} is disabled"),
                Some(Availability::Until(until)) => {
                    let wait = until - now;
                    soonest = Some(soonest.map_or(wait, |soonest| soonest.min(wait)));
                    format!("{name} is {} for {wait:.1?}", cause(member, now))
                }
                Some(Availability::ProbesInFlight | Availability::SingleProbeInFlight) => {
                    format!("{name} is being probed")
                }
                Some(Availability::Ready(_) | Availability::Due(_)) => {
                    format!("{name} was not chosen")
                }
            });
        }
        let reasons =
            if reasons.is_empty() { "none is registered".to_owned() } else { reasons.join(", ") };
        let seconds = soonest.unwrap_or(DEFAULT_RETRY_AFTER).as_secs_f64().ceil().max(1.0);
        Self { retry_after: Duration::from_secs(seconds as u64), reasons }
    }
}

fn cause(member: &PoolMember, now: Instant) -> &'static str {
    if member.provider.set_aside_until(now).is_some() { "set aside" } else { "cooling down" }
}
