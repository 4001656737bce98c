//! The claims of a token with a valid signature: the checks of `exp`, `nbf`, `iss` and `aud`, and
//! the caller that the claims name.

use std::{fmt, sync::Arc, time::Duration};

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Map, Value};

use crate::{
    auth::{error::TokenError, settings::JwtSettings},
    base::call::Caller,
};

/// The end of the year 9999, in seconds since 1970. A later time is a mistake or stands for no end
/// at all, and is rejected.
const MAX_NUMERIC_DATE: f64 = 253_402_300_799.0;

/// The maximum length of the name of an account or a user, in bytes.
const MAX_NAME_BYTES: usize = 255;

/// The rules for claims: the required values, and the claims that name the caller.
#[derive(Debug)]
pub(super) struct ClaimRules {
    audience: Vec<String>,
    issuer: Vec<String>,
    leeway: Duration,
    /// The claims that may name the account; the first one present counts.
    account: Vec<String>,
    user: String,
    scope: String,
    /// The claims to parse; the others are skipped.
    read: Vec<String>,
}

impl ClaimRules {
    pub(super) fn new(settings: &JwtSettings) -> Self {
        let account = settings
            .account_claim
            .clone()
            .map_or_else(|| vec!["account".into(), "sub".into()], |name| vec![name]);
        let standard = ["exp", "nbf", "iss", "aud"].map(str::to_owned);
        let named = [settings.user_claim.clone(), settings.scope_claim.clone()];
        Self {
            audience: settings.audience.clone(),
            issuer: settings.issuer.clone(),
            leeway: settings.leeway,
            read: standard.into_iter().chain(account.clone()).chain(named).collect(),
            account,
            user: settings.user_claim.clone(),
            scope: settings.scope_claim.clone(),
        }
    }

    /// Returns the caller that the claims name; `now` is the time since 1970.
    ///
    /// # Errors
    ///
    /// The reason for which the token is invalid.
    pub(super) fn caller(&self, payload: &[u8], now: Duration) -> Result<Caller, TokenError> {
        let claims = self.parse(payload).map_err(|_| TokenError::Payload)?;
        self.check_times(&claims, now)?;
        if !self.issuer.is_empty()
            && !claims
                .get("iss")
                .and_then(Value::as_str)
                .is_some_and(|iss| is_in(&self.issuer, iss))
        {
            return Err(TokenError::Issuer);
        }
        self.check_audience(claims.get("aud"))?;
        let account = self.account.iter().find_map(|name| claims.get(name));
        let account = name(account.ok_or(TokenError::MissingAccount)?)?;
        let user = claims.get(&self.user).map(name).transpose()?;
        Ok(Caller::new(account, user, scopes(claims.get(&self.scope))?))
    }

    fn parse(&self, payload: &[u8]) -> Result<Map<String, Value>, serde_json::Error> {
        let mut json = serde_json::Deserializer::from_slice(payload);
        let claims = SelectedClaims(&self.read).deserialize(&mut json)?;
        json.end()?;
        Ok(claims)
    }

    /// Checks `exp` and `nbf` (RFC 7519 §4.1.4, §4.1.5). A time may have a fraction (§2), which
    /// counts.
    fn check_times(&self, claims: &Map<String, Value>, now: Duration) -> Result<(), TokenError> {
        let exp = claims.get("exp").ok_or(TokenError::MissingExpiry)?;
        let exp = time(exp).ok_or(TokenError::Expiry)?;
        if now >= exp.saturating_add(self.leeway) {
            return Err(TokenError::Expired);
        }
        let Some(nbf) = claims.get("nbf") else { return Ok(()) };
        let nbf = time(nbf).ok_or(TokenError::NotBefore)?;
        if nbf > now.saturating_add(self.leeway) {
            return Err(TokenError::NotYetValid);
        }
        Ok(())
    }

    /// Checks `aud` (RFC 7519 §4.1.3): a recipient that the claim does not name must reject the
    /// token.
    fn check_audience(&self, claim: Option<&Value>) -> Result<(), TokenError> {
        let is_ours = |audience: &Value| {
            audience.as_str().is_some_and(|audience| is_in(&self.audience, audience))
        };
        let good = match claim {
            None => self.audience.is_empty(),
            Some(Value::Array(all)) => all.iter().all(Value::is_string) && all.iter().any(is_ours),
            Some(one) => is_ours(one),
        };
        if good { Ok(()) } else { Err(TokenError::Audience) }
    }
}

/// Parses a NumericDate (RFC 7519 §2): seconds since 1970, with or without a fraction.
fn time(claim: &Value) -> Option<Duration> {
    match claim.as_u64() {
        Some(seconds) => {
            Some(Duration::from_secs(seconds)).filter(|time| time.as_secs_f64() <= MAX_NUMERIC_DATE)
        }
        None => {
            let seconds =
                claim.as_f64().filter(|seconds| (0.0..=MAX_NUMERIC_DATE).contains(seconds))?;
            Duration::try_from_secs_f64(seconds).ok()
        }
    }
}

fn is_in(list: &[String], text: &str) -> bool {
    list.iter().any(|entry| entry == text)
}

/// Parses the name of an account or a user, which must be fit for a log line and a key of a store.
fn name(claim: &Value) -> Result<Arc<str>, TokenError> {
    let good = |name: &&str| {
        (1..=MAX_NAME_BYTES).contains(&name.len()) && !name.contains(char::is_control)
    };
    let name = claim.as_str().filter(good);
    name.map(Into::into).ok_or(TokenError::Name)
}

fn scopes(claim: Option<&Value>) -> Result<Vec<Box<str>>, TokenError> {
    let scopes = match claim {
        None => Some(Vec::new()),
        // A list in one string, separated by spaces (RFC 8693 §4.2).
        Some(Value::String(text)) => {
            Some(text.split(' ').filter(|scope| !scope.is_empty()).map(Into::into).collect())
        }
        Some(Value::Array(list)) => {
            list.iter().map(|scope| scope.as_str().map(Into::into)).collect()
        }
        Some(_) => None,
    };
    scopes.ok_or(TokenError::Scopes)
}

/// The members of a JSON object to parse, each at most once (RFC 7519 §4).
struct SelectedClaims<'n>(&'n [String]);

impl<'de> DeserializeSeed<'de> for SelectedClaims<'_> {
    type Value = Map<String, Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for SelectedClaims<'_> {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut wanted = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if !is_in(self.0, &name) {
                members.next_value::<IgnoredAny>()?;
            } else if wanted.insert(name, members.next_value()?).is_some() {
                return Err(A::Error::custom("duplicate claim"));
            }
        }
        Ok(wanted)
    }
}
