//! The messages of AsyncAPI: JSON-RPC 2.0 requests, their replies, items of streams, and webhooks.

use serde_json::{Value, json};

use crate::{
    edge::http::describe::{headers, method::MethodDescription, operation_id::rpc_name},
    service::into_reply::ReplyShape,
};

/// The name of the message that reports a failed call.
pub(super) const FAILURE: &str = "failure";

/// Returns the name of the message that begins a call or is a webhook.
pub(super) fn request_name(it: &MethodDescription<'_>) -> String {
    let kind = if it.method.spec.webhook.is_some() { "event" } else { "request" };
    format!("{}_{kind}", it.id)
}

/// Returns the request of a call, then each kind of message that replies to it, by name.
pub(super) fn of_call(it: &MethodDescription<'_>) -> Vec<(String, Value)> {
    let title = it.method.spec.title;
    let answer = it.answer.clone().unwrap_or(json!({ "type": "null" }));
    let request = message(&format!("{title}: request"), request(it));
    let mut messages = vec![(request_name(it), request)];
    if matches!(it.method.answer, ReplyShape::Items(_)) {
        messages.push((
            format!("{}_item", it.id),
            message_of(&format!("{title}: an item"), item(&answer), "params/id"),
        ));
        messages.push((
            format!("{}_end", it.id),
            message(&format!("{title}: the end"), result(&json!({ "type": "null" }))),
        ));
    } else {
        messages.push((
            format!("{}_answer", it.id),
            message(&format!("{title}: reply"), result(&answer)),
        ));
    }
    messages
}

/// Returns the message of a webhook, with its name.
pub(super) fn of_webhook(it: &MethodDescription<'_>) -> (String, Value) {
    let fields = headers::of_webhooks();
    let field = |field: &Value| {
        field["name"].as_str().map(|name| (name.to_owned(), field["schema"].clone()))
    };
    let mut message = json!({
        "title": it.method.spec.title,
        "headers": {
            "type": "object",
            "properties": fields.iter().filter_map(field).collect::<serde_json::Map<_, _>>(),
            "required": fields.iter().map(|field| field["name"].clone()).collect::<Value>(),
        },
    });
    if let Some(input) = &it.input {
        message["payload"] = input.clone();
    }
    (request_name(it), message)
}

/// Returns the message of a failure, which any call can get.
pub(super) fn failure(problem: &Value) -> Value {
    let payload = json!({
        "type": "object",
        "properties": {
            "jsonrpc": { "const": "2.0" },
            "error": {
                "type": "object",
                "properties": {
                    "code": {
                        "description": "The error code of JSON-RPC 2.0.",
                        "type": "integer",
                    },
                    "message": { "type": "string" },
                    "data": problem,
                },
                "required": ["code", "message", "data"],
            },
            "id": id(),
        },
        "required": ["jsonrpc", "error", "id"],
    });
    message("A call has failed", payload)
}

fn request(it: &MethodDescription<'_>) -> Value {
    let mut payload = json!({
        "type": "object",
        "properties": { "jsonrpc": { "const": "2.0" }, "method": { "const": rpc_name(it.method) } },
        "required": ["jsonrpc", "method"],
    });
    if let Some(input) = &it.input {
        payload["properties"]["params"] = input.clone();
        if !it.is_optional() {
            payload["required"] = json!(["jsonrpc", "method", "params"]);
        }
    }
    payload["properties"]["id"] = id();
    payload
}

fn result(answer: &Value) -> Value {
    json!({
        "type": "object",
        "properties": { "jsonrpc": { "const": "2.0" }, "result": answer, "id": id() },
        "required": ["jsonrpc", "result", "id"],
    })
}

fn item(item: &Value) -> Value {
    json!({
        "type": "object",
        "properties": {
            "jsonrpc": { "const": "2.0" },
            "method": { "const": "item" },
            "params": {
                "type": "object",
                "properties": { "id": id(), "item": item },
                "required": ["id", "item"],
            },
        },
        "required": ["jsonrpc", "method", "params"],
    })
}

/// Returns the schema of the id, which the client chooses for each call. A request without an id
/// gets no reply (JSON-RPC 2.0 §4.1).
fn id() -> Value {
    json!({ "type": ["string", "number", "null"] })
}

fn message(title: &str, payload: Value) -> Value {
    message_of(title, payload, "id")
}

/// Returns a message whose payload has the id of its call at `id`.
fn message_of(title: &str, payload: Value, id: &str) -> Value {
    json!({
        "title": title,
        "correlationId": { "location": format!("$message.payload#/{id}") },
        "payload": payload,
    })
}
