//! The terms of a method, as all documents write them: effect, price, cache, quota, idempotency and
//! timeout.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::service::registry::Method;

/// Returns the terms of a method. Terms that it does not declare are absent.
pub(super) fn terms(method: &Method) -> Map<String, Value> {
    let spec = method.spec;
    let mut terms = Map::new();
    let mut insert = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            terms.insert(name.to_owned(), value);
        }
    };
    insert("effect", Some(json!(spec.effect)));
    insert("price", spec.price.map(|price| json!(price)));
    insert(
        "cache",
        spec.cache.map(|cache| json!({ "ttl_seconds": seconds(cache.ttl), "scope": cache.scope })),
    );
    insert(
        "quota",
        spec.quota.map(|quota| json!({ "calls": quota.calls, "per_seconds": seconds(quota.per) })),
    );
    insert("idempotency", Some(json!(spec.idempotency)));
    insert("timeout_seconds", spec.timeout.map(seconds));
    terms
}

/// Formats a duration in seconds, as an integer if it is whole.
fn seconds(time: Duration) -> Value {
    if time.subsec_nanos() == 0 { json!(time.as_secs()) } else { json!(time.as_secs_f64()) }
}
