//! The instances of an upstream at one time. The set is swapped whole when they change; an instance
//! that stays keeps its connections, load and health.

use std::sync::Arc;

use tokio::time::Instant;

use crate::{
    edge::proxy::{
        balance::{Balancer, Candidates, less_loaded},
        instance::Instance,
        terms::Terms,
        waiting::WaitingRoom,
    },
    resolver::{Endpoint, Snapshot},
};

/// The instances of an upstream.
#[derive(Debug, Default)]
pub(super) struct InstanceSet {
    instances: Vec<Arc<Instance>>,
    /// The resolver has answered.
    is_known: bool,
    /// All weights are the same, and all priorities.
    is_uniform: bool,
}

impl InstanceSet {
    /// Creates the set of a snapshot, with the instances of the previous set that stay.
    pub(super) fn new(
        snapshot: &Snapshot,
        previous: &Self,
        terms: &Terms,
        waiting: &Arc<WaitingRoom>,
    ) -> Self {
        let instance = |endpoint: &Endpoint| {
            let stays = previous.instances.iter().find(|one| one.is_of(endpoint, &terms.pool));
            if let Some(stays) = stays {
                return Some(Arc::clone(stays));
            }
            match Instance::new(endpoint.clone(), &terms.pool, Arc::clone(waiting)) {
                Ok(instance) => Some(Arc::new(instance)),
                Err(reason) => {
                    let instance = endpoint.address();
                    tracing::error!(instance, reason, "an instance cannot be connected to");
                    None
                }
            }
        };
        let instances: Vec<_> = snapshot.endpoints().iter().filter_map(instance).collect();
        let alike = |one: &Arc<Instance>, other: &Arc<Instance>| {
            one.weight() == other.weight() && one.endpoint.priority() == other.endpoint.priority()
        };
        let is_uniform = instances.windows(2).all(|two| alike(&two[0], &two[1]));
        Self { instances, is_known: snapshot.is_known(), is_uniform }
    }

    /// Returns whether the resolver has answered.
    pub(super) fn is_known(&self) -> bool {
        self.is_known
    }

    /// Returns the instances.
    pub(super) fn instances(&self) -> &[Arc<Instance>] {
        &self.instances
    }

    /// Chooses an instance that was not tried, and that may take one more request: one that is
    /// well, of the lowest priority that has some. If none is well, any may be chosen (fail-open).
    pub(super) fn choose(
        &self,
        tried: &[Arc<Instance>],
        max_requests: usize,
        balancer: &Balancer,
        key: Option<u64>,
    ) -> Option<&Arc<Instance>> {
        let now = Instant::now();
        if let [only] = &*self.instances {
            return tried.is_empty().then_some(only);
        }
        if let Some([first, second]) =
            self.two_random().filter(|_| tried.is_empty() && balancer.is_two_choices())
        {
            let may_take = |one: &Instance| one.health.is_well(now) && one.load() < max_requests;
            if may_take(first) && may_take(second) {
                return Some(less_loaded(first, second));
            }
        }
        // One snapshot of their health: another worker may change it meanwhile.
        let untried = self.instances.iter().filter(|one| {
            one.load() < max_requests && !tried.iter().any(|before| Arc::ptr_eq(before, one))
        });
        let untried: Candidates<'_> = untried.collect();
        let mut well: Candidates<'_> =
            untried.iter().copied().filter(|one| one.health.is_well(now)).collect();
        if let Some(first) = well.iter().map(|one| one.endpoint.priority()).min() {
            well.retain(|one| one.endpoint.priority() == first);
        }
        balancer.choose(if well.is_empty() { &untried } else { &well }, key)
    }

    /// Returns two distinct random instances, if there are two or more and all are alike.
    fn two_random(&self) -> Option<[&Arc<Instance>; 2]> {
        let count = self.instances.len();
        if count < 2 || !self.is_uniform {
            return None;
        }
        let first = fastrand::usize(..count);
        let second = (first + fastrand::usize(1..count)) % count;
        Some([&self.instances[first], &self.instances[second]])
    }

    /// Returns whether one more instance may be ejected: not an only one, and not beyond the
    /// highest share.
    pub(super) fn may_eject_one_more(&self, max_percent: u8) -> bool {
        let now = Instant::now();
        let ejected = self.instances.iter().filter(|one| one.health.is_ejected(now)).count();
        self.instances.len() > 1
            && (ejected + 1) * 100 <= self.instances.len() * usize::from(max_percent)
    }
}
