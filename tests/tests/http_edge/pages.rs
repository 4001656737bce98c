//! Pages of other origins, as a browser sends their requests (WHATWG Fetch §3.2).

use axum::{Router, routing::get};
use gateway_runtime::http::{CorsSettings, HttpSettings, Mount};

use super::gateway::Gateway;

const APP: &str = "http://localhost:3000";
const NOTE: &str = "/services/edge/v1/note";

async fn open_to(origins: &[&str]) -> Gateway {
    let cors = CorsSettings {
        origins: origins.iter().map(|one| (*one).to_owned()).collect(),
        ..CorsSettings::default()
    };
    let own = Router::new().route("/", get(|| async { "own" }));
    Gateway::with(
        HttpSettings { cors, ..HttpSettings::default() },
        vec![Mount::new("/own", own).unwrap()],
    )
    .await
}

#[tokio::test]
async fn page_of_a_listed_origin_passes_the_cors_checks() {
    let gateway = open_to(&[APP]).await;
    let preflight = gateway
        .ask(&format!(
            "OPTIONS {NOTE}\nOrigin: {APP}\nAccess-Control-Request-Method: POST\n\
             Access-Control-Request-Headers: content-type,idempotency-key"
        ))
        .await;
    assert_eq!(
        (preflight.status, preflight.header("access-control-allow-origin")),
        (204, Some(APP))
    );
    assert_eq!(preflight.header("access-control-allow-methods"), Some("POST, OPTIONS"));
    let headers = preflight.header("access-control-allow-headers").unwrap();
    assert!(headers.contains("content-type") && headers.contains("idempotency-key"), "{headers}");
    assert_eq!(preflight.header("access-control-max-age"), Some("600"));
    assert!(preflight.header("x-request-id").is_some());

    let json = "Content-Type: application/json\n\n{\"title\":\"Tea\",\"stars\":5}";
    for (request, status) in [
        (format!("POST {NOTE}\nOrigin: {APP}\n{json}"), 200),
        (format!("POST {NOTE}\nOrigin: {APP}\n\n{{"), 415),
        (format!("GET /nothing\nOrigin: {APP}"), 404),
        (format!("GET /services/edge/v1/panics\nOrigin: {APP}"), 405),
        (format!("GET /services/edge/v1/count?name=pages&count=1\nOrigin: {APP}"), 200),
    ] {
        let answer = gateway.ask(&request).await;
        assert_eq!(
            (answer.status, answer.header("access-control-allow-origin")),
            (status, Some(APP)),
            "{request}"
        );
        assert_eq!(answer.header("vary"), Some("origin"), "{request}");
        assert!(
            answer.header("access-control-expose-headers").unwrap().contains("x-request-id"),
            "{request}"
        );
    }
}

#[tokio::test]
async fn other_pages_and_mounted_services_receive_no_cors_fields() {
    let gateway = open_to(&[APP]).await;
    for (request, status) in [
        (
            format!(
                "OPTIONS {NOTE}\nOrigin: https://evil.example\nAccess-Control-Request-Method: POST"
            ),
            204,
        ),
        ("GET /services/edge/v1/sum\nOrigin: https://evil.example".to_owned(), 200),
        ("GET /services/edge/v1/sum".to_owned(), 200),
        (format!("GET /own\nOrigin: {APP}"), 200),
    ] {
        let answer = gateway.ask(&request).await;
        assert_eq!(
            (answer.status, answer.header("access-control-allow-origin")),
            (status, None),
            "{request}"
        );
    }
    let off = Gateway::start().await;
    let preflight = off
        .ask(&format!("OPTIONS {NOTE}\nOrigin: {APP}\nAccess-Control-Request-Method: POST"))
        .await;
    assert_eq!(
        (preflight.status, preflight.header("allow"), preflight.header("vary")),
        (204, Some("POST, OPTIONS"), None)
    );
    let any = open_to(&["*"]).await.ask(&format!("GET /services/edge/v1/sum\nOrigin: {APP}")).await;
    assert_eq!((any.header("access-control-allow-origin"), any.header("vary")), (Some("*"), None));
}
