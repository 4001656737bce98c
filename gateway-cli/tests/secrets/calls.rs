//! Calls that succeed and calls that fail, with valid and invalid credentials of every kind.

use std::{
    fmt::Write,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use gateway_runtime::{
    Secret,
    http::WebhookKey,
    provider::{HttpClient, HttpClientSettings},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{
    gateway::Serving,
    planted::{
        ADMIN_TOKEN, API_KEY, INTERNAL_KEY, WEBHOOK_SECRET, WRONG_ADMIN_TOKEN, WRONG_API_KEY,
    },
};

/// Returns everything that clients and operators receive.
pub(crate) async fn all(gateway: &Serving) -> String {
    let mut recorder = Recorder {
        http: HttpClient::new(&HttpClientSettings::default()).unwrap(),
        recorded: String::new(),
    };
    let url = |path: &str| format!("{}{path}", gateway.url);
    let admin = |path: &str| format!("{}{path}", gateway.admin);
    for path in [
        "/meta",
        "/meta/vendor/v1",
        "/openapi.json",
        "/asyncapi.json",
        "/docs",
        "/nowhere",
        "/problems/internal",
    ] {
        recorder.get(&url(path), "", "").await;
    }
    let good = token(INTERNAL_KEY);
    let bad = token("planted-another-key-0123456789abcdef");
    let tokens = [good.clone(), bad, format!("{good}planted"), "planted".to_owned()];
    let bearers = tokens.iter().map(|token| ("authorization", format!("Bearer {token}")));
    let keys =
        [API_KEY, WRONG_API_KEY, "planted"].into_iter().map(|key| ("x-api-key", key.to_owned()));
    for (name, value) in bearers.chain(keys) {
        for path in
            ["/services/vendor/v1/ask", "/services/vendor/v1/buy", "/services/vendor/v1/fall"]
        {
            recorder.get(&url(path), name, &value).await;
        }
        recorder
            .post(&url("/services/vendor/v1/fail"), &[(name, &value), ("idempotency-key", "one")])
            .await;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let signed = WebhookKey::new(&Secret::new(WEBHOOK_SECRET)).unwrap().sign("1", now, b"{}");
    for signature in [signed.as_str(), "v1,planted"] {
        let time = now.to_string();
        let headers =
            [("webhook-id", "1"), ("webhook-timestamp", &*time), ("webhook-signature", signature)];
        recorder.post(&url("/services/_webhooks/vendor/v1/news"), &headers).await;
    }
    for token in [ADMIN_TOKEN, WRONG_ADMIN_TOKEN] {
        let bearer = format!("Bearer {token}");
        for path in [
            "/openapi.json",
            "/healthz",
            "/readyz",
            "/metrics",
            "/admin/providers",
            "/admin/limits",
            "/admin/requests",
            "/admin/changes",
        ] {
            recorder.get(&admin(path), "authorization", &bearer).await;
        }
    }
    recorder.recorded
}

struct Recorder {
    http: HttpClient,
    recorded: String,
}

impl Recorder {
    async fn get(&mut self, url: &str, name: &str, value: &str) {
        let request = self.http.get(url);
        let request = if name.is_empty() { request } else { request.header(name, value) };
        self.record(request.send_any().await.unwrap()).await;
    }

    async fn post(&mut self, url: &str, headers: &[(&str, &str)]) {
        let request = self.http.post(url).json(&serde_json::json!({}));
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        self.record(request.send_any().await.unwrap()).await;
    }

    async fn record(&mut self, response: gateway_runtime::provider::HttpResponse) {
        let (status, headers) = (response.status(), response.headers().clone());
        writeln!(self.recorded, "{status} {headers:?} {}", response.text().await.unwrap()).unwrap();
    }
}

/// Returns a token (HS256) for the account `acme`.
fn token(key: &str) -> String {
    let base64 = |text: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(text);
    let expires = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 600;
    let claims = format!(r#"{{"sub":"acme","exp":{expires}}}"#);
    let signed = format!("{}.{}", base64(br#"{"alg":"HS256"}"#), base64(claims.as_bytes()));
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", base64(&mac.finalize().into_bytes()))
}
