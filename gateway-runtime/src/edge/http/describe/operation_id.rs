//! The names of services and methods in documents for client generators.

use std::collections::HashSet;

pub(super) use crate::edge::http::routes::{WEBSOCKET, rpc_name};
use crate::{
    base::spec::ServiceSpec,
    edge::http::describe::params::can_carry,
    service::{
        into_reply::ReplyShape,
        registry::{Method, Registry},
    },
};

/// Returns the tag of a service's methods: `currency`, and `currency v2` from the second version
/// on. Names contain no spaces, so tags are unique.
pub(super) fn tag(service: &ServiceSpec) -> String {
    match service.version {
        1 => service.name.to_owned(),
        version => format!("{} v{version}", service.name),
    }
}

/// Returns whether a method can be called over a WebSocket: not one that replies with bytes, nor
/// one whose input is never an object or array, nor a webhook; none without the feature
/// `websocket`.
pub(super) fn is_callable_by_message(method: &Method) -> bool {
    cfg!(feature = "websocket")
        && method.spec.webhook.is_none()
        && !matches!(method.answer, ReplyShape::Raw(_))
        && method.input.as_ref().is_none_or(|input| can_carry(input.schema.json()))
}

/// Returns whether a method can be called by the bus, which carries whole messages: not one that
/// replies with a stream of items, nor a webhook.
pub(super) fn is_callable_by_bus(method: &Method) -> bool {
    method.spec.webhook.is_none() && !matches!(method.answer, ReplyShape::Items(_))
}

/// Returns a unique operation id for each method of the registry, in its order, such as
/// `currency_rates` and `currency_v2_rates`.
pub(super) fn operation_ids(registry: &Registry) -> Vec<String> {
    let mut taken = HashSet::new();
    let mut unique = |name: String| {
        let numbered = (2..).map(|number: u32| format!("{name}_{number}"));
        let free = std::iter::once(name.clone())
            .chain(numbered)
            .find(|name| !taken.contains(name))
            .unwrap_or(name);
        taken.insert(free.clone());
        free
    };
    registry.methods().map(|method| unique(operation_id(method))).collect()
}

fn operation_id(method: &Method) -> String {
    let webhook = if method.spec.webhook.is_some() { "_webhook" } else { "" };
    format!("{}_{}{webhook}", tag(method.service), method.spec.name).replace(['-', ' '], "_")
}
