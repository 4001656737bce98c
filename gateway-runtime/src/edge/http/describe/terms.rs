//! The terms on which a method is called, as all documents write them.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::service::registry::Method;

/// Effect, price, cache, quota, idempotency and time; what is not declared is absent.
pub(super) fn terms(method: &Method) -> Map<String, Value> {
    let spec = method.spec;
    let mut terms = Map::new();
    let mut say = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            terms.insert(name.to_owned(), value);
        }
    };
    say("effect", Some(json!(spec.effect)));
    say("price", spec.price.map(|price| json!(price)));
    say(
        "cache",
        spec.cache.map(|cache| json!({ "ttl_seconds": seconds(cache.ttl), "scope": cache.scope })),
    );
    say(
        "quota",
        spec.quota.map(|quota| json!({ "calls": quota.calls, "per_seconds": seconds(quota.per) })),
    );
    say("idempotency", Some(json!(spec.idempotency)));
    say("timeout_seconds", spec.timeout.map(seconds));
    terms
}

/// A whole number of seconds where it is one.
fn seconds(time: Duration) -> Value {
    if time.subsec_nanos() == 0 { json!(time.as_secs()) } else { json!(time.as_secs_f64()) }
}
