//! Requests on a route of the bus.

use std::{sync::Arc, time::Duration};

use gateway_runtime::{
    bus::{Field, Message},
    dispatch::{Dispatched, Dispatcher, Routed},
    http::Body,
    prelude::*,
    provider::{HttpRequest, HttpResponse},
};
use http::Response;
use serde_json::Value;

use super::{
    office::{Broker, Office, key_of_acme, until},
    over_each,
};

over_each! {
    a_request_is_a_message_and_its_answer_the_response
    bytes_pass_as_they_are
    where_nobody_is_it_is_said_at_once
    what_is_not_answered_in_time
    the_first_answer_counts
    what_cannot_be_sent_is_refused
    callers_are_asked_for
}

/// An answer that says what was asked.
fn echo(message: &Message) -> Vec<Message> {
    let text = |name| message.headers.text(name).unwrap_or_default();
    let mut answer = Message {
        body: format!("{} {}?{}", text("X-WASP-METHOD"), message.key, text("X-WASP-QS")).into(),
        ..Message::default()
    };
    answer.content_type = Some("text/plain".into());
    answer.headers.add("X-WASP-STATUS", Field::Number(203));
    vec![answer]
}

async fn problem(response: HttpResponse) -> (u16, String) {
    let status = response.status();
    let problem: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    (status, problem["code"].as_str().unwrap().to_owned())
}

async fn send(request: HttpRequest) -> HttpResponse {
    request.send_any().await.unwrap()
}

async fn a_request_is_a_message_and_its_answer_the_response(broker: Broker) {
    let office = Office::open(&broker).await;
    let _worker = office.worker(echo).await;
    let answer = send(office.http.get(office.url("/bar/baz?page=1&size=20"))).await;
    assert_eq!(
        (answer.status(), &answer.headers()["content-type"]),
        (203, &http::HeaderValue::from_static("text/plain"))
    );
    assert!(answer.headers().contains_key("x-request-id"));
    assert_eq!(answer.text().await.unwrap(), "GET bar.baz?page=1&size=20");
    let other = send(office.http.get(format!("{}/other/bar", office.gateway().url()))).await;
    assert_eq!(problem(other).await, (404, "not-found".to_owned()));
}

async fn bytes_pass_as_they_are(broker: Broker) {
    let office = Office::open(&broker).await;
    let _worker = office
        .worker(|message| {
            vec![Message {
                body: message.body.clone(),
                content_type: message.content_type.clone(),
                ..Message::default()
            }]
        })
        .await;
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let request = office.http.post(office.url("/x")).body("application/x-anything; v=1", bytes.clone());
    let answer = send(request).await;
    assert_eq!(
        (answer.status(), &answer.headers()["content-type"]),
        (200, &http::HeaderValue::from_static("application/x-anything; v=1"))
    );
    assert!(answer.bytes().await.unwrap() == bytes);
}

async fn where_nobody_is_it_is_said_at_once(broker: Broker) {
    let office = Office::open(&broker).await;
    for request in [office.http.get(office.url("/bar")), office.http.post(office.url("/bar"))] {
        assert_eq!(problem(send(request).await).await, (503, "unroutable".to_owned()));
    }
}

async fn what_is_not_answered_in_time(broker: Broker) {
    let office = Office::open_with(&broker, "routes.'NAME'.timeout = '200ms'").await;
    let _worker = office.worker(|_| Vec::new()).await;
    for (request, code) in [
        (office.http.get(office.url("/a")), "timeout"),
        (office.http.put(office.url("/a")), "timeout"),
        (office.http.post(office.url("/a")), "outcome-unknown"),
        (office.http.patch(office.url("/a")), "outcome-unknown"),
    ] {
        assert_eq!(problem(send(request).await).await, (504, code.to_owned()));
    }
}

async fn the_first_answer_counts(broker: Broker) {
    let office = Office::open_with(&broker, "routes.'NAME'.timeout = '2s'").await;
    let before = office.broker.figures();
    let _worker = office
        .worker(|_| ["first", "second"].map(|text| Message { body: text.into(), ..Message::default() }).into())
        .await;
    let answer = send(office.http.get(office.url("/a"))).await;
    assert_eq!(answer.text().await.unwrap(), "first");
    until("the second is counted", || {
        let after = office.broker.figures();
        (after.answered - before.answered, after.duplicate - before.duplicate, after.pending) == (1, 1, 0)
    })
    .await;
}

async fn what_cannot_be_sent_is_refused(broker: Broker) {
    let office = Office::open_with(&broker, "routes.'NAME'.body_bytes = 10").await;
    let _worker = office.worker(echo).await;
    for (request, status, code) in [
        (office.http.get(office.url("/a.b")), 400, "invalid-request"),
        (office.http.get(office.url("/a%2fb")), 400, "invalid-request"),
        (office.http.get(office.url("/a")).header("accept", "text/event-stream"), 406, "not-acceptable"),
        (office.http.post(office.url("/a")).body("text/plain", "more than ten bytes"), 413, "payload-too-large"),
    ] {
        assert_eq!(problem(send(request).await).await, (status, code.to_owned()));
    }
}

async fn callers_are_asked_for(broker: Broker) {
    let (key, setting) = key_of_acme("'read'");
    let office = Office::open_with(&broker, &format!("{setting}routes.'NAME'.scopes = ['read']")).await;
    let _worker = office
        .worker(|message| {
            let account = message.headers.text("x-gateway-account").unwrap_or("nobody").to_owned();
            vec![Message { body: account.into(), ..Message::default() }]
        })
        .await;
    let refused = send(office.http.get(office.url("/a")).header("x-gateway-account", "acme")).await;
    assert_eq!(problem(refused).await, (401, "unauthenticated".to_owned()));
    let known =
        send(office.http.get(office.url("/a")).header("x-api-key", &key).header("x-gateway-account", "other")).await;
    assert_eq!(known.text().await.unwrap(), "acme");
}

/// A dispatcher of an author's own.
struct Archive {
    greeting: String,
}

#[model]
struct ArchiveSettings {
    greeting: String,
}

impl Dispatcher for Archive {
    fn dispatch(&self, request: Routed) -> Dispatched {
        let text = format!("{} {} {}", self.greeting, request.service(), request.rest());
        Box::pin(async move { Ok(Response::new(Body::from(text))) })
    }
}

#[tokio::test]
async fn an_authors_own_dispatcher_has_its_place() {
    let secrets = "secrets = { EDGE_WEBHOOK_SECRET = 'not used', EMAIL_WEBHOOK_SECRET = 'not used' }\nhttp.listen = '127.0.0.1:0'\n";
    let start = |routes: &str| {
        let gateway = Gateway::from_toml(&format!("{secrets}{routes}")).unwrap();
        let gateway = gateway.dispatcher("archive", |section| {
            Ok(Arc::new(Archive { greeting: section.settings::<ArchiveSettings>()?.greeting }))
        });
        gateway.start()
    };
    let gateway = start(
        "[routes.old]\ndispatch = 'archive'\ngreeting = 'from'\n[routes.'*']\ndispatch = 'archive'\ngreeting = 'rest'",
    )
    .await
    .unwrap();
    let http = HttpClient::new(&Default::default()).unwrap();
    let get = async |path: &str| {
        let answer = http.get(format!("{}{path}", gateway.url())).send_any().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    };
    assert_eq!(get("/old/a/b?c").await, (200, "from old /a/b".to_owned()));
    assert_eq!(get("/new").await, (200, "rest new ".to_owned()));
    for not_routed in ["/services/x", "/", "/old/../x%2F"] {
        assert_ne!(get(not_routed).await.0, 200, "{not_routed}");
    }
    assert_eq!(get("/meta").await.0, 200);
    gateway.stop().await.unwrap();

    for (routes, why) in [
        ("[routes.a]\ndispatch = 'arkive'", "the nearest that is, is `archive`"),
        ("[routes.a]\ntimeout = '1s'", "say what answers"),
        ("[routes.a]\ndispatch = 'bus'\nexchanges = ['b']", "name its `exchange`"),
        ("[routes.'*']\ndispatch = 'bus'", "list in `exchanges`"),
        ("[routes.meta]\ndispatch = 'bus'", "something else stands at this address"),
        ("[routes.'a/b']\ndispatch = 'bus'", "letters, digits"),
        ("[routes.a]\ndispatch = 'bus'\nbody_byte = 1", "`body_bytes`"),
        ("[routes.a]\ndispatch = 'bus'\nauth = true", "configure [auth]"),
        ("[routes.a]\ndispatch = 'archive'\ngreeting = 'a'\nfarewell = 'b'", "`farewell`"),
    ] {
        let error = start(routes).await.unwrap_err().to_string();
        assert!(error.contains(why), "{routes}: {error}");
    }
    tokio::time::timeout(Duration::from_secs(1), async {}).await.unwrap();
}
