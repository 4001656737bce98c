//! Header fields as OpenAPI describes them.

use serde_json::{Value, json};

/// Returns the fields of every response.
pub(super) fn always() -> Value {
    json!({ "X-Request-Id": reference("X-Request-Id") })
}

/// Returns a reference to one of the [`shared`] fields.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/headers/{name}") })
}

/// Returns the fields that responses refer to.
pub(super) fn shared() -> Value {
    json!({
        "X-Request-Id": {
            "description": "The id of the call in the gateway's log: the request's own \
                            `X-Request-Id` if it is at most 128 letters, digits and `-_.:/+=`, \
                            otherwise a new one.",
            "required": true,
            "schema": { "type": "string" },
        },
        "Retry-After": {
            "description": "The number of seconds after which a retry may succeed.",
            "schema": { "type": "integer", "minimum": 0 },
        },
    })
}

/// The pattern of a bare key, as clients make them. The gateway accepts a quoted key as well.
const KEY: &str = "^[!#-~]([ -~]*[!-~])?$";

/// Returns the parameter for the idempotency key.
pub(super) fn idempotency_key(is_required: bool) -> Value {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Makes the call safe to retry: the same key and request get the same reply, \
                        and providers that de-duplicate receive the same key. A key has 1 to 255 \
                        printable ASCII characters.",
        "required": is_required,
        "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": KEY },
    })
}

/// Returns the parameters of a webhook's signature: the fields of Standard Webhooks 1.0.0.
pub(super) fn of_webhooks() -> [Value; 3] {
    let field = |name: &str, description: &str, schema: Value| {
        json!({
            "name": name,
            "in": "header",
            "description": description,
            "required": true,
            "schema": schema,
        })
    };
    [
        field(
            "webhook-id",
            "The id of the message, the same for every attempt to send it.",
            json!({ "type": "string" }),
        ),
        field(
            "webhook-timestamp",
            "The time of sending, in seconds since 1970: at most five minutes away from now.",
            json!({ "type": "integer", "format": "int64", "minimum": 0 }),
        ),
        field(
            "webhook-signature",
            "`v1,` and the base64 of HMAC-SHA256 over \
             `{webhook-id}.{webhook-timestamp}.{body}`; several are separated by spaces.",
            json!({ "type": "string" }),
        ),
    ]
}
