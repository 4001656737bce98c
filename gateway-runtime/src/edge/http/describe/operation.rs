//! A method as an operation of OpenAPI.

use serde_json::{Map, Value, json};

use crate::{
    auth::AcceptedCredentials,
    base::spec::{IdempotencyMode, MethodSpec},
    edge::http::describe::{
        headers, idempotency::takes_key, method::MethodDescription, operation_id::tag, responses,
        security, terms::terms,
    },
    json::schema::parameters,
};

/// Returns the operation.
pub(super) fn operation(
    it: &MethodDescription<'_>,
    accepted: AcceptedCredentials,
) -> Map<String, Value> {
    let spec = it.method.spec;
    let mut operation = Map::new();
    let mut insert = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            operation.insert(name.to_owned(), value);
        }
    };
    insert("operationId", Some(json!(it.id)));
    insert("tags", Some(json!([tag(it.method.service)])));
    let (summary, description) = summary(spec);
    insert("summary", Some(json!(summary)));
    insert("description", (!description.is_empty()).then(|| json!(description)));
    insert("deprecated", spec.deprecated.then_some(Value::Bool(true)));
    let parameters = all_parameters(it);
    insert("parameters", (!parameters.is_empty()).then_some(Value::Array(parameters)));
    insert("requestBody", request_body(it));
    insert("responses", Some(responses::of(it, accepted)));
    // An empty list states that no authentication is needed; a missing member would mean the
    // default of the document.
    let security = security::requirements(it.method, accepted).unwrap_or_else(|| json!([]));
    insert("security", Some(security));
    for (name, value) in terms(it.method) {
        insert(&format!("x-{}", name.replace('_', "-")), Some(value));
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

/// Splits the doc comment of a method into its first sentence, which is the summary, and the
/// remainder. Without a doc comment, the summary is the title.
fn summary(spec: &MethodSpec) -> (&str, &str) {
    let text = spec.description;
    let paragraph = text.find("\n\n").unwrap_or(text.len());
    let ends = text.match_indices(['.', '!', '?']).map(|(at, _)| at);
    let end = ends.filter(|at| *at < paragraph).find(|at| {
        let mut after = text[at + 1..].chars();
        // A sentence does not end within `e.g. this`, a number or a name.
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
