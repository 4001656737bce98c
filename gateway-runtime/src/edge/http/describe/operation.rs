//! One method as an operation of OpenAPI.

use serde_json::{Map, Value, json};

use crate::{
    auth::AcceptedCredentials,
    base::spec::{Effect, IdempotencyMode, MethodSpec},
    edge::http::describe::{
        headers, method::MethodDescription, operation_id::tag, responses, security, terms::terms,
    },
    json::schema::parameters,
    service::{argument::ReplyShape, registry::Method},
};

/// The operation.
pub(super) fn operation(
    it: &MethodDescription<'_>,
    accepted: AcceptedCredentials,
) -> Map<String, Value> {
    let spec = it.method.spec;
    let mut operation = Map::new();
    let mut say = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            operation.insert(name.to_owned(), value);
        }
    };
    say("operationId", Some(json!(it.id)));
    say("tags", Some(json!([tag(it.method.service)])));
    let (summary, description) = summary(spec);
    say("summary", Some(json!(summary)));
    say("description", (!description.is_empty()).then(|| json!(description)));
    say("deprecated", spec.deprecated.then_some(Value::Bool(true)));
    let parameters = all_parameters(it);
    say("parameters", (!parameters.is_empty()).then_some(Value::Array(parameters)));
    say("requestBody", request_body(it));
    say("responses", Some(responses::of(it, accepted)));
    // An empty list says that nobody is asked for, where silence would leave it open.
    say("security", Some(security::requirements(it.method, accepted).unwrap_or_else(|| json!([]))));
    for (name, value) in terms(it.method) {
        say(&format!("x-{}", name.replace('_', "-")), Some(value));
    }
    operation
}

fn all_parameters(it: &MethodDescription<'_>) -> Vec<Value> {
    let has_query = it.method.spec.verb.has_query_input();
    let mut all = match &it.input {
        Some(input) if has_query => parameters(input, it.is_optional()),
        _ => Vec::new(),
    };
    if it.method.spec.webhook.is_some() {
        all.extend(headers::of_webhooks());
    }
    if takes_key(it.method) {
        all.push(headers::idempotency_key(it.method.spec.idempotency == IdempotencyMode::Required));
    }
    all
}

/// Whether a key is of use: the gateway itself keeps what it answered to it, or some provider may be told it.
pub(super) fn takes_key(method: &Method) -> bool {
    let spec = method.spec;
    let is_kept = spec.effect != Effect::Read && !matches!(method.answer, ReplyShape::Items(_));
    let mut methods = method.capabilities.iter().flat_map(|capability| capability.methods);
    let is_passed_on = methods.any(|method| method.effect == Effect::Keyed);
    spec.webhook.is_none() && spec.idempotency != IdempotencyMode::None && (is_kept || is_passed_on)
}

/// The summary of a method, and its description without it: the first sentence of the doc comment and what follows, or
/// the title and nothing.
fn summary(spec: &MethodSpec) -> (&str, &str) {
    let text = spec.description;
    let paragraph = text.find("\n\n").unwrap_or(text.len());
    let ends = text.match_indices(['.', '!', '?']).map(|(at, _)| at);
    let end = ends.filter(|at| *at < paragraph).find(|at| {
        let mut after = text[at + 1..].chars();
        // Not within `e.g. this`, and not within a number or a name.
        after.next().is_none_or(char::is_whitespace)
            && after.find(|next| !next.is_whitespace()).is_none_or(|next| !next.is_lowercase())
    });
    let (first, rest) = text.split_at(end.map_or(paragraph, |end| end + 1));
    let first = first.strip_suffix('.').unwrap_or(first);
    if first.is_empty() { (spec.title, text) } else { (first, rest.trim()) }
}

fn request_body(it: &MethodDescription<'_>) -> Option<Value> {
    let input = it.input.as_ref().filter(|_| !it.method.spec.verb.has_query_input())?;
    Some(json!({
        "required": !it.is_optional(),
        "content": { "application/json": { "schema": input } },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::spec::{SourceLocation, Verb};

    #[test]
    fn the_first_sentence_is_the_summary() {
        for (text, expected) in [
            ("", ("Send", "")),
            ("Sends a message.", ("Sends a message", "")),
            ("Sends a message", ("Sends a message", "")),
            ("Sends a message. Slowly.", ("Sends a message", "Slowly.")),
            ("Sends a message, e.g. to Ann.\nSlowly.", ("Sends a message, e.g. to Ann", "Slowly.")),
            (
                "Costs 0.5 EUR by api.example.org! Really.",
                ("Costs 0.5 EUR by api.example.org!", "Really."),
            ),
            ("Sends\n\nSlowly. Yes.", ("Sends", "Slowly. Yes.")),
            ("Is it sent?\n- yes", ("Is it sent?", "- yes")),
        ] {
            let spec = MethodSpec {
                description: text,
                title: "Send",
                ..MethodSpec::new("send", Verb::Get, SourceLocation { file: "", line: 0 })
            };
            assert_eq!(summary(&spec), expected, "{text}");
        }
    }
}
