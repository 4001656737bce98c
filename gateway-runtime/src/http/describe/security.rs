//! Who may call, as security requirements of OpenAPI.

use serde_json::{Value, json};

use super::failures::declared_auth;
use crate::{
    registry::{Method, Registry},
    spec::Auth,
};

/// The ways to say who is calling; none when no method asks.
pub(super) fn schemes(registry: &Registry) -> Option<Value> {
    registry.methods().any(|method| requirements(method).is_some()).then(|| {
        json!({
            "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
            "api_key": { "type": "apiKey", "in": "header", "name": "X-Api-Key" },
        })
    })
}

/// One of these must be met; none when the method does not ask who is calling, or it is a webhook, which is signed.
/// The names in a requirement are the scopes that the caller must hold.
pub(super) fn requirements(method: &Method) -> Option<Value> {
    let scopes: Vec<_> = method.scopes().collect();
    match declared_auth(method)? {
        Auth::Required => Some(json!([{ "bearer": scopes }, { "api_key": scopes }])),
        Auth::Optional => Some(json!([{}, { "bearer": [] }, { "api_key": [] }])),
        Auth::None => None,
    }
}
