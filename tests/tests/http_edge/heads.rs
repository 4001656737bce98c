//! Request heads that two programs could read in two ways, and malformed ones.

use std::time::Duration;

use gateway_runtime::http::{HttpLimits, HttpSettings};

use super::{
    gateway::Gateway,
    wire::{Answer, Wire},
};

const SUM: &str = "/services/edge/v1/sum";

/// Sends a request unchanged, and reads the response; asserts that the connection is closed
/// afterwards, if `closes`.
async fn raw(gateway: &Gateway, request: impl AsRef<[u8]>, closes: bool) -> Answer {
    let request = request.as_ref();
    let mut wire = Wire::to(gateway.address).await;
    wire.send_bytes(request).await;
    let answer = wire.answer(request.starts_with(b"HEAD ")).await;
    if closes {
        assert_eq!(answer.header("connection"), Some("close"), "{answer:?}");
        assert!(wire.read_until("\r\n").await.is_none(), "nothing comes after {answer:?}");
    }
    answer
}

#[tokio::test]
async fn http_1_1_needs_one_valid_host() {
    let gateway = Gateway::start().await;
    for hosts in [
        "",
        "Host: a\r\nHost: a\r\n",
        "Host: a\r\nHost: b\r\n",
        "Host: a/x\r\n",
        "Host: u@a\r\n",
        "Host: a b\r\n",
        "Host: a, b\r\n",
        "Host: a:8x\r\n",
        "Host: a:1:2\r\n",
        "Host: [::1\r\n",
        "Host: a{b}\r\n",
        "Host:\r\n",
    ] {
        let answer = raw(&gateway, format!("GET {SUM} HTTP/1.1\r\n{hosts}\r\n"), true).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "invalid-request"), "{hosts}");
        assert_eq!(answer.json()["instance"], SUM);
    }
    let beyond = [b"GET /meta HTTP/1.1\r\nHost: a\xff\r\n\r\n".as_slice(), b""].concat();
    assert_eq!(raw(&gateway, beyond, true).await.status, 400);
    for target in ["http://u@a/meta", "http://a{b}/meta", "http://a:x/meta"] {
        let answer = raw(&gateway, format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"), true).await;
        assert_eq!(answer.status, 400, "{target}");
    }
    for host in ["localhost", "a.example:80", "[::1]:8080", "my_service", "a:"] {
        let answer =
            raw(&gateway, format!("GET {SUM} HTTP/1.1\r\nHost: {host}\r\n\r\n"), false).await;
        assert_eq!(answer.status, 200, "{host}");
    }
    let absolute = format!("GET http://other.example{SUM} HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(raw(&gateway, absolute, false).await.status, 200);
    assert_eq!(
        raw(&gateway, format!("GET {SUM} HTTP/1.0\r\n\r\n"), false).await.status,
        200,
        "HTTP/1.0 has no Host"
    );
}

#[tokio::test]
async fn transfer_coding_is_chunked_and_nothing_else() {
    let gateway = Gateway::start().await;
    let post = |codings: &str| {
        format!(
            "POST /services/edge/v1/note HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
             {codings}\r\n\
             1c\r\n{{\"title\":\"Tea\",\"stars\":5   }}\r\n0\r\n\r\n"
        )
    };
    for (codings, status) in [
        ("Transfer-Encoding: gzip, chunked\r\n", 501),
        ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", 501),
        ("Transfer-Encoding: identity, chunked\r\n", 501),
        ("Transfer-Encoding: chunked, chunked\r\n", 400),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400),
        ("Transfer-Encoding: chunked, gzip\r\n", 400),
        ("Transfer-Encoding: gzip\r\n", 400),
    ] {
        let answer = raw(&gateway, post(codings), true).await;
        assert_eq!(answer.status, status, "{codings}");
        assert_eq!(
            answer.code(),
            if status == 501 { "not-implemented" } else { "invalid-request" }
        );
    }
    for codings in ["Transfer-Encoding: chunked\r\n", "transfer-encoding:  Chunked \r\n"] {
        assert_eq!(raw(&gateway, post(codings), false).await.status, 200, "{codings}");
    }
}

#[tokio::test]
async fn malformed_body_is_answered_with_400_and_a_close() {
    let gateway = Gateway::start().await;
    let head = "POST /services/edge/v1/note HTTP/1.1\r\nHost: a\r\n\
                Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let long = format!("2;a={}\r\n{{}}\r\n0\r\n\r\n", "b".repeat(20_000));
    for body in [
        "2\r\n{}\r\n0\r\n:method: GET\r\n\r\n",
        "garbage",
        "2\r\n{}\r\nx\r\n\r\n",
        "2\n{}\r\n0\r\n\r\n",
        "2\r\n{}\r\n0\r\na: b\n\r\n",
        &long,
    ] {
        // The next request is none: nobody knows where it begins.
        let request = format!("{head}{body}GET {SUM} HTTP/1.1\r\nHost: a\r\n\r\n");
        let answer = raw(&gateway, request, true).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "invalid-request"), "{body:.60}");
    }
}

#[tokio::test]
async fn violation_is_named_in_the_problem() {
    let gateway = Gateway::start().await;
    for (request, detail) in [
        ("GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", "CR and LF"),
        ("GET /#f HTTP/1.1\r\nHost: a\r\n\r\n", "fragment"),
        ("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", "once"),
    ] {
        let answer = raw(&gateway, request, true).await;
        let found = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(found.contains(detail), "{request:?} {found}");
    }
}

#[tokio::test]
async fn options_of_the_whole_server_are_listed() {
    let gateway = Gateway::start().await;
    let answer =
        raw(&gateway, "OPTIONS * HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\n\r\n", false).await;
    assert_eq!((answer.status, answer.header("x-request-id")), (204, Some("mine")));
    assert!(answer.header("allow").unwrap().contains("OPTIONS"));
    assert_eq!(raw(&gateway, "GET * HTTP/1.1\r\nHost: a\r\n\r\n", false).await.status, 404);
}

#[tokio::test]
async fn unparsable_request_is_answered_with_a_problem() {
    let limits = HttpLimits { header_timeout: Duration::from_millis(300), ..HttpLimits::default() };
    let gateway =
        Gateway::with(HttpSettings { limits, ..HttpSettings::default() }, Vec::new()).await;
    let large = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(101));
    let refused: &[(&str, u16, &str)] = &[
        ("GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n", 400, "invalid-request"),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, "invalid-request"),
        ("G\u{1}T / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "invalid-request"),
        ("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\r\n\r\n", 400, "invalid-request"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400, "invalid-request"),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            400,
            "invalid-request",
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
            "invalid-request",
        ),
        ("GET / HTTP/1.1\nHost: a\r\n\r\n", 400, "invalid-request"),
        ("GET / HTTP/1.1\r\nHost: a\r\n\n", 400, "invalid-request"),
        ("GET /#f HTTP/1.1\r\nHost: a\r\n\r\n", 400, "invalid-request"),
        ("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "invalid-request"),
        ("GET x://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "invalid-request"),
        (&large, 431, "header-too-large"),
        (&many, 431, "header-too-large"),
        ("GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505, "version-not-supported"),
        ("GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505, "version-not-supported"),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: ", 408, "request-timeout"),
    ];
    for (request, status, code) in refused {
        let answer = raw(&gateway, request, true).await;
        assert_eq!((answer.status, answer.code().as_str()), (*status, *code), "{request:.60}");
        // After a completed request on the same connection, and pipelined behind it.
        let first = format!("GET {SUM}?terms=7 HTTP/1.1\r\nHost: a\r\n\r\n");
        for ahead in [true, false] {
            let mut wire = Wire::to(gateway.address).await;
            if ahead {
                wire.send(&format!("{first}{request}")).await;
                assert_eq!(wire.answer(false).await.text(), "7");
            } else {
                wire.send(&first).await;
                assert_eq!(wire.answer(false).await.text(), "7");
                wire.send(request).await;
            }
            let answer = wire.answer(false).await;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (*status, *code),
                "{ahead} {request:.60}"
            );
            assert!(wire.read_until("\r\n").await.is_none(), "{request:.60}");
        }
    }
    let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(66_000));
    let limits = HttpLimits { header_bytes: 100_000, ..HttpLimits::default() };
    let roomy = Gateway::with(HttpSettings { limits, ..HttpSettings::default() }, Vec::new()).await;
    let answer = raw(&roomy, long, true).await;
    assert_eq!((answer.status, answer.code().as_str()), (414, "uri-too-long"));

    for request in [
        "HEAD / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n",
        "HEAD / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    ] {
        let answer = raw(&gateway, request, true).await;
        assert_eq!(answer.status, 400);
        assert!(answer.header("content-length").is_some_and(|length| length != "0"), "{answer:?}");
    }
    // An empty request has no response.
    assert!(Wire::to(gateway.address).await.read_until("\r\n").await.is_none());
}

/// HTTP/2 without a library, which would not send malformed frames: a HEADERS frame of literal
/// fields.
async fn h2(gateway: &Gateway, fields: &[(&str, &str)]) -> Response {
    let mut block = Vec::new();
    for (name, value) in [(":method", "GET"), (":scheme", "http")].iter().chain(fields) {
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).unwrap());
            block.extend_from_slice(text.as_bytes());
        }
    }
    let mut wire = Wire::to(gateway.address).await;
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    bytes.extend_from_slice(&[0, 0, u8::try_from(block.len()).unwrap(), 1, 5, 0, 0, 0, 1]);
    bytes.extend_from_slice(&block);
    wire.send_bytes(&bytes).await;
    loop {
        let frame = wire.frame().await;
        match (frame.kind, frame.stream) {
            // HEADERS: a status of the static table comes first (RFC 7541, appendix A).
            (1, 1) => {
                return match frame.payload[0] {
                    0x88 => Response::Status(200),
                    0x89 => Response::Status(204),
                    0x8c => Response::Status(400),
                    0x8d => Response::Status(404),
                    other => panic!("{other:x}"),
                };
            }
            (3, 1) => return Response::Reset,
            _ => {}
        }
    }
}

#[derive(Debug, PartialEq)]
enum Response {
    Status(u16),
    /// A stream error, which is an equally valid response to a malformed request (RFC 9113 §8.1.1).
    Reset,
}

#[tokio::test]
async fn http_2_needs_one_valid_authority() {
    let gateway = Gateway::start().await;
    for fields in [
        &[(":path", SUM)][..],
        &[(":path", SUM), ("host", "a"), ("host", "a")],
        &[(":path", SUM), (":authority", "a"), ("host", "a"), ("host", "a")],
        &[(":path", SUM), (":authority", "a"), ("host", "b")],
        &[(":path", SUM), (":authority", "a"), ("host", "a:81")],
        &[(":path", SUM), (":authority", "u@a")],
        &[(":path", SUM), (":authority", "")],
        &[(":path", SUM), (":authority", "a:8x")],
        &[(":path", SUM), (":authority", "a{b}")],
        &[(":path", SUM), ("host", "a, b")],
        &[(":path", SUM), (":authority", "a"), ("transfer-encoding", "chunked")],
    ] {
        let response = h2(&gateway, fields).await;
        assert!(
            matches!(response, Response::Status(400) | Response::Reset),
            "{fields:?} {response:?}"
        );
    }
    for fields in [
        &[(":path", SUM), (":authority", "a")][..],
        &[(":path", SUM), ("host", "a")],
        &[(":path", SUM), (":authority", "A:80"), ("host", "a")],
    ] {
        assert_eq!(h2(&gateway, fields).await, Response::Status(200), "{fields:?}");
    }
}
