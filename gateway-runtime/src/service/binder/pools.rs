//! Pools: one for each capability, shared by the methods that use it.

use std::{
    any::{Any, TypeId},
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use crate::{
    base::spec::{CapabilitySpec, ServiceSpec},
    provider::{
        Capability, Cost, ErasedPool, FailoverSettings, Pool, ProviderImpl, strategy::Strategy,
    },
    service::{
        binder::instances::Instances,
        entry::{ErasedInstance, ProvisionEntry},
    },
};

/// The pools created so far, and the provisions and settings from which pools are created.
pub(in crate::service) struct Pools {
    provisions: Vec<&'static ProvisionEntry>,
    failover: FailoverSettings,
    pools: HashMap<TypeId, Box<dyn Any>>,
    strategies: HashMap<(*const ServiceSpec, TypeId), Arc<dyn Strategy>>,
    by_name: BTreeMap<&'static str, ErasedPool>,
}

impl Pools {
    pub(in crate::service) fn new(
        provisions: Vec<&'static ProvisionEntry>,
        failover: FailoverSettings,
    ) -> Self {
        Self {
            provisions,
            failover,
            pools: HashMap::new(),
            strategies: HashMap::new(),
            by_name: BTreeMap::new(),
        }
    }

    /// Returns the pool of `C`; `None` if it has no provider.
    pub(in crate::service) fn pool<C: Capability + ?Sized>(
        &mut self,
        instances: &Instances,
    ) -> Option<Arc<Pool<C>>> {
        if let Some(pool) = self.pools.get(&TypeId::of::<C>()) {
            return pool.downcast_ref().cloned();
        }
        let candidates = self.candidates::<C>(instances);
        if candidates.is_empty() {
            return None;
        }
        let pool = Arc::new(Pool::<C>::new(candidates, &self.failover));
        self.pools.insert(TypeId::of::<C>(), Box::new(Arc::clone(&pool)));
        self.by_name.insert(C::SPEC.name, pool.any());
        Some(pool)
    }

    fn candidates<C: Capability + ?Sized>(&self, instances: &Instances) -> Vec<ProviderImpl<C>> {
        let of_this =
            self.provisions.iter().filter(|entry| (entry.capability_id)() == TypeId::of::<C>());
        of_this
            .filter_map(|entry| {
                let (provider, instance) = instances.provider((entry.provider_id)())?;
                let implementation =
                    (entry.cast)(ErasedInstance::clone(instance))?.downcast::<Arc<C>>().ok()?;
                Some(ProviderImpl::new(
                    Arc::clone(provider),
                    *implementation,
                    costs(C::SPEC, entry),
                ))
            })
            .collect()
    }

    pub(in crate::service) fn strategy(
        &mut self,
        service: &'static ServiceSpec,
        capability: TypeId,
        make: impl FnOnce() -> Arc<dyn Strategy>,
    ) -> Arc<dyn Strategy> {
        Arc::clone(
            self.strategies.entry((std::ptr::from_ref(service), capability)).or_insert_with(make),
        )
    }

    pub(in crate::service) fn by_name(self) -> BTreeMap<&'static str, ErasedPool> {
        self.by_name
    }
}

/// Returns the costs in the order of the capability's methods. A cost that the provider does not
/// declare is unknown.
fn costs(capability: &CapabilitySpec, entry: &ProvisionEntry) -> Vec<Cost> {
    let cost_of = |method: &str| {
        entry
            .costs
            .iter()
            .find(|(name, _)| *name == method)
            .map_or(Cost::Unknown, |(_, cost)| *cost)
    };
    capability.methods.iter().map(|method| cost_of(method.name)).collect()
}
