//! The graceful shutdown.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use futures_util::stream;
use gateway_runtime::http::{Body, DrainOutcome, Handler, Peer};
use http::{Request, Response};
use hyper::body::Incoming;
use tokio::{
    net::TcpStream,
    sync::Semaphore,
    time::{Duration, sleep},
};

use super::support::{Drops, h2, h2_body, h2_get, ms, says, start, until, within};

/// Responds when released, one permit a request. Counts the requests that have begun.
fn held(gate: &Arc<Semaphore>, begun: &Drops) -> impl Handler + use<> {
    let (gate, begun) = (gate.clone(), begun.clone());
    move |_: Request<Incoming>, _: Peer| {
        drop(begun.mark());
        let gate = gate.clone();
        async move {
            gate.acquire().await.unwrap().forget();
            Response::new(Body::from("done"))
        }
    }
}

#[tokio::test]
async fn requests_in_flight_finish_and_idle_connections_close_at_once() {
    let (gate, begun) = (Arc::new(Semaphore::new(0)), Drops::default());
    let mut server =
        start(held(&gate, &begun), |config| config.workers = std::num::NonZero::new(2));
    let address = server.address;
    let untouched = server.connect().await;
    gate.add_permits(2);
    let mut fresh = server.connect().await;
    fresh.get("/").await;
    let mut parked = server.connect().await;
    parked.get("/").await;
    sleep(ms(100)).await;
    let mut busy = server.connect().await;
    busy.send("GET / HTTP/1.1\r\nhost: t\r\n\r\n").await;
    begun.reach(3).await;

    server.begin_stop();
    for (which, idle) in [("untouched", untouched), ("fresh", fresh), ("parked", parked)] {
        assert_eq!(idle.closed().await, (String::new(), false), "{which}");
    }
    within(async { while TcpStream::connect(address).await.is_ok() {} }).await;
    gate.add_permits(1);
    let answer = busy.answer().await;
    assert_eq!(answer.text(), "done");
    assert!(answer.has("connection: close"), "{answer:?}");
    assert_eq!(server.ended().await, DrainOutcome::Drained);
}

#[tokio::test]
async fn http2_streams_in_flight_finish() {
    let (gate, begun) = (Arc::new(Semaphore::new(0)), Drops::default());
    let mut server = start(held(&gate, &begun), |_| {});
    let mut client = h2(server.address).await;
    let (answer, _) =
        client.send_request(Request::get("http://t/").body(()).unwrap(), true).unwrap();
    begun.reach(1).await;
    server.begin_stop();
    // GOAWAY reaches the client: it may begin no more.
    within(async {
        while client.clone().ready().await.is_ok() {
            sleep(ms(5)).await;
        }
    })
    .await;
    gate.add_permits(1);
    assert_eq!(h2_body(within(answer).await.unwrap()).await.unwrap(), b"done");
    assert_eq!(server.ended().await, DrainOutcome::Drained);
}

#[tokio::test]
async fn idle_http2_connections_do_not_hold_up_the_end() {
    let server = start(says("hi"), |_| {});
    let mut client = h2(server.address).await;
    h2_body(h2_get(&mut client, "/").await).await.unwrap();
    let begun = Instant::now();
    assert_eq!(server.stop().await, DrainOutcome::Drained);
    assert!(begun.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn a_half_sent_head_may_be_finished() {
    let mut server = start(says("late"), |_| {});
    let mut client = server.connect().await;
    client.send("GET / HTTP/1.1\r\nhost: t\r\n").await;
    sleep(ms(50)).await;
    server.begin_stop();
    sleep(ms(50)).await;
    client.send("\r\n").await;
    let answer = client.answer().await;
    assert_eq!(answer.text(), "late");
    assert!(answer.has("connection: close"), "{answer:?}");
    assert_eq!(server.ended().await, DrainOutcome::Drained);
}

#[tokio::test]
async fn requests_beyond_the_drain_timeout_are_cut_and_counted() {
    let (gate, begun) = (Arc::new(Semaphore::new(0)), Drops::default());
    let server = start(held(&gate, &begun), |config| config.drain_timeout = ms(200));
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = server.connect().await;
        client.send("GET / HTTP/1.1\r\nhost: t\r\n\r\n").await;
        clients.push(client);
    }
    begun.reach(3).await;
    let from = Instant::now();
    assert_eq!(server.stop().await, DrainOutcome::Cut(3));
    assert!(
        from.elapsed() >= ms(200) && from.elapsed() < Duration::from_secs(5),
        "{:?}",
        from.elapsed()
    );
    for client in clients {
        client.closed().await;
    }
}

#[tokio::test]
async fn endless_responses_receive_the_shutdown_notice() {
    let handler = |_: Request<Incoming>, peer: Peer| async move {
        let ticks = stream::unfold((peer, true), |(peer, first)| async move {
            if !first {
                peer.stopping().await;
                return None;
            }
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b"tick")), (peer, false)))
        });
        Response::new(Body::stream(ticks))
    };
    let mut server = start(handler, |_| {});
    let mut client = server.connect().await;
    client.send("GET / HTTP/1.1\r\nhost: t\r\n\r\n").await;
    client.head().await;
    assert_eq!(client.take(9).await, b"4\r\ntick\r\n");
    server.begin_stop();
    assert_eq!(client.closed().await, ("0\r\n\r\n".to_owned(), false));
    assert_eq!(server.ended().await, DrainOutcome::Drained);
}

#[tokio::test]
async fn a_blocking_task_of_a_handler_does_not_hold_up_the_end_for_ever() {
    let begun = Drops::default();
    let seen = begun.clone();
    let handler = move |_: Request<Incoming>, _: Peer| {
        drop(seen.mark());
        async {
            tokio::task::spawn_blocking(|| std::thread::sleep(Duration::from_secs(6)));
            Response::new(Body::empty())
        }
    };
    let server = start(handler, |_| {});
    server.connect().await.get("/").await;
    until(|| begun.count() == 1).await;
    let from = Instant::now();
    assert_eq!(server.stop().await, DrainOutcome::Drained);
    assert!(from.elapsed() < Duration::from_secs(4), "{:?}", from.elapsed());
}
