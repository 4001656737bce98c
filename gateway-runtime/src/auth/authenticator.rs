//! The authenticator: which credentials a gateway accepts, and the identity that they prove.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::HeaderMap;

use crate::{
    auth::{
        api_key::{self, ApiKeys, PresentedKey},
        credentials::RequestCredentials,
        error::unauthenticated,
        jwks,
        jwt::{self, JwtVerifier},
        settings::AuthSettings,
    },
    base::{call::Caller, error::Error, start_error::StartError},
    provider::HttpClient,
};

impl AuthSettings {
    /// Returns the problems of the configured keys, without fetching any.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        api_key::assemble(&self.keys, Vec::new(), &mut problems);
        jwt::keys(self, &mut problems);
        problems.extend(jwks::problem(&self.jwt));
        problems
    }
}

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
    Pending(BoxFuture<'static, Result<Caller, Error>>),
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
                None => self.check_later(Some(token.to_owned()), None),
            }),
            (token, Some(key)) => {
                self.keys()?;
                let key = PresentedKey::parse(key)?;
                Ok(self.check_later(token.map(str::to_owned), Some(key)))
            }
        }
    }

    fn tokens(&self) -> Result<&JwtVerifier, Error> {
        self.tokens.as_ref().ok_or_else(|| {
            unauthenticated("tokens are not accepted; send an API key in `X-Api-Key`")
        })
    }

    fn keys(&self) -> Result<&dyn ApiKeys, Error> {
        self.keys.as_deref().ok_or_else(|| {
            unauthenticated("API keys are not accepted; send a token in `Authorization`")
        })
    }

    /// Returns the check of an API key, or of a token whose key may be found after a refresh.
    fn check_later(self: &Arc<Self>, token: Option<String>, key: Option<PresentedKey>) -> Identity {
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
                (None, None) => Err(unauthenticated("the credentials are missing")),
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
