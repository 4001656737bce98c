//! Requests that an instance has not processed are repeated once; all others never.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::{
    PRIOR_KNOWLEDGE,
    frames::{Arrived, FrameStub, NO_ERROR, REFUSED_STREAM, Step, go_away, reset, whole},
    stub::{Call, Http2Stub, Limits, answer},
};
use crate::proxy::{
    failures::{GET, POST, code},
    gateway::{Client, exchange, start},
};

const EMPTY_POST: &str =
    "POST /foo/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

#[tokio::test]
async fn a_request_that_was_not_processed_is_repeated_on_another_connection() {
    type First = fn(Arrived) -> Step;
    let firsts: [First; 3] = [
        |one| Step::Answer(reset(one.stream, REFUSED_STREAM)),
        |one| Step::Answer(go_away(one.stream - 1, NO_ERROR)),
        |one| Step::Close(go_away(one.stream - 1, 2)),
    ];
    for first in firsts {
        for request in [GET, EMPTY_POST] {
            let stub = FrameStub::start(move |one| match one {
                Arrived { connection: 0, .. } => first(one),
                _ => Step::Answer(whole(one.stream)),
            })
            .await;
            let gateway = start(&[stub.address], PRIOR_KNOWLEDGE).await;
            let (answer, _) = exchange(&gateway, request).await;
            assert_eq!((answer.status(), answer.body()), (200, &b"ok"[..]), "{request}");
            let connections = stub.received(|received| {
                received.requests.iter().map(|one| one.connection).collect::<Vec<_>>()
            });
            assert_eq!(connections, [0, 1], "{request}");
            gateway.stop().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_request_that_is_refused_again_is_502_and_was_sent_twice() {
    let stub = FrameStub::start(|one| Step::Answer(reset(one.stream, REFUSED_STREAM))).await;
    let gateway = start(&[stub.address], PRIOR_KNOWLEDGE).await;
    for requests in [2, 4, 6] {
        let (answer, _) = exchange(&gateway, EMPTY_POST).await;
        assert_eq!((answer.status(), &*code(&answer)), (502, "upstream-unreachable"));
        assert_eq!(stub.requests(), requests);
    }
    // An instance that refuses everything gets no more connections for it.
    assert_eq!(stub.received(|received| received.connections), 2);
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn a_body_is_repeated_only_if_none_of_it_was_read() {
    let stub = FrameStub::start(|one| match one.connection {
        0 => Step::Answer(reset(one.stream, REFUSED_STREAM)),
        _ => Step::Answer(whole(one.stream)),
    })
    .await;
    let gateway = start(&[stub.address], PRIOR_KNOWLEDGE).await;
    let (answer, _) = exchange(&gateway, POST).await;
    assert_eq!(answer.status(), 502);
    assert_eq!(stub.requests(), 1);

    // This client sends its body after the gateway's 100, which is after the refusal.
    let mut client = Client::to(&gateway).await;
    client.send("POST /foo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n").await;
    super::cuts::until(|| stub.requests() == 3).await;
    client.send("hi").await;
    assert_eq!(client.read_to("ok").await.status(), 200);
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn a_get_whose_connection_was_lost_is_repeated_and_a_post_is_not() {
    for (request, status, requests) in [(GET, 200, 3), (EMPTY_POST, 502, 2)] {
        // The first connection answers one request.
        let stub = FrameStub::start(|one| match (one.connection, one.stream) {
            (0, 3..) => Step::Close(Vec::new()),
            _ => Step::Answer(whole(one.stream)),
        })
        .await;
        let gateway = start(&[stub.address], PRIOR_KNOWLEDGE).await;
        assert_eq!(exchange(&gateway, request).await.0.status(), 200);
        assert_eq!(exchange(&gateway, request).await.0.status(), status);
        assert_eq!(stub.requests(), requests, "{request}");
        gateway.stop().await.unwrap();
    }
}

#[tokio::test]
async fn no_get_fails_while_an_instance_replaces_its_connections() {
    let limits = Limits { requests: 20, ..Limits::default() };
    let stub = Http2Stub::start(limits, |call: Call| async {
        tokio::time::sleep(Duration::from_millis(2)).await;
        answer(call.respond, "ok");
    })
    .await;
    let gateway = start(&[stub.address], PRIOR_KNOWLEDGE).await;
    let clients = (0..16).map(|_| async {
        for _ in 0..50 {
            let (answer, _) = exchange(&gateway, GET).await;
            assert_eq!((answer.status(), answer.body()), (200, &b"ok"[..]));
        }
    });
    join_all(clients).await;
    assert!(stub.connections() > 20, "{}", stub.connections());
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn a_peer_that_vanished_is_found_within_seconds_and_left() {
    let stub = FrameStub::start(|one| match (one.connection, one.stream) {
        (0, 3..) => Step::Vanish,
        _ => Step::Answer(whole(one.stream)),
    })
    .await;
    let gateway = start(&[stub.address], PRIOR_KNOWLEDGE).await;
    assert_eq!(exchange(&gateway, GET).await.0.status(), 200);
    let begun = Instant::now();
    let (get, post) = tokio::join!(exchange(&gateway, GET), exchange(&gateway, EMPTY_POST));
    assert_eq!(get.0.status(), 200);
    assert_eq!((post.0.status(), &*code(&post.0)), (502, "upstream-failed"));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let begun = Instant::now();
    assert_eq!(exchange(&gateway, GET).await.0.status(), 200);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    gateway.stop().await.unwrap();
}
