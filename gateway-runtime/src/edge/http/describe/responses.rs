//! The replies and failures of methods as responses of OpenAPI.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{
    auth::AcceptedCredentials,
    base::error::Code,
    edge::http::{
        describe::{error_codes::codes, headers, method::MethodDescription},
        stream::StreamFormat,
    },
    service::{into_reply::ReplyShape, registry::Registry},
};

/// Returns the responses of a method: the success, each failure that can be expected, and any
/// other.
pub(super) fn of(it: &MethodDescription<'_>, accepted: AcceptedCredentials) -> Value {
    let (status, success) = success(it);
    let mut responses = Map::new();
    responses.insert(status.to_owned(), success);
    for (status, codes) in by_status(codes(it.method, accepted)) {
        responses.insert(status.to_string(), reference(&codes));
    }
    // An author's method may reply with a code of its own, at any status from 400.
    responses.insert("default".to_owned(), reference(&[]));
    Value::Object(responses)
}

/// Returns the responses that [`of`] refers to: one for each set of codes that some method can
/// reply with at one status.
pub(super) fn shared(registry: &Registry, accepted: AcceptedCredentials) -> Value {
    let sets = registry
        .methods()
        .flat_map(|method| by_status(codes(method, accepted)).into_values())
        .chain([Vec::new()]);
    let by_name: BTreeMap<_, _> = sets.map(|codes| (name(&codes), codes)).collect();
    by_name.into_iter().map(|(name, codes)| (name, problem(&codes))).collect::<Map<_, _>>().into()
}

fn by_status(codes: Vec<Code>) -> BTreeMap<u16, Vec<Code>> {
    let mut by_status = BTreeMap::<_, Vec<_>>::new();
    for code in codes {
        by_status.entry(code.status()).or_default().push(code);
    }
    by_status
}

fn success(it: &MethodDescription<'_>) -> (&'static str, Value) {
    let headers = headers::always();
    let schema = it.answer.clone().unwrap_or_default();
    let (description, content) = match it.method.answer {
        ReplyShape::Empty => {
            return (
                "204",
                json!({ "description": "Success, without content.", "headers": headers }),
            );
        }
        ReplyShape::Json(_) => ("The reply.", json!({ "application/json": { "schema": schema } })),
        // OpenAPI 3.1 has no schema for the items of a stream, and readers disagree on the meaning
        // of `schema` here.
        ReplyShape::Items(_) => (
            "A stream of items in the format of `Accept`: server-sent events with an item as the \
             `data` of each, or one item a line. A problem ends a stream that fails, as the \
             `data` of an event named `error` or as a line `{\"error\": …}`; then the connection \
             is closed.",
            StreamFormat::MEDIA
                .map(|media| (media.to_owned(), json!({ "x-item-schema": schema })))
                .into_iter()
                .collect(),
        ),
        ReplyShape::Raw(media) => {
            ("The reply.", json!({ name_of_media(media): { "schema": raw(media) } }))
        }
    };
    ("200", json!({ "description": description, "headers": headers, "content": content }))
}

/// Returns a media type without parameters such as a charset; the name alone matches all of them
/// (OpenAPI 3.1, "Response Object").
fn name_of_media(media: &str) -> &str {
    media.split(';').next().unwrap_or(media).trim()
}

/// Returns the schema of raw content. OpenAPI 3.1 needs none for bytes, but client generators
/// recognise binary content by the format `binary`.
fn raw(media: &str) -> Value {
    if media.starts_with("text/") {
        json!({ "type": "string" })
    } else {
        json!({ "type": "string", "format": "binary" })
    }
}

/// Returns the name of a set of codes, such as `no-provider-or-overloaded`; `problem` for the empty
/// set, which means any.
fn name(codes: &[Code]) -> String {
    match codes {
        [] => "problem".to_owned(),
        codes => codes.iter().map(|code| code.name()).collect::<Vec<_>>().join("-or-"),
    }
}

fn reference(codes: &[Code]) -> Value {
    json!({ "$ref": format!("#/components/responses/{}", name(codes)) })
}

fn problem(codes: &[Code]) -> Value {
    let kinds: Vec<_> =
        codes.iter().map(|code| format!("{} (`{}`)", code.title(), code.name())).collect();
    let description =
        if kinds.is_empty() { "Any other problem.".to_owned() } else { kinds.join(", or ") + "." };
    let mut headers = headers::always();
    if codes.is_empty() || codes.iter().any(|code| code.is_retryable()) {
        headers["Retry-After"] = headers::reference("Retry-After");
    }
    json!({
        "description": description,
        "headers": headers,
        "content": {
            "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } },
        },
    })
}
