//! Clients that do not read.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Instant,
};

use bytes::Bytes;
use futures_util::stream;
use gateway_runtime::http::{Body, Handler, HttpSettings, Peer};
use http::{Request, Response};
use hyper::body::Incoming;
use tokio::time::sleep;

use super::support::{Drops, Mark, h2_with, ms, start, within};

const CHUNK: usize = 16 * 1024;

/// Streams without end, as fast as it is polled; counts the bytes that it yielded.
fn flood(yielded: &Arc<AtomicUsize>, dropped: &Drops) -> impl Handler + use<> {
    let (yielded, dropped) = (yielded.clone(), dropped.clone());
    move |_: Request<Incoming>, _: Peer| {
        let chunks = stream::unfold(
            (yielded.clone(), dropped.mark()),
            |(yielded, mark): (_, Mark)| async move {
                yielded.fetch_add(CHUNK, SeqCst);
                Some((Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; CHUNK])), (yielded, mark)))
            },
        );
        async { Response::new(Body::stream(chunks)) }
    }
}

fn impatient(config: &mut HttpSettings) {
    config.limits.write_timeout = ms(300);
}

#[tokio::test]
async fn client_that_reads_nothing_is_cut() {
    let (yielded, dropped) = (Arc::default(), Drops::default());
    let server = start(flood(&yielded, &dropped), impatient);
    for pipelined in ["", "GET / HTTP/1.1\r\nhost: t\r\n\r\n"] {
        let (before, gone) = (yielded.load(SeqCst), dropped.count());
        let mut client = server.connect().await;
        let begun = Instant::now();
        client.send(format!("GET / HTTP/1.1\r\nhost: t\r\n\r\n{pipelined}")).await;
        dropped.reach(gone + 1).await;
        assert!(begun.elapsed() >= ms(300), "{:?}", begun.elapsed());
        let held = yielded.load(SeqCst) - before;
        // The buffers of the kernel on both sides, and one buffer of the server's.
        assert!(held < 12 * 1024 * 1024, "{held} bytes were taken from the stream");
        let (_, reset) = client.closed().await;
        assert!(reset, "the kernel's buffers are freed too");
    }
}

#[tokio::test]
async fn client_that_reads_slowly_is_not_cut() {
    let (yielded, dropped) = (Arc::default(), Drops::default());
    let server = start(flood(&yielded, &dropped), impatient);
    let mut client = server.connect().await;
    client.send("GET / HTTP/1.1\r\nhost: t\r\n\r\n").await;
    let begun = Instant::now();
    while begun.elapsed() < ms(1500) {
        client.take(4 * 1024 * 1024).await;
        sleep(ms(100)).await;
    }
    assert_eq!(dropped.count(), 0);
}

#[tokio::test]
async fn http2_client_that_opens_no_window_is_cut() {
    for window in [0, 1, 100_000] {
        let (yielded, dropped) = (Arc::default(), Drops::default());
        let server = start(flood(&yielded, &dropped), impatient);
        let mut builder = h2::client::Builder::new();
        builder.initial_window_size(window);
        let mut client = h2_with(server.address, &builder).await;
        let begun = Instant::now();
        // Its responses are held, and never read.
        let mut answers = Vec::new();
        for _ in 0..10 {
            answers.push(
                client.send_request(Request::get("http://t/").body(()).unwrap(), true).unwrap(),
            );
        }
        dropped.reach(10).await;
        assert!(begun.elapsed() >= ms(300), "{:?}", begun.elapsed());
        let held: usize = yielded.load(SeqCst);
        assert!(held < 10 * 200_000, "{held} bytes were taken from the streams");
    }
}

#[tokio::test]
async fn unread_http2_response_is_cut_beside_others_that_are_read() {
    let (yielded, dropped) = (Arc::default(), Drops::default());
    let server = start(flood(&yielded, &dropped), impatient);
    let mut builder = h2::client::Builder::new();
    // Unread data does not use up the window of the connection.
    builder.initial_window_size(100_000).initial_connection_window_size(1_000_000);
    let mut client = h2_with(server.address, &builder).await;
    let get = || Request::get("http://t/").body(()).unwrap();
    // Before the requests: the server's clock runs from the first byte that the client does not
    // read.
    let begun = Instant::now();
    let (unread, _) = client.send_request(get(), true).unwrap();
    let (read, _) = client.send_request(get(), true).unwrap();
    let mut read = within(read).await.unwrap().into_body();
    // The other response progresses all the time.
    while dropped.count() == 0 {
        let data = within(read.data()).await.unwrap().unwrap();
        read.flow_control().release_capacity(data.len()).unwrap();
        assert!(begun.elapsed() < ms(20_000), "it is held for ever");
    }
    assert!(begun.elapsed() >= ms(300), "{:?}", begun.elapsed());
    let data = within(read.data()).await.unwrap().unwrap();
    assert!(!data.is_empty());
    assert_eq!(dropped.count(), 1);
    drop(unread);
}

#[tokio::test]
async fn a_large_body_waits_in_pieces_for_an_http2_window() {
    let dropped = Drops::default();
    let mark = dropped.clone();
    /// Bytes that count their drop.
    struct Large(Vec<u8>, #[expect(dead_code, reason = "dropped with the bytes")] Mark);
    impl AsRef<[u8]> for Large {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
    let handler = move |_: Request<Incoming>, _: Peer| {
        let body = Body::from(Bytes::from_owner(Large(vec![b'x'; 1_000_000], mark.mark())));
        async move { Response::new(body) }
    };
    let server = start(handler, impatient);
    let mut client =
        h2_with(server.address, h2::client::Builder::new().initial_window_size(1)).await;
    let answer = client.send_request(Request::get("http://t/").body(()).unwrap(), true).unwrap();
    dropped.reach(1).await;
    drop(answer);
}

#[tokio::test]
async fn response_that_waits_for_its_own_next_chunk_is_no_stall() {
    let handler = |_: Request<Incoming>, _: Peer| async {
        let chunks = stream::unfold(0, |n| async move {
            if n == 1 {
                sleep(ms(1200)).await;
            }
            (n < 2).then(|| (Ok::<_, std::io::Error>(Bytes::from_static(b"chunk")), n + 1))
        });
        Response::new(Body::stream(chunks))
    };
    let server = start(handler, |config| {
        impatient(config);
        config.limits.keep_alive = ms(300);
        config.limits.header_timeout = ms(300);
    });
    assert_eq!(server.connect().await.get("/").await.text(), "chunkchunk");
    let mut client = h2_with(server.address, &h2::client::Builder::new()).await;
    let answer = super::support::h2_get(&mut client, "/").await;
    assert_eq!(within(super::support::h2_body(answer)).await.unwrap(), b"chunkchunk");
}
