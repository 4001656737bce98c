//! What stands behind the services: capabilities, who provides them, and how these are now.

use serde_json::{Value, json};

use crate::{registry::Registry, spec::CapabilitySpec};

/// The capabilities that are used, with their methods.
pub(super) fn capabilities(registry: &Registry, is_used: impl Fn(&'static str) -> bool) -> Value {
    registry.capabilities().iter().filter(|capability| is_used(capability.name)).map(|it| describe(it)).collect()
}

fn describe(capability: &CapabilitySpec) -> Value {
    let methods = capability.methods.iter();
    let methods = methods
        .map(|method| json!({ "name": method.name, "description": method.description, "effect": method.effect }));
    json!({ "name": capability.name, "description": capability.description, "methods": methods.collect::<Value>() })
}
