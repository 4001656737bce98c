//! The section `[auth]`: who may call, and how callers authenticate.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::{
    duration::{self, DurationText},
    secret::Secret,
};

/// Authentication of callers. It is configured by an internal key, a key or URL in `jwt`, or an API
/// key.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AuthSettings {
    /// Whether a gateway without authentication may be reached from other machines.
    pub allow_anonymous: bool,
    /// The secret of HS256 tokens, at least 32 bytes; `INTERNAL_GATEWAY_KEY` in the environment.
    pub internal_key: Option<Secret>,
    /// Keys of JSON Web Tokens, and rules for their claims.
    pub jwt: JwtSettings,
    /// API keys, by id.
    pub keys: BTreeMap<String, ApiKeySettings>,
}

impl AuthSettings {
    /// Returns whether any authentication is configured.
    pub(crate) fn is_configured(&self) -> bool {
        self.has_token_keys() || !self.keys.is_empty()
    }

    /// Returns whether keys of tokens, or a URL of them, are configured.
    pub(crate) fn has_token_keys(&self) -> bool {
        self.internal_key.is_some() || !self.jwt.keys.is_empty() || self.jwt.jwks_url.is_some()
    }
}

/// Keys of JSON Web Tokens, and rules for their claims.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct JwtSettings {
    /// Public keys of issuers.
    pub keys: Vec<JwtKeySettings>,
    /// The URL of more public keys, as a JSON Web Key Set (RFC 7517): https, or http on this
    /// machine.
    pub jwks_url: Option<String>,
    /// The interval at which the set is fetched again: 10 min. A key that its owner withdrew is
    /// valid until then.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub jwks_refresh: Duration,
    /// The minimum time between two fetches of the set, whatever unknown keys tokens name: 30 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub jwks_min_refresh: Duration,
    /// The audiences of this gateway: `aud` must name one. If there are none, tokens with an `aud`
    /// are rejected.
    pub audience: Vec<String>,
    /// The trusted issuers: `iss` must be one of them. If there are none, `iss` is not checked.
    pub issuer: Vec<String>,
    /// The tolerated difference between the clocks of issuers and of this gateway: 30 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub leeway: Duration,
    /// The maximum length of a token, in bytes: 8 KiB.
    pub max_bytes: usize,
    /// The claim that names the account; by default `account`, or `sub` if that is missing.
    pub account_claim: Option<String>,
    /// The claim that names the user.
    pub user_claim: String,
    /// The claim that lists the scopes: a string of scopes separated by spaces, or a list of
    /// strings.
    pub scope_claim: String,
}

impl Default for JwtSettings {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            jwks_url: None,
            jwks_refresh: Duration::from_secs(600),
            jwks_min_refresh: Duration::from_secs(30),
            audience: Vec::new(),
            issuer: Vec::new(),
            leeway: Duration::from_secs(30),
            max_bytes: 8 * 1024,
            account_claim: None,
            user_claim: "user".to_owned(),
            scope_claim: "scope".to_owned(),
        }
    }
}

/// A public key of an issuer: RSA (RS256), P-256 (ES256) or Ed25519 (EdDSA).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct JwtKeySettings {
    /// The key: PEM (`-----BEGIN PUBLIC KEY-----`), or a JSON Web Key.
    pub key: Option<String>,
    /// A file that contains the key in either form, in place of `key`.
    pub file: Option<PathBuf>,
    /// The name of the key. Tokens that name another key are not checked with this one.
    pub kid: Option<String>,
}

/// An API key.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeySettings {
    /// The SHA-256 of the key's secret, in hexadecimal digits.
    pub hash: String,
    /// The account of calls with this key.
    pub account: String,
    /// The scopes of calls with this key.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The time from which the key is no longer valid, such as `2030-01-01T00:00:00Z`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub expires: Option<DateTime<Utc>>,
    /// Whether the key is revoked.
    #[serde(default)]
    pub revoked: bool,
}
