//! The collection of a program's entries, in an order that does not depend on the linker.

use std::{any::TypeId, collections::HashMap};

use crate::{
    base::spec::{MethodSpec, ServiceSpec, SourceLocation},
    service::{
        entry::{ProviderEntry, ProvisionEntry, ServiceEntry},
        registry::method_entry::MethodEntry,
    },
};

/// The entries of a program.
#[derive(Debug, Default)]
pub struct Entries {
    pub(in crate::service) services: Vec<&'static ServiceEntry>,
    pub(in crate::service) methods: Vec<&'static MethodEntry>,
    pub(in crate::service) providers: Vec<&'static ProviderEntry>,
    pub(in crate::service) provisions: Vec<&'static ProvisionEntry>,
}

/// The methods of each service, by the type of the service.
pub(in crate::service) type MethodsByService = HashMap<TypeId, Vec<&'static MethodEntry>>;

impl Entries {
    /// Returns the entries that are linked.
    pub(in crate::service) fn linked() -> Self {
        let linked = Self {
            services: inventory::iter::<ServiceEntry>().collect(),
            methods: inventory::iter::<MethodEntry>().collect(),
            providers: inventory::iter::<ProviderEntry>().collect(),
            provisions: inventory::iter::<ProvisionEntry>().collect(),
        };
        linked.sorted()
    }

    /// Creates a collection of services and methods, without providers.
    #[must_use]
    pub fn of(services: Vec<&'static ServiceEntry>, methods: Vec<&'static MethodEntry>) -> Self {
        Self { services, methods, ..Self::default() }.sorted()
    }

    fn sorted(mut self) -> Self {
        let position = |source: SourceLocation| (source.file, source.line);
        self.services.sort_by_key(|entry| {
            (entry.spec.name, entry.spec.version, position(entry.spec.source))
        });
        self.methods.sort_by_key(|entry| {
            (entry.service.name, entry.service.version, position(entry.spec.source))
        });
        self.providers.sort_by_key(|entry| (entry.spec.name, position(entry.spec.source)));
        self.provisions.sort_by_key(|entry| {
            (entry.capability.name, entry.provider.name, position(entry.provider.source))
        });
        self
    }

    pub(in crate::service) fn methods_by_service(&self) -> MethodsByService {
        let mut methods = MethodsByService::new();
        for entry in &self.methods {
            methods.entry((entry.service_id)()).or_default().push(entry);
        }
        methods
    }
}

/// The names of the linked entries. Reading them builds nothing.
pub(crate) struct Linked {
    pub(crate) services: Vec<&'static str>,
    pub(crate) providers: Vec<&'static str>,
    pub(crate) methods: Vec<(&'static ServiceSpec, &'static MethodSpec)>,
}

impl Linked {
    pub(crate) fn read() -> Self {
        let Entries { services, methods, providers, .. } = Entries::linked();
        Self {
            services: services.iter().map(|entry| entry.spec.name).collect(),
            providers: providers.iter().map(|entry| entry.spec.name).collect(),
            methods: methods.into_iter().map(|entry| (entry.service, &entry.spec)).collect(),
        }
    }
}
