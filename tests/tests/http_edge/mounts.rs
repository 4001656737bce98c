//! An author's own services under a prefix: an axum router, and one that fails.

use std::convert::Infallible;

use axum::{Router, extract::Request, response::IntoResponse, routing};
use gateway_runtime::http::{Body, HttpSettings, Mount, Peer};

use super::gateway::Gateway;

async fn gateway(mounts: Vec<Mount>) -> Gateway {
    Gateway::with(HttpSettings::default(), mounts).await
}

/// Returns the request as the handler in the router receives it.
async fn see(request: Request) -> impl IntoResponse {
    let id = request.headers()["x-request-id"].to_str().unwrap().to_owned();
    let peer = request.extensions().get::<Peer>().unwrap().address().ip();
    format!("{} {} {id} {peer}", request.method(), request.uri())
}

fn router() -> Router {
    Router::new()
        .route("/", routing::get(see))
        .route("/seen/{name}", routing::any(see))
        .route("/echo", routing::post(|body: String| async move { body }))
}

#[tokio::test]
async fn router_receives_the_path_without_its_prefix() {
    let gateway = gateway(vec![Mount::new("/api", router()).unwrap()]).await;
    for (first, seen) in [
        ("GET /api", "GET / id-1 127.0.0.1"),
        ("GET /api?x=1", "GET /?x=1 id-1 127.0.0.1"),
        ("PUT /api/seen/%2F?x=/api", "PUT /seen/%2F?x=/api id-1 127.0.0.1"),
    ] {
        let answer = gateway.ask(&format!("{first}\nX-Request-Id: id-1")).await;
        assert_eq!((answer.status, answer.text()), (200, seen));
        assert_eq!(answer.header("x-request-id"), Some("id-1"));
    }
    let echo = gateway.ask("POST /api/echo\n\nhello").await;
    assert_eq!(echo.text(), "hello");
    // The 404 and 405 are the router's own, not the gateway's.
    let missing = gateway.get("/api/none").await;
    assert_eq!((missing.status, missing.body.len()), (404, 0));
    assert_eq!(gateway.get("/api/echo").await.status, 405);
    assert_eq!(gateway.get("/apis").await.code(), "not-found");
}

#[tokio::test]
async fn methods_and_longer_prefixes_take_precedence() {
    let text = |text: &'static str| Router::new().fallback(move || async move { text });
    let mounts = [("/", "root"), ("/a", "a"), ("/a/b", "b")];
    let gateway =
        gateway(mounts.map(|(prefix, name)| Mount::new(prefix, text(name)).unwrap()).into()).await;
    for (path, name) in [
        ("/", "root"),
        ("/x/y", "root"),
        ("/a", "a"),
        ("/a/c", "a"),
        ("/a/b/c", "b"),
        ("/ab", "root"),
    ] {
        assert_eq!(gateway.get(path).await.text(), name, "{path}");
    }
    assert_eq!(gateway.get("/services/edge/v1/sum?terms=1").await.text(), "1");
    assert!(gateway.get("/problems").await.text().starts_with("# Errors"));
}

#[tokio::test]
async fn failing_or_panicking_service_is_answered_with_a_problem() {
    let fails = tower::service_fn(|_: http::Request<Body>| async {
        Err::<http::Response<Body>, _>(std::io::Error::other("the password is hunter2"))
    });
    let panics = tower::service_fn(|request: http::Request<Body>| async move {
        assert_eq!(request.uri(), "", "of this only the log may speak");
        Ok::<_, Infallible>(http::Response::new(Body::empty()))
    });
    let gateway =
        gateway(vec![Mount::new("/fails", fails).unwrap(), Mount::new("/panics", panics).unwrap()])
            .await;
    for path in ["/fails", "/panics"] {
        let answer = gateway.get(path).await;
        assert_eq!((answer.status, answer.code().as_str()), (500, "internal"), "{path}");
        assert!(
            !answer.text().contains("hunter2") && !answer.text().contains("only the log"),
            "{answer:?}"
        );
    }
}

#[test]
fn mount_at_a_reserved_or_used_prefix_is_refused() {
    use gateway_runtime::{App, http::RouteTable, registry::Registry};
    let registry = Registry::build(&App::default(), &Default::default()).unwrap();
    let mut routes =
        RouteTable::new(&registry, |_| Some(gateway_runtime::Secret::new("s"))).unwrap();
    routes.mount(Mount::new("/api", router()).unwrap()).unwrap();
    for prefix in ["/api", "/services", "/services/own", "/problems"] {
        let error = routes.mount(Mount::new(prefix, router()).unwrap()).unwrap_err();
        assert!(error.to_string().contains(&format!("the mount at `{prefix}`")), "{error}");
    }
    assert!(Mount::new("api/", router()).is_err());

    let error = RouteTable::new(&registry, |_| None).unwrap_err().to_string();
    assert!(
        error.contains("/services/_webhooks/edge/v1/paid")
            && error.contains("`EDGE_WEBHOOK_SECRET`"),
        "{error}"
    );
    assert!(error.contains("services.rs:") && error.contains("[secrets]"), "{error}");
}
