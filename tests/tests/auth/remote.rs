//! A remote JWK set: fetched, refreshed for an unknown key, rarely, and kept while its URL is
//! unavailable.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, http::StatusCode, routing::get as on_get};
use gateway_runtime::RunningGateway;
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::Instant};

use super::{
    issuer::{Issuer, JWT, SECRET, claims},
    vault::{gateway, with_token},
};

/// A server that publishes keys.
#[derive(Clone, Default)]
struct Publisher(Arc<Mutex<Published>>);

#[derive(Default)]
struct Published {
    keys: Vec<Value>,
    away: bool,
    asked: u32,
}

impl Publisher {
    async fn start(self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answer = move || async move {
            let mut published = self.0.lock().unwrap();
            published.asked += 1;
            let status = if published.away { StatusCode::BAD_GATEWAY } else { StatusCode::OK };
            (status, json!({ "keys": published.keys }).to_string())
        };
        tokio::spawn(async move {
            axum::serve(listener, Router::new().route("/keys", on_get(answer))).await
        });
        address
    }

    fn publish(&self, keys: Vec<Value>) {
        self.0.lock().unwrap().keys = keys;
    }

    fn go_away(&self, away: bool) {
        self.0.lock().unwrap().away = away;
    }

    fn asked(&self) -> u32 {
        self.0.lock().unwrap().asked
    }
}

async fn reading(address: SocketAddr, pause: &str, refresh: &str) -> RunningGateway {
    let settings = format!(
        "jwks_url = 'http://{address}/keys'\njwks_min_refresh = '{pause}'\njwks_refresh = \
         '{refresh}'\n"
    );
    gateway(&format!("auth.internal_key = '{SECRET}'\n{JWT}{settings}")).await
}

fn named(issuer: &Issuer, kid: &str) -> String {
    issuer.token_with(&json!({ "alg": issuer.algorithm(), "kid": kid }), &claims())
}

/// Calls until the response has this status.
async fn until(gateway: &RunningGateway, token: &str, status: u16) {
    let end = Instant::now() + Duration::from_secs(10);
    while with_token(gateway, "open", token).await.status != status {
        assert!(Instant::now() < end, "it never became {status}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn keys_are_fetched_and_unusable_ones_ignored() {
    let publisher = Publisher::default();
    let (rsa, p256, ed25519) = (Issuer::rsa(), Issuer::p256(), Issuer::ed25519());
    let shared = Issuer::Secret(b"0123456789abcdef0123456789abcdef".to_vec());
    let mut for_encryption = Issuer::other_rsa().jwk(Some("enc"));
    for_encryption["use"] = json!("enc");
    publisher.publish(vec![
        json!({ "kty": "unheard of" }),
        json!(7),
        shared.jwk(Some("shared")),
        for_encryption,
        rsa.jwk(Some("r")),
        p256.jwk(Some("p")),
        ed25519.jwk(None),
    ]);
    let gateway = reading(publisher.clone().start().await, "30s", "10min").await;
    // The first call waits for the first fetch.
    for token in [
        named(&rsa, "r"),
        named(&p256, "p"),
        ed25519.token(&claims()),
        rsa.token(&claims()),
        named(&ed25519, "any"),
    ] {
        assert_eq!(with_token(&gateway, "open", &token).await.status, 200, "{token}");
    }
    for token in [
        named(&shared, "shared"),
        named(&Issuer::other_rsa(), "enc"),
        named(&rsa, "p"),
        named(&p256, "r"),
        named(&Issuer::other_rsa(), "r"),
        // The JWK set itself as an HMAC secret.
        named(&Issuer::Secret(rsa.jwk(Some("r")).to_string().into()), "r"),
    ] {
        assert_eq!(with_token(&gateway, "look", &token).await.status, 401, "{token}");
    }
    assert_eq!(publisher.asked(), 1);
}

#[tokio::test]
async fn unknown_key_causes_a_refresh_at_most_once_per_interval() {
    let publisher = Publisher::default();
    let (old, new) = (Issuer::p256(), Issuer::p256());
    publisher.publish(vec![old.jwk(Some("old"))]);
    let gateway = reading(publisher.clone().start().await, "600ms", "10min").await;
    assert_eq!(with_token(&gateway, "open", &named(&old, "old")).await.status, 200);
    publisher.publish(vec![new.jwk(Some("new"))]);
    let began = Instant::now();
    until(&gateway, &named(&new, "new"), 200).await;
    // A withdrawn key is unknown after the next fetch.
    assert_eq!(with_token(&gateway, "open", &named(&old, "old")).await.status, 401);
    // Made-up key ids cause no further fetch, however many there are.
    for number in 0..100 {
        assert_eq!(
            with_token(&gateway, "look", &named(&old, &format!("made-up-{number}"))).await.status,
            401
        );
    }
    let most = 2 + began.elapsed().as_millis() / 600;
    assert!(u128::from(publisher.asked()) <= most, "{} times, at most {most}", publisher.asked());
}

#[tokio::test]
async fn last_keys_stay_valid_while_the_url_is_unavailable() {
    let publisher = Publisher::default();
    let (old, new) = (Issuer::ed25519(), Issuer::ed25519());
    publisher.publish(vec![old.jwk(Some("old"))]);
    let gateway = reading(publisher.clone().start().await, "100ms", "150ms").await;
    until(&gateway, &named(&old, "old"), 200).await;
    publisher.go_away(true);
    let asked = publisher.asked();
    while publisher.asked() < asked + 3 {
        assert_eq!(with_token(&gateway, "open", &named(&old, "old")).await.status, 200);
    }
    assert_eq!(with_token(&gateway, "open", &named(&new, "new")).await.status, 401);
    publisher.publish(vec![new.jwk(Some("new"))]);
    publisher.go_away(false);
    // Without a call that asks for it.
    until(&gateway, &named(&old, "old"), 401).await;
    assert_eq!(with_token(&gateway, "open", &named(&new, "new")).await.status, 200);
}

#[tokio::test]
async fn missing_key_set_is_a_server_error_and_other_keys_stay_valid() {
    let publisher = Publisher::default();
    let issuer = Issuer::ed25519();
    publisher.go_away(true);
    let gateway = reading(publisher.clone().start().await, "200ms", "10min").await;
    let answer = with_token(&gateway, "look", &named(&issuer, "k")).await;
    assert_eq!(
        (answer.status, answer.json()["retryable"].clone()),
        (503, json!(true)),
        "{answer:?}"
    );
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(
        with_token(&gateway, "open", &Issuer::internal().token(&claims())).await.status,
        200
    );
    publisher.publish(vec![issuer.jwk(Some("k"))]);
    publisher.go_away(false);
    until(&gateway, &named(&issuer, "k"), 200).await;
}
