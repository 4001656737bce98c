//! Authentication: a JSON Web Token or an API key becomes a [`Caller`], or an error.
//!
//! `credentials` reads the header fields. `jwt` parses a token and finds its key,
//! `verification_key` and `jwks` hold the keys, and `claims` checks what is signed. `api_key` holds
//! the keys of clients. `sealed_box` encrypts texts that only the same proofs open. No result for
//! one call is stored for another (SEMANTICS §4).

mod api_key;
mod claims;
mod credentials;
mod jwks;
mod jwt;
pub(crate) mod sealed_box;
mod settings;
#[cfg(test)]
mod tests;
mod verification_key;

use std::{future::Future, pin::Pin, sync::Arc};

use http::HeaderMap;

pub use crate::auth::{
    api_key::{ApiKey, ApiKeys, NewApiKey},
    settings::{ApiKeySettings, AuthSettings, JwtKeySettings, JwtSettings},
};
use crate::{
    auth::{api_key::PresentedKey, credentials::RequestCredentials, jwt::JwtVerifier},
    base::{
        call::Caller,
        error::{Code, Error},
        start_error::StartError,
    },
    provider::HttpClient,
};

/// The kinds of credentials that a gateway accepts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AcceptedCredentials {
    /// JSON Web Tokens in `Authorization: Bearer`.
    pub tokens: bool,
    /// API keys in `X-Api-Key`.
    pub api_keys: bool,
}

impl AcceptedCredentials {
    /// Returns whether any kind of credentials is accepted.
    #[must_use]
    pub fn any(self) -> bool {
        self.tokens || self.api_keys
    }
}

/// The identity that the credentials of a request prove.
pub(crate) enum Identity {
    /// No credentials.
    Anonymous,
    /// The caller of valid credentials.
    Known(Caller),
    /// A check that has to wait, for a store of keys or for keys at a URL.
    Pending(Pin<Box<dyn Future<Output = Result<Caller, Error>> + Send>>),
}

/// An authenticator: checks the credentials of requests.
#[derive(Debug)]
pub struct Authenticator {
    tokens: Option<JwtVerifier>,
    keys: Option<Arc<dyn ApiKeys>>,
}

impl Authenticator {
    /// Creates the configured authenticator, with the API keys of `stores` beside the configured
    /// ones; `None` if nothing is configured. Keys at a URL are fetched with `http`, by a task of
    /// the runtime in which this is called.
    ///
    /// # Errors
    ///
    /// Every invalid setting.
    pub fn new(
        settings: &AuthSettings,
        stores: Vec<Arc<dyn ApiKeys>>,
        http: impl FnOnce() -> Result<HttpClient, StartError>,
    ) -> Result<Option<Self>, StartError> {
        let mut problems = Vec::new();
        let keys = api_key::assemble(&settings.keys, stores, &mut problems);
        let tokens = JwtVerifier::new(settings, http, &mut problems);
        StartError::from_problems(problems)?;
        Ok((tokens.is_some() || keys.is_some()).then_some(Self { tokens, keys }))
    }

    /// Returns the kinds of credentials that are accepted.
    #[must_use]
    pub fn accepts(&self) -> AcceptedCredentials {
        AcceptedCredentials { tokens: self.tokens.is_some(), api_keys: self.keys.is_some() }
    }

    /// Returns the identity that the header fields prove.
    ///
    /// # Errors
    ///
    /// `unauthenticated` for credentials that are invalid, more than one of a kind, or of a kind
    /// that is not accepted; they are never ignored.
    pub(crate) fn identify(self: &Arc<Self>, headers: &HeaderMap) -> Result<Identity, Error> {
        let RequestCredentials { token, key } = RequestCredentials::read(headers)?;
        match (token, key) {
            (None, None) => Ok(Identity::Anonymous),
            (Some(token), None) => Ok(match self.tokens()?.check(token)? {
                Some(caller) => Identity::Known(caller),
                None => self.ask(Some(token.to_owned()), None),
            }),
            (token, Some(key)) => {
                self.keys()?;
                let key = PresentedKey::parse(key)?;
                Ok(self.ask(token.map(str::to_owned), Some(key)))
            }
        }
    }

    fn tokens(&self) -> Result<&JwtVerifier, Error> {
        self.tokens.as_ref().ok_or_else(|| {
            unauthenticated("this gateway reads no tokens, but API keys in `X-Api-Key`")
        })
    }

    fn keys(&self) -> Result<&dyn ApiKeys, Error> {
        self.keys.as_deref().ok_or_else(|| {
            unauthenticated("this gateway reads no API keys, but tokens in `Authorization`")
        })
    }

    fn ask(self: &Arc<Self>, token: Option<String>, key: Option<PresentedKey>) -> Identity {
        let this = Arc::clone(self);
        Identity::Pending(Box::pin(async move {
            let by_token = match token {
                Some(token) => Some(this.tokens()?.check_with_refresh(&token).await?),
                None => None,
            };
            let by_key = match key {
                Some(key) => Some(key.check(this.keys()?).await?),
                None => None,
            };
            match (by_token, by_key) {
                (Some(token), Some(key)) => intersect(&token, &key),
                (Some(caller), None) | (None, Some(caller)) => Ok(caller),
                (None, None) => Err(unauthenticated("there are no credentials")),
            }
        }))
    }
}

/// Returns the caller that a token and a key both name, with the scopes that both have: neither
/// grants more than it would alone.
fn intersect(token: &Caller, key: &Caller) -> Result<Caller, Error> {
    let account = token.account().filter(|account| key.account() == Some(account));
    let account = account
        .ok_or_else(|| unauthenticated("the token and the API key belong to different accounts"))?;
    let both = token.scopes().iter().filter(|scope| key.scopes().contains(scope)).cloned();
    Ok(Caller::new(account, token.user().map(Into::into), both.collect::<Vec<_>>()))
}

/// Creates the error for invalid credentials. The client reads `why`, so it never contains any part
/// of them.
fn unauthenticated(why: &'static str) -> Error {
    Error::new(Code::UNAUTHENTICATED, why).with_challenge("Bearer error=\"invalid_token\"")
}
