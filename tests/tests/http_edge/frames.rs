//! WebSocket frames byte for byte: RFC 6455's allowed and forbidden frames, closing by either side,
//! and the handshake's checks.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{gateway::Gateway, services::Ticket, wire::Wire};
use gateway_runtime::http::{HttpSettings, WebSocketSettings};

const HANDSHAKE: &str = "GET /services/_ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\
    Connection: upgrade\r\n\
     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
const FIN: u8 = 0x80;

/// Returns a frame of a client: its first byte, then the masked payload.
pub(super) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x11, 0x22, 0x33, 0x44];
    let mut frame = vec![first];
    match payload.len() {
        short @ 0..126 => frame.push(0x80 | short as u8),
        middle @ 126..65536 => {
            frame.push(0x80 | 126);
            frame.extend((middle as u16).to_be_bytes());
        }
        long => {
            frame.push(0x80 | 127);
            frame.extend((long as u64).to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// A frame of the server: its opcode and payload.
type Frame = (u8, Vec<u8>);

fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(FIN | CLOSE, &[&code.to_be_bytes(), reason].concat())
}

/// A client that sends arbitrary bytes.
struct Client(TcpStream);

impl Client {
    async fn to(gateway: &Gateway) -> Self {
        let mut stream = TcpStream::connect(gateway.address).await.unwrap();
        stream.write_all(HANDSHAKE.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
        Self(stream)
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// Returns the next frame of the server, whose frames are never masked or fragmented; `None` at
    /// a clean end of the TCP connection.
    async fn next(&mut self) -> Option<Frame> {
        timeout(Duration::from_secs(10), async {
            let first = match self.0.read_u8().await {
                Ok(first) => first,
                Err(end) if end.kind() == std::io::ErrorKind::UnexpectedEof => return None,
                Err(error) => panic!("no clean end: {error}"),
            };
            assert_eq!(first & 0xf0, FIN);
            let length = match self.0.read_u8().await.unwrap() {
                126 => self.0.read_u16().await.unwrap().into(),
                short => usize::from(short),
            };
            let mut payload = vec![0; length];
            self.0.read_exact(&mut payload).await.unwrap();
            Some((first & 0x0f, payload))
        })
        .await
        .expect("the server says nothing")
    }

    /// Returns the payload of the final Close, after checking that the connection ends with it.
    async fn closed(&mut self) -> Vec<u8> {
        let (opcode, payload) = self.next().await.expect("a Close before the end");
        assert_eq!(opcode, CLOSE, "{}", String::from_utf8_lossy(&payload));
        assert_eq!(self.next().await, None, "nothing follows a Close");
        payload
    }
}

const CALL: &[u8] = br#"{"jsonrpc":"2.0","id":"1","method":"spec.v1.get_data"}"#;

async fn gateway() -> Gateway {
    let websocket = WebSocketSettings { message_bytes: 1000, ..WebSocketSettings::default() };
    Gateway::with(HttpSettings { websocket, ..HttpSettings::default() }, Vec::new()).await
}

/// The frames to send, and the frames of the response.
type Case<'a> = (&'a str, Vec<Vec<u8>>, Vec<Frame>);

#[tokio::test]
async fn allowed_frames_are_read() {
    let gateway = gateway().await;
    let pong = |payload: &[u8]| (PONG, payload.to_vec());
    let answer = || (TEXT, br#"{"jsonrpc":"2.0","result":["hello",5],"id":"1"}"#.to_vec());
    // An id whose first character, of two bytes, is split.
    let umlaut = "{\"jsonrpc\":\"2.0\",\"id\":\"ä1\",\"method\":\"spec.v1.get_data\"}".as_bytes();
    let at = umlaut.iter().position(|byte| *byte == 0xc3).unwrap() + 1;
    let (of_125, of_950) = (vec![b'p'; 125], vec![b' '; 900]);
    let cases: Vec<Case<'_>> = vec![
        ("a text in one frame", vec![frame(FIN | TEXT, CALL)], vec![answer()]),
        (
            "in three frames",
            vec![frame(TEXT, &CALL[..9]), frame(0, &CALL[9..20]), frame(FIN, &CALL[20..])],
            vec![answer()],
        ),
        (
            "in empty frames too",
            vec![frame(TEXT, b""), frame(0, CALL), frame(0, b""), frame(FIN, b"")],
            vec![answer()],
        ),
        (
            "with control frames between",
            vec![
                frame(TEXT, &CALL[..9]),
                frame(FIN | PING, b"a"),
                frame(FIN | PONG, b"b"),
                frame(FIN, &CALL[9..]),
            ],
            vec![pong(b"a"), answer()],
        ),
        (
            "a letter in two frames",
            vec![frame(TEXT, &umlaut[..at]), frame(FIN, &umlaut[at..])],
            vec![(TEXT, "{\"jsonrpc\":\"2.0\",\"result\":[\"hello\",5],\"id\":\"ä1\"}".into())],
        ),
        ("a length of 16 bits", vec![frame(FIN | TEXT, &[CALL, &of_950].concat())], vec![answer()]),
        (
            "pings with nothing and with most",
            vec![frame(FIN | PING, b""), frame(FIN | PING, &of_125)],
            vec![pong(b""), pong(&of_125)],
        ),
        (
            "a pong that nobody waits for",
            vec![frame(FIN | PONG, &of_125), frame(FIN | TEXT, CALL)],
            vec![answer()],
        ),
    ];
    for (name, sent, expected) in cases {
        // In one write, and byte by byte.
        let mut client = Client::to(&gateway).await;
        for at_once in [true, false] {
            for frame in &sent {
                for piece in frame.chunks(if at_once { frame.len() } else { 1 }) {
                    client.send(piece).await;
                }
                // Of several pings, the last alone may be answered (RFC 6455 §5.5.3).
                if frame[0] == FIN | PING {
                    assert_eq!(client.next().await.unwrap().0, PONG, "{name}");
                }
            }
            for expected in expected.iter().filter(|(opcode, _)| *opcode != PONG) {
                assert_eq!(client.next().await.as_ref(), Some(expected), "{name}");
            }
        }
        client.send(&close(1000, b"")).await;
        assert_eq!(client.closed().await, 1000_u16.to_be_bytes(), "{name}");
    }
    let mut client = Client::to(&gateway).await;
    client.send(&frame(FIN | PING, b"whose")).await;
    assert_eq!(client.next().await, Some(pong(b"whose")));
}

#[tokio::test]
async fn forbidden_frames_close_with_their_code() {
    let gateway = gateway().await;
    let long = vec![b' '; 1001];
    let mut cases: Vec<(String, u16, Vec<Vec<u8>>)> = Vec::new();
    for bit in [0x40, 0x20, 0x10] {
        cases.push((format!("reserved bit {bit:#x}"), 1002, vec![frame(FIN | bit | TEXT, CALL)]));
        cases.push((
            format!("reserved bit {bit:#x} of a ping"),
            1002,
            vec![frame(FIN | bit | PING, b"")],
        ));
    }
    for opcode in (3..8).chain(11..16) {
        cases.push((format!("opcode {opcode}"), 1002, vec![frame(FIN | opcode, b"x")]));
    }
    for control in [CLOSE, PING, PONG] {
        cases.push((
            format!("fragmented control frame {control}"),
            1002,
            vec![frame(control, b"")],
        ));
        cases.push((
            format!("control frame {control} of 126 bytes"),
            1002,
            vec![frame(FIN | control, &long[..126])],
        ));
    }
    let mut case =
        |name: &str, code, frames: Vec<Vec<u8>>| cases.push((name.to_owned(), code, frames));
    case("not masked", 1002, vec![[&[FIN | TEXT, CALL.len() as u8], CALL].concat()]);
    case("not masked and empty", 1002, vec![vec![FIN | PING, 0]]);
    case("a continuation of nothing", 1002, vec![frame(FIN, CALL)]);
    // A notification, which has no response.
    let (begun, ended) = br#"{"jsonrpc":"2.0","method":"none"}"#.split_at(9);
    case(
        "a continuation after the end",
        1002,
        vec![frame(TEXT, begun), frame(FIN, ended), frame(FIN, b"")],
    );
    case("a text within a text", 1002, vec![frame(TEXT, &CALL[..9]), frame(FIN | TEXT, CALL)]);
    case("no UTF-8", 1007, vec![frame(FIN | TEXT, b"\xff")]);
    case("half a letter", 1007, vec![frame(FIN | TEXT, b"\xc3")]);
    case(
        "half a letter in the last of two frames",
        1007,
        vec![frame(TEXT, b"a"), frame(FIN, b"\xc3")],
    );
    case(
        "a letter that goes on wrong in the next frame",
        1007,
        vec![frame(TEXT, b"\xc3"), frame(FIN, b"a")],
    );
    // Before the end of the message, which need not ever come.
    case("a surrogate", 1007, vec![frame(TEXT, b"\xed\xa0\x80")]);
    case("beyond U+10FFFF", 1007, vec![frame(FIN | TEXT, b"\xf4\x90\x80\x80")]);
    case("too long", 1009, vec![frame(FIN | TEXT, &long)]);
    // The length alone suffices.
    case("far too long", 1009, vec![frame(FIN | TEXT, &[0; 70_000])[..14].to_vec()]);
    case(
        "too long in pieces",
        1009,
        vec![frame(TEXT, &long[..600]), frame(0, &long[..300]), frame(0, &long[..101])],
    );
    case("binary", 1003, vec![frame(FIN | BINARY, CALL)]);
    case("a Close of one byte", 1002, vec![frame(FIN | CLOSE, b"\x03")]);
    case("a Close with a reason that is no UTF-8", 1007, vec![close(1000, b"\xff")]);
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] {
        case(&format!("a Close with {code}, which nobody may send"), 1002, vec![close(code, b"")]);
    }
    // Concurrently: the gateway waits a moment for further frames of each client.
    join_all(cases.into_iter().map(async |(name, code, sent)| {
        let mut client = Client::to(&gateway).await;
        client.send(&sent.concat()).await;
        assert_eq!(client.closed().await[..2], code.to_be_bytes(), "{name}");
    }))
    .await;
}

#[tokio::test]
async fn a_close_is_answered_with_its_own_code() {
    let gateway = gateway().await;
    let mut closes: Vec<_> =
        [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 3999, 4000, 4999]
            .map(|code: u16| {
                (close(code, b"bye"), [&code.to_be_bytes(), b"bye".as_slice()].concat())
            })
            .into();
    closes.push((frame(FIN | CLOSE, b""), Vec::new()));
    closes.push((
        close(1000, &[b'r'; 123]),
        [&1000_u16.to_be_bytes(), [b'r'; 123].as_slice()].concat(),
    ));
    for (sent, expected) in closes {
        let mut client = Client::to(&gateway).await;
        // Frames after a Close are ignored.
        client.send(&[sent, frame(FIN | TEXT, CALL), frame(FIN | PING, b"late")].concat()).await;
        assert_eq!(client.closed().await, expected);
    }
}

#[tokio::test]
async fn close_is_answered_during_calls_and_ends_them() {
    let gateway = gateway().await;
    let (call, stream) = (Ticket::named("frames-close-call"), Ticket::named("frames-close-stream"));
    let mut client = Client::to(&gateway).await;
    for (method, name) in [("wait", "frames-close-call"), ("count", "frames-close-stream")] {
        let params = format!(r#"{{"name":"{name}","count":2}}"#);
        let text =
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"edge.v1.{method}","params":{params}}}"#);
        client.send(&frame(FIN | TEXT, text.as_bytes())).await;
    }
    call.until(|state| state.begun == 1).await;
    assert_eq!(client.next().await.unwrap().0, TEXT, "the first item");
    // In the middle of a message.
    client.send(&[frame(TEXT, &CALL[..9]), close(1001, b"")].concat()).await;
    assert_eq!(client.closed().await, 1001_u16.to_be_bytes());
    call.until(|state| state.dropped == 1).await;
    stream.until(|state| state.dropped == 1).await;
}

#[tokio::test]
async fn ambiguous_handshake_is_refused() {
    let gateway = Gateway::start().await;
    let own = format!("Origin: http://{}\r\n", gateway.address);
    let handshake = HANDSHAKE.replace("Host: a", &format!("Host: {}", gateway.address));
    let (head, _) = handshake.split_once("\r\n\r\n").unwrap();
    for twice in [
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n".to_owned(),
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n".to_owned(),
        "Sec-WebSocket-Version: 13\r\n".to_owned(),
        "Sec-WebSocket-Version: 8\r\n".to_owned(),
        format!("{own}{own}"),
        format!("{own}Origin: https://evil.example\r\n"),
        format!("Origin: https://evil.example\r\n{own}"),
        format!("{own}Origin:\r\n"),
    ] {
        let mut wire = Wire::to(gateway.address).await;
        wire.send(&format!("{head}\r\n{twice}\r\n")).await;
        let answer = wire.answer(false).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "invalid-request"), "{twice}");
    }
    // List-valued fields may be repeated.
    for fine in [
        own.as_str(),
        "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n",
        "Upgrade: h2c\r\n",
    ] {
        let mut wire = Wire::to(gateway.address).await;
        wire.send(&format!("{head}\r\n{fine}\r\n")).await;
        assert!(wire.read_until("\r\n\r\n").await.unwrap().starts_with("HTTP/1.1 101 "), "{fine}");
    }
}
