//! The log lines of forwarded requests: when they are written, and whom they name.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc::Receiver,
    time::Duration,
};

use serde_json::{Value, json};

use super::lamp::{Folder, PATIENCE, Serving};

/// A gateway in front of an instance that the test plays.
struct Scene {
    instance: TcpListener,
    serving: Serving,
    lines: Receiver<String>,
    _folder: Folder,
}

impl Scene {
    fn new(http: &str) -> Self {
        let instance = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = instance.local_addr().unwrap();
        let settings =
            format!("log.format = 'json'\n{http}\n[upstreams.foo]\nurls = ['http://{address}']");
        let folder = Folder::new(&settings);
        let serving = folder.serve("", &[]);
        let lines = serving.lines();
        Self { instance, serving, lines, _folder: folder }
    }

    /// Sends a request, and returns the client and the instance's connection, which has read `last`.
    fn ask(&self, request: &str, last: &str) -> (TcpStream, TcpStream) {
        let mut client = TcpStream::connect(&self.serving.address).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.write_all(request.as_bytes()).unwrap();
        let (mut connection, _) = self.instance.accept().unwrap();
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        read_to(&mut connection, last);
        (client, connection)
    }

    /// Returns the next line of a request.
    fn line(&self) -> Value {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).expect("the request has no line");
            if line.contains("\"routed\"") || line.contains("\"refused\"") {
                return serde_json::from_str(&line).unwrap();
            }
        }
    }
}

fn read_to(stream: &mut TcpStream, last: &str) {
    let mut bytes = Vec::new();
    while !bytes.ends_with(last.as_bytes()) {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        bytes.push(byte[0]);
    }
}

fn reset(stream: TcpStream) {
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
}

const HANDSHAKE: &str = "GET /foo/ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
                         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const SWITCH: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nh!";

#[test]
fn line_of_a_websocket_is_written_at_its_end() {
    let scene = Scene::new("");
    for (client_first, is_reset, end, status) in [
        (true, false, "client", 101),
        (false, false, "upstream", 101),
        (true, true, "client", 499),
        (false, true, "upstream", 502),
    ] {
        let (mut client, mut instance) = scene.ask(HANDSHAKE, "\r\n\r\n");
        instance.write_all(SWITCH).unwrap();
        read_to(&mut client, "h!");
        client.write_all(b"hello").unwrap();
        read_to(&mut instance, "hello");
        // No line before the end.
        let early = scene.lines.recv_timeout(Duration::from_millis(200));
        assert!(early.is_err(), "{early:?}");
        let (first, mut second) =
            if client_first { (client, instance) } else { (instance, client) };
        if is_reset {
            reset(first);
            second.read_to_end(&mut Vec::new()).expect_err("a reset on the other side");
        } else {
            drop(first);
            second.read_to_end(&mut Vec::new()).unwrap();
            drop(second);
        }
        let line = scene.line();
        let told = (&line["status"], &line["end"], &line["response_bytes"], &line["request_bytes"]);
        assert_eq!(told, (&json!(status), &json!(end), &json!(2), &json!(5)), "{line}");
        assert!(line["duration_us"].as_u64().unwrap() >= 200_000, "{line}");
    }
}

#[test]
fn client_that_leaves_in_the_middle_of_its_upload_is_499() {
    let scene = Scene::new("");
    let framings = [("Content-Length: 10", "hel"), ("Transfer-Encoding: chunked", "3\r\nhel\r\n")];
    for (framing, sent) in framings {
        for is_reset in [false, true] {
            let request =
                format!("POST /foo/x HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n{sent}");
            let (client, _instance) = scene.ask(&request, sent);
            if is_reset {
                reset(client)
            } else {
                drop(client)
            }
            let line = scene.line();
            let told = (&line["message"], &line["status"], &line["end"], &line["request_bytes"]);
            let expected = (&json!("routed"), &json!(499), &json!("client"), &json!(3));
            assert_eq!(told, expected, "{is_reset}: {line}");
        }
    }
    // A malformed body is a refusal, as before.
    let request = "POST /foo/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n\
                   3\r\nhel\r\n";
    let (mut client, _instance) = scene.ask(request, "hel\r\n");
    client.write_all(b"zz\r\n").unwrap();
    let line = scene.line();
    assert_eq!((&line["message"], &line["status"]), (&json!("refused"), &json!(400)), "{line}");
}

#[test]
fn upload_that_breaks_during_the_response_is_the_clients() {
    let scene = Scene::new("");
    for is_malformed in [false, true] {
        let request = "POST /foo/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n\
                       3\r\nhel\r\n";
        let (mut client, mut instance) = scene.ask(request, "hel\r\n");
        instance.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nh!").unwrap();
        read_to(&mut client, "h!");
        if is_malformed {
            client.write_all(b"zz\r\n").unwrap();
        } else {
            client.shutdown(std::net::Shutdown::Write).unwrap();
        }
        let line = scene.line();
        assert_eq!((&line["end"], &line["status"]), (&json!("client"), &json!(499)), "{line}");
    }
}

#[test]
fn response_that_the_gateway_cuts_names_the_gateway() {
    let http = "http.drain_timeout = '3s'\nhttp.stream_grace = '300ms'";
    let sse = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nh!";
    let plain = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nh!";
    let get = "GET /foo/x HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for (request, answer, status) in
        [(HANDSHAKE, std::str::from_utf8(SWITCH).unwrap(), 101), (get, sse, 200), (get, plain, 200)]
    {
        let scene = Scene::new(http);
        let (mut client, mut instance) = scene.ask(request, "\r\n\r\n");
        instance.write_all(answer.as_bytes()).unwrap();
        let last = if answer == sse { "h!\r\n" } else { "h!" };
        read_to(&mut client, last);
        scene.serving.signal("TERM");
        let line = scene.line();
        assert_eq!((&line["end"], &line["status"]), (&json!("gateway"), &json!(status)), "{line}");
        assert_eq!(line["response_bytes"], json!(2), "{line}");
    }
}
