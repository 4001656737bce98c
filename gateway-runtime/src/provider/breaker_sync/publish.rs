//! The publishing side: a pool queues its events, each under the key of its target.

use std::time::Duration;

use crate::provider::{breaker_sync::event::BreakerEvent, pool_core::PoolCore};

impl PoolCore {
    /// Publishes that a breaker opened.
    pub(in crate::provider) fn publish_open(&self, member: usize, method: usize, length: Duration) {
        let openings = self.members[member].methods[method].breaker.openings();
        self.publish(|| self.open_key(member, method), length, openings);
    }

    /// Publishes the cool-down of a method.
    pub(in crate::provider) fn publish_cool_down(
        &self,
        member: usize,
        method: usize,
        length: Duration,
    ) {
        self.publish(|| self.cool_down_key(member, method), length, 0);
    }

    /// Publishes that a provider is set aside.
    pub(in crate::provider) fn publish_set_aside(&self, member: usize, length: Duration) {
        self.publish(|| self.set_aside_key(member), length, 0);
    }

    fn publish(&self, key: impl FnOnce() -> String, length: Duration, openings: u32) {
        if let Some(sender) = self.events.get() {
            // If the queue is full, further events are of no use.
            let _ = sender.try_send(BreakerEvent { key: key(), length, openings });
        }
    }

    pub(super) fn open_key(&self, member: usize, method: usize) -> String {
        self.method_key("open", member, method)
    }

    pub(super) fn cool_down_key(&self, member: usize, method: usize) -> String {
        self.method_key("pause", member, method)
    }

    pub(super) fn set_aside_key(&self, member: usize) -> String {
        format!("aside:{}", self.members[member].provider.spec().name)
    }

    fn method_key(&self, kind: &str, member: usize, method: usize) -> String {
        let provider = self.members[member].provider.spec().name;
        let method = self.capability.methods[method].name;
        format!("{kind}:{provider}:{}.{method}", self.capability.name)
    }
}
