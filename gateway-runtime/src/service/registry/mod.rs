//! The registry: the services, methods, providers and capabilities of the program.
//!
//! The macros submit entries at link time. They are sorted, checked as a whole, and built.
//!
//! `method_entry` is what `#[expose_method]` submits, `entries` collects the linked entries, and
//! `check` compares them with each other. The sibling
//! module `binder` builds instances and pools, and binds methods to them.

pub(super) mod check;
pub(crate) mod entries;
pub(crate) mod method_entry;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
};

pub(crate) use crate::service::registry::entries::Linked;
pub use crate::service::{
    binder::{Binder, PoolAndStrategy},
    method::{Method, MethodInput},
};
use crate::{
    base::{
        call_metrics::CallMetrics,
        spec::{CapabilitySpec, ServiceSpec},
        start_error::StartError,
    },
    provider::{ErasedPool, FailoverSettings, PoolHealth, Provider, ProviderSettings},
    service::{
        app::App,
        binder::{
            instances::{Instances, full_name, ok_or_collect},
            pools::Pools,
        },
        entry::ServiceEntry,
        into_reply::ReplyShape,
        registry::{entries::Entries, method_entry::MethodEntry},
    },
};

/// Settings of the providers of a program.
#[derive(Clone, Debug, Default)]
pub struct RegistrySettings {
    /// Settings of attempts, deadlines and breakers.
    pub failover: FailoverSettings,
    /// Settings of providers, by the provider's name.
    pub providers: HashMap<String, ProviderSettings>,
}

/// A service of the running gateway.
#[derive(Debug)]
pub struct RegisteredService {
    /// The declaration of the attribute.
    pub spec: &'static ServiceSpec,
    /// Methods of the service, sorted by name.
    pub methods: Vec<Arc<Method>>,
}

/// The services, providers and capabilities of the program, built and ready for calls.
pub struct Registry {
    services: Vec<RegisteredService>,
    providers: Vec<Arc<Provider>>,
    capabilities: Vec<&'static CapabilitySpec>,
    /// Pairs of a capability's and a provider's name, sorted.
    provisions: Vec<(&'static str, &'static str)>,
    pools: BTreeMap<&'static str, ErasedPool>,
}

impl Registry {
    /// Builds the entries that the program links.
    ///
    /// # Errors
    ///
    /// Returns all problems at once.
    pub fn build(app: &App, settings: &RegistrySettings) -> Result<Self, StartError> {
        Self::from_entries(&Entries::linked(), app, settings)
    }

    /// Builds the entries passed, which need not be linked: for tests and measurements.
    ///
    /// # Errors
    ///
    /// Returns all problems at once.
    #[doc(hidden)]
    pub fn from_entries(
        entries: &Entries,
        app: &App,
        settings: &RegistrySettings,
    ) -> Result<Self, StartError> {
        let methods = entries.methods_by_service();
        let mut problems = check::problems(entries, &methods);
        let instances = Instances::build(
            app,
            &entries.services,
            &entries.providers,
            &settings.providers,
            &mut problems,
        );
        let mut pools = Pools::new(entries.provisions.clone(), settings.failover.clone());
        let mut services = Vec::new();
        for entry in &entries.services {
            // The service has reported its own problem, so its methods report none.
            if !instances.has_service((entry.id)()) {
                continue;
            }
            let declared = methods.get(&(entry.id)()).into_iter().flatten();
            let bound = declared.filter_map(|method| {
                ok_or_collect(bind(app, &instances, &mut pools, entry, method), &mut problems)
                    .map(Arc::new)
            });
            let mut methods: Vec<_> = bound.collect();
            methods.sort_by_key(|method| (method.spec.name, method.spec.webhook.is_some()));
            services.push(RegisteredService { spec: entry.spec, methods });
        }
        StartError::from_problems(problems)?;
        let mut providers: Vec<_> = instances.providers().cloned().collect();
        providers.sort_by_key(|provider| provider.spec().name);
        let mut capabilities: Vec<_> =
            entries.provisions.iter().map(|entry| entry.capability).collect();
        capabilities.dedup_by_key(|capability| capability.name);
        let provisions = entries
            .provisions
            .iter()
            .map(|entry| (entry.capability.name, entry.provider.name))
            .collect();
        Ok(Self { services, providers, capabilities, provisions, pools: pools.by_name() })
    }

    /// Returns the services, sorted by name and version.
    #[must_use]
    pub fn services(&self) -> &[RegisteredService] {
        &self.services
    }

    /// Returns the methods of all services.
    pub fn methods(&self) -> impl Iterator<Item = &Arc<Method>> {
        self.services.iter().flat_map(|service| &service.methods)
    }

    /// Returns the providers, sorted by name.
    #[must_use]
    pub fn providers(&self) -> &[Arc<Provider>] {
        &self.providers
    }

    /// Returns the capabilities that at least one provider has, sorted by name.
    #[must_use]
    pub fn capabilities(&self) -> &[&'static CapabilitySpec] {
        &self.capabilities
    }

    /// Returns the names of the capabilities of a provider.
    pub fn capabilities_of(&self, provider: &str) -> impl Iterator<Item = &'static str> {
        self.provisions
            .iter()
            .filter(move |(_, name)| *name == provider)
            .map(|(capability, _)| *capability)
    }

    /// Returns the health of the providers of a capability now; `None` if no method uses it.
    #[must_use]
    pub fn health(&self, capability: &str) -> Option<PoolHealth> {
        self.pools.get(capability).map(ErasedPool::health)
    }

    /// Returns the pools of the capabilities that at least one method uses.
    pub fn pools(&self) -> impl Iterator<Item = &ErasedPool> {
        self.pools.values()
    }

    /// Checks that the services (`currency` or `currency/v1`) and providers of these names are
    /// registered. A crate that is only named in `Cargo.toml` registers nothing, silently.
    ///
    /// # Errors
    ///
    /// Names each missing one, and those that are registered.
    pub fn expect(&self, services: &[String], providers: &[String]) -> Result<(), StartError> {
        let service_names: Vec<_> =
            self.services.iter().map(|service| full_name(service.spec)).collect();
        let provider_names: Vec<_> =
            self.providers.iter().map(|provider| provider.spec().name.to_owned()).collect();
        let has_service = |name: &String| {
            service_names.contains(name)
                || self.services.iter().any(|service| service.spec.name == name)
        };
        let mut problems = Vec::new();
        for name in services.iter().filter(|name| !has_service(name)) {
            problems.push(missing("service", name, &service_names));
        }
        for name in providers.iter().filter(|name| !provider_names.contains(name)) {
            problems.push(missing("provider", name, &provider_names));
        }
        StartError::from_problems(problems)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("services", &self.services).finish_non_exhaustive()
    }
}

fn missing(kind: &str, name: &str, present: &[String]) -> String {
    let present = if present.is_empty() { "none".to_owned() } else { present.join(", ") };
    format!(
        "{kind} `{name}` is expected and not registered (registered: {present})\n\
         help: link its crate: `gateway_runtime::link!(that_crate)`"
    )
}

fn bind(
    app: &App,
    instances: &Instances,
    pools: &mut Pools,
    service: &'static ServiceEntry,
    entry: &'static MethodEntry,
) -> Result<Method, StartError> {
    let mut binder = Binder {
        app,
        instances,
        pools,
        service: service.spec,
        method: &entry.spec,
        strategy: entry.strategy,
        service_strategy: service.strategy,
        input: None,
        reply: None,
        capabilities: Vec::new(),
    };
    let execute = (entry.bind)(&mut binder)?;
    let Binder { input, reply, capabilities, .. } = binder;
    Ok(Method {
        service: service.spec,
        spec: &entry.spec,
        input,
        answer: reply.unwrap_or(ReplyShape::Empty),
        capabilities,
        counts: CallMetrics::default(),
        execute,
    })
}
