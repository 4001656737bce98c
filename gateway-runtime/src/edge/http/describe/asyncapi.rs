//! `/asyncapi.json`, AsyncAPI 3.0: calls over one WebSocket and by the bus, and webhooks.
//!
//! Each transport is a channel with the messages that it carries. An operation is a method on one
//! of them.

use schemars::{
    Schema,
    transform::{RemoveRefSiblings, ReplacePrefixItems, ReplaceUnevaluatedProperties, Transform},
};
use serde_json::{Map, Value, json};

use crate::{
    base::problem,
    bus::BusSettings,
    edge::http::describe::{
        asyncapi_operation::{describe_operation, reference},
        bus,
        info::Info,
        messages,
        method::MethodDescription,
        operation_id::{WEBSOCKET, is_callable_by_message},
    },
    json::schema::{Components, Root, Side},
    service::registry::Registry,
};

/// The name of the channel of calls over a WebSocket.
const CALLS: &str = "calls";

/// Returns the document.
pub(super) fn document(info: &Info, registry: &Registry, bus: &BusSettings) -> Value {
    let mut components = Components::default();
    components.add_own(&problem::schema());
    let problem = components.add(&problem::schema(), Side::Output, Root::Named);
    let mut described = MethodDescription::all(registry, &mut components, Root::Named);
    for it in &mut described {
        it.input = it.input.take().map(draft_07);
        it.answer = it.answer.take().map(draft_07);
    }

    let mut channels = Map::new();
    if cfg!(feature = "websocket") {
        channels.insert(CALLS.to_owned(), websocket(&problem));
    }
    let mut operations = Map::new();
    for it in &described {
        let (channel, operation) = if it.method.spec.webhook.is_some() {
            channels.insert(it.id.clone(), webhook(it));
            (
                it.id.clone(),
                json!({ "bindings": { "http": { "method": "POST", "bindingVersion": "0.3.0" } } }),
            )
        } else if is_callable_by_message(it.method) {
            add_messages(&mut channels[CALLS], messages::of_call(it));
            (CALLS.to_owned(), json!({ "reply": reply(it) }))
        } else {
            continue;
        };
        operations.insert(
            it.id.clone(),
            describe_operation(it, &channel, &messages::request_name(it), operation),
        );
    }
    bus::add(&described, bus, &problem, &mut channels, &mut operations);
    let (schemas, names) = components.finish();
    let schemas = schemas.into_iter().map(|(name, schema)| (name, draft_07(schema)));
    let mut document =
        json!({ "asyncapi": "3.0.0", "info": info, "defaultContentType": "application/json" });
    if let Some(server) = bus::server(bus) {
        document["servers"] = servers(server, &mut channels);
    }
    document["channels"] = channels.into();
    document["operations"] = operations.into();
    document["components"] = json!({ "schemas": schemas.collect::<Map<_, _>>() });
    names.write(&mut document);
    document
}

/// Returns the broker and, if there are other channels than the bus's, the gateway itself as
/// servers. Sets the server of each channel, because a channel without one is on all servers.
fn servers(bus: Value, channels: &mut Map<String, Value>) -> Value {
    let mut servers = json!({ bus::SERVER: bus });
    for (name, channel) in channels {
        let (server, protocol) = match name.as_str() {
            name if bus::is_channel(name) => (bus::SERVER, None),
            CALLS => ("websocket", Some("ws")),
            _ => ("http", Some("http")),
        };
        if let Some(protocol) = protocol {
            servers[server] = gateway(protocol);
        }
        channel["servers"] = json!([{ "$ref": format!("#/servers/{server}") }]);
    }
    servers
}

/// Returns the gateway as a server. Its host is a variable, because the gateway does not know the
/// name by which clients reach it.
fn gateway(protocol: &str) -> Value {
    let host = json!({ "description": "The address of the gateway.", "default": "localhost:8080" });
    json!({ "host": "{host}", "protocol": protocol, "variables": { "host": host } })
}

/// Returns the channel of calls, with the one message that all of them share: the failure.
fn websocket(problem: &Value) -> Value {
    json!({
        "address": WEBSOCKET,
        "title": "Calls",
        "description": "JSON-RPC 2.0 over one WebSocket: many calls in flight, replies in any \
                        order.",
        "messages": { messages::FAILURE: messages::failure(problem) },
        "bindings": { "ws": { "method": "GET", "bindingVersion": "0.1.0" } },
    })
}

fn add_messages(channel: &mut Value, messages: Vec<(String, Value)>) {
    if let Some(all) = channel["messages"].as_object_mut() {
        all.extend(messages);
    }
}

/// Returns the channel of a webhook.
fn webhook(it: &MethodDescription<'_>) -> Value {
    let (name, message) = messages::of_webhook(it);
    json!({
        "address": it.method.path(),
        "title": it.method.spec.title,
        "description": "A webhook, signed by Standard Webhooks 1.0.0.",
        "messages": { name: message },
    })
}

/// Returns the replies to a call: on the same connection, item by item if the reply is a stream.
fn reply(it: &MethodDescription<'_>) -> Value {
    let answers =
        messages::of_call(it).into_iter().skip(1).map(|(name, _)| reference(CALLS, &name));
    let messages: Value = answers.chain([reference(CALLS, messages::FAILURE)]).collect();
    json!({ "channel": { "$ref": format!("#/channels/{CALLS}") }, "messages": messages })
}

/// Rewrites a schema as JSON Schema draft 7, which is what AsyncAPI uses.
fn draft_07(schema: Value) -> Value {
    let Ok(mut schema) = Schema::try_from(schema) else { return Value::Bool(true) };
    ReplaceUnevaluatedProperties::default().transform(&mut schema);
    ReplacePrefixItems::default().transform(&mut schema);
    RemoveRefSiblings::default().transform(&mut schema);
    schema.to_value()
}
