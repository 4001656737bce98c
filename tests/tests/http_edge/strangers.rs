//! The memory that anonymous clients can make a gateway use by request bodies, in a process of its
//! own.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::join_all;
use gateway_runtime::prelude::*;
use http_body_util::Full;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use super::{frames::frame, wire::Wire};

const SETTINGS: &str = "SETTINGS_OF_THE_GATEWAY_OF_STRANGERS";
/// The documented limit, in KiB.
const MOST: u64 = 128 * 1024;
const MIB: usize = 1 << 20;

/// Receives large bodies.
#[service(name = "keeper")]
struct Keeper;

#[service]
impl Keeper {
    /// Returns the length of a text.
    #[expose_method(POST, auth = required)]
    async fn keep(&self, text: String) -> Result<usize> {
        Ok(text.len())
    }

    /// Does the same as `keep`, without authentication.
    #[expose_method(POST, auth = none)]
    async fn measure(&self, text: String) -> Result<usize> {
        Ok(text.len())
    }
}

/// The gateway: this program again, with only this test.
#[test]
#[ignore = "what other tests start"]
fn serve() {
    let Ok(settings) = std::env::var(SETTINGS) else { return };
    Gateway::from_toml(&settings).unwrap().run().unwrap();
}

struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    fn start() -> Self {
        let settings = "http.listen = '127.0.0.1:0'
            http.workers = 2
            auth.internal_key = '0123456789abcdef0123456789abcdef'
            secrets = { EDGE_WEBHOOK_SECRET = 'not used', EMAIL_WEBHOOK_SECRET = 'not used' }
            routes.reports.dispatch = 'bus'";
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "http_edge::strangers::serve", "--nocapture"])
            .env(SETTINGS, settings)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().expect("it ended before it listened").unwrap();
            if let Some((_, address)) = line.split_once("http://") {
                let end = address
                    .find(|c: char| !c.is_ascii_digit() && c != '.' && c != ':')
                    .unwrap_or(address.len());
                break address[..end].parse().unwrap();
            }
        };
        // The child would block on a full pipe that nobody reads.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    /// Returns the peak of memory, in KiB.
    fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches("kB").trim().parse().unwrap()
    }

    /// Connects from another address of this machine.
    async fn connect(&self, from: [u8; 4]) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((from, 0).into()).unwrap();
        socket.connect(self.address).await.unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Sends a head that announces 16 MiB, and all of them but ten bytes; returns the response, if
/// there is one within a time limit.
async fn all_but_the_end(mut stream: TcpStream) -> (TcpStream, Option<String>) {
    let head =
        format!("POST /reports/x HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", 16 * MIB);
    let sending = async {
        stream.write_all(head.as_bytes()).await?;
        for sent in 0..256 {
            let length = if sent == 255 { 64 * 1024 - 10 } else { 64 * 1024 };
            stream.write_all(&vec![b'x'; length]).await?;
        }
        Ok::<_, std::io::Error>(())
    };
    // A client that is refused cannot send all.
    let _ = timeout(Duration::from_secs(30), sending).await;
    let mut buffer = vec![0; 4096];
    let read = timeout(Duration::from_millis(500), stream.read(&mut buffer)).await;
    let answer = read.ok().and_then(Result::ok).filter(|length| *length > 0);
    (stream, answer.map(|length| String::from_utf8_lossy(&buffer[..length]).into_owned()))
}

async fn send_whole(mut stream: TcpStream, mib: usize) -> String {
    let head = format!(
        "POST /services/keeper/v1/measure HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
         Connection: close\r\n\
         Content-Length: {}\r\n\r\n",
        mib * MIB
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(format!("\"{}\"", "x".repeat(mib * MIB - 2)).as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn bodies_for_the_bus_are_buffered_within_a_budget() {
    let gateway = Process::start();
    let at_first = gateway.peak();
    let attack =
        (0..60).map(|_| async { all_but_the_end(gateway.connect([127, 0, 0, 2]).await).await });
    let held = join_all(attack).await;
    let refused: Vec<_> = held.iter().filter_map(|(_, answer)| answer.as_deref()).collect();
    assert!(!refused.is_empty());
    for answer in &refused {
        assert!(
            answer.starts_with("HTTP/1.1 503") && answer.contains("\"overloaded\""),
            "{answer}"
        );
        assert!(
            answer.contains("\r\nretry-after: 1\r\n") && answer.contains("\r\nx-request-id: "),
            "{answer}"
        );
    }
    let peak = gateway.peak();
    println!(
        "60 bodies of 16 MiB for the bus: {} MiB -> {} MiB, {} refused",
        at_first / 1024,
        peak / 1024,
        refused.len()
    );
    assert!(peak <= MOST, "{peak} KiB");
    // Another address has its own share.
    let other = send_whole(gateway.connect([127, 0, 0, 3]).await, 1).await;
    assert!(other.starts_with("HTTP/1.1 200"), "{other}");
    drop(held);
    // The budget is released afterwards.
    timeout(Duration::from_secs(20), async {
        while !send_whole(gateway.connect([127, 0, 0, 2]).await, 1)
            .await
            .starts_with("HTTP/1.1 200")
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn bodies_of_anonymous_callers_are_not_read() {
    let gateway = Process::start();
    let at_first = gateway.peak();
    let stream = TcpStream::connect(gateway.address).await.unwrap();
    let (client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    let body = Bytes::from(format!("\"{}\"", "x".repeat(MIB - 2)));
    let calls = (0..100).map(|_| {
        let request = http::Request::post("http://a/services/keeper/v1/keep");
        let request = request
            .header("content-type", "application/json")
            .body(Full::new(body.clone()))
            .unwrap();
        let mut client = client.clone();
        async move { client.send_request(request).await.unwrap().status() }
    });
    let statuses = timeout(Duration::from_secs(60), join_all(calls)).await.unwrap();
    assert!(statuses.iter().all(|status| *status == 401), "{statuses:?}");
    let peak = gateway.peak();
    println!(
        "100 streams of 1 MiB without credentials: {} MiB -> {} MiB",
        at_first / 1024,
        peak / 1024
    );
    assert!(peak <= MOST && peak - at_first < 16 * 1024, "{at_first} KiB -> {peak} KiB");
}

#[tokio::test]
async fn anonymous_call_is_refused_at_the_head_and_has_a_row() {
    let folder = std::env::temp_dir().join(format!("gateway-strangers-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let settings = format!(
        "http.listen = '127.0.0.1:0'\nadmin.listen = '127.0.0.1:0'\nstore.path = '{}'\n\
         auth.internal_key = '0123456789abcdef0123456789abcdef'\n\
         secrets = {{ EDGE_WEBHOOK_SECRET = 'not used', EMAIL_WEBHOOK_SECRET = 'not used' }}\n\
         routes.reports = {{ dispatch = 'bus', auth = true }}",
        folder.join("books.db").display()
    );
    let gateway = Gateway::from_toml(&settings).unwrap().start().await.unwrap();
    for (path, media) in [
        ("/services/keeper/v1/keep", "application/json"),
        ("/services/keeper/v1/keep", "text/plain"),
        ("/reports/x", "text/plain"),
    ] {
        // No byte of the body is sent, and none is requested; the announced length exceeds the
        // limit.
        for expect in ["", "Expect: 100-continue\r\n"] {
            let mut wire = Wire::to(gateway.address()).await;
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: {media}\r\nContent-Length: \
                 99000000\r\n{expect}\
                 X-Request-Id: stranger-{}\r\n\r\n",
                expect.len()
            );
            wire.send(&head).await;
            let answer = wire.answer(false).await;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (401, "unauthenticated"),
                "{path} {media} {expect}"
            );
        }
    }
    let mut rows = Value::Null;
    for _ in 0..500 {
        let mut wire = Wire::to(gateway.admin_address().unwrap()).await;
        wire.send(
            "GET /admin/requests?code=unauthenticated&method=keep HTTP/1.1\r\nHost: \
            localhost\r\n\r\n",
        )
        .await;
        rows = wire.answer(false).await.json();
        if rows["items"].as_array().is_some_and(|items| items.len() == 4) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(rows["items"].as_array().map(Vec::len), Some(4), "{rows}");
    gateway.stop().await.unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}

/// Opens a WebSocket, and sends half of a message: a fragment, and another frame without its end.
async fn half_of_a_message(mut stream: TcpStream) -> (TcpStream, Vec<u8>) {
    let handshake = "GET /services/_ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: \
        upgrade\r\n\
                     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \
                     dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(handshake.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let mut half = frame(0x01, &vec![b'x'; MIB / 2]);
    let mut rest = frame(0x00, &vec![b'x'; MIB / 2 - 1]);
    rest.truncate(rest.len() - 1);
    half.extend(rest);
    // A client that is refused cannot send all.
    let _ = timeout(Duration::from_secs(30), stream.write_all(&half)).await;
    let mut answer = vec![0; 256];
    let read = timeout(Duration::from_secs(4), stream.read(&mut answer)).await;
    answer.truncate(read.map_or(0, |read| read.unwrap_or(0)));
    (stream, answer)
}

#[tokio::test]
async fn halves_of_websocket_messages_are_buffered_within_a_budget() {
    let gateway = Process::start();
    let at_first = gateway.peak();
    let attack =
        (0..120).map(|_| async { half_of_a_message(gateway.connect([127, 0, 0, 4]).await).await });
    let held = join_all(attack).await;
    // Some are closed with 1013, and the others wait.
    let refused = held.iter().filter(|(_, answer)| {
        answer.starts_with(&[0x88]) && answer[2..4] == 1013_u16.to_be_bytes()
    });
    let refused = refused.count();
    let peak = gateway.peak();
    println!(
        "120 halves of WebSocket messages of 1 MiB: {} MiB -> {} MiB, {refused} refused",
        at_first / 1024,
        peak / 1024
    );
    assert!(refused >= 60 && peak <= MOST, "{refused} refused, {peak} KiB");
    // Another address has its own share.
    let (_other, answer) = half_of_a_message(gateway.connect([127, 0, 0, 5]).await).await;
    assert!(answer.is_empty(), "{answer:?}");
    drop(held);
    // The budget is released afterwards.
    timeout(Duration::from_secs(20), async {
        while !half_of_a_message(gateway.connect([127, 0, 0, 4]).await).await.1.is_empty() {}
    })
    .await
    .unwrap();
}
