//! Idempotency keys: the caller's, and those by which a provider distinguishes a repeat from a
//! second request.

use std::fmt;

use http::{HeaderMap, HeaderName};

use crate::base::{call::Call, digest::digest};

/// The key to send to a provider that de-duplicates by a key, for effects that are `keyed`.
///
/// A call has the same key in every attempt. Calls with the same `Idempotency-Key` (or
/// `X-Idempotency-Key`) of the same account, to the same method, have the same key too; a call
/// without one has a key of its own. The key is a digest in the form of a UUID (RFC 9562, version
/// 8), which every provider accepts. So equal keys of callers of different accounts stay distinct,
/// and no provider reads them.
///
/// An exposed method takes the key as an argument, and passes it to the providers:
///
/// ```
/// use gateway_runtime::prelude::*;
///
/// #[model]
/// struct Payment {
///     cents: u64,
///     tip_cents: u64,
/// }
///
/// /// A payment provider.
/// #[capability]
/// trait PaymentProvider {
///     /// Charges the card of the caller.
///     #[provide_method(effect = keyed)]
///     async fn charge(&self, cents: u64, key: &IdempotencyKey) -> Result<(), ProviderError>;
/// }
///
/// #[service]
/// struct Payments;
///
/// #[service]
/// impl Payments {
///     /// Pays the price, and the tip separately.
///     #[expose_method(POST)]
///     async fn pay(
///         &self,
///         payment: Payment,
///         key: IdempotencyKey,
///         providers: Providers<dyn PaymentProvider>,
///     ) -> Result<()> {
///         providers.charge(payment.cents, &key).await?;
///         // Another request needs another key, or the provider takes it for a repeat.
///         providers.charge(payment.tip_cents, &key.derive("tip")).await?;
///         Ok(())
///     }
/// }
/// # fn main() {}
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct IdempotencyKey([u8; 36]);

impl IdempotencyKey {
    /// Returns the key of `call`.
    #[must_use]
    pub fn of(call: &Call) -> Self {
        Self::from_digest(match parse_idempotency_key(call.headers()) {
            Ok(Some(key)) => {
                let account = call.caller().account().unwrap_or_default();
                let service = call.service();
                let version = service.version.to_string();
                digest(["caller", account, service.name, &version, call.method().name, &key])
            }
            Ok(None) | Err(MalformedKey) => {
                digest([&b"call"[..], call.id().as_str().as_bytes(), &call.nonce().to_be_bytes()])
            }
        })
    }

    /// Derives another key from this one, for a call that sends two different requests to a
    /// provider.
    #[must_use]
    pub fn derive(&self, name: &str) -> Self {
        Self::from_digest(digest(["part", self.as_str(), name]))
    }

    /// Returns the key as text: 36 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    fn from_digest(digest: [u8; 32]) -> Self {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        bytes[6] = bytes[6] & 0x0f | 0x80;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let mut text = [b'-'; 36];
        for (range, half) in
            [(0..8, 0..4), (9..13, 4..6), (14..18, 6..8), (19..23, 8..10), (24..36, 10..16)]
        {
            // Cannot fail: the lengths are those of the ranges above.
            let _ = hex::encode_to_slice(&bytes[half], &mut text[range]);
        }
        Self(text)
    }
}

/// The error of a caller whose key is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MalformedKey;

/// The header fields of a caller's key.
const NAMES: [HeaderName; 2] =
    [HeaderName::from_static("idempotency-key"), HeaderName::from_static("x-idempotency-key")];

/// Returns whether the caller has sent a key, well-formed or not.
pub(crate) fn has_idempotency_key(headers: &HeaderMap) -> bool {
    NAMES.iter().any(|name| headers.contains_key(name))
}

/// Parses the caller's key: a quoted string or a bare token of 1 to 255 printable ASCII characters.
/// If it is sent more than once, the values must be equal.
pub(crate) fn parse_idempotency_key(headers: &HeaderMap) -> Result<Option<String>, MalformedKey> {
    let mut values = NAMES.into_iter().flat_map(|name| headers.get_all(name));
    let Some(value) = values.next() else { return Ok(None) };
    if values.any(|other| other != value) {
        return Err(MalformedKey);
    }
    let text = value.to_str().map_err(|_| MalformedKey)?;
    let key = match text.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"').and_then(unquoted).ok_or(MalformedKey)?,
        None => text.to_owned(),
    };
    let is_printable = key.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if is_printable && (1..=255).contains(&key.len()) { Ok(Some(key)) } else { Err(MalformedKey) }
}

/// Returns the content of a quoted string (RFC 8941 §3.3.3), in which a backslash escapes a quote
/// or another backslash.
fn unquoted(text: &str) -> Option<String> {
    let mut characters = text.chars();
    let mut key = String::with_capacity(text.len());
    while let Some(character) = characters.next() {
        key.push(match character {
            '\\' => characters.next().filter(|next| matches!(next, '"' | '\\'))?,
            '"' => return None,
            other => other,
        });
    }
    Some(key)
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
