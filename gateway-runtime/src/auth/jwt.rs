//! JSON Web Tokens: claims (RFC 7519) signed as a JWS in compact form (RFC 7515 §7.1), checked as
//! RFC 8725 advises.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use serde::{Deserialize, de::IgnoredAny};

use crate::{
    auth::{
        AuthSettings, JwtKeySettings,
        claims::ClaimRules,
        jwks::JwksClient,
        unauthenticated,
        verification_key::{Algorithm, VerificationKey},
    },
    base::{call::Caller, error::Error, start_error::StartError},
    provider::HttpClient,
};

/// A verifier of tokens: the keys, and the rules for claims.
#[derive(Debug)]
pub(super) struct JwtVerifier {
    keys: Vec<VerificationKey>,
    remote: Option<JwksClient>,
    rules: ClaimRules,
    max_bytes: usize,
}

/// Returns the configured keys, and adds their problems to `problems`.
pub(super) fn keys(settings: &AuthSettings, problems: &mut Vec<String>) -> Vec<VerificationKey> {
    let mut keys = Vec::new();
    let mut add = |name: String, key: Result<VerificationKey, String>| match key {
        Ok(key) => keys.push(key),
        Err(problem) => problems.push(format!("`{name}` in the configuration: {problem}")),
    };
    if let Some(secret) = &settings.internal_key {
        add(
            "auth.internal_key".to_owned(),
            VerificationKey::secret(secret.expose()).map_err(str::to_owned),
        );
    }
    for (number, key) in settings.jwt.keys.iter().enumerate() {
        add(format!("auth.jwt.keys.{number}"), configured(key));
    }
    keys
}

impl JwtVerifier {
    /// Creates the configured verifier; `None` without a key or a URL of keys.
    pub(super) fn new(
        settings: &AuthSettings,
        http: impl FnOnce() -> Result<HttpClient, StartError>,
        problems: &mut Vec<String>,
    ) -> Option<Self> {
        let jwt = &settings.jwt;
        let keys = keys(settings, problems);
        let remote = jwt.jwks_url.as_ref().and_then(|_| JwksClient::fetched(jwt, http, problems));
        if keys.is_empty() && remote.is_none() {
            return None;
        }
        Some(Self { keys, remote, rules: ClaimRules::new(jwt), max_bytes: jwt.max_bytes })
    }

    /// Checks a token and returns its caller. Returns `None` if its key is unknown here, and may be
    /// found by [`check_with_refresh`](Self::check_with_refresh).
    ///
    /// # Errors
    ///
    /// `unauthenticated`, with the reason; `overloaded` if the keys at the URL were never fetched.
    pub(super) fn check(&self, token: &str) -> Result<Option<Caller>, Error> {
        if token.len() > self.max_bytes {
            return Err(unauthenticated("the token is too long"));
        }
        let token = ParsedJwt::parse(token).map_err(unauthenticated)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        if self.keys.iter().any(|key| token.is_signed_with(key)) {
            return self.rules.caller(&token.payload()?, now).map(Some).map_err(unauthenticated);
        }
        if token.algorithm != Algorithm::Hs256
            && let Some(remote) = &self.remote
        {
            let set = remote.now();
            if set.keys().iter().any(|key| token.is_signed_with(key)) {
                return self
                    .rules
                    .caller(&token.payload()?, now)
                    .map(Some)
                    .map_err(unauthenticated);
            }
            if set.may_need_refresh(token.kid.as_deref()) {
                return if remote.may_refresh(&set) { Ok(None) } else { Err(set.refusal()) };
            }
        }
        Err(unauthenticated("the token's signature fits no key of this gateway"))
    }

    /// Checks a token as [`check`](Self::check) does, after fetching the keys again if its key is
    /// unknown.
    ///
    /// # Errors
    ///
    /// `unauthenticated`, with the reason; `overloaded` if the keys at the URL were never fetched.
    pub(super) async fn check_with_refresh(&self, token: &str) -> Result<Caller, Error> {
        let Some(remote) = &self.remote else {
            return self.check(token)?.ok_or_else(|| {
                unauthenticated("the token's signature fits no key of this gateway")
            });
        };
        // Subscribes before the check, so that no change of the keys is missed.
        let mut changes = remote.watch();
        if let Some(caller) = self.check(token)? {
            return Ok(caller);
        }
        remote.request_refresh();
        changes.changed().await;
        let refusal = remote.now().refusal();
        self.check(token)?.ok_or(refusal)
    }
}

fn configured(settings: &JwtKeySettings) -> Result<VerificationKey, String> {
    let text = match (&settings.key, &settings.file) {
        (Some(key), None) => key.clone(),
        (None, Some(file)) => std::fs::read_to_string(file)
            .map_err(|error| format!("the file `{}` cannot be read: {error}", file.display()))?,
        _ => return Err("has either a `key` or a `file`".to_owned()),
    };
    VerificationKey::public(&text, settings.kid.as_deref()).map_err(str::to_owned)
}

/// A token, split into its parts.
struct ParsedJwt<'t> {
    algorithm: Algorithm,
    kid: Option<String>,
    /// The signed bytes: the header and the claims as received.
    signed: &'t [u8],
    claims: &'t str,
    signature: Vec<u8>,
}

/// The members read from a header. Keys and URLs of keys (`jwk`, `jku`, `x5c`, `x5u`) are the
/// sender's choice, and are ignored. A repeated member is an error of this derive.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<IgnoredAny>,
}

impl<'t> ParsedJwt<'t> {
    fn parse(token: &'t str) -> Result<Self, &'static str> {
        const FORM: &str =
            "the token is not three parts of base64url, the first of them a JSON header";
        let (signed, signature) = token.rsplit_once('.').ok_or(FORM)?;
        let (header, claims) = signed.split_once('.').ok_or(FORM)?;
        let header = BASE64URL.decode(header).map_err(|_| FORM)?;
        let header: Header = serde_json::from_slice(&header).map_err(|_| FORM)?;
        if header.crit.is_some() {
            // RFC 7515 §4.1.11: a recipient that does not support an extension must reject the
            // token. No extension is supported here.
            return Err(
                "the token's header demands extensions (`crit`) that this gateway does not have",
            );
        }
        if !header.typ.as_deref().is_none_or(is_access_token) {
            return Err("the token is of another type (`typ`) than JWT or at+jwt");
        }
        let algorithm = Algorithm::named(&header.alg);
        let algorithm = algorithm
            .ok_or("the token's algorithm (`alg`) is none of HS256, RS256, ES256 and EdDSA")?;
        let signature = BASE64URL.decode(signature).map_err(|_| FORM)?;
        Ok(Self { algorithm, kid: header.kid, signed: signed.as_bytes(), claims, signature })
    }

    /// Returns whether `key` has signed the token. The key determines the algorithm. `kid` only
    /// selects which keys to try: a token or a key without one matches any.
    fn is_signed_with(&self, key: &VerificationKey) -> bool {
        let is_named =
            || self.kid.as_deref().zip(key.kid()).is_none_or(|(ours, keys)| ours == keys);
        key.algorithm() == self.algorithm && is_named() && key.verify(self.signed, &self.signature)
    }

    /// Decodes the claims; the signature must have been checked before.
    fn payload(&self) -> Result<Vec<u8>, Error> {
        BASE64URL
            .decode(self.claims)
            .map_err(|_| unauthenticated("the token's claims are not base64url"))
    }
}

/// Returns whether `typ` is that of an access token (RFC 7519 §5.1, RFC 9068 §2.1), so that no
/// other document signed with the same key passes for a token (RFC 8725 §3.11).
fn is_access_token(typ: &str) -> bool {
    let typ = typ.strip_prefix("application/").unwrap_or(typ);
    typ.eq_ignore_ascii_case("jwt") || typ.eq_ignore_ascii_case("at+jwt")
}
