//! Calls over HTTP: paths, inputs, replies, refusals.

use std::time::Duration;

use gateway_runtime::http::{HttpLimits, HttpSettings};
use serde_json::json;

use super::{
    gateway::Gateway,
    services::Ticket,
    wire::{Answer, Wire},
};

const NOTE: &str = "/services/edge/v1/note";

#[tokio::test]
async fn each_http_method_reads_its_input_from_query_or_body() {
    let gateway = Gateway::start().await;
    let sum = gateway.get("/services/edge/v1/sum?terms=40&terms=2&negate=true").await;
    assert_eq!((sum.status, sum.text()), (200, "-42"));
    assert_eq!(sum.header("content-type"), Some("application/json"));
    assert_eq!(gateway.get("/services/edge/v1/sum").await.text(), "0");

    let note = r#"{"title":"Tea","stars":5}"#;
    for (method, path) in [("POST", "note"), ("PUT", "put"), ("PATCH", "patch")] {
        let request =
            format!("{method} /services/edge/v1/{path}\nContent-Type: application/json\n\n{note}");
        let answer = gateway.ask(&request).await;
        assert_eq!((answer.status, answer.text()), (200, note));
    }

    let removed = gateway.ask("DELETE /services/edge/v1/remove?name=calls-remove").await;
    assert_eq!(
        (removed.status, removed.header("content-type"), removed.body.len()),
        (204, None, 0)
    );
    assert_eq!(Ticket::named("calls-remove").now().begun, 1);
}

#[tokio::test]
async fn raw_answers_have_their_media_type() {
    let table = Gateway::start().await.get("/services/edge/v1/table").await;
    assert_eq!(table.text(), "a,b\n1,2\n");
    assert_eq!(table.header("content-type"), Some("text/csv; charset=utf-8"));
}

#[tokio::test]
async fn all_violations_are_reported_with_their_pointers() {
    let gateway = Gateway::start().await;
    let answer = gateway.post(NOTE, r#"{"title":"","stars":10,"colour":"red"}"#).await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "invalid-request"));
    let problem = answer.json();
    assert_eq!(problem["instance"], NOTE);
    assert_eq!(problem["retryable"], false);
    let mut places: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["pointer"].as_str().unwrap())
        .collect();
    places.sort_unstable();
    assert_eq!(places, ["/colour", "/stars", "/title"], "{problem}");

    let answer = gateway.get("/services/edge/v1/sum?terms=x&negate=2").await;
    assert_eq!(answer.json()["errors"].as_array().unwrap().len(), 2, "{answer:?}");
    for broken in ["", "{", "{}}", "\u{feff}{}"] {
        assert_eq!(gateway.post(NOTE, broken).await.code(), "invalid-request", "{broken:?}");
    }
}

#[tokio::test]
async fn every_answer_carries_a_request_id() {
    let gateway = Gateway::start().await;
    let long = "x".repeat(129);
    for (first, status) in [
        ("GET /services/edge/v1/sum", 200),
        ("GET /nothing", 404),
        ("POST /services/edge/v1/sum", 405),
        ("OPTIONS /services/edge/v1/sum", 204),
        ("POST /services/edge/v1/note", 400),
        ("POST /services/edge/v1/panics", 500),
        ("GET /services/_ws", 426),
        ("GET /problems", 200),
    ] {
        let kept = gateway.ask(&format!("{first}\nX-Request-Id: a-1.b/c=")).await;
        assert_eq!(
            (kept.status, kept.header("x-request-id")),
            (status, Some("a-1.b/c=")),
            "{first}"
        );
        for strange in ["a b", "a;b", long.as_str(), "é", ""] {
            let answer = gateway.ask(&format!("{first}\nX-Request-Id: {strange}")).await;
            assert_eq!(answer.status, status, "{first}");
            let id = answer.header("x-request-id").unwrap();
            assert!(
                id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
                "{first} {strange}: {id}"
            );
        }
    }
    let seen = gateway.ask("GET /services/edge/v1/seen\nX-Request-Id: mine").await;
    assert_eq!(seen.json()["id"], "mine");
}

#[tokio::test]
async fn call_has_its_origin() {
    let settings = HttpSettings {
        country_header: Some("cf-ipcountry".parse().unwrap()),
        ..HttpSettings::default()
    };
    let gateway = Gateway::with(settings, Vec::new()).await;
    let seen =
        gateway.ask("GET /services/edge/v1/seen\nCF-IPCountry: de\nX-Test: yes").await.json();
    assert_eq!(
        (&seen["origin"], &seen["peer"], &seen["country"], &seen["header"]),
        (&json!("http"), &json!("127.0.0.1"), &json!("DE"), &json!("yes"))
    );
    let left = seen["left"].as_u64().unwrap();
    assert!((20_000..=30_000).contains(&left), "{left}");
    let unknown =
        Gateway::start().await.ask("GET /services/edge/v1/seen\nCF-IPCountry: de").await.json();
    assert_eq!(unknown["country"], json!(null), "nobody said that the header can be trusted");
}

#[tokio::test]
async fn unknown_path_is_404_with_similar_paths() {
    let gateway = Gateway::start().await;
    for path in [
        "/",
        "/services",
        "/services/edge/v1",
        "/services/edge/v2/sum",
        "/services/edge/v1/%73um",
        "//",
    ] {
        let answer = gateway.get(path).await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "not-found"), "{path}");
        assert_eq!(answer.json()["instance"], path);
    }
    let near = gateway.get("/services/Edge/v1/SUM/?terms=1").await.json();
    assert!(near["detail"].as_str().unwrap().contains("`/services/edge/v1/sum`"), "{near}");
}

#[tokio::test]
async fn path_lists_its_methods() {
    let gateway = Gateway::start().await;
    for (path, allow) in [
        ("/services/edge/v1/sum", "GET, HEAD, OPTIONS"),
        ("/services/edge/v1/remove", "DELETE, OPTIONS"),
        ("/services/_webhooks/edge/v1/paid", "POST, OPTIONS"),
        ("/services/_ws", "GET, HEAD, OPTIONS"),
        ("/problems/timeout", "GET, HEAD, OPTIONS"),
    ] {
        let options = gateway.ask(&format!("OPTIONS {path}")).await;
        assert_eq!((options.status, options.header("allow")), (204, Some(allow)), "{path}");
        for method in ["PUT", "TRACE", "BREW"] {
            let refused = gateway.ask(&format!("{method} {path}")).await;
            assert_eq!(
                (refused.code().as_str(), refused.header("allow")),
                ("method-not-allowed", Some(allow))
            );
        }
    }
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let gateway = Gateway::start().await;
    for path in [
        "/services/edge/v1/sum?terms=12345",
        "/services/edge/v1/table",
        "/problems/timeout",
        "/nothing",
    ] {
        let (get, head) = (gateway.get(path).await, gateway.ask(&format!("HEAD {path}")).await);
        assert_eq!(head.status, get.status);
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
        assert_eq!(head.header("content-length"), get.header("content-length"), "{path}");
        assert!(head.body.is_empty() && !get.body.is_empty());
    }
}

#[tokio::test]
async fn body_must_be_json() {
    let gateway = Gateway::start().await;
    let note = r#"{"title":"Tea","stars":5}"#;
    let with = async |lines: &str| gateway.ask(&format!("POST {NOTE}\n{lines}\n\n{note}")).await;
    for good in [
        "Content-Type: application/json; charset=UTF-8",
        "Content-Type: application/vnd.note+json",
        "Content-Type: application/json\nContent-Encoding: identity",
    ] {
        assert_eq!(with(good).await.status, 200, "{good}");
    }
    for bad in [
        "X-Nothing: declared",
        "Content-Type: text/plain",
        "Content-Type: application/json; charset=latin1",
        "Content-Type: application/json\nContent-Encoding: gzip",
    ] {
        let refused = with(bad).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (415, "unsupported-media-type"),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn body_of_a_method_without_input_is_ignored() {
    let gateway = Gateway::start().await;
    let mut wire = Wire::to(gateway.address).await;
    for _ in 0..2 {
        wire.send(
            "POST /services/edge/v1/nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n{oops",
        )
        .await;
        assert_eq!(wire.answer(false).await.status, 204);
    }
    assert_eq!(gateway.ask("POST /services/edge/v1/nothing").await.status, 204);
    assert_eq!(gateway.ask("GET /services/edge/v1/sum?terms=3\n\n{oops").await.text(), "3");
}

#[tokio::test]
async fn bodies_are_limited_in_bytes_and_time() {
    let limits = HttpLimits {
        body_bytes: 64,
        body_timeout: Duration::from_millis(100),
        ..HttpLimits::default()
    };
    let gateway =
        Gateway::with(HttpSettings { limits, ..HttpSettings::default() }, Vec::new()).await;
    let head = format!("POST {NOTE} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n");
    let long = "x".repeat(65);
    for (body, code, status) in [
        (format!("Content-Length: 65\r\n\r\n{long}"), "payload-too-large", 413),
        (
            format!("Transfer-Encoding: chunked\r\n\r\n41\r\n{long}\r\n0\r\n\r\n"),
            "payload-too-large",
            413,
        ),
        ("Content-Length: 10\r\n\r\n{\"tit".to_owned(), "request-timeout", 408),
    ] {
        let mut wire = Wire::to(gateway.address).await;
        wire.send(&format!("{head}{body}")).await;
        let answer = wire.answer(false).await;
        assert_eq!((answer.code().as_str(), answer.status), (code, status), "{body}");
    }
    assert_eq!(gateway.post(NOTE, r#"{"title":"Tea","stars":5}"#).await.status, 200);
}

#[tokio::test]
async fn client_receives_100_continue_only_if_the_body_will_be_read() {
    let gateway = Gateway::start().await;
    let head = format!(
        "POST {NOTE} HTTP/1.1\r\nHost: a\r\nContent-Length: 25\r\nExpect: 100-continue\r\n"
    );
    let mut wire = Wire::to(gateway.address).await;
    wire.send(&format!("{head}Content-Type: application/json\r\n\r\n")).await;
    assert_eq!(wire.read_until("\r\n\r\n").await.unwrap(), "HTTP/1.1 100 Continue\r\n\r\n");
    wire.send(r#"{"title":"Tea","stars":5}"#).await;
    assert_eq!(wire.answer(false).await.status, 200);

    let mut wire = Wire::to(gateway.address).await;
    wire.send(&format!("{head}Content-Type: text/plain\r\n\r\n")).await;
    assert_eq!(wire.answer(false).await.status, 415);
}

#[tokio::test]
async fn internal_causes_of_failures_do_not_reach_the_client() {
    let gateway = Gateway::start().await;
    let fail = async |name: &str| -> Answer {
        gateway.post("/services/edge/v1/fails", &json!({"name": name}).to_string()).await
    };
    let busy = fail("busy").await;
    assert_eq!((busy.code().as_str(), busy.header("retry-after")), ("overloaded", Some("2")));
    assert_eq!(busy.json()["retryable"], true);
    let stranger = fail("stranger").await;
    assert_eq!(
        (stranger.code().as_str(), stranger.header("www-authenticate")),
        ("unauthenticated", Some("Bearer"))
    );
    let own = fail("own").await;
    assert_eq!(
        (own.status, own.code().as_str(), &own.json()["title"]),
        (409, "sold-out", &json!("Sold out"))
    );
    let internal = fail("").await;
    assert_eq!((internal.status, internal.code().as_str()), (500, "internal"));
    assert!(!internal.text().contains("hunter2"), "{internal:?}");

    let panicked = gateway.ask("POST /services/edge/v1/panics").await;
    assert_eq!((panicked.status, panicked.code().as_str()), (500, "internal"));
    assert!(!panicked.text().contains("only the log"), "{panicked:?}");
}

#[tokio::test]
async fn a_call_ends_at_its_deadline() {
    let answer = Gateway::start().await.get("/services/edge/v1/never").await;
    assert_eq!((answer.status, answer.code().as_str()), (504, "timeout"));
    let settings =
        HttpSettings { request_timeout: Duration::from_millis(50), ..HttpSettings::default() };
    let gateway = Gateway::with(settings, Vec::new()).await;
    let answer = gateway.post("/services/edge/v1/wait", r#"{"name":"calls-deadline"}"#).await;
    assert_eq!((answer.status, answer.code().as_str()), (504, "outcome-unknown"));
    Ticket::named("calls-deadline").until(|state| state.dropped == 1).await;
}

#[tokio::test]
async fn a_client_that_leaves_cancels_its_call() {
    let gateway = Gateway::start().await;
    let ticket = Ticket::named("calls-leave");
    let mut wire = Wire::to(gateway.address).await;
    let body = r#"{"name":"calls-leave"}"#;
    let head =
        "POST /services/edge/v1/wait HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
    wire.send(&format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())).await;
    ticket.until(|state| state.begun == 1).await;
    drop(wire);
    ticket.until(|state| state.dropped == 1).await;
    assert!(!ticket.now().released);
}

#[tokio::test]
async fn problem_type_documents_its_code() {
    let gateway = Gateway::start().await;
    let problem = gateway.get("/nothing").await.json();
    let meaning = gateway.get(problem["type"].as_str().unwrap()).await;
    assert_eq!(meaning.header("content-type"), Some("text/plain; charset=utf-8"));
    assert!(meaning.text().starts_with("not-found\n"), "{meaning:?}");
    // An error code of the author's own, declared by a method.
    let own = gateway
        .ask("POST /services/edge/v1/fails\nContent-Type: application/json\n\n{\"name\":\"own\"}")
        .await;
    let meaning = gateway.get(own.json()["type"].as_str().unwrap()).await;
    assert!(meaning.text().starts_with("sold-out\n\nStatus 409. Sold out."), "{meaning:?}");
    assert!(meaning.text().contains("/services/edge/v1/fails"), "{meaning:?}");
    assert_eq!(gateway.get("/problems/unheard-of").await.status, 404);
}
