//! API keys: `gk_{id}_{secret}`. The id finds the key; only the SHA-256 of the secret is stored.
//!
//! A secret is long and random, so a fast hash is as good as a slow one, and needs no salt.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
    time::SystemTime,
};

use futures_util::future::BoxFuture;
use ring::rand::{SecureRandom, SystemRandom};
use subtle::ConstantTimeEq;

use crate::{
    auth::{error::unauthenticated, settings::ApiKeySettings},
    base::{call::Caller, digest::Sha256, error::Error, secret::Secret},
};

/// The prefix of every key, by which scanners recognise leaked secrets.
const PREFIX: &str = "gk_";

/// A stored API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// The account of calls with this key.
    pub account: Arc<str>,
    /// The scopes of calls with this key.
    pub scopes: Arc<[Box<str>]>,
    /// The time from which the key is no longer valid.
    pub expires: Option<SystemTime>,
    /// Whether the key is revoked.
    pub revoked: bool,
    /// The SHA-256 of the secret.
    pub hash: [u8; 32],
}

/// A store of API keys. The gateway looks a key up for each call with it and caches nothing, so
/// that a revocation holds from the next call on.
///
/// The owner of a key sends all of it in `X-Api-Key`. A store needs the hash of its secret alone:
///
/// ```
/// use std::collections::HashMap;
///
/// use futures_util::future::BoxFuture;
/// use gateway_runtime::{ApiKey, ApiKeys, Error, NewApiKey, Secret};
///
/// /// The keys of partners, by id.
/// #[derive(Debug, Default)]
/// struct Partners(HashMap<String, ApiKey>);
///
/// impl Partners {
///     /// Creates a key, and returns it for its owner.
///     fn create(&mut self, account: &str) -> Result<Secret, Error> {
///         let new = NewApiKey::generate()?;
///         let key = ApiKey {
///             account: account.into(),
///             scopes: ["currency:write".into()].into(),
///             expires: None,
///             revoked: false,
///             hash: new.hash,
///         };
///         self.0.insert(new.id, key);
///         Ok(new.key)
///     }
/// }
///
/// impl ApiKeys for Partners {
///     fn find<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<ApiKey>, Error>> {
///         Box::pin(async move { Ok(self.0.get(id).cloned()) })
///     }
/// }
///
/// let mut partners = Partners::default();
/// let key = partners.create("acme")?;
/// assert!(key.expose().starts_with("gk_"));
/// # fn add(gateway: gateway_runtime::Gateway, partners: Partners) -> gateway_runtime::Gateway {
/// gateway.with_api_keys(partners)
/// # }
/// # Ok::<(), Error>(())
/// ```
pub trait ApiKeys: fmt::Debug + Send + Sync + 'static {
    /// Returns the key with this id, even if it has expired or is revoked.
    ///
    /// # Errors
    ///
    /// The future fails if the key cannot be looked up now. The caller reads the error, so it
    /// should be retryable.
    fn find<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<ApiKey>, Error>>;
}

/// A new API key, as handed out once to its owner.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// The id, by which the key is found.
    pub id: String,
    /// The whole key, for its owner.
    pub key: Secret,
    /// The SHA-256 of the secret, to be stored.
    pub hash: [u8; 32],
}

impl NewApiKey {
    /// Creates a key with a random id and a secret of 256 random bits.
    ///
    /// # Errors
    ///
    /// Fails if the system has no random numbers.
    pub fn generate() -> Result<Self, Error> {
        Self::named(&hex::encode(random::<8>()?))
    }

    /// Creates a key with a secret of 256 random bits; its id is the first 16 characters of `name`.
    pub(crate) fn named(name: &str) -> Result<Self, Error> {
        let id: String = name.chars().take(16).collect();
        let secret = hex::encode(random::<32>()?);
        let key = Secret::new(format!("{PREFIX}{id}_{secret}"));
        Ok(Self { id, key, hash: Sha256::of(secret) })
    }
}

fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut random = [0; N];
    SystemRandom::new()
        .fill(&mut random)
        .map_err(|_| Error::internal("the system has no random numbers"))?;
    Ok(random)
}

/// An API key as a request presents it, with the secret already hashed.
pub(super) struct PresentedKey {
    id: Box<str>,
    hash: [u8; 32],
}

impl PresentedKey {
    /// Parses the key.
    ///
    /// # Errors
    ///
    /// `unauthenticated` if the text does not have the form of a key.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let parts = text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_'));
        let (id, secret) = parts
            .filter(|(id, secret)| is_id(id) && is_secret(secret))
            .ok_or_else(|| unauthenticated("malformed API key; its form is gk_{id}_{secret}"))?;
        Ok(Self { id: id.into(), hash: Sha256::of(secret) })
    }

    /// Returns the caller of the key.
    ///
    /// # Errors
    ///
    /// `unauthenticated`, in the same words for every cause; the log states the cause. Otherwise
    /// the error of `keys`.
    pub(super) async fn check(self, keys: &dyn ApiKeys) -> Result<Caller, Error> {
        let bad = |reason| {
            unauthenticated("the API key is unknown, revoked or expired").with_log_message(reason)
        };
        let key = keys.find(&self.id).await?.ok_or_else(|| bad("no API key has this id"))?;
        // Compared in constant time (SEMANTICS §4).
        if !bool::from(key.hash.ct_eq(&self.hash)) {
            Err(bad("the secret of the API key is wrong"))
        } else if key.revoked {
            Err(bad("the API key is revoked"))
        } else if key.expires.is_some_and(|end| end <= SystemTime::now()) {
            Err(bad("the API key has expired"))
        } else {
            Ok(Caller::new(key.account, None, key.scopes))
        }
    }
}

fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_secret(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (16..=256).contains(&text.len()) && text.bytes().all(is_allowed)
}

/// Combines the keys of the configuration with those of `stores`; returns `None` if there are
/// neither. Adds the problems of configured keys to `problems`.
pub(super) fn assemble(
    settings: &BTreeMap<String, ApiKeySettings>,
    stores: Vec<Arc<dyn ApiKeys>>,
    problems: &mut Vec<String>,
) -> Option<Arc<dyn ApiKeys>> {
    let mut keys = HashMap::new();
    for (id, settings) in settings {
        match parse_settings(id, settings) {
            Ok(key) => drop(keys.insert(id.as_str().into(), key)),
            Err(problem) => {
                problems.push(format!("`auth.keys.{id}` in the configuration: {problem}"))
            }
        }
    }
    (!keys.is_empty() || !stores.is_empty()).then(|| Arc::new(ApiKeySources { keys, stores }) as _)
}

fn parse_settings(id: &str, settings: &ApiKeySettings) -> Result<ApiKey, &'static str> {
    let mut hash = [0; 32];
    hex::decode_to_slice(&settings.hash, &mut hash).map_err(|_| {
        "`hash` must be the SHA-256 of the key's secret (the part after its second `_`) in 64 \
         hexadecimal digits"
    })?;
    if !is_id(id) {
        return Err("an id must have 1 to 64 letters, digits and hyphens");
    }
    if settings.account.is_empty() {
        return Err("`account` is empty");
    }
    Ok(ApiKey {
        account: settings.account.as_str().into(),
        scopes: settings.scopes.iter().map(|scope| scope.as_str().into()).collect(),
        expires: settings.expires.map(Into::into),
        revoked: settings.revoked,
        hash,
    })
}

/// The keys of the configuration, then those of the stores.
#[derive(Debug)]
struct ApiKeySources {
    keys: HashMap<Box<str>, ApiKey>,
    /// The stores, searched in order for ids that are not configured.
    stores: Vec<Arc<dyn ApiKeys>>,
}

impl ApiKeys for ApiKeySources {
    fn find<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<ApiKey>, Error>> {
        match (self.keys.get(id), &self.stores[..]) {
            (None, [store]) => store.find(id),
            (None, stores) => Box::pin(async move {
                for store in stores {
                    if let Some(found) = store.find(id).await? {
                        return Ok(Some(found));
                    }
                }
                Ok(None)
            }),
            (found, _) => Box::pin(std::future::ready(Ok(found.cloned()))),
        }
    }
}
