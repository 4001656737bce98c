//! The applying side: the breakers, methods and providers that events of other gateways spare.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::provider::{erased_pool::ErasedPool, pool_core::PoolCore, registration::Provider};

/// A method of a member of a pool.
pub(super) struct TargetMethod {
    core: Arc<PoolCore>,
    member: usize,
    method: usize,
}

/// The target of an event.
pub(super) enum SyncTarget {
    /// The breaker of a method.
    Breaker(TargetMethod),
    /// A method that cools down.
    CoolDown(TargetMethod),
    /// A provider that is set aside.
    SetAside(Arc<Provider>),
}

/// Returns the targets of a pool, each with the key of its events.
pub(super) fn targets(pool: &ErasedPool) -> impl Iterator<Item = (String, SyncTarget)> {
    let core = &pool.0;
    core.members.iter().enumerate().flat_map(move |(index, member)| {
        let target = move |method| TargetMethod { core: Arc::clone(core), member: index, method };
        let methods = (0..member.methods.len()).flat_map(move |method| {
            [
                (core.open_key(index, method), SyncTarget::Breaker(target(method))),
                (core.cool_down_key(index, method), SyncTarget::CoolDown(target(method))),
            ]
        });
        let provider = SyncTarget::SetAside(Arc::clone(&member.provider));
        methods.chain([(core.set_aside_key(index), provider)])
    })
}

impl SyncTarget {
    /// Spares the target for `length`, as another gateway does.
    pub(super) fn spare(&self, length: Duration, openings: u32, now: Instant) {
        match self {
            Self::Breaker(target) => target.open(length, openings, now),
            Self::CoolDown(TargetMethod { core, member, method }) => {
                core.members[*member].methods[*method].breaker.cool_down(now + length)
            }
            Self::SetAside(provider) => provider.adopt_set_aside(now + length, now),
        }
    }
}

impl TargetMethod {
    fn open(&self, length: Duration, openings: u32, now: Instant) {
        let member = &self.core.members[self.member];
        // Up to 10 % later, so that gateways do not probe at the same time.
        let due = now + length.mul_f64(1.0 + 0.1 * fastrand::f64());
        if member.methods[self.method].breaker.open_until(now + length, due, openings) {
            tracing::warn!(
                provider = member.provider.spec().name,
                capability = self.core.capability.name,
                method = self.core.capability.methods[self.method].name,
                "breaker opened: another gateway opened it"
            );
        }
    }
}
