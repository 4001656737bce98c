//! Access to the admin listener, and its public endpoints.

use gateway_runtime::Gateway;
use serde_json::json;

use super::house::{House, TOKEN, start};
use crate::database::Database;

/// One call of each endpoint of the API.
const CALLS: [&str; 18] = [
    "POST /admin/accounts",
    "GET /admin/accounts/a",
    "POST /admin/accounts/a/credits",
    "GET /admin/accounts/a/entries",
    "POST /admin/accounts/a/keys",
    "DELETE /admin/accounts/a/keys/b",
    "GET /admin/prices",
    "PUT /admin/prices",
    "GET /admin/limits",
    "PUT /admin/limits",
    "GET /admin/providers",
    "PATCH /admin/providers/a",
    "GET /admin/requests",
    "GET /admin/requests/a",
    "GET /admin/margin",
    "GET /admin/holds",
    "POST /admin/holds/a/settle",
    "GET /admin/changes",
];

#[tokio::test]
async fn requests_without_a_token_learn_nothing() {
    let house = House::open(Database::sqlite()).await;
    let almost = format!("Bearer {}", &TOKEN[1..]);
    let (longer, basic) = (format!("Bearer {TOKEN}0"), format!("Basic {TOKEN}"));
    for call in CALLS.into_iter().chain(["GET /admin/nothing", "POST /", "PATCH /admin/changes"]) {
        for headers in [
            &[][..],
            &[("authorization", &*almost)],
            &[("authorization", &longer)],
            &[("authorization", &basic)],
        ] {
            let answer = house.ask(call, None, headers).await;
            assert_eq!(answer.problem(), (401, "unauthenticated"), "{call}");
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
    }
}

#[tokio::test]
async fn changes_name_the_operator_of_their_token() {
    let tokens = "[admin]\nlisten = '127.0.0.1:0'\n[admin.tokens]\nalice = 'of-alice-0123456789'\n\
        bob = 'of-bob-0123456789'\n";
    let house = House::with(Database::sqlite(), tokens).await;
    for (name, token) in
        [("alice", "Bearer of-alice-0123456789"), ("bob", "Bearer of-bob-0123456789")]
    {
        let body = json!({ "id": format!("made by {name}") });
        house.ask("POST /admin/accounts", Some(&body), &[("authorization", token)]).await.when(201);
    }
    let bob = [("authorization", "Bearer of-bob-0123456789")];
    let changes = house.ask("GET /admin/changes", None, &bob).await.when(200);
    let told: Vec<_> = changes["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["who"].as_str(), it["subject"].as_str()))
        .collect();
    assert_eq!(told, [(Some("bob"), Some("made by bob")), (Some("alice"), Some("made by alice"))]);
}

#[tokio::test]
async fn listener_without_a_token_serves_loopback_only() {
    let house = House::with(Database::sqlite(), "[admin]\nlisten = '127.0.0.1:0'\n").await;
    house.ask("GET /admin/changes", None, &[]).await.when(200);
    for page in [("host", "rebound.example"), ("origin", "https://page.example")] {
        let answer = house.ask("GET /admin/changes", None, &[page]).await;
        assert_eq!(answer.problem(), (403, "forbidden"), "{page:?}");
    }
    let error = start("[admin]\nlisten = '0.0.0.0:0'\n").await.unwrap_err().to_string();
    assert!(error.contains("GATEWAY__ADMIN__TOKEN"), "{error}");
}

#[tokio::test]
async fn listener_is_off_by_default() {
    let gateway = start("").await.unwrap();
    assert_eq!(gateway.admin_address(), None);
    let gateway = start("[admin]\nenabled = false\n").await.unwrap();
    assert_eq!(gateway.admin_address(), None);
    let gateway = start("[admin]\nlisten = '127.0.0.1:0'\n").await.unwrap();
    let taken = format!("[admin]\nlisten = '{}'\n", gateway.admin_address().unwrap());
    let error = start(&taken).await.unwrap_err().to_string();
    assert!(error.contains("[admin]") && error.contains("another program listens"), "{error}");
    assert!(
        Gateway::from_toml("[admin]\ntokn = 'a'\n").unwrap_err().to_string().contains("`token`")
    );
}

#[tokio::test]
async fn health_needs_no_token() {
    let house = House::open(Database::sqlite()).await;
    assert_eq!(house.ask("GET /healthz", None, &[]).await.when(200), json!({ "status": "ok" }));
    let ready = json!({ "ready": true, "draining": false, "parts": { "database": "ready" } });
    assert_eq!(house.ask("GET /readyz", None, &[]).await.when(200), ready);
    assert_eq!(house.ask("HEAD /readyz", None, &[]).await.text, "");
    let answer = house.ask("DELETE /healthz", None, &[]).await;
    assert_eq!(answer.problem(), (405, "method-not-allowed"));
    assert_eq!(answer.headers["allow"], "GET, HEAD, OPTIONS");
}

#[tokio::test]
async fn gateway_without_a_store_reports_that_it_has_none() {
    let settings = format!("[admin]\nlisten = '127.0.0.1:0'\ntoken = '{TOKEN}'\n");
    let gateway = start(&settings).await.unwrap();
    let url = format!("http://{}/admin/changes", gateway.admin_address().unwrap());
    let http = gateway_runtime::provider::HttpClient::new(&Default::default()).unwrap();
    let response =
        http.get(url).header("authorization", format!("Bearer {TOKEN}")).send_any().await.unwrap();
    assert_eq!(response.status(), 503);
    assert!(response.text().await.unwrap().contains("no-store"));
}

#[tokio::test]
async fn endpoints_list_their_methods() {
    let house = House::open(Database::sqlite()).await;
    let wrong = house.admin("PATCH /admin/accounts/a", None).await;
    assert_eq!(
        (wrong.problem(), wrong.headers["allow"].to_str().unwrap()),
        ((405, "method-not-allowed"), "GET, HEAD, OPTIONS")
    );
    assert_eq!(
        house.admin("OPTIONS /admin/accounts", None).await.headers["allow"],
        "POST, OPTIONS"
    );
    for nothing in [
        "GET /admin",
        "GET /admin/accounts/a/",
        "GET /admin/accounts//entries",
        "GET /admin/accounts/a%00",
    ] {
        assert_eq!(house.admin(nothing, None).await.problem(), (404, "not-found"), "{nothing}");
    }
    let violations = house.admin("GET /admin/changes?limit=0&aftr=1", None).await;
    assert_eq!(violations.problem(), (400, "invalid-request"));
    assert_eq!(violations.body["errors"].as_array().unwrap().len(), 2, "{}", violations.text);
}
