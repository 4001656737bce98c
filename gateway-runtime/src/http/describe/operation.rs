//! One method as an operation of OpenAPI.

use serde_json::{Map, Value, json};

use super::{described::Described, headers, names::tag, responses, security, terms::terms};
use crate::{
    auth::Accepted,
    registry::Method,
    schema::parameters,
    spec::{Effect, Idempotency},
};

/// The operation.
pub(super) fn operation(it: &Described<'_>, accepted: Accepted) -> Map<String, Value> {
    let spec = it.method.spec;
    let mut operation = Map::new();
    let mut say = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            operation.insert(name.to_owned(), value);
        }
    };
    say("operationId", Some(json!(it.id)));
    say("tags", Some(json!([tag(it.method.service)])));
    say("summary", Some(json!(spec.title)));
    say("description", (!spec.description.is_empty()).then(|| json!(spec.description)));
    say("deprecated", spec.deprecated.then_some(Value::Bool(true)));
    let parameters = all_parameters(it);
    say("parameters", (!parameters.is_empty()).then_some(Value::Array(parameters)));
    say("requestBody", request_body(it));
    say("responses", Some(responses::of(it, accepted)));
    say("security", security::requirements(it.method, accepted));
    for (name, value) in terms(it.method) {
        say(&format!("x-{}", name.replace('_', "-")), Some(value));
    }
    operation
}

fn all_parameters(it: &Described<'_>) -> Vec<Value> {
    let has_query = it.method.spec.verb.has_query_input();
    let mut all = match &it.input {
        Some(input) if has_query => parameters(input, it.is_optional()),
        _ => Vec::new(),
    };
    if it.method.spec.webhook.is_some() {
        all.extend(headers::of_webhooks());
    }
    if takes_key(it.method) {
        all.push(headers::idempotency_key());
    }
    all
}

/// Whether a key is of use: some provider may be told it.
fn takes_key(method: &Method) -> bool {
    let mut methods = method.capabilities.iter().flat_map(|capability| capability.methods);
    method.spec.idempotency != Idempotency::None && methods.any(|method| method.effect == Effect::Keyed)
}

fn request_body(it: &Described<'_>) -> Option<Value> {
    let input = it.input.as_ref().filter(|_| !it.method.spec.verb.has_query_input())?;
    Some(json!({
        "required": !it.is_optional(),
        "content": { "application/json": { "schema": input } },
    }))
}
