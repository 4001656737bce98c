//! Webhooks: calls that are authenticated by a signature, as Standard Webhooks 1.0.0 defines it.
//!
//! `webhook-signature` is a list of `v1,` and the base64 of HMAC-SHA256 over
//! `{webhook-id}.{webhook-timestamp}.{body}`. A signature is valid for five minutes around its
//! timestamp, and for one call that was executed
//! ([`replay_guard`](crate::edge::http::replay_guard)).

#[cfg(test)]
mod tests;

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use http::{HeaderMap, HeaderValue};
use ring::hmac::{self, HMAC_SHA256};
use subtle::ConstantTimeEq;

use crate::{
    base::{
        error::{Code, Error},
        secret::Secret,
    },
    edge::http::replay_guard::{ReplayGuard, Use},
};

/// The minimum length of a key in the form `whsec_…` (Standard Webhooks 1.0.0: 24 to 64 bytes).
const MIN_KEY_BYTES: usize = 24;

/// A key that signs webhooks and verifies their signatures.
///
/// A program that sends webhooks signs each with it, as does the test of a method that receives
/// them:
///
/// ```
/// use gateway_runtime::{Secret, http::WebhookKey};
///
/// // The values are the example of Standard Webhooks.
/// let key = WebhookKey::new(&Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))?;
/// let id = "msg_p5jXN8AQM9LWM0D4loKWxJek"; // `webhook-id`
/// let timestamp = 1_614_265_330; // `webhook-timestamp`
/// let signature = key.sign(id, timestamp, br#"{"test": 2432232314}"#); // `webhook-signature`
/// assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone)]
pub struct WebhookKey(hmac::Key);

impl WebhookKey {
    /// Creates the key of a secret: base64 after `whsec_`, as senders issue it; without that
    /// prefix, the bytes of the text.
    ///
    /// # Errors
    ///
    /// Describes what is wrong with the secret, without repeating it.
    pub fn new(secret: &Secret) -> Result<Self, &'static str> {
        let text = secret.expose();
        if text.trim() != text {
            return Err("begins or ends with a space or a line break");
        }
        if text.starts_with("v1,") {
            return Err("begins with `v1,`, as signatures do; the secret is what follows");
        }
        let key = match text.strip_prefix("whsec_") {
            Some(encoded) => BASE64.decode(encoded).map_err(|_| "is not base64 after `whsec_`")?,
            None => text.as_bytes().to_vec(),
        };
        if text.starts_with("whsec_") && key.len() < MIN_KEY_BYTES {
            return Err("has fewer than 24 bytes after `whsec_`, and could be guessed");
        }
        if key.is_empty() {
            return Err("is empty");
        }
        // HMAC accepts keys of any length (RFC 2104 §3).
        Ok(Self(hmac::Key::new(HMAC_SHA256, &key)))
    }

    /// Returns the value of `webhook-signature` for a message; `timestamp` is that of the attempt,
    /// in seconds since 1970.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: u64, body: &[u8]) -> String {
        let code = self.code(id.as_bytes(), timestamp.to_string().as_bytes(), body);
        format!("v1,{}", BASE64.encode(code))
    }

    fn code(&self, id: &[u8], timestamp: &[u8], body: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in [id, b".", timestamp, b".", body] {
            context.update(part);
        }
        let mut code = [0; 32];
        code.copy_from_slice(context.sign().as_ref());
        code
    }

    /// Verifies that a request is signed with this key at this time, and takes the signature.
    ///
    /// # Errors
    ///
    /// `unauthenticated`, with the reason in the log only; `idempotency-conflict` while a call with
    /// this signature runs; `overloaded` when no more signatures can be stored.
    pub(super) fn verify<'s>(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: u64,
        guard: &'s ReplayGuard,
    ) -> Result<Use<'s>, Error> {
        let field =
            |name| headers.get(name).map(HeaderValue::as_bytes).filter(|value| !value.is_empty());
        let fields =
            field("webhook-id").zip(field("webhook-timestamp")).zip(field("webhook-signature"));
        let ((id, timestamp), signatures) =
            fields.ok_or_else(|| refused("a webhook-… header is missing"))?;
        let time = std::str::from_utf8(timestamp).ok().and_then(|text| text.parse().ok());
        let time: u64 =
            time.ok_or_else(|| refused("webhook-timestamp is not a number of seconds"))?;
        if now.abs_diff(time) > TOLERANCE_SECONDS {
            return Err(refused("webhook-timestamp is more than five minutes away from now"));
        }
        let code = self.code(id, timestamp, body);
        let mut candidates =
            signatures.split(|&byte| byte == b' ').filter_map(|one| one.strip_prefix(b"v1,"));
        if !candidates.any(|candidate| constant_time_eq(candidate, &code)) {
            return Err(refused("no signature in webhook-signature matches"));
        }
        guard.take(time, code, now)
    }
}

impl fmt::Debug for WebhookKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookKey([secret])")
    }
}

/// The maximum distance of a timestamp from the current time, in seconds, both ways.
pub(super) const TOLERANCE_SECONDS: u64 = 5 * 60;

/// Compares in constant time, so the duration does not reveal where the two differ.
fn constant_time_eq(candidate: &[u8], code: &[u8; 32]) -> bool {
    BASE64.decode(candidate).is_ok_and(|candidate| candidate.ct_eq(code).into())
}

pub(super) fn refused(why: &'static str) -> Error {
    Error::new(
        Code::UNAUTHENTICATED,
        "the webhook's signature is missing, wrong, too old or used before",
    )
    .with_log_message(why)
}
