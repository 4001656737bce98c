//! How a call can fail: the codes that a method can be expected to answer with, and what a problem looks like.

use serde_json::{Value, json};

use crate::{
    auth::Accepted,
    error::Code,
    extract::AnswerShape,
    registry::Method,
    spec::{Auth, Effect, Idempotency},
};

/// The codes that the gateway itself may answer a call of `method` with, by status. An author's own come besides.
pub(super) fn codes(method: &Method, accepted: Accepted) -> Vec<Code> {
    let spec = method.spec;
    let is_webhook = spec.webhook.is_some();
    let has_body = method.input.is_some() && !spec.verb.has_query_input() || is_webhook;
    let has_key = spec.idempotency == Idempotency::Required;
    let has_scopes = !is_webhook && method.scopes().next().is_some();
    let asks_who = matches!(asked_auth(method, accepted), Auth::Required | Auth::Optional);
    let asks_providers = !method.capabilities.is_empty();
    let once = |effect| matches!(effect, Effect::Once | Effect::Keyed);
    let acts_once =
        method.capabilities.iter().flat_map(|capability| capability.methods).any(|method| once(method.effect));

    let possible = [
        (Code::INVALID_REQUEST, method.input.is_some() || is_webhook || has_key || asks_providers),
        (Code::UNAUTHENTICATED, asks_who || is_webhook),
        (Code::INSUFFICIENT_FUNDS, spec.price.is_some()),
        (Code::FORBIDDEN, has_scopes),
        (Code::NOT_ACCEPTABLE, matches!(method.answer, AnswerShape::Items(_))),
        (Code::REQUEST_TIMEOUT, has_body),
        (Code::IDEMPOTENCY_CONFLICT, has_key),
        (Code::PAYLOAD_TOO_LARGE, has_body),
        (Code::UNSUPPORTED_MEDIA_TYPE, has_body && method.input.is_some()),
        (Code::IDEMPOTENCY_MISMATCH, has_key),
        (Code::QUOTA_EXCEEDED, spec.quota.is_some()),
        (Code::INTERNAL, true),
        (Code::PROVIDER_FAILED, asks_providers),
        (Code::NO_PROVIDER, asks_providers),
        (Code::OVERLOADED, true),
        (Code::TIMEOUT, spec.effect != Effect::Once || asks_providers),
        (Code::OUTCOME_UNKNOWN, spec.effect == Effect::Once || acts_once),
    ];
    possible.into_iter().filter_map(|(code, is_possible)| is_possible.then_some(code)).collect()
}

/// Whether a caller must be known. Where no credentials are read, what says nothing of them asks for none.
pub(super) fn asked_auth(method: &Method, accepted: Accepted) -> Auth {
    let says = method.spec.auth.or(method.service.auth).is_some();
    match method.auth() {
        Auth::Optional if !says && !accepted.any() => Auth::None,
        auth => auth,
    }
}

/// The schema of `application/problem+json` (RFC 9457) as this gateway writes it.
pub(super) fn problem() -> Value {
    json!({
        "title": "Problem",
        "description": "Why a call failed (RFC 9457).",
        "type": "object",
        "properties": {
            "type": {
                "description": "A reference that names the kind of problem.",
                "type": "string",
                "format": "uri-reference",
            },
            "title": { "description": "The kind of problem, for people.", "type": "string" },
            "status": { "description": "The HTTP status.", "type": "integer", "minimum": 400, "maximum": 599 },
            "detail": { "description": "What went wrong this time, and what to do.", "type": "string" },
            "instance": { "description": "The address that was called.", "type": "string", "format": "uri-reference" },
            "code": {
                "description": "The kind of problem, for programs: it never changes.",
                "type": "string",
                "examples": [Code::QUOTA_EXCEEDED.name()],
            },
            "retryable": { "description": "Whether sending the same call again can help.", "type": "boolean" },
            "request_id": { "description": "The name of the call, as in `X-Request-Id`.", "type": "string" },
            "errors": {
                "description": "Every way in which the input contradicts its schema.",
                "type": "array",
                "items": { "$ref": "#/$defs/Violation" },
            },
        },
        "required": ["type", "title", "status", "detail", "instance", "code", "retryable", "request_id"],
        "$defs": {
            "Violation": {
                "description": "One way in which an input contradicts its schema.",
                "type": "object",
                "properties": {
                    "pointer": {
                        "description": "Where: a JSON Pointer (RFC 6901) into the input; empty for the whole of it.",
                        "type": "string",
                    },
                    "detail": { "description": "What is wrong and what would be right.", "type": "string" },
                },
                "required": ["pointer", "detail"],
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::{
        call::RequestId,
        error::{Error, Violation},
        http::problem::Problem,
    };

    #[test]
    fn problems_have_the_members_that_are_described() {
        let id = RequestId::from_header(&HeaderValue::from_static("id")).unwrap();
        let members = |error: &Error| -> Value {
            let problem = Problem::new(error, "/services/a/v1/b", &id).to_json();
            let problem: Value = serde_json::from_slice(&problem).unwrap();
            problem.as_object().unwrap().keys().cloned().collect()
        };
        let violation = Violation { pointer: "/a".to_owned(), detail: "is missing".to_owned() };
        let described: Value = problem()["properties"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(members(&Error::invalid(vec![violation])), described);
        assert_eq!(members(&Error::not_found("nothing")), problem()["required"]);
    }
}
