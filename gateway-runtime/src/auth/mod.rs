//! Who is calling: a JSON Web Token or an API key becomes a [`Caller`], or a refusal.
//!
//! `credentials` reads the header fields. `token` takes a token apart and finds its key, `key` and `jwks` are the keys,
//! `claims` judges what is signed. `api_key` is the keys of clients. Nothing found out about one call is kept for another.

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

/// Which credentials a gateway reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AcceptedCredentials {
    /// JSON Web Tokens in `Authorization: Bearer`.
    pub tokens: bool,
    /// API keys in `X-Api-Key`.
    pub api_keys: bool,
}

impl AcceptedCredentials {
    /// Whether there is any way to say who is calling.
    #[must_use]
    pub fn any(self) -> bool {
        self.tokens || self.api_keys
    }
}

/// What the credentials of a request say.
pub(crate) enum Identity {
    /// There are none.
    Anonymous,
    /// They are good.
    Known(Caller),
    /// Somebody must be asked.
    Pending(Pin<Box<dyn Future<Output = Result<Caller, Error>> + Send>>),
}

/// Judges the credentials of requests.
#[derive(Debug)]
pub struct Authenticator {
    tokens: Option<JwtVerifier>,
    keys: Option<Arc<dyn ApiKeys>>,
}

impl Authenticator {
    /// As configured, with the API keys of `stores` beside the configured ones; none when nothing is configured. Keys at
    /// a URL are fetched with `http`, by a task of the runtime in which this is called.
    ///
    /// # Errors
    ///
    /// Every setting that makes no sense.
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

    /// What is read.
    #[must_use]
    pub fn accepts(&self) -> AcceptedCredentials {
        AcceptedCredentials { tokens: self.tokens.is_some(), api_keys: self.keys.is_some() }
    }

    /// Who the header fields say is calling.
    ///
    /// # Errors
    ///
    /// `unauthenticated` for credentials that are wrong, more than one of a kind, or of a kind that is not read; they
    /// are never ignored.
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

/// The caller whom a token and a key both name: neither gives more than it would alone.
fn intersect(token: &Caller, key: &Caller) -> Result<Caller, Error> {
    let account = token.account().filter(|account| key.account() == Some(account));
    let account = account
        .ok_or_else(|| unauthenticated("the token and the API key belong to different accounts"))?;
    let both = token.scopes().iter().filter(|scope| key.scopes().contains(scope)).cloned();
    Ok(Caller::new(account, token.user().map(Into::into), both.collect::<Vec<_>>()))
}

/// Credentials that do not do; `why` is told, so it never repeats any of them.
fn unauthenticated(why: &'static str) -> Error {
    Error::new(Code::UNAUTHENTICATED, why).with_challenge("Bearer error=\"invalid_token\"")
}
