//! The instances of services and providers. Each is built once.

use std::{any::TypeId, collections::HashMap, sync::Arc};

use crate::{
    base::{spec::ServiceSpec, start_error::StartError},
    provider::{Provider, ProviderSettings},
    service::{
        app::App,
        entry::{ErasedInstance, ProviderEntry, ServiceEntry, ServiceIdentity},
    },
};

/// The instances that were built.
#[derive(Default)]
pub(in crate::service) struct Instances {
    services: HashMap<TypeId, ErasedInstance>,
    providers: HashMap<TypeId, (Arc<Provider>, ErasedInstance)>,
}

impl Instances {
    /// Builds all instances. An instance that cannot be built adds its problems to `problems`.
    pub(in crate::service) fn build(
        app: &App,
        services: &[&'static ServiceEntry],
        providers: &[&'static ProviderEntry],
        settings: &HashMap<String, ProviderSettings>,
        problems: &mut Vec<String>,
    ) -> Self {
        let mut built = Self::default();
        let mut build = |kind: &str, name: &str, build: crate::service::entry::Build| {
            let scope = app.scope(format!("{kind}.{name}"));
            match build(&scope)
                .and_then(|instance| scope.reject_unread_section().map(|()| instance))
            {
                Ok(instance) => Some(instance),
                Err(error) => {
                    problems.extend(error.into_problems());
                    None
                }
            }
        };
        for &entry in services {
            if let Some(instance) = build("services", entry.spec.name, entry.build) {
                built.services.insert((entry.id)(), instance);
            }
        }
        for &entry in providers {
            if let Some(instance) = build("providers", entry.spec.name, entry.build) {
                let settings = settings.get(entry.spec.name).cloned().unwrap_or_default();
                let provider = Arc::new(Provider::new(entry.spec, &settings));
                built.providers.insert((entry.id)(), (provider, instance));
            }
        }
        built
    }

    pub(in crate::service) fn service<S: ServiceIdentity>(&self) -> Option<Arc<S>> {
        Arc::clone(self.services.get(&TypeId::of::<S>())?).downcast().ok()
    }

    pub(in crate::service) fn has_service(&self, id: TypeId) -> bool {
        self.services.contains_key(&id)
    }

    pub(in crate::service) fn provider(
        &self,
        id: TypeId,
    ) -> Option<(&Arc<Provider>, &ErasedInstance)> {
        self.providers.get(&id).map(|(provider, instance)| (provider, instance))
    }

    pub(in crate::service) fn providers(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.providers.values().map(|(provider, _)| provider)
    }
}

/// Returns the name of a service in messages: `currency/v1`.
pub(in crate::service) fn full_name(spec: &ServiceSpec) -> String {
    format!("{}/v{}", spec.name, spec.version)
}

/// Returns the value, or adds the problems to `problems`.
pub(in crate::service) fn ok_or_collect<T>(
    result: Result<T, StartError>,
    problems: &mut Vec<String>,
) -> Option<T> {
    result.map_err(|error| problems.extend(error.into_problems())).ok()
}
