//! Tests of the mapping: the message of a request, and the response of a reply.

use bytes::Bytes;
use http::{HeaderName, Request, Response, request::Parts};
use http_body_util::BodyExt;

use crate::{
    base::{
        body::Body,
        call::{Caller, RequestId},
        error::{Code, Error},
    },
    bus::{Message, MessageHeader, MessageHeaders, Narrow},
    edge::bus_dispatch::{headers, request, response},
};

fn head(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn message(head: &Parts) -> Result<Message, Error> {
    let id = RequestId::from_header(&http::HeaderValue::from_static("id-1")).unwrap();
    request::message("foo".into(), head, &id, &Caller::default(), &[])
}

fn text(fields: &MessageHeaders, name: &str) -> Option<String> {
    fields.text(name).map(str::to_owned)
}

/// The example of WASP's own README.
#[test]
fn the_example_of_wasp() {
    let message = message(&head("GET", "/foo/bar/baz?page=1&size=20", &[])).unwrap();
    assert_eq!((&*message.exchange, &*message.routing_key), ("foo", "bar.baz"));
    assert_eq!(text(&message.headers, "X-WASP-QS").unwrap(), "page=1&size=20");
    assert_eq!(text(&message.headers, "X-WASP-METHOD").unwrap(), "GET");
    assert!(message.body.is_empty());
}

/// Paths and queries, with the routing key and `X-WASP-QS` of their message; none if refused.
#[test]
fn paths_and_queries() {
    let long = format!("/foo/{}", "a".repeat(255));
    let too_long = format!("/foo/{}", "a".repeat(256));
    let long_once_decoded = format!("/foo/{}", "%61".repeat(255));
    for (uri, expected) in [
        ("/foo", Some(("", ""))),
        ("/foo/", Some(("", ""))),
        ("/foo?", Some(("", ""))),
        ("/foo?a=1", Some(("", "a=1"))),
        ("/foo/?a=1", Some(("", "a=1"))),
        ("/foo/bar", Some(("bar", ""))),
        ("/foo/bar/", Some(("bar.", ""))),
        ("/foo//bar", Some((".bar", ""))),
        ("/foo/bar//baz", Some(("bar..baz", ""))),
        ("/foo/bar/baz", Some(("bar.baz", ""))),
        ("/foo/1/2/3/4/5", Some(("1.2.3.4.5", ""))),
        ("/foo/bar?", Some(("bar", ""))),
        ("/foo/bar?x", Some(("bar", "x"))),
        ("/foo/bar?x=a/b?c", Some(("bar", "x=a/b?c"))),
        ("/foo/bar?x=%2E%20&y=+", Some(("bar", "x=%2E%20&y=+"))),
        ("/foo/bar?a=1&a=2", Some(("bar", "a=1&a=2"))),
        ("/foo/bar?*.#", Some(("bar", "*."))),
        ("/foo/BAR", Some(("BAR", ""))),
        ("/foo/b%61r", Some(("bar", ""))),
        ("/foo/b%20r", Some(("b r", ""))),
        ("/foo/gr%C3%B6%C3%9Fe", Some(("größe", ""))),
        ("/foo/a+b", Some(("a+b", ""))),
        ("/foo/a;b=c,d", Some(("a;b=c,d", ""))),
        ("/foo/a:b@c", Some(("a:b@c", ""))),
        ("/foo/~a_b-c", Some(("~a_b-c", ""))),
        ("/foo/a%25b", Some(("a%b", ""))),
        ("/foo/foo", Some(("foo", ""))),
        (&long, Some((&*"a".repeat(255), ""))),
        (&long_once_decoded, Some((&*"a".repeat(255), ""))),
        ("/foo/a.b", None),
        ("/foo/a%2Eb", None),
        ("/foo/*", None),
        ("/foo/a%2A", None),
        ("/foo/%23", None),
        ("/foo/bar/v1.0/baz", None),
        ("/foo/...", None),
        ("/foo/%FF", None),
        ("/foo/%C3", None),
        (&too_long, None),
    ] {
        let message = message(&head("GET", uri, &[]));
        let found =
            message.as_ref().map(|it| (&*it.routing_key, it.headers.text(headers::QUERY).unwrap()));
        assert_eq!(found.as_ref().ok(), expected.as_ref(), "{uri}");
        if let Err(error) = message {
            assert_eq!(error.code(), Code::INVALID_REQUEST);
        }
    }
}

#[test]
fn methods_are_as_they_were_sent() {
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE", "get"] {
        assert_eq!(
            text(&message(&head(method, "/foo", &[])).unwrap().headers, headers::METHOD).unwrap(),
            method
        );
    }
}

/// Header fields of a request, and those of its message.
#[test]
fn header_fields_of_requests() {
    for (sent, crossing) in [
        (vec![("accept", "text/html")], vec![("accept", "text/html")]),
        (vec![("Accept-Language", "de")], vec![("accept-language", "de")]),
        (vec![("authorization", "Bearer x")], vec![("authorization", "Bearer x")]),
        (vec![("host", "a.example")], vec![("host", "a.example")]),
        (vec![("x-a", "1"), ("x-a", "2")], vec![("x-a", "1, 2")]),
        (vec![("cookie", "a=1"), ("cookie", "b=2")], vec![("cookie", "a=1; b=2")]),
        (vec![("x-empty", "")], vec![("x-empty", "")]),
        (vec![("connection", "close")], vec![]),
        (
            vec![
                ("connection", "x-hop , X-Other"),
                ("x-hop", "1"),
                ("x-other", "2"),
                ("x-end", "3"),
            ],
            vec![("x-end", "3")],
        ),
        (vec![("keep-alive", "timeout=5"), ("proxy-connection", "keep-alive")], vec![]),
        (vec![("transfer-encoding", "chunked"), ("te", "trailers"), ("trailer", "x")], vec![]),
        (vec![("content-length", "5"), ("expect", "100-continue")], vec![]),
        (
            vec![
                ("proxy-authorization", "Basic x"),
                ("proxy-authentication-info", "x"),
                ("http2-settings", "x"),
            ],
            vec![],
        ),
        (
            vec![("x-wasp-method", "DELETE"), ("x-wasp-qs", "admin=1"), ("X-WASP-Other", "1")],
            vec![],
        ),
        (vec![("x-gateway-account", "somebody-else")], vec![]),
        (vec![("x-request-id", "of-the-client")], vec![]),
    ] {
        let message = message(&head("GET", "/foo?q", &sent)).unwrap();
        let mut expected = vec![(headers::METHOD, "GET"), (headers::QUERY, "q")];
        expected.extend(crossing);
        expected.push(("x-request-id", "id-1"));
        let found: Vec<_> = message
            .headers
            .iter()
            .map(|(name, _)| (name, message.headers.text(name).unwrap()))
            .collect();
        assert_eq!(found, expected);
    }
    let bytes = message(&head("GET", "/foo", &[("x-latin", "gr\u{f6}\u{df}e")])).unwrap();
    assert_eq!(bytes.headers.get("x-latin"), Some(&MessageHeader::Text("gr\u{f6}\u{df}e".into())));
}

#[test]
fn content_type_and_encoding_become_properties() {
    let sent = [("content-type", "application/cbor"), ("content-encoding", "gzip")];
    let message = message(&head("POST", "/foo/bar", &sent)).unwrap();
    assert_eq!(message.content_type.as_deref(), Some("application/cbor"));
    assert_eq!(message.content_encoding.as_deref(), Some("gzip"));
    assert_eq!(message.message_id.as_deref(), Some("id-1"));
    assert_eq!(text(&message.headers, "content-type").unwrap(), "application/cbor");
}

#[test]
fn message_names_the_caller_and_not_its_credentials() {
    let id = RequestId::generate();
    let scopes: Vec<Box<str>> = vec!["read".into(), "write".into()];
    let caller = Caller::new("acme", Some("ann".into()), scopes);
    let sent = [
        ("x-gateway-account", "other"),
        ("x-gateway-scopes", "admin"),
        ("authorization", "Bearer x"),
        ("x-api-key", "gk_1"),
        ("cookie", "a=1"),
    ];
    let message = |withheld: &[HeaderName]| {
        request::message("foo".into(), &head("GET", "/foo", &sent), &id, &caller, withheld)
            .unwrap()
            .headers
    };
    let withheld = message(&crate::edge::dispatch::hop_by_hop::CREDENTIALS);
    for (name, value) in [
        ("x-gateway-account", "acme"),
        ("x-gateway-user", "ann"),
        ("x-gateway-scopes", "read write"),
        ("cookie", "a=1"),
    ] {
        assert_eq!(text(&withheld, name).as_deref(), Some(value), "{name}");
    }
    assert_eq!((withheld.get("authorization"), withheld.get("x-api-key")), (None, None));
    let forwarded = message(&[]);
    assert_eq!(text(&forwarded, "authorization").as_deref(), Some("Bearer x"));
    assert_eq!(text(&forwarded, "x-api-key").as_deref(), Some("gk_1"));
}

#[test]
fn host_is_that_of_the_target() {
    for (uri, sent, host) in [
        ("/foo", vec![("host", "a.example")], "a.example"),
        ("http://b.example:81/foo", vec![], "b.example:81"),
        ("http://b.example/foo", vec![("host", "a.example")], "b.example"),
        ("http://me:secret@b.example/foo", vec![], "b.example"),
    ] {
        let message = message(&head("GET", uri, &sent)).unwrap();
        assert_eq!(text(&message.headers, "host").as_deref(), Some(host), "{uri}");
        assert_eq!(message.headers.iter().filter(|(name, _)| *name == "host").count(), 1);
    }
}

#[test]
fn streams_are_refused() {
    let refused = |headers: &[(&str, &str)]| message(&head("GET", "/foo", headers)).unwrap_err();
    let upgrade = refused(&[("connection", "upgrade"), ("upgrade", "websocket")]);
    assert_eq!(upgrade.code(), Code::INVALID_REQUEST);
    assert!(
        upgrade.detail().contains("WebSockets and other upgrades are not supported"),
        "{}",
        upgrade.detail()
    );
    assert_eq!(refused(&[("accept", "Text/Event-Stream; q=1")]).code(), Code::NOT_ACCEPTABLE);
    assert!(
        message(&head("GET", "/foo", &[("accept", "text/event-stream, application/json")])).is_ok()
    );
}

fn answer(
    status: Option<MessageHeader>,
    headers: &[(&'static str, MessageHeader)],
    body: &'static [u8],
) -> Message {
    let mut answer = Message { body: Bytes::from_static(body), ..Message::default() };
    if let Some(status) = status {
        answer.headers.add(Message::STATUS, status);
    }
    for (name, field) in headers {
        answer.headers.add(*name, field.clone());
    }
    answer
}

async fn bytes(response: Response<Body>) -> Bytes {
    response.into_body().collect().await.unwrap().to_bytes()
}

#[tokio::test]
async fn statuses() {
    for (said, status) in [
        (None, Some(200)),
        (Some(MessageHeader::Number(404)), Some(404)),
        (Some(MessageHeader::from("201")), Some(201)),
        (Some(MessageHeader::from(" 503 ")), Some(503)),
        (Some(MessageHeader::Number(599)), Some(599)),
        (Some(MessageHeader::Number(100)), None),
        (Some(MessageHeader::Number(600)), None),
        (Some(MessageHeader::Number(-1)), None),
        (Some(MessageHeader::from("ok")), None),
        (Some(MessageHeader::Flag(true)), None),
    ] {
        let response = response::of(answer(said.clone(), &[], b"body"));
        assert_eq!(response.as_ref().map(|it| it.status().as_u16()).ok(), status, "{said:?}");
        match response {
            Ok(response) => assert_eq!(bytes(response).await, "body"),
            Err(error) => assert_eq!(error.code(), Code::PROVIDER_FAILED),
        }
    }
    for bodiless in [204, 205, 304] {
        let response =
            response::of(answer(Some(MessageHeader::Number(bodiless)), &[], b"body")).unwrap();
        assert!(bytes(response).await.is_empty());
    }
}

#[tokio::test]
async fn reply_headers_and_body_become_the_response() {
    let headers = [
        ("location", MessageHeader::from("/foo/1")),
        ("X-Total", MessageHeader::from("7")),
        ("retry-after", MessageHeader::Number(7)),
        ("x-small", MessageHeader::Narrow(Narrow::U8(8))),
        ("x-bytes", MessageHeader::Bytes("b".into())),
        ("x-table", MessageHeader::Table(MessageHeaders::default())),
        ("x-float", MessageHeader::Double(0.5)),
        ("x-void", MessageHeader::Void),
        ("Connection", MessageHeader::from("close, X-Hop")),
        ("x-hop", MessageHeader::from("x")),
        ("keep-alive", MessageHeader::from("timeout=5")),
        ("upgrade", MessageHeader::from("h2c")),
        ("content-length", MessageHeader::from("1")),
        ("transfer-encoding", MessageHeader::from("chunked")),
        ("x-death-count", MessageHeader::from("1")),
        ("x-request-id", MessageHeader::from("other")),
        ("no name", MessageHeader::from("x")),
        ("x-split", MessageHeader::from("a\r\nset-cookie: b")),
    ];
    let mut answer = answer(None, &headers, b"\x00\xff\r\n");
    (answer.content_type, answer.content_encoding) = (Some("image/png".into()), Some("br".into()));
    let response = response::of(answer).unwrap();
    let mut names: Vec<_> = response
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    names.sort_unstable();
    let expected = [
        ("content-encoding", "br"),
        ("content-type", "image/png"),
        ("location", "/foo/1"),
        ("retry-after", "7"),
        ("x-bytes", "b"),
        ("x-small", "8"),
        ("x-total", "7"),
    ];
    assert_eq!(names, expected);
    assert_eq!(bytes(response).await, &b"\x00\xff\r\n"[..]);
}

#[test]
fn list_becomes_one_field_for_each_value() {
    let cookies = MessageHeader::List(vec![
        "a=1; Path=/".into(),
        MessageHeader::Void,
        "b=2".into(),
        "c=\r\nd".into(),
        MessageHeader::Number(3),
    ]);
    let connection = MessageHeader::List(vec!["x-one".into(), "x-two, x-three".into()]);
    let headers = [
        ("set-cookie", cookies),
        ("x-none", MessageHeader::List(Vec::new())),
        ("connection", connection),
        ("x-one", "1".into()),
        ("x-three", "3".into()),
    ];
    let response = response::of(answer(None, &headers, b"")).unwrap();
    let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1; Path=/", "b=2", "3"]);
    assert_eq!(response.headers().len(), 3);
    for (many, code) in [(1000, None), (65_000, Some(Code::PROVIDER_FAILED))] {
        let list = MessageHeader::List(vec![MessageHeader::Narrow(Narrow::U8(1)); many]);
        let response = response::of(answer(None, &[("x-many", list)], b""));
        assert_eq!(response.err().map(|error| error.code()), code, "{many}");
    }
}
