//! Webhooks: calls that are authenticated by a signature, as Standard Webhooks 1.0.0 defines it.
//!
//! `webhook-signature` is a list of `v1,` and the base64 of HMAC-SHA256 over
//! `{webhook-id}.{webhook-timestamp}.{body}`. A signature is valid for five minutes around its
//! timestamp, and for one call that was executed
//! ([`replay_guard`](crate::edge::http::replay_guard)).

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue};
use sha2::Sha256;
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
#[derive(Clone)]
pub struct WebhookKey(Hmac<Sha256>);

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
        Hmac::new_from_slice(&key).map(Self).map_err(|_| "is no key")
    }

    /// Returns the value of `webhook-signature` for a message; `timestamp` is that of the attempt,
    /// in seconds since 1970.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: u64, body: &[u8]) -> String {
        let code = self.code(id.as_bytes(), timestamp.to_string().as_bytes(), body);
        format!("v1,{}", BASE64.encode(code))
    }

    fn code(&self, id: &[u8], timestamp: &[u8], body: &[u8]) -> [u8; 32] {
        let mut mac = self.0.clone();
        for part in [id, b".", timestamp, b".", body] {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
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
        let time: u64 = time.ok_or_else(|| refused("webhook-timestamp is no number of seconds"))?;
        if now.abs_diff(time) > TOLERANCE_SECONDS {
            return Err(refused("webhook-timestamp is more than five minutes away from now"));
        }
        let code = self.code(id, timestamp, body);
        let mut candidates =
            signatures.split(|&byte| byte == b' ').filter_map(|one| one.strip_prefix(b"v1,"));
        if !candidates.any(|candidate| constant_time_eq(candidate, &code)) {
            return Err(refused("no signature in webhook-signature fits"));
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

#[cfg(test)]
mod tests {
    use super::*;

    // The example of the Standard Webhooks specification and its reference libraries.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const TIME: u64 = 1_614_265_330;
    const BODY: &[u8] = b"{\"test\": 2432232314}";
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn key() -> WebhookKey {
        WebhookKey::new(&Secret::new(SECRET)).unwrap()
    }

    fn signed(id: &str, time: &str, signature: &str) -> HeaderMap {
        let fields =
            [("webhook-id", id), ("webhook-timestamp", time), ("webhook-signature", signature)];
        fields
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .into_iter()
            .collect()
    }

    /// Returns the reason for which a request is refused, as the log has it.
    fn why(headers: &HeaderMap, body: &[u8], now: u64) -> Option<String> {
        let error = key().verify(headers, body, now, &ReplayGuard::default()).err()?;
        assert_eq!(error.code(), Code::UNAUTHENTICATED);
        assert_eq!(error.detail(), refused("").detail());
        Some(error.log_message().unwrap().to_owned())
    }

    #[test]
    fn signatures_are_those_of_the_standard() {
        assert_eq!(key().sign(ID, TIME, BODY), SIGNATURE);
        assert_eq!(why(&signed(ID, &TIME.to_string(), SIGNATURE), BODY, TIME), None);
    }

    #[test]
    fn secret_without_the_prefix_is_used_as_raw_bytes() {
        // RFC 4231, test case 2, has the same key and another message; this test shows that the
        // bytes are not decoded.
        let raw = WebhookKey::new(&Secret::new("Jefe, Jefe, Jefe, Jefe, Jefe")).unwrap();
        let encoded =
            WebhookKey::new(&Secret::new("whsec_SmVmZSwgSmVmZSwgSmVmZSwgSmVmZSwgSmVmZQ=="))
                .unwrap();
        assert_eq!(raw.sign("a", 1, b"b"), encoded.sign("a", 1, b"b"));
        assert_eq!(format!("{raw:?}"), "WebhookKey([secret])");
        for bad in [
            "",
            "whsec_",
            "whsec_%%%",
            "whsec_SmVmZQ==",
            "whsec_QQ==",
            "raw\n",
            " raw",
            "v1,whsec_SmVmZQ==",
        ] {
            let why = WebhookKey::new(&Secret::new(bad)).map(drop).unwrap_err();
            assert!(!why.contains("SmVm") && !why.contains("raw"), "{bad}: {why}");
        }
        assert!(WebhookKey::new(&Secret::new(format!("v1,{SECRET}"))).is_err());
    }

    #[test]
    fn one_good_signature_in_a_list_is_enough() {
        let old = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        for list in [
            format!("{old} {SIGNATURE}"),
            format!("{SIGNATURE} v1a,xyz"),
            format!("v2,x  {SIGNATURE}"),
        ] {
            assert_eq!(why(&signed(ID, &TIME.to_string(), &list), BODY, TIME), None, "{list}");
        }
        for list in [
            old,
            "v1,",
            "v1,%",
            "g0hM9SsE",
            &SIGNATURE[3..],
            &SIGNATURE[..20],
            &SIGNATURE.replace("v1", "v2"),
        ] {
            assert!(
                why(&signed(ID, &TIME.to_string(), list), BODY, TIME).unwrap().contains("fits"),
                "{list}"
            );
        }
    }

    #[test]
    fn every_signed_part_counts() {
        let time = TIME.to_string();
        assert!(why(&signed("msg_2", &time, SIGNATURE), BODY, TIME).unwrap().contains("fits"));
        assert!(why(&signed(ID, "1614265331", SIGNATURE), BODY, TIME).unwrap().contains("fits"));
        assert!(why(&signed(ID, "01614265330", SIGNATURE), BODY, TIME).unwrap().contains("fits"));
        assert!(
            why(&signed(ID, &time, SIGNATURE), b"{\"test\": 2432232315}", TIME)
                .unwrap()
                .contains("fits")
        );
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            let mut headers = signed(ID, &time, SIGNATURE);
            headers.remove(name);
            assert!(why(&headers, BODY, TIME).unwrap().contains("missing"), "{name}");
        }
        for time in ["soon", "-1", "1614265330.5", "99999999999999999999"] {
            assert!(
                why(&signed(ID, time, SIGNATURE), BODY, TIME).unwrap().contains("seconds"),
                "{time}"
            );
        }
    }

    #[test]
    fn the_window_is_five_minutes_both_ways() {
        let headers = signed(ID, &TIME.to_string(), SIGNATURE);
        for good in [TIME - 300, TIME + 300] {
            assert_eq!(why(&headers, BODY, good), None);
        }
        for bad in [TIME - 301, TIME + 301, 0, u64::MAX] {
            assert!(why(&headers, BODY, bad).unwrap().contains("five minutes"), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn signature_holds_for_the_signed_body_and_no_other(
            id in "[!-~]{1,20}",
            body in proptest::collection::vec(proptest::num::u8::ANY, 0..40),
            flip in 0..40_usize,
        ) {
            let signature = key().sign(&id, TIME, &body);
            let headers = signed(&id, &TIME.to_string(), &signature);
            proptest::prop_assert_eq!(why(&headers, &body, TIME), None);
            let mut changed = body;
            match changed.get_mut(flip) {
                Some(byte) => *byte ^= 1,
                None => changed.push(0),
            }
            proptest::prop_assert!(why(&headers, &changed, TIME).is_some());
        }
    }
}
