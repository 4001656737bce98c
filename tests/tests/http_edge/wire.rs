//! A small HTTP/1.1 client without abstraction: requests are text, and a response says whether it
//! was cut.

use std::{net::SocketAddr, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::gateway::Gateway;

const PATIENCE: Duration = Duration::from_secs(10);

/// A response.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    head: String,
    pub(super) body: Vec<u8>,
    /// Whether the body ended as its framing requires.
    pub(super) whole: bool,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// Returns the code of a problem, which must be well-formed.
    pub(super) fn code(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{problem}");
        assert_eq!(problem["request_id"], self.header("x-request-id").unwrap(), "{problem}");
        let code = problem["code"].as_str().unwrap();
        assert_eq!(problem["type"], format!("/problems/{code}"), "{problem}");
        code.to_owned()
    }
}

/// An HTTP/2 frame.
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) stream: u32,
    pub(super) payload: Vec<u8>,
}

/// A connection.
pub(super) struct Wire {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Wire {
    pub(super) async fn to(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap(), read: Vec::new() }
    }

    pub(super) fn of(stream: std::net::TcpStream) -> Self {
        stream.set_nonblocking(true).unwrap();
        Self { stream: TcpStream::from_std(stream).unwrap(), read: Vec::new() }
    }

    pub(super) async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    pub(super) async fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Reads the next HTTP/2 frame.
    pub(super) async fn frame(&mut self) -> Frame {
        let head = self.take(9).await;
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let stream = u32::from_be_bytes(head[5..9].try_into().unwrap());
        Frame { kind: head[3], stream, payload: self.take(length).await }
    }

    async fn take(&mut self, length: usize) -> Vec<u8> {
        while self.read.len() < length {
            assert!(self.more().await, "the connection ended");
        }
        self.read.drain(..length).collect()
    }

    /// Reads until the input contains `end`; returns the input up to and with it, or `None` if the
    /// connection ends before.
    pub(super) async fn read_until(&mut self, end: &str) -> Option<String> {
        loop {
            if let Some(at) = find(&self.read, end.as_bytes()) {
                let rest = self.read.split_off(at + end.len());
                return Some(String::from_utf8(std::mem::replace(&mut self.read, rest)).unwrap());
            }
            if !self.more().await {
                return None;
            }
        }
    }

    async fn more(&mut self) -> bool {
        let read = timeout(PATIENCE, self.stream.read_buf(&mut self.read))
            .await
            .expect("the server says nothing");
        // A reset is an end as well.
        read.unwrap_or(0) > 0
    }

    /// Reads a response; with `to_head` it has no body, whatever its head says.
    pub(super) async fn answer(&mut self, to_head: bool) -> Answer {
        let head = self.read_until("\r\n\r\n").await.expect("a head");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer { status, head, body: Vec::new(), whole: true };
        if to_head || status == 204 {
            return answer;
        }
        if answer.header("transfer-encoding") == Some("chunked") {
            answer.whole = self.chunks(&mut answer.body).await;
            return answer;
        }
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        while self.read.len() < length && self.more().await {}
        answer.whole = self.read.len() >= length;
        let rest = self.read.split_off(length.min(self.read.len()));
        answer.body = std::mem::replace(&mut self.read, rest);
        answer
    }

    /// Reads the next chunk of a body; `None` at its end.
    pub(super) async fn chunk(&mut self) -> Option<Vec<u8>> {
        let size = self.read_until("\r\n").await.expect("a chunk");
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        let chunk = self.take(size).await;
        self.take(2).await;
        (size > 0).then_some(chunk)
    }

    async fn chunks(&mut self, body: &mut Vec<u8>) -> bool {
        while let Some(size) = self.read_until("\r\n").await {
            let size = usize::from_str_radix(size.trim(), 16).unwrap();
            while self.read.len() < size + 2 && self.more().await {}
            if self.read.len() < size + 2 {
                return false;
            }
            body.extend(self.read.drain(..size));
            self.read.drain(..2);
            if size == 0 {
                return true;
            }
        }
        false
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

impl Gateway {
    /// Sends one request: a first line, header lines, an empty line, a body. `Host` and
    /// `Connection: close` are added.
    pub(super) async fn ask(&self, request: &str) -> Answer {
        let mut wire = Wire::to(self.address).await;
        let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
        let (first, lines) = head.split_once('\n').unwrap_or((head, ""));
        let mut text =
            format!("{first} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.address);
        for line in lines.lines() {
            text.push_str(line);
            text.push_str("\r\n");
        }
        if !body.is_empty() {
            text.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        text.push_str("\r\n");
        text.push_str(body);
        wire.send(&text).await;
        wire.answer(first.starts_with("HEAD ")).await
    }

    pub(super) async fn get(&self, address: &str) -> Answer {
        self.ask(&format!("GET {address}")).await
    }

    pub(super) async fn post(&self, address: &str, json: &str) -> Answer {
        self.ask(&format!("POST {address}\nContent-Type: application/json\n\n{json}")).await
    }
}
