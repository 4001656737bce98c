//! API keys: found by their id, verified by their secret, and rejected as soon as they are revoked.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use gateway_runtime::{
    Code, Error, Result,
    auth::{ApiKey, ApiKeys, NewApiKey},
};
use serde_json::json;

use super::{
    issuer::{Issuer, JWT, SECRET, claims, with},
    vault::{gateway, gateway_with, get},
};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns an entry of the configuration.
fn setting(key: &NewApiKey, more: &str) -> String {
    format!("[auth.keys.{}]\nhash = '{}'\naccount = 'acme'\n{more}\n", key.id, hex(&key.hash))
}

/// A source of keys that can be changed while a gateway runs.
#[derive(Clone, Debug, Default)]
struct Store {
    keys: Arc<Mutex<HashMap<String, ApiKey>>>,
    away: Arc<Mutex<bool>>,
}

impl Store {
    fn add(&self, key: &NewApiKey) {
        let kept = ApiKey {
            account: "stored".into(),
            scopes: ["vault:read".into()].into(),
            expires: None,
            revoked: false,
            hash: key.hash,
        };
        self.keys.lock().unwrap().insert(key.id.clone(), kept);
    }

    fn change(&self, key: &NewApiKey, change: impl FnOnce(&mut ApiKey)) {
        change(self.keys.lock().unwrap().get_mut(&key.id).unwrap());
    }
}

impl ApiKeys for Store {
    fn find<'a>(
        &'a self,
        id: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Option<ApiKey>>> + Send + 'a>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            if *self.away.lock().unwrap() {
                return Err(Error::new(Code::OVERLOADED, "the keys cannot be read at present"));
            }
            Ok(self.keys.lock().unwrap().get(id).cloned())
        })
    }
}

fn line(key: &NewApiKey) -> String {
    format!("X-Api-Key: {}", key.key.expose())
}

#[tokio::test]
async fn keys_of_the_configuration_are_admitted_until_they_end() {
    let keys: Vec<_> = (0..4).map(|_| NewApiKey::generate().unwrap()).collect();
    let more = [
        "scopes = ['vault:read', 'x']",
        "expires = 2999-01-01T00:00:00Z",
        "expires = '2020-01-01T00:00:00Z'",
        "revoked = true",
    ];
    let settings: String = keys.iter().zip(more).map(|(key, more)| setting(key, more)).collect();
    let gateway = gateway(&settings).await;
    assert_eq!(get(&gateway, "read", &line(&keys[0])).await.json(), json!("acme/- vault:read,x"));
    assert_eq!(get(&gateway, "open", &line(&keys[1])).await.json(), json!("acme/- "));
    assert_eq!(get(&gateway, "read", &line(&keys[1])).await.status, 403);
    for bad in &keys[2..] {
        for method in ["open", "look", "silent"] {
            assert_eq!(get(&gateway, method, &line(bad)).await.status, 401);
        }
        assert_eq!(get(&gateway, "walk", &line(bad)).await.status, 200);
    }
}

#[tokio::test]
async fn no_bad_key_is_admitted_or_ignored() {
    let key = NewApiKey::generate().unwrap();
    let other = NewApiKey::generate().unwrap();
    let gateway = gateway(&setting(&key, "")).await;
    let good = key.key.expose();
    let secret = good.rsplit_once('_').unwrap().1;
    let mut bad = vec![
        other.key.expose().to_owned(),
        format!("gk_{}_{}", key.id, other.key.expose().rsplit_once('_').unwrap().1),
        format!("gk_{}_{}", other.id, secret),
        format!("gk_{}_", key.id),
        format!("gk_{}", key.id),
        format!("gk__{secret}"),
        format!("GK_{}_{secret}", key.id),
        format!("pk_{}_{secret}", key.id),
        format!("{}_{secret}", key.id),
        secret.to_owned(),
        // The hash is not accepted as the secret.
        format!("gk_{}_{}", key.id, hex(&key.hash)),
        format!("gk_{}_{}", key.id, secret.to_uppercase()),
        good[..good.len() - 1].to_owned(),
        format!("{good}0"),
        format!("{good}, {good}"),
        format!("Bearer {good}"),
        format!("\"{good}\""),
        format!("gk_{}_{}", key.id, "a".repeat(5000)),
        format!("gk_../../{}_{secret}", key.id),
        "gk__".to_owned(),
        String::new(),
    ]
    .into_iter()
    .map(|key| format!("X-Api-Key: {key}"))
    .collect::<Vec<_>>();
    bad.push(format!("X-Api-Key: {good}\nX-Api-Key: {good}"));
    bad.push(format!("Authorization: Bearer {good}"));
    for line in bad {
        for method in ["open", "look"] {
            let answer = get(&gateway, method, &line).await;
            assert_eq!(
                (answer.status, answer.json()["code"].as_str()),
                (401, Some("unauthenticated")),
                "{line}"
            );
        }
    }
    assert_eq!(get(&gateway, "open", &line(&key)).await.status, 200);
}

#[tokio::test]
async fn a_key_is_revoked_for_the_next_call() {
    let (store, configured, stored) =
        (Store::default(), NewApiKey::generate().unwrap(), NewApiKey::generate().unwrap());
    let gateway = gateway_with(&setting(&configured, ""), store.clone()).await;
    assert_eq!(get(&gateway, "open", &line(&stored)).await.status, 401);
    store.add(&stored);
    for _ in 0..3 {
        assert_eq!(
            get(&gateway, "read", &line(&stored)).await.json(),
            json!("stored/- vault:read")
        );
    }
    store.change(&stored, |key| key.revoked = true);
    assert_eq!(get(&gateway, "read", &line(&stored)).await.status, 401);
    store.change(&stored, |key| key.revoked = false);
    store.change(&stored, |key| key.scopes = [].into());
    assert_eq!(get(&gateway, "read", &line(&stored)).await.status, 403);
    store.change(&stored, |key| key.expires = Some(SystemTime::now() + Duration::from_secs(60)));
    assert_eq!(get(&gateway, "open", &line(&stored)).await.status, 200);
    store.change(&stored, |key| key.expires = Some(SystemTime::now()));
    assert_eq!(get(&gateway, "open", &line(&stored)).await.status, 401);
    assert_eq!(get(&gateway, "open", &line(&configured)).await.status, 200);
}

#[tokio::test]
async fn unavailable_key_store_admits_nobody_and_is_reported() {
    let (store, key) = (Store::default(), NewApiKey::generate().unwrap());
    store.add(&key);
    let gateway = gateway_with("", store.clone()).await;
    *store.away.lock().unwrap() = true;
    let answer = get(&gateway, "look", &line(&key)).await;
    assert_eq!((answer.status, answer.json()["retryable"].clone()), (503, json!(true)));
    assert_eq!(get(&gateway, "look", "").await.status, 200);
    *store.away.lock().unwrap() = false;
    assert_eq!(get(&gateway, "look", &line(&key)).await.status, 200);
}

#[tokio::test]
async fn token_and_key_must_name_one_account_and_share_their_scopes() {
    let key = NewApiKey::generate().unwrap();
    let settings = format!(
        "auth.internal_key = '{SECRET}'\n{JWT}{}",
        setting(&key, "scopes = ['other', 'vault:write']")
    );
    let gateway = gateway(&settings).await;
    let both = |claims| {
        format!("Authorization: Bearer {}\n{}", Issuer::internal().token(&claims), line(&key))
    };
    assert_eq!(get(&gateway, "open", &both(claims())).await.json(), json!("acme/ada other"));
    assert_eq!(get(&gateway, "read", &both(claims())).await.status, 403);
    assert_eq!(get(&gateway, "open", &both(with("sub", json!("blue")))).await.status, 401);
    assert_eq!(get(&gateway, "look", &both(with("exp", json!(1)))).await.status, 401);
    let bad_key = format!(
        "Authorization: Bearer {}\nX-Api-Key: gk_a_0123456789abcdef",
        Issuer::internal().token(&claims())
    );
    assert_eq!(get(&gateway, "look", &bad_key).await.status, 401);
}
