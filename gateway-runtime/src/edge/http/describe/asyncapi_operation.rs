//! The operation objects of the AsyncAPI document, and references to messages of a channel.

use serde_json::{Value, json};

use crate::edge::http::describe::{method::MethodDescription, operation_id::tag, terms::terms};

pub(super) fn reference(channel: &str, message: &str) -> Value {
    json!({ "$ref": format!("#/channels/{channel}/messages/{message}") })
}

/// Describes an operation that the gateway receives; `more` depends on the transport.
pub(super) fn describe_operation(
    it: &MethodDescription<'_>,
    channel: &str,
    message: &str,
    more: Value,
) -> Value {
    let spec = it.method.spec;
    let mut operation = json!({
        "action": "receive",
        "channel": { "$ref": format!("#/channels/{channel}") },
        "title": spec.title,
        "tags": [{ "name": tag(it.method.service) }],
        "messages": [reference(channel, message)],
    });
    if !spec.description.is_empty() {
        operation["description"] = spec.description.into();
    }
    if spec.deprecated {
        operation["x-deprecated"] = true.into();
    }
    for (name, value) in more.as_object().into_iter().flatten() {
        operation[name] = value.clone();
    }
    for (name, value) in terms(it.method) {
        operation[format!("x-{}", name.replace('_', "-"))] = value;
    }
    operation
}
