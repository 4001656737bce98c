//! The part of a pool that does not depend on the type of its capability: members, settings, and
//! the state that calls share.

use std::sync::{
    OnceLock,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use tokio::time::Instant;

use crate::{
    base::spec::CapabilitySpec,
    provider::{
        breaker_sync::event::EventSender, member::PoolMember, retry_budget::RetryBudget,
        settings::FailoverSettings, sticky::StickyMap,
    },
};

/// The part of a pool that does not depend on the type of its capability.
#[derive(Debug)]
pub(super) struct PoolCore {
    pub(super) capability: &'static CapabilitySpec,
    pub(super) members: Box<[PoolMember]>,
    pub(super) settings: FailoverSettings,
    pub(super) budget: RetryBudget,
    pub(super) sticky: StickyMap,
    /// The sender of events to other gateways.
    pub(super) events: OnceLock<EventSender>,
    pub(super) sequences: Box<[AtomicUsize]>,
    pub(super) created: Instant,
}

impl PoolCore {
    /// Returns the sequence number of this call among those of a method.
    pub(super) fn next_sequence(&self, method: usize) -> usize {
        self.sequences[method].fetch_add(1, Relaxed)
    }

    /// Returns the milliseconds since the pool was created; wraps around.
    pub(super) fn millis(&self, now: Instant) -> u32 {
        now.saturating_duration_since(self.created).as_millis() as u32
    }

    /// Returns the index of a provider.
    pub(super) fn index_of(&self, name: &str) -> Option<usize> {
        self.members.iter().position(|member| member.provider.spec().name == name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.members.iter().map(|member| member.provider.spec().name)
    }
}
