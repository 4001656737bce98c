//! Problem details (RFC 9457): errors as clients read them (SEMANTICS §2).

#[cfg(test)]
mod tests;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::{
    base::{
        call::RequestId,
        error::{Code, Error},
    },
    json::violation::Violation,
};

/// Prefix of the member `type`; the code follows. `explain` publishes a page at each of these
/// addresses.
pub(crate) const TYPE_PREFIX: &str = "/problems/";

/// The members of a problem. None of them can hold an error's log message.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct ProblemDetails<'a> {
    #[serde(rename = "type", serialize_with = "type_of_code")]
    type_of: Code,
    title: &'a str,
    status: u16,
    detail: &'a str,
    /// Address that was called.
    instance: &'a str,
    #[serde(serialize_with = "code_name")]
    code: Code,
    retryable: bool,
    request_id: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [Violation],
}

impl<'a> ProblemDetails<'a> {
    /// Creates the problem that the client reads of `error`, for the call `id` to `instance`.
    pub(crate) fn new(error: &'a Error, instance: &'a str, id: &'a RequestId) -> Self {
        let code = error.code();
        Self {
            type_of: code,
            title: code.title(),
            status: code.status(),
            detail: error.detail(),
            instance,
            code,
            retryable: error.is_retryable(),
            request_id: id.as_str(),
            errors: error.violations(),
        }
    }

    /// Serialises the problem as JSON, on one line.
    pub(crate) fn to_json(self) -> Bytes {
        // A problem holds text, numbers and lists of text, so serialisation cannot fail.
        serde_json::to_vec(&self).unwrap_or_default().into()
    }
}

fn type_of_code<S: Serializer>(code: &Code, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{TYPE_PREFIX}{}", code.name()))
}

fn code_name<S: Serializer>(code: &Code, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(code.name())
}

/// Creates the response for `error`; `X-Request-Id` is added to all responses in one place.
pub(crate) fn respond(error: &Error, instance: &str, id: &RequestId) -> Response<Bytes> {
    let mut response = Response::new(ProblemDetails::new(error, instance, id).to_json());
    *response.status_mut() = status(error.code());
    let headers = response.headers_mut();
    headers.reserve(4);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    add_headers(headers, error);
    response
}

/// Adds the header fields that the standards require for `error` besides the body.
pub(crate) fn add_headers(headers: &mut HeaderMap, error: &Error) {
    if let Some(delay) = error.retry_after() {
        headers.insert(header::RETRY_AFTER, whole_seconds(delay).into());
    }
    if let Some(allowed) = error.allow() {
        headers.insert(header::ALLOW, HeaderValue::from_static(allowed));
    }
    if let Some(challenge) = error.challenge() {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    if let Some(codings) = error.accepted_encodings() {
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(codings));
    }
}

/// Returns the status of a code, whose range [`Code::new`] has checked.
fn status(code: Code) -> StatusCode {
    StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Returns a delay in whole seconds, rounded up: a retry that comes too early is in vain.
fn whole_seconds(delay: Duration) -> u64 {
    delay.as_secs() + u64::from(delay.subsec_nanos() > 0)
}

/// Returns the schema of `application/problem+json` (RFC 9457) as this gateway writes it.
pub(crate) fn schema() -> Value {
    json!({
        "title": "Problem",
        "description": "Why a call failed (RFC 9457).",
        "type": "object",
        "properties": {
            "type": {
                "description": "A URI reference that identifies the kind of problem.",
                "type": "string",
                "format": "uri-reference",
            },
            "title": { "description": "The kind of problem, in words.", "type": "string" },
            "status": {
                "description": "The HTTP status.",
                "type": "integer",
                "minimum": 400,
                "maximum": 599,
            },
            "detail": {
                "description": "The failure of this call, and how to mend it.",
                "type": "string",
            },
            "instance": {
                "description": "The path of the call.",
                "type": "string",
                "format": "uri-reference",
            },
            "code": {
                "description": "The kind of problem, for programs; a code never changes.",
                "type": "string",
                "examples": [Code::QUOTA_EXCEEDED.name()],
            },
            "retryable": {
                "description": "Whether a retry of the same call can succeed.",
                "type": "boolean",
            },
            "request_id": {
                "description": "The id of the call, as in `X-Request-Id`.",
                "type": "string",
            },
            "errors": {
                "description": "The violations of the schema in the input.",
                "type": "array",
                "items": { "$ref": "#/$defs/Violation" },
            },
        },
        "required": [
            "type", "title", "status", "detail", "instance", "code", "retryable", "request_id",
        ],
        "$defs": {
            "Violation": violation_schema(),
        },
    })
}

/// Returns the schema of a [`Violation`].
fn violation_schema() -> Value {
    json!({
        "description": "A violation of the schema in the input.",
        "type": "object",
        "properties": {
            "pointer": {
                "description": "The place: a JSON Pointer (RFC 6901) into the input; empty for the \
                                whole input.",
                "type": "string",
            },
            "detail": {
                "description": "The reason, and what is allowed.",
                "type": "string",
            },
        },
        "required": ["pointer", "detail"],
    })
}
