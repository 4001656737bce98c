//! `[auth]`: who may call, and how callers prove who they are.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    auth::{api_key, jwks, jwt},
    base::{
        duration::{self, DurationText},
        secret::Secret,
    },
};

/// How callers prove who they are. Nothing is configured unless there is an internal key, a key or URL in `jwt`, or an
/// API key.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AuthSettings {
    /// Whether a gateway without authentication may be reached from other machines.
    pub allow_anonymous: bool,
    /// The secret of HS256 tokens, at least 32 bytes; `INTERNAL_GATEWAY_KEY` in the environment.
    pub internal_key: Option<Secret>,
    /// JSON Web Tokens.
    pub jwt: JwtSettings,
    /// API keys, by their ids.
    pub keys: BTreeMap<String, ApiKeySettings>,
}

impl AuthSettings {
    /// Whether there is any way to say who is calling.
    pub(crate) fn is_configured(&self) -> bool {
        self.has_token_keys() || !self.keys.is_empty()
    }

    /// Whether there are keys of tokens, or a place where they are published.
    pub(crate) fn has_token_keys(&self) -> bool {
        self.internal_key.is_some() || !self.jwt.keys.is_empty() || self.jwt.jwks_url.is_some()
    }

    /// Returns the problems of the keys; fetches nothing.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        api_key::assemble(&self.keys, Vec::new(), &mut problems);
        jwt::keys(self, &mut problems);
        problems.extend(jwks::problem(&self.jwt));
        problems
    }
}

/// What makes a token good, and what its claims mean.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct JwtSettings {
    /// Public keys.
    pub keys: Vec<JwtKeySettings>,
    /// Where more public keys are published, as a JSON Web Key Set (RFC 7517): https, or http on this machine.
    pub jwks_url: Option<String>,
    /// How often the set is fetched anew: 10 min. A key that its owner withdrew is good until then.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub jwks_refresh: Duration,
    /// How long the set is left alone after it was fetched, whatever unknown keys tokens name: 30 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub jwks_min_refresh: Duration,
    /// The audiences that this gateway is: `aud` must name one. Without any, tokens with an `aud` are for others.
    pub audience: Vec<String>,
    /// The issuers that are trusted: `iss` must be one of them. Without any, `iss` is not looked at.
    pub issuer: Vec<String>,
    /// How far the clocks of issuers may differ from ours: 30 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub leeway: Duration,
    /// The longest token that is looked at, in bytes: 8 KiB.
    pub max_bytes: usize,
    /// The claim that names the account; `account`, or `sub` where that is missing.
    pub account_claim: Option<String>,
    /// The claim that names the user.
    pub user_claim: String,
    /// The claim that lists the scopes: a text with spaces between them, or a list of texts.
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

/// A public key that signs tokens: RSA (RS256), P-256 (ES256) or Ed25519 (EdDSA).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct JwtKeySettings {
    /// The key: PEM (`-----BEGIN PUBLIC KEY-----`), or a JSON Web Key.
    pub key: Option<String>,
    /// In place of `key`: a file with either.
    pub file: Option<PathBuf>,
    /// Its name. Tokens that name another key are not checked with it.
    pub kid: Option<String>,
}

/// An API key.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeySettings {
    /// The SHA-256 of its secret, in hexadecimal digits.
    pub hash: String,
    /// Who calls with it.
    pub account: String,
    /// What those calls may do.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// From when on it is no good, such as `2030-01-01T00:00:00Z`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub expires: Option<DateTime<Utc>>,
    /// Whether it was taken back.
    #[serde(default)]
    pub revoked: bool,
}
