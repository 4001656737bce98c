//! The capabilities that services use, and their providers with costs and current health.

use serde_json::{Value, json};

use crate::{
    base::spec::{CapabilityMethodSpec, CapabilitySpec},
    provider::{MethodHealth, ProviderHealth},
    service::registry::Registry,
};

/// Returns the capabilities that are used, with their methods and providers.
pub(super) fn capabilities(registry: &Registry, is_used: impl Fn(&'static str) -> bool) -> Value {
    let used = registry.capabilities().iter().filter(|capability| is_used(capability.name));
    used.map(|capability| describe(registry, capability)).collect()
}

fn describe(registry: &Registry, capability: &CapabilitySpec) -> Value {
    let mut described = named(capability.name, capability.description);
    described["methods"] = capability.methods.iter().map(method).collect();
    let providers = registry.health(capability.name).map(|pool| pool.providers).unwrap_or_default();
    described["providers"] = providers.iter().map(|it| provider(registry, it)).collect();
    described
}

fn method(spec: &CapabilityMethodSpec) -> Value {
    let mut described = named(spec.name, spec.description);
    described["effect"] = json!(spec.effect);
    described
}

fn provider(registry: &Registry, it: &ProviderHealth) -> Value {
    let spec = registry
        .providers()
        .iter()
        .map(|provider| provider.spec())
        .find(|spec| spec.name == it.name);
    let mut described = json!({ "name": it.name, "title": it.title });
    if let Some(spec) = spec.filter(|spec| !spec.description.is_empty()) {
        described["description"] = spec.description.into();
    }
    // Health is one word, so that the document changes only when a state does. Counters are in the
    // operator's API.
    let method = |method: &MethodHealth| {
        let health = it.health_of(method);
        json!({ "name": method.name, "cost": method.cost, "health": health })
    };
    described["methods"] = it.methods.iter().map(method).collect();
    described
}

fn named(name: &str, description: &str) -> Value {
    match description {
        "" => json!({ "name": name }),
        text => json!({ "name": name, "description": text }),
    }
}
