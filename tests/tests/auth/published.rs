//! Published facts about authentication, and credentials, which are never published.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use gateway_runtime::{RunningGateway, auth::NewApiKey};
use serde_json::{Value, json};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use super::{
    issuer::{Issuer, JWT, SECRET, claims, with},
    vault::{BASE, ask, gateway, get, with_token},
};

async fn page(gateway: &RunningGateway, path: &str) -> Value {
    ask(gateway.address(), &format!("GET {path} HTTP/1.1"), "").await.json()
}

#[tokio::test]
async fn openapi_lists_security_schemes_and_scopes() {
    let key = NewApiKey::generate().unwrap();
    let hash: String = key.hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let keys = format!("[auth.keys.{}]\nhash = '{hash}'\naccount = 'a'\n", key.id);
    let tokens = format!("auth.internal_key = '{SECRET}'\n");
    for (settings, schemes) in [
        (tokens.clone(), vec!["bearer"]),
        (keys.clone(), vec!["api_key"]),
        (format!("{tokens}{keys}"), vec!["bearer", "api_key"]),
        // Not configured, but required by methods.
        (String::new(), vec!["bearer", "api_key"]),
    ] {
        let is_configured = !settings.is_empty();
        let gateway = gateway(&settings).await;
        let openapi = page(&gateway, "/openapi.json").await;
        let found = openapi["components"]["securitySchemes"]
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>();
        assert_eq!(found, schemes);
        let operation =
            |method: &str| openapi["paths"][format!("/services/vault/v1/{method}")]["get"].clone();
        let ways = |scopes: &[&str]| {
            schemes.iter().map(|name| json!({ *name: scopes })).collect::<Vec<_>>()
        };
        let or_none = || [vec![json!({})], ways(&[])].concat();
        assert_eq!(operation("open")["security"], json!(ways(&[])));
        assert_eq!(operation("write")["security"], json!(ways(&["vault:read", "vault:write"])));
        assert_eq!(operation("look")["security"], json!(or_none()));
        assert_eq!(operation("walk")["security"], json!([]));
        let silent = operation("silent");
        assert_eq!(silent["security"], if is_configured { json!(or_none()) } else { json!([]) });
        assert_eq!(silent["responses"].get("401").is_some(), is_configured);
        assert!(operation("write")["responses"].get("403").is_some());
    }
}

#[tokio::test]
async fn meta_says_what_is_enforced() {
    let gateway = gateway(&format!("auth.internal_key = '{SECRET}'")).await;
    let meta = page(&gateway, "/meta/vault/v1").await;
    let methods = meta["services"][0]["methods"].as_array().unwrap();
    let terms = |name: &str| {
        let method = methods.iter().find(|method| method["name"] == name).unwrap();
        (method["auth"].clone(), method["scopes"].clone())
    };
    assert_eq!(terms("open"), (json!("required"), json!([])));
    assert_eq!(terms("look"), (json!("optional"), json!([])));
    assert_eq!(terms("silent"), (json!("optional"), json!([])));
    assert_eq!(terms("walk"), (json!("none"), json!([])));
    assert_eq!(terms("write"), (json!("required"), json!(["vault:read", "vault:write"])));
}

/// A subscriber that holds all lines of the log.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("gateway")
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push_str(&format!("{}={value:?} ", field.name()));
    }
}

#[tokio::test]
async fn credentials_are_in_no_answer_no_document_and_no_line_of_the_log() {
    let lines = Lines::default();
    tracing::subscriber::set_global_default(lines.clone()).unwrap();

    let key = NewApiKey::generate().unwrap();
    let hash: String = key.hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let settings = format!(
        "auth.internal_key = '{SECRET}'\n{JWT}[auth.keys.{}]\nhash = '{hash}'\naccount = 'a'",
        key.id
    );
    let gateway = gateway(&settings).await;
    let internal = Issuer::internal();
    let tokens = [
        internal.token(&claims()),
        internal.token(&with("sub", json!("planted-account"))),
        internal.token(&with("exp", json!(1))),
        Issuer::p256().token(&claims()),
        "planted-nonsense.planted-nonsense".to_owned(),
    ];
    let key_text = key.key.expose();
    let mut seen = String::new();
    for token in &tokens {
        for method in ["open", "look", "fail", "write", "nowhere"] {
            seen += &with_token(&gateway, method, token).await.all();
            seen += &get(
                &gateway,
                method,
                &format!("Authorization: Bearer {token}\nX-Api-Key: {key_text}"),
            )
            .await
            .all();
            seen += &get(
                &gateway,
                method,
                &format!("Authorization: Planted {token}\nX-Api-Key: {key_text}x"),
            )
            .await
            .all();
        }
    }
    for method in ["open", "fail", "nowhere"] {
        seen += &get(&gateway, method, &format!("X-Api-Key: {key_text}")).await.all();
    }
    seen += &get(&gateway, "look", &format!("X-Api-Key: {key_text}0")).await.all();
    for path in ["/meta", "/openapi.json", "/asyncapi.json", "/docs"] {
        seen += &ask(gateway.address(), &format!("GET {path} HTTP/1.1"), "").await.all();
    }
    let configured = gateway_runtime::Gateway::from_toml(&format!("{BASE}{settings}")).unwrap();
    seen += &format!("{configured:?} {:?} {gateway:?}", key);
    let again = format!("{BASE}auth.internal_key = 12345678901234567890");
    seen += &format!("{:?}", gateway_runtime::Gateway::from_toml(&again).unwrap_err());
    gateway.stop().await.unwrap();

    let lines = lines.0.lock().unwrap().clone();
    // The subscriber has received lines: of a named account, and of the reason for a refusal.
    assert!(lines.iter().any(|line| line.contains("planted-account")), "{} lines", lines.len());
    assert!(lines.iter().any(|line| line.contains("the token has expired")));
    assert!(lines.iter().any(|line| line.contains("the secret of the API key is wrong")));
    let seen = format!("{seen}{}", lines.join("\n"));
    let mut secrets = vec![
        SECRET.to_owned(),
        key_text.rsplit_once('_').unwrap().1.to_owned(),
        "12345678901234567890".to_owned(),
    ];
    secrets.extend(tokens.iter().flat_map(|token| token.split('.').skip(1)).map(str::to_owned));
    for secret in secrets {
        if let Some(at) = seen.find(&secret) {
            panic!("{secret} is told: {}", &seen[at.saturating_sub(200)..at + secret.len()]);
        }
    }
}
