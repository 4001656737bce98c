//! The error codes that a method can be expected to reply with.

use crate::{
    auth::AcceptedCredentials,
    base::{
        error::Code,
        spec::{AuthMode, Effect},
    },
    edge::http::describe::idempotency::takes_key,
    service::{into_reply::ReplyShape, registry::Method},
};

/// Returns the codes with which the gateway may reply to a call of `method`, and those that the
/// method declares, by status.
pub(super) fn codes(method: &Method, accepted: AcceptedCredentials) -> Vec<Code> {
    let spec = method.spec;
    let is_webhook = spec.webhook.is_some();
    let has_body = method.input.is_some() && !spec.verb.has_query_input() || is_webhook;
    let has_key = takes_key(method);
    let has_scopes = !is_webhook && method.scopes().next().is_some();
    let asks_who = matches!(asked_auth(method, accepted), AuthMode::Required | AuthMode::Optional);
    let asks_providers = !method.capabilities.is_empty();
    let once = |effect| matches!(effect, Effect::Once | Effect::Keyed);
    let acts_once = method
        .capabilities
        .iter()
        .flat_map(|capability| capability.methods)
        .any(|method| once(method.effect));

    let possible = [
        (Code::INVALID_REQUEST, method.input.is_some() || is_webhook || has_key || asks_providers),
        (Code::UNAUTHENTICATED, asks_who || is_webhook),
        (Code::INSUFFICIENT_FUNDS, spec.price.is_some()),
        (Code::FORBIDDEN, has_scopes),
        (Code::NOT_ACCEPTABLE, matches!(method.answer, ReplyShape::Items(_))),
        (Code::REQUEST_TIMEOUT, has_body),
        (Code::IDEMPOTENCY_CONFLICT, has_key || is_webhook),
        (Code::PAYLOAD_TOO_LARGE, has_body),
        (Code::UNSUPPORTED_MEDIA_TYPE, has_body && method.input.is_some()),
        (Code::IDEMPOTENCY_MISMATCH, has_key),
        (Code::QUOTA_EXCEEDED, spec.quota.is_some()),
        (Code::INTERNAL, true),
        (Code::PROVIDER_FAILED, asks_providers),
        (Code::NO_PROVIDER, asks_providers),
        (Code::OVERLOADED, true),
        (Code::TIMEOUT, !once(spec.effect) || asks_providers),
        (Code::OUTCOME_UNKNOWN, once(spec.effect) || acts_once),
    ];
    let mut codes: Vec<_> = possible
        .into_iter()
        .filter_map(|(code, is_possible)| is_possible.then_some(code))
        .collect();
    for code in spec.errors {
        if !codes.contains(code) {
            codes.push(*code);
        }
    }
    codes.sort_by_key(|code| code.status());
    codes
}

/// Returns the authentication of a method as published. A method that declares nothing requires
/// none where no credentials are read.
pub(super) fn asked_auth(method: &Method, accepted: AcceptedCredentials) -> AuthMode {
    let says = method.spec.auth.or(method.service.auth).is_some();
    match method.auth() {
        AuthMode::Optional if !says && !accepted.any() => AuthMode::None,
        auth => auth,
    }
}
