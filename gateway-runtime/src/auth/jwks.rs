//! Public keys from a URL, as a JSON Web Key Set (RFC 7517 §5).
//!
//! One task fetches the set: at start, every `jwks_refresh`, and when a token names an unknown key,
//! but never sooner than `jwks_min_refresh` after the last fetch. A set that cannot be fetched or
//! read leaves the keys unchanged, and is fetched again after `jwks_min_refresh`.

use std::{sync::Arc, time::Duration};

use http::Uri;
use serde::Deserialize;
use serde_json::Value;
use tokio::{
    sync::{Notify, watch},
    task::AbortHandle,
    time::{Instant, sleep, timeout},
};

use crate::{
    auth::{
        error::{JwksError, TokenError},
        settings::JwtSettings,
        verification_key::VerificationKey,
    },
    base::{
        error::{Code, Error, with_causes},
        start_error::StartError,
    },
    provider::HttpClient,
};

/// The maximum time of a fetch.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// The maximum number of keys used of a set; a token that names no key may be checked with each.
const MAX_KEYS: usize = 32;

/// A client of a JWKS URL: the latest keys, and the task that fetches them.
#[derive(Debug)]
pub(super) struct JwksClient {
    set: watch::Receiver<KeySet>,
    refresh_requested: Arc<Notify>,
    pause: Duration,
    task: AbortHandle,
}

/// The keys of the last successful fetch.
#[derive(Debug, Default)]
pub(super) struct KeySet {
    /// The keys; `None` before the first successful fetch.
    keys: Option<Vec<VerificationKey>>,
    /// The end of the last fetch, successful or not.
    tried: Option<Instant>,
    pause: Duration,
}

impl KeySet {
    pub(super) fn keys(&self) -> &[VerificationKey] {
        self.keys.as_deref().unwrap_or_default()
    }

    /// Returns whether a token that names this key may be signed with a key that is not in the set.
    pub(super) fn may_need_refresh(&self, kid: Option<&str>) -> bool {
        self.keys.is_none()
            || kid.is_some_and(|kid| !self.keys().iter().any(|key| key.kid() == Some(kid)))
    }

    /// Returns the error for a token whose key is not in the set: `unauthenticated`, or
    /// `overloaded` if no set was ever fetched.
    pub(super) fn refusal(&self) -> Error {
        if self.keys.is_some() {
            return TokenError::UnknownKey.into();
        }
        let error = Error::new(Code::OVERLOADED, "the keys of tokens are unavailable; retry later");
        error.with_retry_after(self.pause.max(Duration::from_secs(1)))
    }
}

/// A receiver of the next change of the key set.
pub(super) struct Changes(watch::Receiver<KeySet>);

impl Changes {
    /// Waits for the end of a fetch, at most `FETCH_TIMEOUT`.
    pub(super) async fn changed(&mut self) {
        // After the timeout, or without the task, the current keys are used.
        let _ = timeout(FETCH_TIMEOUT, self.0.changed()).await;
    }
}

impl JwksClient {
    /// Creates a client of the configured URL, and spawns the task that fetches its keys; `None`
    /// without a URL. Adds a problem of the URL or of the HTTP client to `problems`.
    pub(super) fn fetched(
        settings: &JwtSettings,
        http: impl FnOnce() -> Result<HttpClient, StartError>,
        problems: &mut Vec<String>,
    ) -> Option<Self> {
        let url = settings.jwks_url.clone()?;
        if let Some(problem) = problem(settings) {
            problems.push(problem);
            return None;
        }
        let http = http().map_err(|error| problems.extend(error.into_problems())).ok()?;
        // A failing server is not requested without a pause, whatever the setting.
        let pause = settings.jwks_min_refresh.max(Duration::from_millis(100));
        let (sender, set) = watch::channel(KeySet { pause, ..KeySet::default() });
        let refresh_requested = Arc::new(Notify::new());
        let fetcher = JwksFetcher { http, url, refresh: settings.jwks_refresh, pause };
        let task = tokio::spawn(fetcher.run(sender, Arc::clone(&refresh_requested))).abort_handle();
        Some(Self { set, refresh_requested, pause, task })
    }

    /// Returns the current keys. They cannot change while the reference is held.
    pub(super) fn now(&self) -> watch::Ref<'_, KeySet> {
        self.set.borrow()
    }

    /// Returns whether the keys may be fetched again now.
    pub(super) fn may_refresh(&self, set: &KeySet) -> bool {
        set.tried.is_none_or(|tried| tried.elapsed() >= self.pause)
    }

    pub(super) fn watch(&self) -> Changes {
        let mut set = self.set.clone();
        set.mark_unchanged();
        Changes(set)
    }

    pub(super) fn request_refresh(&self) {
        self.refresh_requested.notify_one();
    }
}

impl Drop for JwksClient {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Returns the problem of the configured URL, if it has one.
pub(super) fn problem(settings: &JwtSettings) -> Option<String> {
    let problem = "`auth.jwt.jwks_url` in the configuration: the URL is not secure\n\
                   help: use https (or http on this machine), without a user";
    settings.jwks_url.as_deref().filter(|url| !is_safe(url)).map(|_| problem.to_owned())
}

/// Returns whether the URL is `https`, or `http` to this machine, and names no user.
fn is_safe(url: &str) -> bool {
    let Ok(url) = url.parse::<Uri>() else { return false };
    let has_no_user = url.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    let is_here = || matches!(url.host(), Some("localhost" | "127.0.0.1" | "[::1]"));
    has_no_user
        && (url.scheme_str() == Some("https") || url.scheme_str() == Some("http") && is_here())
}

struct JwksFetcher {
    http: HttpClient,
    url: String,
    refresh: Duration,
    pause: Duration,
}

impl JwksFetcher {
    async fn run(self, set: watch::Sender<KeySet>, refresh_requested: Arc<Notify>) {
        loop {
            let fetched = self.fetch().await;
            let remaining = if fetched.is_ok() {
                self.refresh.saturating_sub(self.pause)
            } else {
                Duration::ZERO
            };
            set.send_modify(|set| {
                set.tried = Some(Instant::now());
                match fetched {
                    Ok(keys) => set.keys = Some(keys),
                    Err(error) => {
                        tracing::warn!(
                            url = self.url,
                            reason = with_causes(&error),
                            "JWKS not refreshed; the previous keys stay in use"
                        )
                    }
                }
            });
            sleep(self.pause).await;
            tokio::select! {
                () = refresh_requested.notified() => {}
                () = sleep(remaining) => {}
            }
        }
    }

    async fn fetch(&self) -> Result<Vec<VerificationKey>, JwksError> {
        let json = self.http.fetch(&self.url, FETCH_TIMEOUT).await.map_err(JwksError::Fetch)?;
        parse_key_set(&json)
    }
}

#[derive(Deserialize)]
struct PublishedKeys {
    keys: Vec<Value>,
}

/// Parses a key set. Keys of other types and uses are skipped (RFC 7517 §5).
fn parse_key_set(json: &[u8]) -> Result<Vec<VerificationKey>, JwksError> {
    let set: PublishedKeys = serde_json::from_slice(json).map_err(JwksError::Parse)?;
    let keys = set
        .keys
        .into_iter()
        .filter_map(|key| VerificationKey::from_jwk(&serde_json::from_value(key).ok()?).ok());
    let keys: Vec<_> = keys.take(MAX_KEYS).collect();
    if keys.is_empty() { Err(JwksError::NoUsableKey) } else { Ok(keys) }
}
