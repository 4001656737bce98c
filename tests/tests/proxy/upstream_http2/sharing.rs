//! Requests that share connections: how many, and that none of them holds up another.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::join_all;
use http::Response;
use tokio::{io::AsyncReadExt, sync::Barrier, time::timeout};

use super::{
    PRIOR_KNOWLEDGE,
    cuts::until,
    frames::{CANCEL, FrameStub, Step, head, whole},
    stub::{Call, Http2Stub, Limits, answer},
};
use crate::proxy::{
    failures::{GET, code},
    gateway::{Client, exchange, start},
    stub::{End, Stub},
};

/// Sends requests that are all in flight at once, and returns the number of connections.
async fn connections_of(requests: usize, streams: u32) -> usize {
    let all = Arc::new(Barrier::new(requests));
    let limits = Limits { streams, ..Limits::default() };
    let stub = Http2Stub::start(limits, move |call: Call| {
        let all = Arc::clone(&all);
        async move {
            all.wait().await;
            answer(call.respond, "ok");
        }
    })
    .await;
    let gateway = start(&[stub.address], PRIOR_KNOWLEDGE).await;
    let answers = join_all((0..requests).map(|_| exchange(&gateway, GET))).await;
    assert!(answers.iter().all(|(answer, _)| answer.status() == 200));
    assert_eq!(stub.requests(), requests);
    gateway.stop().await.unwrap();
    stub.connections()
}

#[tokio::test]
async fn a_connection_has_100_requests_or_as_many_as_the_instance_allows() {
    assert_eq!(connections_of(100, 1000).await, 1);
    assert_eq!(connections_of(250, 1000).await, 3);
    assert_eq!(connections_of(30, 10).await, 3);
}

#[tokio::test]
async fn a_stuck_download_or_upload_holds_up_no_other() {
    let stub = Http2Stub::start(Limits::default(), |mut call: Call| async move {
        match call.request.uri().path() {
            // A body that is never read.
            "/up" => std::future::pending::<()>().await,
            "/down" => {
                let mut stream = call.respond.send_response(Response::new(()), false).unwrap();
                stream.send_data(Bytes::from(vec![7; 8 << 20]), false).unwrap();
                std::future::pending::<()>().await;
            }
            _ => answer(call.respond, "ok"),
        }
    })
    .await;
    let gateway = start(&[stub.address], PRIOR_KNOWLEDGE).await;
    let mut stuck = Vec::new();
    for _ in 0..40 {
        let mut client = Client::to(&gateway).await;
        client.send("GET /foo/down HTTP/1.1\r\nHost: a\r\n\r\n").await;
        client.0.read_u8().await.unwrap();
        stuck.push(client);
        let mut client = Client::to(&gateway).await;
        client.send("POST /foo/up HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n").await;
        let part = vec![7; 200_000];
        // The gateway takes no more than it may buffer.
        timeout(Duration::from_millis(20), client.send(part)).await.ok();
        stuck.push(client);
    }
    until(|| stub.requests() == 80).await;
    for _ in 0..10 {
        let answer = timeout(Duration::from_secs(2), exchange(&gateway, GET)).await.unwrap();
        assert_eq!(answer.0.status(), 200);
    }
    assert_eq!(stub.connections(), 1);
    drop(stuck);
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn small_events_that_nobody_reads_hold_up_no_other() {
    let stub = Http2Stub::start(Limits::default(), |mut call: Call| async move {
        if call.request.uri().path() != "/events" {
            return answer(call.respond, "ok");
        }
        let mut stream = call.respond.send_response(Response::new(()), false).unwrap();
        while stream.send_data(Bytes::from_static(b"data: 1\n\n"), false).is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let gateway = start(&[stub.address], PRIOR_KNOWLEDGE).await;
    let mut stuck = Vec::new();
    for _ in 0..3 {
        let mut client = Client::to(&gateway).await;
        client.send("GET /foo/events HTTP/1.1\r\nHost: a\r\n\r\n").await;
        client.0.read_u8().await.unwrap();
        stuck.push(client);
    }
    for _ in 0..20 {
        assert_eq!(exchange(&gateway, GET).await.0.status(), 200);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(stub.connections(), 1);
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn a_client_that_leaves_cancels_its_stream_alone() {
    let stub = FrameStub::start(|one| match one.stream {
        1 => Step::Answer(Vec::new()),
        3 => Step::Answer(head(3, &[(":status", "200")], false)),
        _ => Step::Answer(whole(one.stream)),
    })
    .await;
    let gateway = start(&[stub.address], PRIOR_KNOWLEDGE).await;
    for (stream, answered) in [(1, false), (3, true)] {
        let mut client = Client::to(&gateway).await;
        client.send(GET).await;
        if answered {
            client.0.read_u8().await.unwrap();
        }
        until(|| {
            stub.received(|received| received.requests.iter().any(|one| one.stream == stream))
        })
        .await;
        drop(client);
        until(|| stub.received(|received| received.resets.contains(&(stream, CANCEL)))).await;
    }
    assert_eq!(exchange(&gateway, GET).await.0.status(), 200);
    assert_eq!(stub.received(|received| received.connections), 1);
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_keep_alive() {
    let ended = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&ended);
    let stub = Stub::serve(move |stream, _| {
        let ended = Arc::clone(&counted);
        async move {
            super::stub::serve(stream, Limits::default(), |_, respond| async {
                answer(respond, "ok");
            })
            .await;
            ended.fetch_add(1, SeqCst);
        }
    })
    .await;
    let more = format!("{PRIOR_KNOWLEDGE}keep_alive = \"500ms\"");
    let gateway = start(&[stub.address], &more).await;
    assert_eq!(exchange(&gateway, GET).await.0.status(), 200);
    assert_eq!(ended.load(SeqCst), 0);
    until(|| ended.load(SeqCst) == 1).await;
    assert_eq!(exchange(&gateway, GET).await.0.status(), 200);
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn an_instance_that_does_not_speak_http2_is_unreachable_and_gets_no_request() {
    let stub =
        Stub::start("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", End::Close).await;
    let gateway = start(&[stub.address], PRIOR_KNOWLEDGE).await;
    let (answer, _) = exchange(&gateway, GET).await;
    assert_eq!((answer.status(), &*code(&answer)), (502, "upstream-unreachable"));
    gateway.stop().await.unwrap();
}
