//! Requests on a route of the bus.

use std::{sync::Arc, time::Duration};

use gateway_runtime::{
    bus::{Message, MessageHeader},
    dispatch::{DispatchFuture, DispatchRequest, Dispatcher},
    http::Body,
    prelude::*,
    provider::{HttpRequest, HttpResponse},
};
use http::Response;
use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::net::TcpStream;

use super::{
    office::{Broker, Office, key_of_acme, until},
    over_each,
};

over_each! {
    request_becomes_a_message_and_its_reply_the_response
    bytes_pass_unchanged
    unroutable_request_fails_at_once
    request_without_a_reply_in_time_is_504
    first_reply_counts
    request_that_cannot_be_mapped_is_refused
    route_requires_a_caller_if_configured
    credentials_reach_workers_only_if_configured
    reply_sets_several_fields_and_no_field_of_the_connection
    worker_reads_the_host_of_each_version_of_http
}

/// Returns a reply that repeats the request.
fn echo(message: &Message) -> Vec<Message> {
    let text = |name| message.headers.text(name).unwrap_or_default();
    let mut answer = Message {
        body: format!("{} {}?{}", text("X-WASP-METHOD"), message.routing_key, text("X-WASP-QS"))
            .into(),
        ..Message::default()
    };
    answer.content_type = Some("text/plain".into());
    answer.headers.add("X-WASP-STATUS", MessageHeader::Number(203));
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

async fn request_becomes_a_message_and_its_reply_the_response(broker: Broker) {
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

async fn bytes_pass_unchanged(broker: Broker) {
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
    let bytes: Vec<u8> =
        (0..3_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let request =
        office.http.post(office.url("/x")).body("application/x-anything; v=1", bytes.clone());
    let answer = send(request).await;
    assert_eq!(
        (answer.status(), &answer.headers()["content-type"]),
        (200, &http::HeaderValue::from_static("application/x-anything; v=1"))
    );
    assert!(answer.bytes().await.unwrap() == bytes);
}

async fn unroutable_request_fails_at_once(broker: Broker) {
    let office = Office::open(&broker).await;
    for request in [office.http.get(office.url("/bar")), office.http.post(office.url("/bar"))] {
        assert_eq!(problem(send(request).await).await, (503, "unroutable".to_owned()));
    }
}

async fn request_without_a_reply_in_time_is_504(broker: Broker) {
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

async fn first_reply_counts(broker: Broker) {
    let office = Office::open_with(&broker, "routes.'NAME'.timeout = '2s'").await;
    let before = office.broker.stats();
    let _worker = office
        .worker(|_| {
            ["first", "second"]
                .map(|text| Message { body: text.into(), ..Message::default() })
                .into()
        })
        .await;
    let answer = send(office.http.get(office.url("/a"))).await;
    assert_eq!(answer.text().await.unwrap(), "first");
    until("the second is counted", || {
        let after = office.broker.stats();
        (after.replied - before.replied, after.duplicate - before.duplicate, after.pending)
            == (1, 1, 0)
    })
    .await;
}

async fn request_that_cannot_be_mapped_is_refused(broker: Broker) {
    let office = Office::open_with(&broker, "routes.'NAME'.body_bytes = 10").await;
    let _worker = office.worker(echo).await;
    for (request, status, code) in [
        (office.http.get(office.url("/a.b")), 400, "invalid-request"),
        (office.http.get(office.url("/a%2fb")), 400, "invalid-request"),
        (
            office.http.get(office.url("/a")).header("accept", "text/event-stream"),
            406,
            "not-acceptable",
        ),
        (
            office.http.post(office.url("/a")).body("text/plain", "more than ten bytes"),
            413,
            "payload-too-large",
        ),
    ] {
        assert_eq!(problem(send(request).await).await, (status, code.to_owned()));
    }
}

async fn route_requires_a_caller_if_configured(broker: Broker) {
    let (key, setting) = key_of_acme("'read'");
    let office =
        Office::open_with(&broker, &format!("{setting}routes.'NAME'.scopes = ['read']")).await;
    let _worker = office
        .worker(|message| {
            let account = message.headers.text("x-gateway-account").unwrap_or("nobody").to_owned();
            vec![Message { body: account.into(), ..Message::default() }]
        })
        .await;
    let refused = send(office.http.get(office.url("/a")).header("x-gateway-account", "acme")).await;
    assert_eq!(problem(refused).await, (401, "unauthenticated".to_owned()));
    let known = send(
        office
            .http
            .get(office.url("/a"))
            .header("x-api-key", &key)
            .header("x-gateway-account", "other"),
    )
    .await;
    assert_eq!(known.text().await.unwrap(), "acme");
}

async fn credentials_reach_workers_only_if_configured(broker: Broker) {
    let (key, setting) = key_of_acme("'read'");
    let terms =
        ["auth = true", "auth = true\nroutes.'NAME'.forward_credentials = true", "auth = false"];
    for (terms, is_forwarded) in terms.into_iter().zip([false, true, true]) {
        let office = Office::open_with(&broker, &format!("{setting}routes.'NAME'.{terms}")).await;
        let _worker = office
            .worker(|message| {
                let said = |name| message.headers.text(name).unwrap_or("-").to_owned();
                let body = [said("x-gateway-account"), said("x-gateway-scopes"), said("x-api-key")]
                    .join(" ");
                vec![Message { body: body.into(), ..Message::default() }]
            })
            .await;
        let answer = send(office.http.get(office.url("/a")).header("x-api-key", &key))
            .await
            .text()
            .await
            .unwrap();
        let caller = if terms == "auth = false" { "- -" } else { "acme read" };
        assert_eq!(
            answer,
            format!("{caller} {}", if is_forwarded { &key } else { "-" }),
            "{terms}"
        );
    }
}

async fn reply_sets_several_fields_and_no_field_of_the_connection(broker: Broker) {
    let office = Office::open(&broker).await;
    let _worker = office
        .worker(|_| {
            let mut answer = Message { body: "not sent".into(), ..Message::default() };
            answer.headers.add("X-WASP-STATUS", 205_i64);
            answer.headers.add("Set-Cookie", MessageHeader::List(vec!["a=1".into(), "b=2".into()]));
            answer.headers.add("Connection", "X-Hop");
            answer.headers.add("X-Hop", "1");
            vec![answer]
        })
        .await;
    let answer = send(office.http.get(office.url("/a"))).await;
    assert_eq!(answer.status(), 205);
    assert_eq!(answer.headers().get_all("set-cookie").iter().collect::<Vec<_>>(), ["a=1", "b=2"]);
    assert!(!answer.headers().contains_key("x-hop"));
    assert_eq!(answer.bytes().await.unwrap(), "");
}

async fn worker_reads_the_host_of_each_version_of_http(broker: Broker) {
    let office = Office::open(&broker).await;
    let _worker = office
        .worker(|message| {
            let host = message.headers.text("host").unwrap_or("-").to_owned();
            vec![Message { body: host.into(), ..Message::default() }]
        })
        .await;
    let url = office.url("/a");
    let host = office.gateway().url().trim_start_matches("http://").to_owned();
    assert_eq!(send(office.http.get(url.clone())).await.text().await.unwrap(), host);
    let socket = TokioIo::new(TcpStream::connect(&host).await.unwrap());
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), socket).await.unwrap();
    tokio::spawn(connection);
    let request =
        http::Request::get(url).body(http_body_util::Empty::<bytes::Bytes>::new()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), host);
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
    fn dispatch(&self, request: DispatchRequest) -> DispatchFuture {
        let text = format!("{} {} {}", self.greeting, request.service(), request.rest());
        Box::pin(async move { Ok(Response::new(Body::from(text))) })
    }
}

#[tokio::test]
async fn authors_dispatcher_serves_its_routes() {
    let secrets = "secrets = { EDGE_WEBHOOK_SECRET = 'not used', EMAIL_WEBHOOK_SECRET = 'not used' \
        }\nhttp.listen = '127.0.0.1:0'\n";
    let start = |routes: &str| {
        let gateway = Gateway::from_toml(&format!("{secrets}{routes}")).unwrap();
        let gateway = gateway.dispatcher("archive", |section| {
            Ok(Arc::new(Archive { greeting: section.settings::<ArchiveSettings>()?.greeting }))
        });
        gateway.start()
    };
    let gateway = start(
        "[routes.old]\ndispatch = 'archive'\ngreeting = 'from'\n[routes.'*']\ndispatch = \
         'archive'\ngreeting = 'rest'",
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

    let long = format!("[routes.a]\ndispatch = 'bus'\nexchange = '{}'", "x".repeat(256));
    let long_service = format!("[routes.{}]\ndispatch = 'bus'", "x".repeat(256));
    let long_queue = format!("bus.calls.queue = '{}'", "x".repeat(251));
    for (routes, why) in [
        ("[routes.a]\ndispatch = 'bus'\nexchange = ''", "the name of the exchange is empty"),
        (
            "[routes.'*']\ndispatch = 'bus'\nexchanges = ['a', '']",
            "the name of the exchange is empty",
        ),
        (&long, "has a name of 256 bytes"),
        (&long_service, "has a name of 256 bytes"),
        ("bus.exchange = ''", "the name of the exchange is empty"),
        ("bus.calls.queue = ''", "`queue` is empty"),
        (&long_queue, "shorten it by 7 bytes"),
        (
            "[routes.a]\ndispatch = 'arkive'",
            "help: a dispatcher with a similar name exists: `archive`",
        ),
        ("[routes.a]\ntimeout = '1s'", "missing key `dispatch`"),
        ("[routes.a]\ndispatch = 'bus'\nexchanges = ['b']", "help: set its `exchange`"),
        ("[routes.'*']\ndispatch = 'bus'", "missing key `exchanges`"),
        ("[routes.meta]\ndispatch = 'bus'", "the path is in use"),
        ("[routes.'a/b']\ndispatch = 'bus'", "letters, digits"),
        ("[routes.a]\ndispatch = 'bus'\nbody_byte = 1", "`body_bytes`"),
        ("[routes.a]\ndispatch = 'bus'\nauth = true", "help: configure `[auth]`"),
        ("[routes.a]\ndispatch = 'archive'\ngreeting = 'a'\nfarewell = 'b'", "`farewell`"),
    ] {
        let error = start(routes).await.unwrap_err().to_string();
        assert!(error.contains(why), "{routes}: {error}");
    }
    tokio::time::timeout(Duration::from_secs(1), async {}).await.unwrap();
}
