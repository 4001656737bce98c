//! Authentication of methods: `auth`, scopes, and the position of both in the order of the layers.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::{SinkExt, StreamExt};
use gateway_runtime::{RunningGateway, Secret, client::Http, http::WebhookKey};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use super::{
    issuer::{Issuer, JWT, SECRET, claims, now, with},
    vault::{Vault, ask, gateway, get, start, with_token},
};

async fn guarded() -> RunningGateway {
    gateway(&format!("auth.internal_key = '{SECRET}'\n{JWT}")).await
}

#[tokio::test]
async fn method_admits_the_callers_it_declares() {
    let gateway = guarded().await;
    let token = Issuer::internal().token(&claims());
    for (method, stranger, known, bad) in [
        ("open", 401, Some("acme/ada vault:read,other"), 401),
        ("look", 200, Some("acme/ada vault:read,other"), 401),
        ("silent", 200, Some("acme/ada vault:read,other"), 401),
        ("walk", 200, Some("-/- "), 200),
        ("read", 401, Some("acme/ada vault:read,other"), 401),
        ("write", 401, None, 401),
    ] {
        assert_eq!(get(&gateway, method, "").await.status, stranger, "{method}");
        assert_eq!(with_token(&gateway, method, "bad").await.status, bad, "{method}");
        let answer = with_token(&gateway, method, &token).await;
        match known {
            Some(caller) => {
                assert_eq!((answer.status, answer.json()), (200, json!(caller)), "{method}")
            }
            None => {
                assert_eq!(
                    (answer.status, answer.json()["code"].clone()),
                    (403, json!("forbidden")),
                    "{method}"
                );
                assert_eq!(
                    answer.header("www-authenticate"),
                    Some("Bearer error=\"insufficient_scope\"")
                );
                let detail = answer.json()["detail"].as_str().unwrap().to_owned();
                assert!(
                    detail.contains("vault:write") && !detail.contains("vault:read"),
                    "{detail}"
                );
            }
        }
    }
    let stranger = get(&gateway, "open", "").await;
    assert_eq!(stranger.header("www-authenticate"), Some("Bearer"));
    // A scope matches as a whole or not at all.
    for scope in ["vault:rea", "vault:read2", "VAULT:READ", "vault:*", "vault", ""] {
        let token = Issuer::internal().token(&with("scope", json!(scope)));
        assert_eq!(with_token(&gateway, "read", &token).await.status, 403, "{scope}");
    }
}

#[tokio::test]
async fn anonymous_caller_is_refused_before_validation() {
    let gateway = guarded().await;
    let head = "POST /services/vault/v1/put HTTP/1.1";
    let token = Issuer::internal().token(&claims());
    for (body, status) in [("{\"number\": 3}", 200), ("{\"number\": 30}", 400), ("{", 400)] {
        let stranger = ask(gateway.address(), head, body).await;
        assert_eq!((stranger.status, stranger.json().get("errors")), (401, None));
        let known =
            ask(gateway.address(), &format!("{head}\nAuthorization: Bearer {token}"), body).await;
        assert_eq!(known.status, status, "{known:?}");
    }
}

#[tokio::test]
async fn concurrent_callers_are_kept_apart() {
    let gateway = guarded().await;
    let calls = (0..200).map(|number| {
        let token = Issuer::internal().token(&with("sub", json!(format!("account-{number}"))));
        let gateway = &gateway;
        async move {
            let (token, expected) = match number % 3 {
                0 => (String::new(), "-/- ".to_owned()),
                _ => (
                    format!("Authorization: Bearer {token}"),
                    format!("account-{number}/ada vault:read,other"),
                ),
            };
            assert_eq!(get(gateway, "look", &token).await.json(), json!(expected));
        }
    });
    futures_util::stream::iter(calls).buffer_unordered(32).collect::<Vec<_>>().await;
}

#[tokio::test]
async fn method_that_requires_a_caller_refuses_all_without_authentication() {
    let gateway = gateway("").await;
    let token = Issuer::internal().token(&claims());
    for (method, status) in
        [("open", 401), ("read", 401), ("look", 200), ("silent", 200), ("walk", 200)]
    {
        assert_eq!(get(&gateway, method, "").await.status, status, "{method}");
        assert_eq!(with_token(&gateway, method, &token).await.status, status, "{method}");
    }
}

#[tokio::test]
async fn gateway_without_authentication_serves_other_machines_only_if_configured() {
    let everywhere = "http.listen = '0.0.0.0:0'";
    let settings = |more: &str| {
        let secrets =
            "secrets = { EDGE_WEBHOOK_SECRET = 'not used', EMAIL_WEBHOOK_SECRET = 'not used' }";
        gateway_runtime::Gateway::from_toml(&format!(
            "{everywhere}\nhttp.workers = 1\n{secrets}\n{more}"
        ))
        .unwrap()
    };
    let problem = settings("").start().await.unwrap_err().to_string();
    for hint in [
        "0.0.0.0:0",
        "INTERNAL_GATEWAY_KEY",
        "auth.keys",
        "auth.allow_anonymous = true",
        "loopback",
    ] {
        assert!(problem.contains(hint), "{problem}");
    }
    assert!(settings("auth.allow_anonymous = false").start().await.is_err());
    settings("auth.allow_anonymous = true").start().await.unwrap().stop().await.unwrap();
    settings(&format!("auth.internal_key = '{SECRET}'"))
        .start()
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
    start("http = 1").await.unwrap_err();
}

#[tokio::test]
async fn webhook_needs_no_caller() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let settings = format!(
        "http = {{ listen = '127.0.0.1:0', workers = 1 }}\nsecrets = {{ EDGE_WEBHOOK_SECRET = \
         '{secret}', EMAIL_WEBHOOK_SECRET = 'x' }}\nauth.internal_key = '{SECRET}'"
    );
    let gateway = gateway_runtime::Gateway::from_toml(&settings).unwrap().start().await.unwrap();
    let body = r#"{"name":"auth-webhook"}"#;
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let signature =
        WebhookKey::new(&Secret::new(secret)).unwrap().sign("msg", time, body.as_bytes());
    let head = format!(
        "POST /services/_webhooks/edge/v1/paid HTTP/1.1\nAuthorization: Basic YTpi\nwebhook-id: \
         msg\nwebhook-timestamp: {time}\nwebhook-signature: {signature}"
    );
    assert_eq!(ask(gateway.address(), &head, body).await.status, 200);
}

#[tokio::test]
async fn typed_client_sends_its_token() {
    let gateway = guarded().await;
    let token = Issuer::internal().token(&claims());
    let client = Vault::client(Http::to(gateway.url()).bearer(&token));
    assert_eq!(client.open().await.unwrap(), "acme/ada vault:read,other");
    let other = Issuer::internal().token(&with("sub", json!("blue")));
    assert_eq!(client.open().bearer(&other).await.unwrap(), "blue/ada vault:read,other");
    assert_eq!(client.write().await.unwrap_err().code(), Some("forbidden"));
    assert_eq!(
        Vault::client(Http::to(gateway.url())).open().await.unwrap_err().code(),
        Some("unauthenticated")
    );
}

struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    async fn to(gateway: &RunningGateway, authorization: Option<&str>) -> Self {
        let mut request =
            format!("ws://{}/services/_ws", gateway.address()).into_client_request().unwrap();
        if let Some(value) = authorization {
            request.headers_mut().insert("authorization", value.parse().unwrap());
        }
        let stream = TcpStream::connect(gateway.address()).await.unwrap();
        Self(client_async(request, stream).await.unwrap().0)
    }

    /// Returns the result, or the code of the problem.
    async fn call(&mut self, method: &str) -> Value {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": format!("vault.v1.{method}") });
        self.0.send(Message::text(call.to_string())).await.unwrap();
        loop {
            let message = tokio::time::timeout(Duration::from_secs(10), self.0.next())
                .await
                .unwrap()
                .unwrap()
                .unwrap();
            if let Message::Text(text) = message {
                let answer: Value = serde_json::from_str(&text).unwrap();
                return answer.get("result").unwrap_or(&answer["error"]["data"]["code"]).clone();
            }
        }
    }
}

#[tokio::test]
async fn credentials_of_a_handshake_hold_for_each_call_until_they_expire() {
    let gateway = gateway(&format!("auth.internal_key = '{SECRET}'\n{JWT}leeway = '0s'\n")).await;
    let mut stranger = Socket::to(&gateway, None).await;
    assert_eq!(stranger.call("open").await, "unauthenticated");
    assert_eq!(stranger.call("look").await, "-/- ");
    let mut bad = Socket::to(&gateway, Some("Bearer x")).await;
    assert_eq!(bad.call("look").await, "unauthenticated");
    assert_eq!(bad.call("walk").await, "-/- ");

    let end = now() + 4;
    let token = Issuer::internal().token(&with("exp", json!(end)));
    let mut known = Socket::to(&gateway, Some(&format!("Bearer {token}"))).await;
    assert_eq!(known.call("open").await, "acme/ada vault:read,other");
    assert_eq!(known.call("write").await, "forbidden");
    while now() < end {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(known.call("open").await, "unauthenticated");
    assert_eq!(known.call("look").await, "unauthenticated");
}
