//! The authentication of methods as security requirements of OpenAPI.

use serde_json::{Map, Value, json};

use crate::{
    auth::AcceptedCredentials,
    base::spec::AuthMode,
    edge::http::describe::error_codes::asked_auth,
    service::registry::{Method, Registry},
};

/// Returns the security schemes: those whose credentials are read, or all where none is configured
/// and some method requires a caller; none if no method has requirements.
pub(super) fn schemes(registry: &Registry, accepted: AcceptedCredentials) -> Option<Value> {
    if registry.methods().all(|method| requirements(method, accepted).is_none()) {
        return None;
    }
    let describe = |name| match name {
        "bearer" => json!({ "type": "http", "scheme": "bearer", "bearerFormat": "JWT" }),
        _ => json!({ "type": "apiKey", "in": "header", "name": "X-Api-Key" }),
    };
    Some(ways(accepted).map(|name| (name.to_owned(), describe(name))).collect::<Map<_, _>>().into())
}

fn ways(accepted: AcceptedCredentials) -> impl Iterator<Item = &'static str> {
    let none = !accepted.any();
    let ways = [("bearer", accepted.tokens || none), ("api_key", accepted.api_keys || none)];
    ways.into_iter().filter_map(|(name, is_read)| is_read.then_some(name))
}

/// Returns the alternative requirements of a method; none if it reads no credentials, as a webhook,
/// which is signed. The names in a requirement are the scopes that the caller must hold.
pub(super) fn requirements(method: &Method, accepted: AcceptedCredentials) -> Option<Value> {
    let scopes: Vec<_> = method.scopes().collect();
    let all = ways(accepted).map(|name| json!({ name: scopes }));
    match asked_auth(method, accepted) {
        AuthMode::Required => Some(all.collect()),
        AuthMode::Optional => Some([json!({})].into_iter().chain(all).collect()),
        AuthMode::None => None,
    }
}
