//! A compressed stream whose items are all ready: the worker sends them, and serves its other
//! connections.

use std::{
    io::{ErrorKind, Write},
    net::TcpStream,
    sync::Mutex,
};

use futures_util::stream;
use gateway_runtime::prelude::*;
use tokio::sync::oneshot;

use super::{gateway::Gateway, services::Ticket, wire::Wire};

const ITEMS: u32 = 2000;

/// The clients of a stream, for which its own items act, so that the order of events does not
/// depend on time.
struct Clients {
    /// The reader of the stream.
    own: TcpStream,
    other: TcpStream,
    /// The number of bytes that had arrived at each client when the last item was produced.
    seen: oneshot::Sender<[usize; 2]>,
}

static CLIENTS: Mutex<Option<Clients>> = Mutex::new(None);

fn arrived(client: &TcpStream) -> usize {
    match client.peek(&mut [0; 4096]) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
        Err(error) => panic!("{error}"),
    }
}

/// Streams items that are ready.
#[service(name = "dense")]
struct Dense;

#[service]
impl Dense {
    #[expose_method(GET)]
    async fn count(&self) -> Result<Streaming<u32>> {
        let mut clients = CLIENTS.lock().unwrap().take();
        Ok(Streaming::new(stream::iter((0..ITEMS).map(move |item| {
            if item == ITEMS / 10 {
                let request = b"GET /services/edge/v1/sum HTTP/1.1\r\nHost: a\r\n\r\n";
                clients.as_mut().unwrap().other.write_all(request).unwrap();
            }
            if item == ITEMS - 1 {
                let Clients { own, other, seen } = clients.take().unwrap();
                seen.send([arrived(&own), arrived(&other)]).unwrap();
            }
            Ok::<_, Error>(item)
        }))))
    }
}

#[tokio::test]
async fn compressed_stream_of_ready_items_yields_to_other_connections() {
    let gateway = Gateway::start().await;
    for coding in ["gzip", "br"] {
        let connect = || TcpStream::connect(gateway.address).unwrap();
        let (own, other) = (connect(), connect());
        let mut wire = Wire::of(own.try_clone().unwrap());
        other.set_nonblocking(true).unwrap();
        let (seen, last) = oneshot::channel();
        *CLIENTS.lock().unwrap() = Some(Clients { own, other, seen });
        wire.send(&format!(
            "GET /services/dense/v1/count HTTP/1.1\r\nHost: a\r\nAccept-Encoding: {coding}\r\n\
             Connection: close\r\n\r\n"
        ))
        .await;
        let [own, other] = last.await.unwrap();
        assert!(own > 0, "{coding}: the first items were sent before the last was taken");
        assert!(other > 0, "{coding}: another connection was answered meanwhile");
        let answer = wire.answer(false).await;
        assert_eq!((answer.whole, answer.header("content-encoding")), (true, Some(coding)));
    }
}

#[tokio::test]
async fn a_compressed_stream_ends_when_its_client_leaves() {
    let gateway = Gateway::start().await;
    for coding in ["gzip", "br"] {
        let name = format!("turns-{coding}");
        let mut wire = Wire::to(gateway.address).await;
        let path = format!("/services/edge/v1/flood?name={name}");
        wire.send(&format!("GET {path} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: {coding}\r\n\r\n"))
            .await;
        wire.read_until("\r\n\r\n").await.unwrap();
        drop(wire);
        Ticket::named(&name).until(|state| state.dropped == 1).await;
    }
}
