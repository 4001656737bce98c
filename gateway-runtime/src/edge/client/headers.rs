//! Header fields from an author's strings.

use ::http::{HeaderName, HeaderValue};

use crate::edge::client::ClientError;

/// Parses a header field. The error omits the value, which may be a secret.
///
/// # Errors
///
/// Fails if the name or the value is malformed.
pub(super) fn field(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), ClientError> {
    let parsed = HeaderName::try_from(name)
        .map_err(|_| ClientError::invalid(format!("{name:?} is not a valid header field name")))?;
    let value = HeaderValue::try_from(value).map_err(|_| {
        ClientError::invalid(format!("the value of the header field {name} is malformed"))
    })?;
    Ok((parsed, value))
}

/// Returns the value of `Authorization` for a bearer token (RFC 6750 §2.1).
///
/// # Errors
///
/// Fails if the token has characters that are invalid in a field value.
pub(super) fn bearer(token: &str) -> Result<HeaderValue, ClientError> {
    let value = HeaderValue::try_from(format!("Bearer {token}"));
    let mut value = value.map_err(|_| ClientError::invalid("the bearer token is malformed"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Returns the value of `Idempotency-Key`: a string of RFC 9651, as the field's IETF draft
/// requires.
///
/// # Errors
///
/// Fails if the key is not 1 to 255 printable ASCII characters.
pub(super) fn idempotency_key(key: &str) -> Result<HeaderValue, ClientError> {
    let printable = key.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let quoted = format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""));
    HeaderValue::try_from(quoted)
        .ok()
        .filter(|_| printable && (1..=255).contains(&key.len()))
        .ok_or_else(|| {
            ClientError::invalid(format!(
                "the idempotency key {key:?} is not 1 to 255 printable ASCII characters"
            ))
        })
}
