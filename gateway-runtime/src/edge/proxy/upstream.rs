//! An upstream: its instances, the choice of one for an attempt, and what their answers say of
//! their health.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::time::{Instant, timeout_at};

use crate::{
    base::error::Error,
    edge::proxy::{
        error,
        instance::{Instance, Lease},
        instance_set::InstanceSet,
        terms::Terms,
        waiting::WaitingRoom,
    },
    resolver::Snapshot,
};

/// An upstream.
#[derive(Debug)]
pub(super) struct Upstream {
    name: String,
    pub(super) terms: Terms,
    instances: ArcSwap<InstanceSet>,
    waiting: Arc<WaitingRoom>,
}

impl Upstream {
    /// Creates an upstream with the instances of a snapshot. Instances that a previous upstream of
    /// that name has too are taken over, with their connections, load and health.
    pub(super) fn new(
        name: &str,
        terms: Terms,
        snapshot: &Snapshot,
        previous: Option<&Self>,
    ) -> Self {
        let waiting = previous.map_or_else(Arc::default, |it| Arc::clone(&it.waiting));
        let before = previous.map(|it| it.instances.load_full()).unwrap_or_default();
        let instances = InstanceSet::new(snapshot, &before, &terms, &waiting);
        Self { name: name.to_owned(), instances: ArcSwap::from_pointee(instances), waiting, terms }
    }

    /// Returns the name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the instances now.
    pub(super) fn instances(&self) -> Arc<InstanceSet> {
        self.instances.load_full()
    }

    /// Swaps the instances for those of a snapshot.
    pub(super) fn apply(&self, snapshot: &Snapshot) {
        let previous = self.instances.load();
        let next = InstanceSet::new(snapshot, &previous, &self.terms, &self.waiting);
        self.instances.store(Arc::new(next));
        self.waiting.instances_have_changed();
    }

    /// Chooses an instance for an attempt, and counts the request there. Waits for a place until
    /// `deadline` if all instances have as many requests as they may, or the resolver has not
    /// answered yet. None if all were tried.
    ///
    /// # Errors
    ///
    /// `no-instance` if there is none, and `overloaded` if too many requests wait, or for too long.
    pub(super) async fn lease(
        &self,
        tried: &[Arc<Instance>],
        key: Option<u64>,
        deadline: Instant,
    ) -> Result<Option<Lease>, Error> {
        if let Some(chosen) = self.try_lease(tried, key) {
            return chosen;
        }
        let waiting =
            self.waiting.enter(self.terms.settings.max_waiting).ok_or_else(error::shed)?;
        loop {
            let mut place = std::pin::pin!(waiting.place());
            place.as_mut().enable();
            if let Some(chosen) = self.try_lease(tried, key) {
                return chosen;
            }
            if timeout_at(deadline, place).await.is_err() {
                let is_known = self.instances.load().is_known();
                return Err(if is_known { error::shed() } else { error::no_instance() });
            }
        }
    }

    /// Chooses an instance as [`lease`](Self::lease) does. None if the request has to wait.
    fn try_lease(
        &self,
        tried: &[Arc<Instance>],
        key: Option<u64>,
    ) -> Option<Result<Option<Lease>, Error>> {
        let set = self.instances.load();
        let most = self.terms.settings.max_requests;
        // Another worker may take the place between the choice and the lease.
        let chosen = set.choose(tried, most, &self.terms.balancer, key);
        if let Some(lease) = chosen.and_then(|instance| instance.lease(most)) {
            return Some(Ok(Some(lease)));
        }
        let is_tried = |one| tried.iter().any(|before| Arc::ptr_eq(before, one));
        match set.instances() {
            [] if !set.is_known() => None,
            [] if tried.is_empty() => Some(Err(error::no_instance())),
            all if all.iter().all(is_tried) => Some(Ok(None)),
            _ => None,
        }
    }

    /// Records that no connection to an instance could be opened: it is ejected at once.
    pub(super) fn unreachable(&self, instance: &Instance, why: &str) {
        instance.health.fail(self.terms.settings.fails);
        self.eject(instance, why);
    }

    /// Records a failed exchange with an instance.
    pub(super) fn failed(&self, instance: &Instance, why: &str) {
        if instance.health.fail(self.terms.settings.fails) {
            self.eject(instance, why);
        }
    }

    /// Records a response of an instance.
    pub(super) fn answered(&self, instance: &Instance, status: u16) {
        let settings = &self.terms.settings;
        if settings.fail_statuses.contains(&status) {
            self.failed(instance, "its status counts as a failure");
        } else if instance.health.pass(settings.passes) {
            self.is_back(instance);
        }
    }

    fn eject(&self, instance: &Instance, why: &str) {
        let settings = &self.terms.settings;
        let is_ejected = instance.health.is_ejected(Instant::now());
        if (is_ejected || self.instances.load().may_eject_one_more(settings.max_ejected_percent))
            && instance.health.eject(settings.eject_time)
        {
            let (upstream, address) = (&self.name, instance.address());
            tracing::warn!(upstream, instance = address, why, "an instance was ejected");
        }
    }

    /// Logs that an instance is well again.
    pub(super) fn is_back(&self, instance: &Instance) {
        let (upstream, address) = (&self.name, instance.address());
        tracing::info!(upstream, instance = address, "an instance is well again");
    }
}
