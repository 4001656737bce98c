//! Limits on the resources that a client can use.

use std::time::Instant;

use gateway_runtime::http::{Body, BodyError, Handler, HttpLimits, HttpSettings, Peer, read_body};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::time::sleep;

use super::support::{Client, Running, h2, ms, says, start, within};

/// Reads the whole body, and responds with its length or with the error.
fn reader(limits: HttpLimits) -> impl Handler {
    move |request: Request<Incoming>, _: Peer| {
        let limits = limits.clone();
        async move {
            let (status, text) = match read_body(
                request.into_body(),
                limits.body_bytes,
                limits.body_timeout,
            )
            .await
            {
                Ok(body) => (StatusCode::OK, body.len().to_string()),
                Err(BodyError::TooLarge(limit)) => {
                    (StatusCode::PAYLOAD_TOO_LARGE, limit.to_string())
                }
                Err(BodyError::Timeout(limit)) => {
                    (StatusCode::REQUEST_TIMEOUT, format!("{limit:?}"))
                }
                Err(BodyError::Incomplete(error)) => (StatusCode::BAD_REQUEST, error.to_string()),
                Err(error @ BodyError::Overloaded) => {
                    (StatusCode::SERVICE_UNAVAILABLE, error.to_string())
                }
            };
            let mut response = Response::new(Body::from(text));
            *response.status_mut() = status;
            response
        }
    }
}

fn reading(adjust: impl FnOnce(&mut HttpLimits)) -> Running {
    let mut limits = HttpLimits::default();
    adjust(&mut limits);
    start(reader(limits.clone()), |config| config.limits = limits)
}

#[tokio::test]
async fn a_connection_without_a_first_byte_is_closed() {
    let server = start(says("hi"), |config| config.limits.header_timeout = ms(200));
    let begun = Instant::now();
    assert_eq!(server.connect().await.closed().await, (String::new(), false));
    assert!(begun.elapsed() >= ms(200));
}

#[tokio::test]
async fn a_head_that_trickles_in_is_given_up() {
    let server = start(says("hi"), |config| config.limits.header_timeout = ms(300));
    for (beginning, drip) in [("GET / HTTP/1.1\r\nx: ", "y"), ("", "\r\n"), ("PRI * HT", "")] {
        let mut client = server.connect().await;
        let begun = Instant::now();
        client.send(beginning).await;
        let closed = within(async {
            loop {
                sleep(ms(10)).await;
                use tokio::io::AsyncWriteExt;
                if client.stream.write_all(drip.as_bytes()).await.is_err() || at_end(&client) {
                    break;
                }
            }
        });
        closed.await;
        assert!(
            begun.elapsed() >= ms(290),
            "{beginning:?} was given up after {:?}",
            begun.elapsed()
        );
        assert!(begun.elapsed() < ms(5000), "each byte buys no more time");
    }
}

/// Returns whether the server closed or reset the connection.
fn at_end(client: &Client) -> bool {
    let read = client.stream.try_read(&mut [0; 16]);
    !read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

#[tokio::test]
async fn a_second_head_that_stays_half_is_given_up() {
    let server = start(says("hi"), |config| config.limits.header_timeout = ms(200));
    let mut client = server.connect().await;
    client.send("GET / HTTP/1.1\r\nhost: t\r\n\r\nGET / HT").await;
    assert_eq!(client.answer().await.text(), "hi");
    let begun = Instant::now();
    client.closed().await;
    assert!(begun.elapsed() < ms(5000), "not after the 75 s of an idle connection");
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_keep_alive_and_not_before() {
    let server = start(says("hi"), |config| config.limits.keep_alive = ms(400));
    let mut client = server.connect().await;
    let mut begun = Instant::now();
    for _ in 0..3 {
        sleep(ms(150)).await;
        begun = Instant::now();
        client.get("/").await;
    }
    assert_eq!(client.closed().await, (String::new(), false));
    assert!(begun.elapsed() >= ms(400), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn idle_http2_connection_receives_goaway() {
    let server = start(says("hi"), |config| config.limits.keep_alive = ms(300));
    let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let begun = Instant::now();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    within(connection).await.unwrap();
    assert!(begun.elapsed() >= ms(300));
    drop(client);
}

#[tokio::test]
async fn an_http2_preface_that_nothing_follows_is_given_up() {
    let server = start(says("hi"), |config| {
        config.limits.keep_alive = ms(200);
        config.limits.write_timeout = ms(200);
    });
    let mut client = server.connect().await;
    client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    client.closed().await;
}

fn head_of(fields: usize, value: usize) -> String {
    let value = "v".repeat(value);
    let fields: String = (0..fields).map(|n| format!("x-{n}: {value}\r\n")).collect();
    format!("GET / HTTP/1.1\r\nhost: t\r\n{fields}\r\n")
}

#[tokio::test]
async fn too_many_header_fields_get_431() {
    for count in [100, 10] {
        let server = start(says("hi"), |config| config.limits.header_count = count);
        let mut client = server.connect().await;
        client.send(head_of(count - 1, 1)).await;
        assert_eq!(client.answer().await.status, 200, "{count} fields are allowed");
        client.send(head_of(count, 1)).await;
        assert_eq!(client.answer().await.status, 431);
        client.closed().await;

        let mut client = h2(server.address).await;
        for (fields, status) in [(count, 200), (count + 1, 431)] {
            let mut request = Request::get("http://t/");
            for n in 0..fields {
                request = request.header(format!("x-{n}"), "v");
            }
            let (answer, _) = client.send_request(request.body(()).unwrap(), true).unwrap();
            assert_eq!(within(answer).await.unwrap().status(), status, "{fields} of {count}");
        }
    }
}

#[tokio::test]
async fn an_oversize_head_gets_431() {
    let server = start(says("hi"), |config| config.limits.header_bytes = 4096);
    let mut client = server.connect().await;
    client.send(head_of(1, 4000)).await;
    assert_eq!(client.answer().await.status, 200);
    client.send(head_of(1, 5000)).await;
    assert_eq!(client.answer().await.status, 431);
    client.closed().await;

    // A head without an end is refused as soon as it is too long.
    let mut client = server.connect().await;
    client.send(format!("GET /{} HTTP/1.1\r\n", "a".repeat(5000))).await;
    assert_eq!(client.answer().await.status, 431);

    let mut client = h2(server.address).await;
    let request = Request::get("http://t/").header("x", "v".repeat(5000)).body(()).unwrap();
    let (answer, _) = client.send_request(request, true).unwrap();
    assert_eq!(within(answer).await.unwrap().status(), 431);
}

#[tokio::test]
async fn header_limits_hold_for_large_limits_too() {
    let server = start(says("hi"), |config| config.limits.header_bytes = 200_000);
    let mut client = server.connect().await;
    client.send(head_of(50, 3000)).await;
    assert_eq!(client.answer().await.status, 200);
    client.send(head_of(70, 3000)).await;
    assert_eq!(client.answer().await.status, 431);
}

#[tokio::test]
async fn a_body_that_announces_too_much_is_refused_unread() {
    let server = reading(|limits| limits.body_bytes = 1000);
    let mut client = server.connect().await;
    client.send("POST / HTTP/1.1\r\nhost: t\r\ncontent-length: 1000\r\n\r\n").await;
    client.send([b'x'; 1000]).await;
    assert_eq!(client.answer().await.text(), "1000");
    client
        .send("POST / HTTP/1.1\r\nhost: t\r\nexpect: 100-continue\r\ncontent-length: 1001\r\n\r\n")
        .await;
    let answer = client.answer().await;
    assert_eq!(answer.status, 413, "and no 100 Continue before");
    assert!(answer.has("connection: close"), "{answer:?}");
    client.closed().await;
}

#[tokio::test]
async fn a_client_in_the_middle_of_sending_sees_the_refusal() {
    let server = reading(|limits| limits.body_bytes = 1000);
    for framing in ["content-length: 8000000", "transfer-encoding: chunked"] {
        let mut client = server.connect().await;
        client.send(format!("POST / HTTP/1.1\r\nhost: t\r\n{framing}\r\n\r\n1f4000\r\n")).await;
        for _ in 0..30 {
            // Far more than the sockets buffer.
            client.send(vec![b'x'; 64 * 1024]).await;
        }
        assert_eq!(client.answer().await.status, 413, "{framing}");
    }
}

#[tokio::test]
async fn a_body_of_unknown_length_is_counted() {
    let server = reading(|limits| limits.body_bytes = 10);
    for (chunks, status) in
        [("5\r\nhello\r\n5\r\nworld\r\n", 200), ("5\r\nhello\r\n6\r\nworld!\r\n", 413)]
    {
        let mut client = server.connect().await;
        client
            .send(format!(
                "POST / HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n{chunks}0\r\n\r\n"
            ))
            .await;
        assert_eq!(client.answer().await.status, status, "{chunks:?}");
    }
    let mut client = h2(server.address).await;
    for (length, status) in [(10, 200), (11, 413)] {
        let (answer, mut body) =
            client.send_request(Request::post("http://t/").body(()).unwrap(), false).unwrap();
        body.send_data(vec![b'x'; length].into(), true).unwrap();
        assert_eq!(within(answer).await.unwrap().status(), status);
    }
}

#[tokio::test]
async fn a_slow_body_is_given_up_however_it_trickles() {
    let server = reading(|limits| limits.body_timeout = ms(200));
    let mut client = server.connect().await;
    let begun = Instant::now();
    client.send("POST / HTTP/1.1\r\nhost: t\r\ncontent-length: 100000\r\n\r\n").await;
    let mut dripping = begun;
    while dripping.elapsed() < ms(150) {
        client.send("x").await;
        sleep(ms(10)).await;
        if begun.elapsed() > ms(150) {
            break;
        }
        dripping = Instant::now();
    }
    assert_eq!(client.answer().await.status, 408);
    assert!(begun.elapsed() >= ms(200));
}

#[tokio::test]
async fn connections_over_the_limit_wait_for_one_to_close() {
    let server = start(says("hi"), |config: &mut HttpSettings| config.limits.connections = 2);
    let mut first = server.connect().await;
    let mut second = server.connect().await;
    assert_eq!(first.get("/").await.text(), "hi");
    assert_eq!(second.get("/").await.text(), "hi");
    let mut third = server.connect().await;
    let mut fourth = server.connect().await;
    third.send("GET / HTTP/1.1\r\nhost: t\r\n\r\n").await;
    fourth.send("GET / HTTP/1.1\r\nhost: t\r\n\r\n").await;
    sleep(ms(100)).await;
    assert!(!at_end(&third) && !at_end(&fourth), "they wait, unanswered and not refused");
    drop(first);
    assert_eq!(third.answer().await.text(), "hi");
    drop(second);
    assert_eq!(fourth.answer().await.text(), "hi");
}

#[tokio::test]
async fn a_rapid_reset_flood_ends_the_connection() {
    let server = start(says("hi"), |config| config.limits.http2.resets = 20);
    let mut client = server.connect().await;
    let mut flood = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    for n in 0..2000u32 {
        let stream = (2 * n + 1).to_be_bytes();
        // HEADERS with END_STREAM and END_HEADERS: GET, http, /, authority "t"; then RST_STREAM,
        // CANCEL.
        flood.extend_from_slice(&[0, 0, 6, 1, 5]);
        flood.extend_from_slice(&stream);
        flood.extend_from_slice(&[0x82, 0x86, 0x84, 0x41, 0x01, b't']);
        flood.extend_from_slice(&[0, 0, 4, 3, 0]);
        flood.extend_from_slice(&stream);
        flood.extend_from_slice(&8u32.to_be_bytes());
    }
    use tokio::io::AsyncWriteExt;
    let _ = within(client.stream.write_all(&flood)).await;
    client.closed().await;
    assert_eq!(server.connect().await.get("/").await.text(), "hi");
}
