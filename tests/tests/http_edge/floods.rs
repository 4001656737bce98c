//! HTTP/2 frames that bring no request on: a client may send some, and a flood of them closes its
//! connection.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{gateway::Gateway, wire::Wire};

const OPENING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

fn frame(kind: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, 0], &stream.to_be_bytes(), payload].concat()
}

#[tokio::test]
async fn floods_end_their_connection() {
    let gateway = Gateway::start().await;
    for (name, frame) in [
        ("PING", frame(6, 0, &[1; 8])),
        ("SETTINGS", frame(4, 0, &[0, 3, 0, 0, 0, 100])),
        ("PRIORITY", frame(2, 1, &[0, 0, 0, 0, 1])),
        ("unknown", frame(0xee, 0, &[0; 8])),
    ] {
        let stream = TcpStream::connect(gateway.address).await.unwrap();
        let (mut reading, mut writing) = stream.into_split();
        let sent = tokio::spawn(async move {
            // Ten times the limit. A client that is disconnected cannot send all.
            let _ = writing.write_all(&[OPENING, &frame.repeat(10_000)].concat()).await;
            writing
        });
        let mut space = [0; 4096];
        let ends = async { while let Ok(1..) = reading.read(&mut space).await {} };
        // Long before the idle timeout.
        timeout(Duration::from_secs(30), ends)
            .await
            .unwrap_or_else(|_| panic!("{name}: the connection goes on"));
        drop(sent.await.unwrap());
    }
    let mut quiet = Wire::to(gateway.address).await;
    quiet.send_bytes(OPENING).await;
    quiet.send_bytes(&frame(6, 0, &[7; 8]).repeat(500)).await;
    let mut pongs = 0;
    while pongs < 500 {
        pongs += usize::from(quiet.frame().await.kind == 6);
    }
}
