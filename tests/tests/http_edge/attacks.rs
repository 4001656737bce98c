//! The memory that one client can make the gateway use by sending without end and reading nothing.
//!
//! Each attack has a gateway in a process of its own; the kernel reports the peak of resident
//! memory.

use std::{
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{frames::frame, gateway::Gateway};

/// The limit of the gateway's memory.
const MAX_PEAK: u64 = 128 << 20;
const MIB: usize = 1 << 20;
/// The time without progress after which the gateway is considered to have stopped reading.
const STOPPED: Duration = Duration::from_secs(1);
/// A GET, which reads no body, with an endless response.
const STREAM: &str = "/services/edge/v1/count?name=attack&count=2";
const LISTENS: &str = "the gateway listens at ";

/// The gateway that is attacked: this program again, with only this test. Its parent ends it.
#[tokio::test]
#[ignore = "what other tests start"]
async fn serve() {
    let gateway = Gateway::start().await;
    println!("\n{LISTENS}{}", gateway.address);
    tokio::time::sleep(Duration::from_secs(300)).await;
}

struct Victim {
    child: Child,
    address: SocketAddr,
}

impl Victim {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "http_edge::attacks::serve", "--nocapture"])
            // A backtrace of a panic, such as that of a call which waits in vain, would be most of
            // the memory.
            .env("RUST_BACKTRACE", "0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix(LISTENS)?.parse().ok())
            .unwrap();
        Self { child, address }
    }

    /// Returns the peak of memory, in bytes.
    fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Returns whether the gateway still serves other clients.
    fn serves(&self) -> bool {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
            .write_all(
                b"GET /services/edge/v1/sum?terms=1 HTTP/1.1\r\nHost: a\r\nConnection: \
                close\r\n\r\n",
            )
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.starts_with("HTTP/1.1 200 ") && answer.ends_with('1')
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A way to send without end.
struct Attack {
    name: &'static str,
    opening: Vec<u8>,
    /// Whether to wait for the response to the opening before more is sent.
    waits: bool,
    /// Returns the bytes to send for each number.
    unit: Box<dyn Fn(u32) -> Vec<u8> + Send>,
    /// The number of bytes to send if all are read: buffered together, they would exceed the limit.
    bytes: usize,
}

impl Attack {
    /// Sends until all is sent, the gateway stops reading, or it closes. Returns the number of
    /// bytes and the outcome.
    fn run(&self, address: SocketAddr) -> (usize, &'static str) {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(&self.opening).unwrap();
        if self.waits {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                head.extend(byte);
            }
        }
        stream.set_write_timeout(Some(STOPPED)).unwrap();
        let begun = Instant::now();
        let (mut sent, mut number) = (0, 0);
        while sent < self.bytes && begun.elapsed() < Duration::from_secs(30) {
            let mut block = Vec::with_capacity(80 * 1024);
            while block.len() < 64 * 1024 {
                block.extend((self.unit)(number));
                number += 1;
            }
            match stream.write_all(&block) {
                Ok(()) => sent += block.len(),
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    return (sent, "it reads no more");
                }
                Err(_) => return (sent, "it hung up"),
            }
        }
        // The gateway reads the bytes in flight while the connection is still open.
        thread::sleep(Duration::from_millis(300));
        (sent, "all was taken")
    }
}

fn websocket(
    name: &'static str,
    bytes: usize,
    unit: impl Fn(u32) -> Vec<u8> + Send + 'static,
) -> Attack {
    let opening = "GET /services/_ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: \
        upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    Attack { name, opening: opening.into(), waits: true, unit: Box::new(unit), bytes }
}

fn text(json: &str) -> Vec<u8> {
    frame(0x81, json.as_bytes())
}

/// Returns a frame of HTTP/2 (RFC 9113 §4.1).
fn h2_frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Returns a request head without END_STREAM: HPACK with the static table and literals.
fn h2_head(stream: u32, flags: u8, path: &str) -> Vec<u8> {
    let method: u8 = if path.contains("v1/note") { 0x83 } else { 0x82 };
    let block = [&[method, 0x86, 0x01, 1, b'a', 0x04, path.len() as u8], path.as_bytes()].concat();
    h2_frame(1, flags, stream, &block)
}

fn http2(
    name: &'static str,
    bytes: usize,
    unit: impl Fn(u32) -> Vec<u8> + Send + 'static,
) -> Attack {
    let mut opening = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    opening.extend(h2_frame(4, 0, 0, b""));
    opening.extend(h2_frame(4, 1, 0, b""));
    Attack { name, opening, waits: false, unit: Box::new(unit), bytes }
}

fn http2_body(
    name: &'static str,
    bytes: usize,
    path: &str,
    unit: impl Fn(u32) -> Vec<u8> + Send + 'static,
) -> Attack {
    let mut attack = http2(name, bytes, unit);
    attack.opening.extend(h2_head(1, 4, path));
    attack
}

fn attacks() -> Vec<Attack> {
    let long = "x".repeat(1000);
    let batch = format!("[{}]", vec![r#"{"jsonrpc":"2.0","id":1,"method":"none"}"#; 64].join(","));
    let unknown = text(&format!(r#"{{"jsonrpc":"2.0","id":"{long}","method":"none"}}"#));
    let cancel = text(&format!(
        r#"{{"jsonrpc":"2.0","id":"{long}","method":"cancel","params":{{"id":1}}}}"#
    ));
    let long_id =
        text(&format!(r#"{{"jsonrpc":"2.0","id":"{}","method":"none"}}"#, "x".repeat(MIB - 100)));
    let zeros = vec!["0"; MIB / 2 - 100].join(",");
    let input = format!(r#"{{"name":"attack","more":[{zeros}]}}"#);
    let waits =
        text(&format!(r#"{{"jsonrpc":"2.0","id":1,"method":"edge.v1.wait","params":{input}}}"#));
    let stream = |number| {
        format!(
            r#"{{"jsonrpc":"2.0","id":{number},"method":"edge.v1.flood","params":{{"name":"a"}}}}"#
        )
    };
    let cancelled = move |number| {
        let cancel = format!(r#"{{"jsonrpc":"2.0","method":"cancel","params":{{"id":{number}}}}}"#);
        let wait = format!(
            r#"{{"jsonrpc":"2.0","id":{number},"method":"edge.v1.wait","params":{{"name":"attack"}}}}"#
        );
        [text(&wait), text(&cancel)].concat()
    };
    let ping = frame(0x89, &[b'p'; 125]);
    let pong = frame(0x8a, &[b'p'; 125]);
    let fragment = frame(0x01, b"");
    let (no_json, batch) = (text("x"), text(&batch));
    vec![
        websocket("WebSocket: pings", 200 * MIB, move |_| ping.clone()),
        websocket("WebSocket: pongs", 90 * MIB, move |_| pong.clone()),
        websocket("WebSocket: empty fragments", 5 * MIB, move |number| {
            if number == 0 { fragment.clone() } else { frame(0, b"") }
        }),
        websocket("WebSocket: no JSON", 5 * MIB, move |_| no_json.clone()),
        websocket("WebSocket: no such method", 200 * MIB, move |_| unknown.clone()),
        websocket("WebSocket: ids of a megabyte", 100 * MIB, move |_| long_id.clone()),
        websocket("WebSocket: batches of refusals", 50 * MIB, move |_| batch.clone()),
        websocket("WebSocket: cancels of nothing", 200 * MIB, move |_| cancel.clone()),
        websocket("WebSocket: cancelled calls", 50 * MIB, cancelled),
        websocket("WebSocket: calls with long inputs", 30 * MIB, move |_| waits.clone()),
        websocket("WebSocket: streams", 50 * MIB, move |number| text(&stream(number))),
        http2("HTTP/2: PING", 50 * MIB, |_| h2_frame(6, 0, 0, &[1; 8])),
        http2("HTTP/2: SETTINGS", 50 * MIB, |_| h2_frame(4, 0, 0, &[0, 3, 0, 0, 0, 100])),
        http2("HTTP/2: PRIORITY", 5 * MIB, |number| {
            h2_frame(2, 0, 2 * number + 1, &[0, 0, 0, 0, 1])
        }),
        http2("HTTP/2: WINDOW_UPDATE", 5 * MIB, |_| h2_frame(8, 0, 0, &[0, 0, 0, 1])),
        http2("HTTP/2: unknown frames", 5 * MIB, |_| h2_frame(0xee, 0, 0, &[0; 8])),
        http2("HTTP/2: heads", 10 * MIB, |number| h2_head(2 * number + 1, 5, "/none")),
        http2("HTTP/2: heads with resets", 10 * MIB, |number| {
            let stream = 2 * number + 1;
            [h2_head(stream, 5, "/services/edge/v1/never"), h2_frame(3, 0, stream, &[0, 0, 0, 8])]
                .concat()
        }),
        http2("HTTP/2: empty CONTINUATION", 5 * MIB, |number| {
            if number == 0 { h2_head(1, 0, "/none") } else { h2_frame(9, 0, 1, b"") }
        }),
        http2("HTTP/2: CONTINUATION", 100 * MIB, |number| {
            // A field whose value has 16,000 bytes.
            let field = [&[0x00, 1, b'a', 0x7f, 0x81, 0x7c], [b'v'; 16_000].as_slice()].concat();
            if number == 0 { h2_head(1, 0, "/none") } else { h2_frame(9, 0, 1, &field) }
        }),
        http2_body("HTTP/2: empty DATA that is read", 5 * MIB, "/services/edge/v1/note", |_| {
            h2_frame(0, 0, 1, b"")
        }),
        http2_body("HTTP/2: empty DATA that nobody reads", 5 * MIB, STREAM, |_| {
            h2_frame(0, 0, 1, b"")
        }),
        http2_body("HTTP/2: DATA of one byte", 5 * MIB, STREAM, |_| h2_frame(0, 0, 1, b"x")),
        http2_body("HTTP/2: DATA of padding", 50 * MIB, STREAM, |_| {
            h2_frame(0, 8, 1, &[&[200], [0; 200].as_slice()].concat())
        }),
    ]
}

#[test]
fn client_uses_at_most_128_mib_of_memory() {
    let attack = |attack: &Attack| {
        let victim = Victim::start();
        let before = victim.peak();
        let (sent, end) = attack.run(victim.address);
        let peak = victim.peak();
        let mib = |bytes: u64| bytes as f64 / MIB as f64;
        let figure = format!(
            "{}: {:.1} MiB sent ({end}), {:.1} MiB at most, {:.1} before",
            attack.name,
            mib(sent as u64),
            mib(peak),
            mib(before)
        );
        eprintln!("{figure}");
        assert!(peak <= MAX_PEAK, "{figure}");
        assert!(victim.serves(), "{figure}");
    };
    // Several at a time: most of the time passes waiting for a response that does not come.
    let mut lanes: [Vec<Attack>; 4] = Default::default();
    for (place, one) in attacks().into_iter().enumerate() {
        lanes[place % 4].push(one);
    }
    thread::scope(|scope| {
        for lane in lanes {
            scope.spawn(move || lane.iter().for_each(attack));
        }
    });
}
