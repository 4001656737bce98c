//! Instances that are dead, slow, or answer what nobody may forward.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use tokio::{io::AsyncWriteExt, net::TcpListener};

use super::{
    gateway::{Answer, Client, SECRETS, exchange, start},
    stub::{End, Stub, read_request},
};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
pub(super) const GET: &str = "GET /foo/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
pub(super) const POST: &str =
    "POST /foo/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi";

pub(super) fn code(answer: &Answer) -> String {
    let problem: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(problem["status"], answer.status());
    problem["code"].as_str().unwrap().to_owned()
}

/// Returns an address where nobody listens.
pub(super) async fn dead() -> std::net::SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn an_instance_that_is_dead_is_set_aside_and_another_is_tried() {
    let stub = Stub::start(OK, End::Open).await;
    let gateway = start(&[dead().await, stub.address], "").await;
    for _ in 0..20 {
        assert_eq!(exchange(&gateway, POST).await.0.status(), 200);
    }
    assert_eq!(stub.seen().len(), 20);
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn dead_instances_alone_are_502_and_retryable() {
    let gateway = start(&[dead().await, dead().await], "").await;
    let (answer, _) = exchange(&gateway, GET).await;
    assert_eq!((answer.status(), &*code(&answer)), (502, "upstream-unreachable"));
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn answers_that_could_be_read_two_ways_are_502_and_never_forwarded() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 2 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: \x0bchunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nX: a\r\n folded\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\n X: a\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nX\x00: a\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\n: empty\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 abc OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/0.9 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "http/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "ICY 200 OK\r\n\r\nok",
        "200 OK\r\n\r\nok",
        "\r\n\r\n\r\n\r\n",
        "just text\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Len",
        "",
    ] {
        let stub = Stub::start(answer, End::Close).await;
        let gateway = start(&[stub.address], "").await;
        let (got, _) = exchange(&gateway, GET).await;
        assert_eq!((got.status(), &*code(&got)), (502, "upstream-failed"), "{answer:?}: {got:?}");
        assert_eq!(stub.seen().len(), 1, "asked once: {answer:?}");
        gateway.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_cut_answer_is_cut_for_the_client() {
    for (answer, end) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", End::Close),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", End::Reset),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", End::Close),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf", End::Close),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n", End::Close),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nxyz\r\n", End::Open),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalfx\r\n0\r\n\r\n", End::Open),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nfffffffffffffffff\r\n",
            End::Open,
        ),
    ] {
        let stub = Stub::start(answer, end).await;
        let gateway = start(&[stub.address], "").await;
        let (got, _) = exchange(&gateway, GET).await;
        let body = String::from_utf8_lossy(got.body()).into_owned();
        assert!(!body.ends_with("0\r\n\r\n"), "a clean end of {answer:?}: {got:?}");
        if got.status() == 200 {
            assert!(got.header("content-length").is_none_or(|length| length == "9"), "{got:?}");
            assert!(body.len() < 9 || !answer.contains("Content-Length"), "{got:?}");
        } else {
            // The head and the fault arrived together.
            assert_eq!(got.status(), 502, "{answer:?}: {got:?}");
        }
        gateway.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_get_that_met_a_closed_connection_is_repeated_and_a_post_is_not() {
    for (request, asked, status) in [(GET, 2, 200), (POST, 1, 502)] {
        // The first request of each connection is answered; a second one is read, and the
        // connection closed in its face.
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        let stub = Stub::serve(move |mut stream, _| {
            let requests = Arc::clone(&counted);
            async move {
                read_request(&mut stream).await;
                requests.fetch_add(1, Relaxed);
                stream.write_all(OK.as_bytes()).await.unwrap();
                if read_request(&mut stream).await.is_some() {
                    requests.fetch_add(1, Relaxed);
                }
            }
        })
        .await;
        let gateway = start(&[stub.address], "").await;
        assert_eq!(exchange(&gateway, request).await.0.status(), 200);
        let before = requests.load(Relaxed);
        let (answer, _) = exchange(&gateway, request).await;
        assert_eq!(answer.status(), status, "{answer:?}");
        assert_eq!(requests.load(Relaxed) - before, asked, "{request}");
        gateway.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_get_whose_connection_was_reset_unread_is_repeated() {
    let answered = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&answered);
    let stub = Stub::serve(move |mut stream, _| {
        let answered = Arc::clone(&counted);
        async move {
            read_request(&mut stream).await;
            answered.fetch_add(1, Relaxed);
            stream.write_all(OK.as_bytes()).await.unwrap();
            // The next request lies unread in the socket, whose close is then a reset.
            stream.peek(&mut [0]).await.ok();
        }
    })
    .await;
    let gateway = start(&[stub.address], "").await;
    for _ in 0..4 {
        assert_eq!(exchange(&gateway, GET).await.0.status(), 200);
    }
    assert_eq!(answered.load(Relaxed), 4);
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn the_rest_of_a_204_is_not_read_as_the_next_response() {
    let answer = "HTTP/1.1 204 No Content\r\nContent-Length: 40\r\n\r\n";
    let evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
    let stub = Stub::serve(move |mut stream, _| async move {
        read_request(&mut stream).await;
        stream.write_all(answer.as_bytes()).await.unwrap();
        // The bytes arrive with the next request, if this connection is used again.
        if read_request(&mut stream).await.is_some() {
            stream.write_all(evil.as_bytes()).await.unwrap();
        }
    })
    .await;
    let gateway = start(&[stub.address], "").await;
    for _ in 0..3 {
        assert_eq!(exchange(&gateway, GET).await.0.status(), 204);
    }
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn an_instance_that_is_slow_is_504_and_may_not_be_asked_again() {
    let silent = || {
        Stub::serve(|mut stream, seen| async move {
            while let Some(request) = read_request(&mut stream).await {
                seen.lock().unwrap().push(request);
            }
        })
    };
    for (request, expected) in [(GET, "timeout"), (POST, "outcome-unknown")] {
        let stub = silent().await;
        let gateway = start(&[stub.address], "first_byte_timeout = \"200ms\"").await;
        let begun = Instant::now();
        let (answer, _) = exchange(&gateway, request).await;
        assert_eq!((answer.status(), &*code(&answer)), (504, expected));
        assert!(begun.elapsed() >= Duration::from_millis(200), "{:?}", begun.elapsed());
        assert_eq!(stub.seen().len(), 1);
        gateway.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_slow_but_steady_upload_is_not_cut_and_a_stalled_one_is_408() {
    let stub = Stub::start(OK, End::Open).await;
    let more = "first_byte_timeout = \"300ms\"\nidle_timeout = \"600ms\"";
    let gateway = start(&[stub.address], more).await;
    let mut client = Client::to(&gateway).await;
    client.send("POST /foo/up HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n").await;
    for piece in ["ab", "cd", "ef", "gh"] {
        tokio::time::sleep(Duration::from_millis(250)).await;
        client.send(piece).await;
    }
    assert_eq!(client.read_to("ok").await.status(), 200);

    let mut client = Client::to(&gateway).await;
    client.send("POST /foo/up HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nab").await;
    let (answer, _) = client.read_all().await;
    assert_eq!((answer.status(), &*code(&answer)), (408, "request-timeout"));
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn a_response_that_falls_silent_is_cut() {
    let stub = Stub::start("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", End::Open).await;
    let gateway = start(&[stub.address], "idle_timeout = \"300ms\"").await;
    let begun = Instant::now();
    let (answer, _) = exchange(&gateway, GET).await;
    assert_eq!((answer.status(), answer.body()), (200, &b"half"[..]));
    assert!(begun.elapsed() >= Duration::from_millis(300), "{:?}", begun.elapsed());
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn a_route_that_leads_back_is_508() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let text = format!(
        "{SECRETS}\n[http]\nlisten = \"{address}\"\nhosts = [\"a\"]\nworkers = 1\n[upstreams.foo]\nurls = [\"http://{address}\"]\n"
    );
    let gateway = gateway_runtime::Gateway::from_toml(&text).unwrap().start().await.unwrap();
    let request = "GET /foo/foo/foo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let (answer, _) = exchange(&gateway, request).await;
    assert_eq!((answer.status(), &*code(&answer)), (508, "loop-detected"));
    gateway.stop().await.unwrap();
}
