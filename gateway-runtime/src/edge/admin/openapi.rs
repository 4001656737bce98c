//! `/openapi.json`: the admin API, described by the types that its operations use.

use serde_json::{Map, Value, json};

use crate::{
    base::{error::Code, problem, spec::Verb},
    edge::admin::operation::Operation,
    json::schema::{Components, Root, Side, parameters, tidy},
};

/// Returns the document, in OpenAPI 3.1. `is_locked` is whether tokens are required.
pub(super) fn document(operations: &[Operation], is_locked: bool) -> Value {
    let mut components = Components::default();
    components.add_own(&problem::schema());
    let inputs: Vec<_> = operations
        .iter()
        .map(|it| components.add(it.input.json(), Side::Input, root(it)))
        .collect();
    let mut paths = Map::new();
    for (it, input) in operations.iter().zip(inputs) {
        let output =
            it.output.as_ref().map(|output| components.add(output, Side::Output, Root::Named));
        let path = paths.entry(it.path).or_insert_with(|| json!({}));
        path[it.verb.as_str().to_lowercase()] = operation(it, input, output, is_locked);
    }
    let (schemas, names) = components.finish();
    let mut shared = json!({ "schemas": schemas, "headers": headers() });
    if is_locked {
        shared["securitySchemes"] = json!({ "operator": { "type": "http", "scheme": "bearer" } });
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "The operator's API of a gateway",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Accounts, keys, prices, limits, providers, and the log of requests.",
        },
        "servers": [{ "url": "/" }],
        "tags": [{ "name": "admin", "description": "Operations of operators." }],
        "paths": paths,
        "components": shared,
    });
    names.write(&mut document);
    tidy(&mut document);
    document
}

/// Returns where the schema of the input is written: in place for a query, as a component for a
/// body.
fn root(it: &Operation) -> Root {
    if it.verb.has_query_input() { Root::Inline } else { Root::Named }
}

/// Describes an operation.
fn operation(it: &Operation, input: Value, output: Option<Value>, is_locked: bool) -> Value {
    let mut described = json!({
        "operationId": id(it),
        "tags": ["admin"],
        "summary": it.title,
    });
    let mut all = named_in_path(it.path);
    if it.verb.has_query_input() {
        all.extend(parameters(&input, it.input.is_optional()));
    } else {
        described["requestBody"] = json!({
            "required": !it.input.is_optional(),
            "content": { "application/json": { "schema": input } },
        });
    }
    if it.creates {
        all.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "description": "Makes the request safe to retry: the same key and request get the same \
                            reply. At most 255 printable ASCII characters.",
            "required": false,
            "schema": { "type": "string" },
        }));
    }
    if !all.is_empty() {
        described["parameters"] = Value::Array(all);
    }
    described["responses"] = responses(it, output, is_locked);
    described["security"] = if is_locked { json!([{ "operator": [] }]) } else { json!([]) };
    described
}

/// Returns the operation id, such as `get_admin_accounts_id_entries`.
fn id(it: &Operation) -> String {
    let words = it.path.split(['/', '{', '}']).filter(|word| !word.is_empty());
    std::iter::once(it.verb.as_str().to_lowercase())
        .chain(words.map(str::to_owned))
        .collect::<Vec<_>>()
        .join("_")
}

/// Returns the parameters of a path template.
fn named_in_path(path: &str) -> Vec<Value> {
    let names = path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    let schema = json!({ "type": "string", "minLength": 1 });
    names
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": schema }))
        .collect()
}

/// Describes the responses of an operation: the success, and each problem that can be expected.
fn responses(it: &Operation, output: Option<Value>, is_locked: bool) -> Value {
    let known = json!({ "X-Request-Id": { "$ref": "#/components/headers/X-Request-Id" } });
    let mut done = json!({ "description": "Done.", "headers": known });
    if let Some(schema) = output {
        done["content"] = json!({ "application/json": { "schema": schema } });
    }
    let mut responses = Map::from_iter([(it.status.as_str().to_owned(), done)]);
    let has_body = !it.verb.has_query_input();
    let possible = [
        (Code::INVALID_REQUEST, true),
        (Code::UNAUTHENTICATED, is_locked),
        (Code::FORBIDDEN, !is_locked),
        (Code::NOT_FOUND, it.path.contains('{')),
        (Code::REQUEST_TIMEOUT, has_body),
        (Code::IDEMPOTENCY_CONFLICT, it.creates),
        (Code::PAYLOAD_TOO_LARGE, has_body),
        (Code::UNSUPPORTED_MEDIA_TYPE, has_body),
        (Code::IDEMPOTENCY_MISMATCH, it.creates && it.verb != Verb::Get),
        (Code::INTERNAL, true),
        (Code::OVERLOADED, true),
    ];
    for (code, _) in possible.into_iter().filter(|(_, is_possible)| *is_possible) {
        responses.insert(code.status().to_string(), failure(code.title()));
    }
    responses.insert("default".to_owned(), failure("Any other problem"));
    Value::Object(responses)
}

/// Describes the response of a problem.
fn failure(title: &str) -> Value {
    json!({
        "description": format!("{title}."),
        "headers": { "X-Request-Id": { "$ref": "#/components/headers/X-Request-Id" } },
        "content": {
            "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } },
        },
    })
}

/// Returns the header fields that responses refer to.
fn headers() -> Value {
    json!({
        "X-Request-Id": {
            "description": "The id of the request in the gateway's log.",
            "required": true,
            "schema": { "type": "string" },
        },
    })
}
