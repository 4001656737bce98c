//! The bus in AsyncAPI: the queue of calls, the replies, and the queues of retries and dead
//! letters.

use ::http::Uri;
use serde_json::{Map, Value, json};

use crate::{
    base::duration,
    bus::{BusSettings, CallQueue, Message},
    edge::http::describe::{
        asyncapi_operation::{describe_operation, reference},
        method::MethodDescription,
        operation_id::is_callable_by_bus,
    },
    service::into_reply::ReplyShape,
};

/// The name of the broker in the list of servers.
pub(super) const SERVER: &str = "bus";

const CALLS: &str = "bus_calls";
const ANSWERS: &str = "bus_answers";
const RETRIES: &str = "bus_retries";
const DEAD: &str = "bus_dead_letters";
/// The name of the message that reports a failed call.
const FAILURE: &str = "failure";
/// The name of the message of a call that is retried or is a dead letter.
const FAILED: &str = "failed_call";

/// Adds the channels and operations of calls by the bus, if the gateway consumes the queue of calls
/// and a method can be called by it.
pub(super) fn add(
    described: &[MethodDescription<'_>],
    settings: &BusSettings,
    problem: &Value,
    channels: &mut Map<String, Value>,
    operations: &mut Map<String, Value>,
) {
    let callable: Vec<_> = described.iter().filter(|it| is_callable_by_bus(it.method)).collect();
    if callable.is_empty() || !settings.calls.enabled {
        return;
    }
    let queue = settings.calls.call_queue();
    let calls = callable.iter().map(|it| (call_name(it), call(it)));
    let failure = [(FAILURE.to_owned(), failure(problem))];
    let answers = callable.iter().map(|it| (answer_name(it), answer(it))).chain(failure);
    let failed = || Map::from_iter([(FAILED.to_owned(), failed_call())]);
    channels.extend([
        (CALLS.to_owned(), of_calls(&queue, calls.collect())),
        (ANSWERS.to_owned(), of_answers(answers.collect())),
        (DEAD.to_owned(), of_dead_letters(&queue, failed())),
    ]);
    add_operation(operations, DEAD, forwarded_call("A call cannot be executed", DEAD));
    if !queue.delays.is_empty() {
        channels.insert(RETRIES.to_owned(), of_retries(&queue, failed()));
        add_operation(operations, RETRIES, forwarded_call("A call is retried later", RETRIES));
    }
    for it in callable {
        let messages = json!([reference(ANSWERS, &answer_name(it)), reference(ANSWERS, FAILURE)]);
        let reply = json!({
            "address": {
                "location": "$message.header#/replyTo",
                "description": "The property `reply_to` of the call. A call without it gets no \
                                reply.",
            },
            "channel": { "$ref": format!("#/channels/{ANSWERS}") },
            "messages": messages,
        });
        let more = json!({ "reply": reply, "bindings": bindings(json!({ "ack": true })) });
        add_operation(
            operations,
            &format!("{}_by_bus", it.id),
            describe_operation(it, CALLS, &call_name(it), more),
        );
    }
}

/// Returns the broker as a server, without user and password; none if no broker is configured, or
/// if its URL cannot be parsed.
pub(super) fn server(settings: &BusSettings) -> Option<Value> {
    let url: Uri = settings.amqp.as_ref()?.expose().parse().ok()?;
    let (protocol, host) = (url.scheme_str()?, url.host()?);
    let port = url.port_u16().unwrap_or(if protocol == "amqps" { 5671 } else { 5672 });
    let mut server = json!({
        "host": format!("{host}:{port}"),
        "protocol": protocol,
        "protocolVersion": "0-9-1",
        "security": [{ "type": "userPassword" }],
    });
    if url.path().len() > 1 {
        server["pathname"] = url.path().into();
    }
    Some(server)
}

/// Returns whether a channel is one of the bus.
pub(super) fn is_channel(name: &str) -> bool {
    [CALLS, ANSWERS, RETRIES, DEAD].contains(&name)
}

/// Adds an operation under a unique name, since names of methods may collide with it.
fn add_operation(operations: &mut Map<String, Value>, name: &str, operation: Value) {
    let mut name = name.to_owned();
    while operations.contains_key(&name) {
        name.push_str("_2");
    }
    operations.insert(name, operation);
}

fn call_name(it: &MethodDescription<'_>) -> String {
    format!("{}_call", it.id)
}

fn answer_name(it: &MethodDescription<'_>) -> String {
    format!("{}_answer", it.id)
}

fn bindings(mut amqp: Value) -> Value {
    amqp["bindingVersion"] = "0.3.0".into();
    json!({ "amqp": amqp })
}

/// Returns the binding of a queue as the gateway declares it.
fn durable_queue(name: Option<&str>) -> Value {
    let mut queue = json!({ "durable": true, "exclusive": false, "autoDelete": false });
    if let Some(name) = name {
        queue["name"] = name.into();
    }
    bindings(json!({ "is": "queue", "queue": queue }))
}

fn of_calls(queue: &CallQueue, messages: Map<String, Value>) -> Value {
    json!({
        "address": queue.name,
        "title": "Calls over the bus",
        "description": "The header field `authorization` or `x-api-key` authenticates the caller. \
                        The property `message_id` is the idempotency key. A call with `reply_to` \
                        and `expiration` gets its reply at once, also if it fails; any other call \
                        that fails is retried where that can help, and otherwise becomes a dead \
                        letter.",
        "messages": messages,
        "bindings": durable_queue(Some(&queue.name)),
    })
}

fn of_answers(messages: Map<String, Value>) -> Value {
    json!({
        "address": null,
        "title": "Replies over the bus",
        "description": "The queue that the call names in `reply_to`, through the default exchange.",
        "messages": messages,
    })
}

fn of_retries(queue: &CallQueue, messages: Map<String, Value>) -> Value {
    let delays: Value = queue.delays.iter().map(|delay| duration::format(*delay)).collect();
    json!({
        "address": format!("{}.retry.{{delay}}", queue.name),
        "title": "Calls that wait for a retry",
        "description": "After the delay the broker returns them to the queue of calls.",
        "parameters": { "delay": { "description": "The delay.", "enum": delays } },
        "messages": messages,
        "bindings": durable_queue(None),
    })
}

fn of_dead_letters(queue: &CallQueue, messages: Map<String, Value>) -> Value {
    let exchange = CallQueue::DEAD_LETTERS;
    json!({
        "address": queue.dead_letter_queue(),
        "title": "Calls that cannot be executed",
        "description": format!(
            "They arrive through the topic exchange `{exchange}`, with the routing key `{}`. Calls \
             that the broker delivered too often, because gateways were lost with them, have no \
             fields of the gateway.",
            queue.name
        ),
        "messages": messages,
        "bindings": durable_queue(Some(&queue.dead_letter_queue())),
    })
}

/// Returns the operation by which the gateway sends a failed call to another queue.
fn forwarded_call(title: &str, channel: &str) -> Value {
    json!({
        "action": "send",
        "channel": { "$ref": format!("#/channels/{channel}") },
        "title": title,
        "messages": [reference(channel, FAILED)],
        "bindings": bindings(json!({ "deliveryMode": 2, "mandatory": true })),
    })
}

fn call(it: &MethodDescription<'_>) -> Value {
    let service = it.method.service;
    let mut payload = json!({
        "type": "object",
        "properties": {
            "service": { "const": service.name },
            "version": { "const": service.version },
            "method": { "const": it.method.spec.name },
        },
        "required": ["service", "version", "method"],
    });
    if let Some(input) = &it.input {
        payload["properties"]["payload"] = input.clone();
        if !it.is_optional() {
            payload["required"] = json!(["service", "version", "method", "payload"]);
        }
    }
    json!({
        "title": format!("{}: call", it.method.spec.title),
        "correlationId": correlation(),
        "payload": payload,
    })
}

fn answer(it: &MethodDescription<'_>) -> Value {
    let status = if matches!(it.method.answer, ReplyShape::Empty) { 204 } else { 200 };
    let mut message = json!({
        "title": format!("{}: reply", it.method.spec.title),
        "correlationId": correlation(),
        "headers": header_fields(json!({ "const": status })),
    });
    match (&it.method.answer, &it.answer) {
        (ReplyShape::Raw(media), _) => message["contentType"] = (*media).into(),
        (_, Some(answer)) => message["payload"] = answer.clone(),
        (_, None) => {}
    }
    message
}

/// Returns the message of a failure, which any call can get.
fn failure(problem: &Value) -> Value {
    let mut headers = header_fields(json!({ "type": "integer", "minimum": 400, "maximum": 599 }));
    headers["properties"]["retry-after"] = json!({
        "description": "The number of seconds after which a retry may succeed.",
        "type": "string",
    });
    json!({
        "title": "A call has failed",
        "contentType": "application/problem+json",
        "correlationId": correlation(),
        "headers": headers,
        "payload": problem,
    })
}

/// Returns the message of a failed call: as it came, with the reason in the header fields.
fn failed_call() -> Value {
    json!({
        "title": "A call that has failed, as it was received",
        "headers": {
            "type": "object",
            "properties": {
                "x-gateway-attempt": {
                    "description": "The number of tries.",
                    "type": "integer",
                    "minimum": 1,
                },
                "x-gateway-code": { "description": "The code of the problem.", "type": "string" },
                "x-gateway-problem": {
                    "description": "The problem.",
                    "type": "string",
                    "contentMediaType": "application/problem+json",
                },
                Message::UNREADABLE: {
                    "description": "The reason why some properties are missing.",
                    "type": "string",
                },
            },
        },
    })
}

/// Returns the header fields of a reply.
fn header_fields(status: Value) -> Value {
    json!({
        "type": "object",
        "properties": { Message::STATUS: status, "x-request-id": { "type": "string" } },
        "required": [Message::STATUS, "x-request-id"],
    })
}

/// Returns the location of the correlation id, which the caller chooses and the reply repeats.
fn correlation() -> Value {
    json!({ "location": "$message.header#/correlationId" })
}
