//! Requests and their responses, over both protocols.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use gateway_runtime::http::{Body, Handler, Peer, read_body};
use http::{Request, Response, StatusCode, header};
use hyper::{body::Incoming, upgrade};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::sleep,
};

use super::support::{Drops, h2, h2_body, h2_get, ms, says, start, until, within};

/// Responds with the request: `METHOD /path body`.
fn echo() -> impl Handler {
    |request: Request<Incoming>, _: Peer| async move {
        let line = format!("{} {} ", request.method(), request.uri().path());
        let body = read_body(request.into_body(), 1 << 20, Duration::from_secs(30)).await.unwrap();
        Response::new(Body::from([line.as_bytes(), &body].concat()))
    }
}

#[tokio::test]
async fn http1_answers_one_request_after_the_other() {
    let server = start(echo(), |_| {});
    let mut client = server.connect().await;
    assert_eq!(client.get("/a").await.text(), "GET /a ");
    client.send("POST /b HTTP/1.1\r\nhost: t\r\ncontent-length: 3\r\n\r\nabc").await;
    assert_eq!(client.answer().await.text(), "POST /b abc");
    client
        .send(
            "POST /c HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\n\
            c\r\n0\r\n\r\n",
        )
        .await;
    assert_eq!(client.answer().await.text(), "POST /c abc");
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = start(echo(), |_| {});
    let mut client = server.connect().await;
    let many: String = (0..50)
        .map(|n| format!("POST /{n} HTTP/1.1\r\nhost: t\r\ncontent-length: 1\r\n\r\nx"))
        .collect();
    client.send(many).await;
    for n in 0..50 {
        assert_eq!(client.answer().await.text(), format!("POST /{n} x"));
    }
}

#[tokio::test]
async fn an_answer_does_not_wait_for_the_rest_of_the_next_request() {
    let server = start(echo(), |_| {});
    let mut client = server.connect().await;
    client.send("GET /1 HTTP/1.1\r\nhost: t\r\n\r\nGET /2 HT").await;
    assert_eq!(client.answer().await.text(), "GET /1 ");
    sleep(ms(100)).await; // long enough for the connection to fall idle with half a head
    client.send("TP/1.1\r\nhost: t\r\n\r\n").await;
    assert_eq!(client.answer().await.text(), "GET /2 ");
    client.send("POST /3 HTTP/1.1\r\nhost: t\r\ncontent-length: 1\r\n\r\nx\r\n").await;
    assert_eq!(client.answer().await.text(), "POST /3 x");
}

#[tokio::test]
async fn a_connection_is_used_again_after_any_pause() {
    let server = start(echo(), |_| {});
    let mut client = server.connect().await;
    for pause in [0, 1, 5, 12, 25, 50, 120, 0, 0, 300] {
        sleep(ms(pause)).await;
        assert_eq!(client.get("/again").await.text(), "GET /again ", "after {pause} ms");
    }
}

#[tokio::test]
async fn a_request_may_come_in_any_pieces() {
    let server = start(echo(), |_| {});
    let mut client = server.connect().await;
    for byte in "POST /slow HTTP/1.1\r\nhost: t\r\ncontent-length: 4\r\n\r\nslow".bytes() {
        client.send([byte]).await;
        sleep(ms(1)).await;
    }
    assert_eq!(client.answer().await.text(), "POST /slow slow");
}

#[tokio::test]
async fn http2_is_spoken_with_prior_knowledge() {
    let server = start(echo(), |_| {});
    let mut client = h2(server.address).await;
    let answers = join_all((0..20).map(|n| {
        let request = Request::post(format!("http://t/{n}")).body(()).unwrap();
        let (answer, mut body) = client.send_request(request, false).unwrap();
        body.send_data(Bytes::from_static(b"two"), true).unwrap();
        async move { within(answer).await.unwrap() }
    }))
    .await;
    for (n, answer) in answers.into_iter().enumerate() {
        assert_eq!(h2_body(answer).await.unwrap(), format!("POST /{n} two").as_bytes());
    }
}

#[tokio::test]
async fn the_http2_preface_may_come_in_any_pieces() {
    let server = start(echo(), |_| {});
    let mut client = server.connect().await;
    for byte in *b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" {
        client.send([byte]).await;
        sleep(ms(1)).await;
    }
    client.send([0, 0, 0, 4, 0, 0, 0, 0, 0]).await; // SETTINGS
    let settings = client.take(9).await;
    assert_eq!(settings[3], 4, "the server answers with SETTINGS");
}

#[tokio::test]
async fn large_bodies_arrive_whole() {
    let large: Bytes = (0..3_000_000u32).map(|n| n as u8).collect::<Vec<_>>().into();
    let sent = large.clone();
    let server = start(
        move |_: Request<Incoming>, _: Peer| {
            let body = Body::from(sent.clone());
            async move { Response::new(body) }
        },
        |_| {},
    );
    let mut client = server.connect().await;
    // The first response switches the connection to writing without copies.
    for _ in 0..3 {
        assert_eq!(client.get("/").await.body, large);
    }
    client.send("GET / HTTP/1.1\r\nhost: t\r\n\r\n".repeat(3)).await;
    for _ in 0..3 {
        assert_eq!(client.answer().await.body, large);
    }
    let mut client = h2(server.address).await;
    let answer = h2_get(&mut client, "/").await;
    assert_eq!(answer.headers()[header::CONTENT_LENGTH], "3000000");
    assert_eq!(h2_body(answer).await.unwrap(), large);
}

#[tokio::test]
async fn request_pipelined_behind_a_large_response_is_answered() {
    let large = Bytes::from(vec![b'x'; 100_000]);
    let handler = move |request: Request<Incoming>, _: Peer| {
        let body = if request.uri().path() == "/large" {
            Body::from(large.clone())
        } else {
            Body::from("small")
        };
        async { Response::new(body) }
    };
    let server = start(handler, |_| {});
    let mut client = server.connect().await;
    client
        .send("GET /large HTTP/1.1\r\nhost: t\r\n\r\nGET /small HTTP/1.1\r\nhost: t\r\n\r\nGET /sm")
        .await;
    assert_eq!(client.answer().await.body.len(), 100_000);
    assert_eq!(client.answer().await.text(), "small");
    client.send("all HTTP/1.1\r\nhost: t\r\n\r\n").await;
    assert_eq!(client.answer().await.text(), "small");
}

#[tokio::test]
async fn expect_100_continue_is_honoured() {
    let server = start(echo(), |_| {});
    let mut client = server.connect().await;
    client
        .send("POST /e HTTP/1.1\r\nhost: t\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n")
        .await;
    assert_eq!(client.head().await, "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("ok").await;
    assert_eq!(client.answer().await.text(), "POST /e ok");
}

#[tokio::test]
async fn a_body_may_be_read_after_the_answer() {
    let (send, mut read) = tokio::sync::mpsc::unbounded_channel();
    let handler = move |request: Request<Incoming>, _: Peer| {
        let send = send.clone();
        tokio::spawn(async move {
            let body =
                read_body(request.into_body(), 1 << 20, Duration::from_secs(30)).await.unwrap();
            send.send(body).unwrap();
        });
        async { Response::new(Body::from("already")) }
    };
    let server = start(handler, |_| {});
    let mut client = server.connect().await;
    client.send("POST / HTTP/1.1\r\nhost: t\r\ncontent-length: 39\r\n\r\n").await;
    assert_eq!(client.answer().await.text(), "already");
    sleep(ms(100)).await; // the connection looks idle
    client.send("GET / HTTP/1.1\r\nhost: t\r\n\r\nthis is body").await;
    let body = within(read.recv()).await.unwrap();
    assert!(
        body.ends_with(b"this is body"),
        "what follows the head is the body, whatever it looks like: {body:?}"
    );
}

#[tokio::test]
async fn http_1_0_is_answered_and_closed() {
    let server = start(says("old"), |_| {});
    let mut client = server.connect().await;
    client.send("GET / HTTP/1.0\r\n\r\n").await;
    let (answer, reset) = client.closed().await;
    assert!(
        answer.starts_with("HTTP/1.0 200 OK\r\n") && answer.ends_with("\r\n\r\nold"),
        "{answer}"
    );
    assert!(!reset);
}

#[tokio::test]
async fn malformed_requests_get_400() {
    let server = start(says("never"), |_| {});
    for bad in [
        "hello\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: t\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: t\r\ncontent-length: many\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: t\r\ntransfer-encoding: gzip\r\n\r\n",
    ] {
        let mut client = server.connect().await;
        client.send(bad).await;
        let answer = client.answer().await;
        assert_eq!(answer.status, 400, "{bad:?}: {answer:?}");
        assert!(answer.has("connection: close"), "{answer:?}");
        assert_eq!(client.closed().await, (String::new(), false));
    }
}

#[tokio::test]
async fn panic_costs_one_response() {
    let handler = |request: Request<Incoming>, _: Peer| async move {
        assert_eq!(request.uri().path(), "/good", "a test panics on purpose");
        Response::new(Body::from("good"))
    };
    let server = start(handler, |_| {});
    let mut client = server.connect().await;
    let answer = client.get("/bad").await;
    assert_eq!(answer.status, 500);
    assert!(answer.has("content-type: application/problem+json"), "{answer:?}");
    assert_eq!(client.get("/good").await.text(), "good");
    let mut client = h2(server.address).await;
    assert_eq!(h2_get(&mut client, "/bad").await.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(h2_body(h2_get(&mut client, "/good").await).await.unwrap(), b"good");
}

#[tokio::test]
async fn a_connection_can_be_upgraded() {
    let drops = Drops::default();
    let dropped = drops.clone();
    let handler = move |request: Request<Incoming>, _: Peer| {
        let mark = dropped.mark();
        async move {
            tokio::spawn(async move {
                let _mark = mark;
                let mut socket = TokioIo::new(upgrade::on(request).await.unwrap());
                let mut word = [0; 4];
                while socket.read_exact(&mut word).await.is_ok() {
                    socket.write_all(&word).await.unwrap();
                }
            });
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            response.headers_mut().insert(header::UPGRADE, "words".parse().unwrap());
            response.headers_mut().insert(header::CONNECTION, "upgrade".parse().unwrap());
            response
        }
    };
    // An upgraded connection holds its slot while it is open, and beyond the idle and head
    // timeouts.
    let server = start(handler, |config| {
        config.limits.connections = 1;
        config.limits.keep_alive = ms(50);
        config.limits.header_timeout = ms(50);
    });
    let mut client = server.connect().await;
    // The first word comes with the head, and must not be lost.
    client
        .send("GET / HTTP/1.1\r\nhost: t\r\nupgrade: words\r\nconnection: upgrade\r\n\r\nping")
        .await;
    assert!(client.head().await.starts_with("HTTP/1.1 101"));
    assert_eq!(client.take(4).await, b"ping");
    sleep(ms(300)).await;
    client.send("pong").await;
    assert_eq!(client.take(4).await, b"pong");

    let mut next = server.connect().await;
    next.send("GET / HTTP/1.1\r\nhost: t\r\nupgrade: words\r\nconnection: upgrade\r\n\r\n").await;
    sleep(ms(100)).await;
    assert_eq!(drops.count(), 0);
    drop(client);
    assert!(next.head().await.starts_with("HTTP/1.1 101"));
    until(|| drops.count() == 1).await;
}
