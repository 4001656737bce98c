//! DNS rebinding: another site's page reaches listeners on loopback by a host name of its own.

use gateway_runtime::{Gateway, RunningGateway};

use super::wire::{Answer, Wire};

/// Headers of rebound pages, and heads that two programs could read in two ways.
const STRANGERS: &[&str] = &[
    "Host: evil.example",
    "Host: a{b}.evil.example:PORT",
    "",
    "Host:",
    "Host: evil.example:1:2",
    "Host: evil.example, localhost",
    "Host: localhost, evil.example",
    "Host: localhost\r\nHost: evil.example",
    "Host: localhost.evil.example",
    "Host: 10.0.0.1:PORT",
    "Host: localhost:8x",
    "Host: u@localhost",
];

const SETTINGS: &str = "http.listen = '127.0.0.1:0'
    http.workers = 1
    secrets = { EDGE_WEBHOOK_SECRET = 'not used', EMAIL_WEBHOOK_SECRET = 'not used' }\n";

async fn start(more: &str) -> RunningGateway {
    Gateway::from_toml(&format!("{SETTINGS}{more}")).unwrap().start().await.unwrap()
}

async fn ask(address: std::net::SocketAddr, first: &str, lines: &str) -> Answer {
    let lines = lines.replace("PORT", &address.port().to_string());
    let lines = if lines.is_empty() { lines } else { format!("{lines}\r\n") };
    let mut wire = Wire::to(address).await;
    wire.send(&format!("{first}\r\n{lines}Connection: close\r\n\r\n")).await;
    wire.answer(false).await
}

#[tokio::test]
async fn admin_listener_without_a_token_serves_local_programs_only() {
    let gateway = start("admin = { listen = '127.0.0.1:0' }").await;
    let address = gateway.admin_address().unwrap();
    for path in ["/admin/providers", "/metrics", "/openapi.json", "/healthz"] {
        let get = format!("GET {path} HTTP/1.1");
        for stranger in STRANGERS {
            let answer = ask(address, &get, stranger).await;
            assert!(matches!(answer.status, 400 | 403), "{path} {stranger}: {answer:?}");
            assert!(!answer.code().is_empty());
        }
        let absolute = format!("GET http://evil.example{path} HTTP/1.1");
        assert_eq!(
            ask(address, &absolute, "Host: localhost").await.status,
            403,
            "the target wins over Host"
        );
        assert_eq!(
            ask(address, &format!("GET {path} HTTP/1.0"), "").await.status,
            403,
            "no Host at all"
        );
        assert_eq!(
            ask(address, &get, "Host: localhost\r\nOrigin: https://evil.example").await.status,
            403
        );
        for here in ["Host: localhost:PORT", "Host: 127.0.0.1", "Host: [::1]:PORT"] {
            assert_eq!(ask(address, &get, here).await.status, 200, "{path} {here}");
        }
    }
    options_of_the_whole_server_are_for_this_machine(address).await;
    let unlocked =
        start("admin = { listen = '127.0.0.1:0', token = 'of-the-operator-0123' }").await;
    let answer =
        ask(unlocked.admin_address().unwrap(), "GET /healthz HTTP/1.1", "Host: gateway.example")
            .await;
    assert_eq!(answer.status, 200, "who has a token may come by any name");
}

async fn options_of_the_whole_server_are_for_this_machine(address: std::net::SocketAddr) {
    let options = "OPTIONS * HTTP/1.1";
    for stranger in STRANGERS {
        let answer = ask(address, options, stranger).await;
        assert!(matches!(answer.status, 400 | 403), "{stranger}: {answer:?}");
    }
    assert_eq!(
        ask(address, options, "Host: localhost\r\nOrigin: https://evil.example").await.status,
        403
    );
    let answer = ask(address, options, "Host: localhost:PORT").await;
    assert!(
        answer.status == 204 && answer.header("allow").unwrap().contains("OPTIONS"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn gateway_on_loopback_without_authentication_serves_local_programs_only() {
    let gateway = start("http.hosts = ['gateway.example']").await;
    for path in ["/services/edge/v1/sum", "/meta", "/services/_ws"] {
        let get = format!("GET {path} HTTP/1.1");
        for stranger in STRANGERS {
            let answer = ask(gateway.address(), &get, stranger).await;
            assert!(matches!(answer.status, 400 | 403), "{path} {stranger}: {answer:?}");
        }
        let absolute = format!("GET http://evil.example{path} HTTP/1.1");
        assert_eq!(ask(gateway.address(), &absolute, "Host: localhost").await.status, 403);
        assert_eq!(
            ask(gateway.address(), &get, "Host: localhost\r\nOrigin: https://evil.example")
                .await
                .status,
            403
        );
        for here in [
            "Host: localhost:PORT",
            "Host: GATEWAY.example",
            "Host: a\r\nOrigin: http://localhost:3000",
        ] {
            let here = here.replace("Host: a\r", "Host: [::1]:PORT\r");
            let status = ask(gateway.address(), &get, &here).await.status;
            assert!(matches!(status, 200 | 426), "{path} {here}: {status}");
        }
    }
    options_of_the_whole_server_are_for_this_machine(gateway.address()).await;
    // A caller with a token is not a page's victim.
    let known = start("auth.internal_key = '0123456789abcdef0123456789abcdef'").await;
    let answer =
        ask(known.address(), "GET /services/edge/v1/sum HTTP/1.1", "Host: evil.example").await;
    assert_eq!(answer.status, 200);
    let wrong = format!("{SETTINGS}http.hosts = ['https://a', 'b:80', 'c']");
    let error = match Gateway::from_toml(&wrong) {
        Ok(gateway) => gateway.start().await.unwrap_err().to_string(),
        Err(error) => error.to_string(),
    };
    assert!(
        error.contains("`https://a`") && error.contains("`b:80`") && !error.contains("`c`"),
        "{error}"
    );
}

#[tokio::test]
async fn duplicate_member_of_an_admin_request_is_refused() {
    let gateway = start("admin = { listen = '127.0.0.1:0' }").await;
    let body = r#"{"amount":"1","currency":"USD","reference":"r","amount":"1000"}"#;
    let lines = format!(
        "Host: localhost\r\nContent-Type: application/json\r\nContent-Length: {}",
        body.len()
    );
    let mut wire = Wire::to(gateway.admin_address().unwrap()).await;
    wire.send(&format!("POST /admin/accounts/acme/credits HTTP/1.1\r\n{lines}\r\n\r\n{body}"))
        .await;
    let answer = wire.answer(false).await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "invalid-request"));
    assert!(
        answer.json()["errors"][0]["detail"]
            .as_str()
            .unwrap()
            .contains("duplicate member `amount`"),
        "{answer:?}"
    );
}
