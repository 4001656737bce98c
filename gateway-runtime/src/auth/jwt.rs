//! JSON Web Tokens: claims (RFC 7519) signed as a JWS in compact form (RFC 7515 §7.1), checked as
//! RFC 8725 advises.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use serde::{Deserialize, de::IgnoredAny};

use crate::{
    auth::{
        claims::ClaimRules,
        error::TokenError,
        jwks::JwksClient,
        key_error::KeyError,
        settings::{AuthSettings, JwtKeySettings},
        verification_key::{Algorithm, VerificationKey},
    },
    base::{
        call::Caller,
        error::{Error, with_causes},
        start_error::StartError,
    },
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
    let mut add = |name: String, key: Result<VerificationKey, KeyError>| match key {
        Ok(key) => keys.push(key),
        Err(error) => {
            problems.push(format!("`{name}` in the configuration: {}", with_causes(&error)));
        }
    };
    if let Some(secret) = &settings.internal_key {
        add("auth.internal_key".to_owned(), VerificationKey::secret(secret.expose()));
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
            return Err(TokenError::TooLong.into());
        }
        let token = ParsedJwt::parse(token)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        if self.keys.iter().any(|key| token.is_signed_with(key)) {
            return Ok(Some(self.rules.caller(&token.payload()?, now)?));
        }
        if token.algorithm != Algorithm::Hs256
            && let Some(remote) = &self.remote
        {
            let set = remote.now();
            if set.keys().iter().any(|key| token.is_signed_with(key)) {
                return Ok(Some(self.rules.caller(&token.payload()?, now)?));
            }
            if set.may_need_refresh(token.kid.as_deref()) {
                return if remote.may_refresh(&set) { Ok(None) } else { Err(set.refusal()) };
            }
        }
        Err(TokenError::UnknownKey.into())
    }

    /// Checks a token as [`check`](Self::check) does, after fetching the keys again if its key is
    /// unknown.
    ///
    /// # Errors
    ///
    /// `unauthenticated`, with the reason; `overloaded` if the keys at the URL were never fetched.
    pub(super) async fn check_with_refresh(&self, token: &str) -> Result<Caller, Error> {
        let Some(remote) = &self.remote else {
            return self.check(token)?.ok_or_else(|| TokenError::UnknownKey.into());
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

fn configured(settings: &JwtKeySettings) -> Result<VerificationKey, KeyError> {
    let text = match (&settings.key, &settings.file) {
        (Some(key), None) => key.clone(),
        (None, Some(file)) => std::fs::read_to_string(file)
            .map_err(|error| KeyError::Unreadable { file: file.clone(), source: error })?,
        _ => return Err(KeyError::KeyOrFile),
    };
    VerificationKey::public(&text, settings.kid.as_deref())
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
    fn parse(token: &'t str) -> Result<Self, TokenError> {
        const FORM: TokenError = TokenError::Malformed;
        let (signed, signature) = token.rsplit_once('.').ok_or(FORM)?;
        let (header, claims) = signed.split_once('.').ok_or(FORM)?;
        let header = BASE64URL.decode(header).map_err(|_| FORM)?;
        let header: Header = serde_json::from_slice(&header).map_err(|_| FORM)?;
        if header.crit.is_some() {
            // RFC 7515 §4.1.11: a recipient that does not support an extension must reject the
            // token. No extension is supported here.
            return Err(TokenError::CriticalExtension);
        }
        if !header.typ.as_deref().is_none_or(is_access_token) {
            return Err(TokenError::OtherType);
        }
        let algorithm = Algorithm::named(&header.alg);
        let algorithm = algorithm.ok_or(TokenError::UnknownAlgorithm)?;
        let signature = BASE64URL.decode(signature).map_err(|_| FORM)?;
        Ok(Self { algorithm, kid: header.kid, signed: signed.as_bytes(), claims, signature })
    }

    /// Returns whether `key` has signed the token. The key determines the algorithm. `kid` only
    /// selects which keys to try: a token or a key without one matches any.
    fn is_signed_with(&self, key: &VerificationKey) -> bool {
        let is_named =
            || self.kid.as_deref().zip(key.kid()).is_none_or(|(token, key)| token == key);
        key.algorithm() == self.algorithm && is_named() && key.verify(self.signed, &self.signature)
    }

    /// Decodes the claims; the signature must have been checked before.
    fn payload(&self) -> Result<Vec<u8>, TokenError> {
        BASE64URL.decode(self.claims).map_err(|_| TokenError::PayloadEncoding)
    }
}

/// Returns whether `typ` is that of an access token (RFC 7519 §5.1, RFC 9068 §2.1), so that no
/// other document signed with the same key passes for a token (RFC 8725 §3.11).
fn is_access_token(typ: &str) -> bool {
    let typ = typ.strip_prefix("application/").unwrap_or(typ);
    typ.eq_ignore_ascii_case("jwt") || typ.eq_ignore_ascii_case("at+jwt")
}
