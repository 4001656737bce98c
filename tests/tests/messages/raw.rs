//! A publisher that writes frames of AMQP 0-9-1 itself: properties and routing keys that no client
//! library encodes.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout_at,
};

use super::office::soon;

const METHOD: u8 = 1;
const HEADER: u8 = 2;
const BODY: u8 = 3;
const END: u8 = 0xCE;

/// The class and the method of a method frame.
type MethodId = (u16, u16);

/// A connection with one channel.
pub(super) struct RawPublisher {
    stream: TcpStream,
}

impl RawPublisher {
    /// Connects as `guest`.
    pub(super) async fn connect(url: &str) -> Self {
        let place = url.rsplit('@').next().unwrap().split('/').next().unwrap();
        let mut this = Self { stream: TcpStream::connect(place).await.unwrap() };
        this.stream.write_all(b"AMQP\0\0\x09\x01").await.unwrap();
        this.expect((10, 10)).await;
        let response =
            [&[0; 4][..], &short(b"PLAIN"), &long(b"\0guest\0guest"), &short(b"en_US")].concat();
        this.send((10, 11), &response).await;
        let tune = this.expect((10, 30)).await;
        // The broker's own limits, and no heartbeat.
        this.send((10, 31), &[&tune[..6], &[0, 0]].concat()).await;
        this.send((10, 40), &[&short(b"/")[..], &[0, 0]].concat()).await;
        this.expect((10, 41)).await;
        this.send((20, 10), &short(b"")).await;
        this.expect((20, 11)).await;
        this.send((85, 10), &[0]).await;
        this.expect((85, 11)).await;
        this
    }

    /// Publishes a message, and waits for its confirm.
    pub(super) async fn publish(
        &mut self,
        exchange: &str,
        key: &[u8],
        properties: &[u8],
        body: &[u8],
    ) {
        self.send(
            (60, 40),
            &[&[0, 0], &short(exchange.as_bytes())[..], &short(key), &[0]].concat(),
        )
        .await;
        let size = u64::try_from(body.len()).unwrap().to_be_bytes();
        self.frame(HEADER, &[&[0, 60, 0, 0], &size[..], properties].concat()).await;
        self.frame(BODY, body).await;
        self.expect((60, 80)).await;
    }

    /// Consumes from `amq.rabbitmq.reply-to`, so that the channel may use it as `reply_to`.
    pub(super) async fn consume_replies(&mut self) {
        let no_ack = 2;
        let arguments =
            [&[0, 0][..], &short(b"amq.rabbitmq.reply-to"), &short(b""), &[no_ack, 0, 0, 0, 0]]
                .concat();
        self.send((60, 20), &arguments).await;
        self.expect((60, 21)).await;
    }

    /// Returns the body of the next reply.
    pub(super) async fn reply(&mut self) -> Vec<u8> {
        self.expect((60, 60)).await;
        loop {
            let (kind, payload) = self.receive().await;
            if kind == BODY {
                return payload;
            }
        }
    }

    async fn send(&mut self, (class, method): MethodId, arguments: &[u8]) {
        self.frame(METHOD, &[&class.to_be_bytes(), &method.to_be_bytes(), arguments].concat())
            .await;
    }

    async fn frame(&mut self, kind: u8, payload: &[u8]) {
        // Methods of the connection use channel 0.
        let channel = u8::from(!(kind == METHOD && payload[1] == 10));
        let size = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let frame = [&[kind, 0, channel], &size[..], payload, &[END]].concat();
        self.stream.write_all(&frame).await.unwrap();
    }

    /// Waits for a method, and returns its arguments.
    async fn expect(&mut self, (class, method): MethodId) -> Vec<u8> {
        let (kind, mut payload) = self.receive().await;
        let arguments = payload.split_off(4);
        let expected = [class.to_be_bytes(), method.to_be_bytes()].concat();
        assert_eq!((kind, payload), (METHOD, expected), "{}", String::from_utf8_lossy(&arguments));
        arguments
    }

    async fn receive(&mut self) -> (u8, Vec<u8>) {
        timeout_at(soon(), self.receive_in_any_time()).await.expect("a frame in time")
    }

    async fn receive_in_any_time(&mut self) -> (u8, Vec<u8>) {
        let mut head = [0; 7];
        self.stream.read_exact(&mut head).await.unwrap();
        let size = u32::from_be_bytes([head[3], head[4], head[5], head[6]]);
        let mut payload = vec![0; size as usize + 1];
        self.stream.read_exact(&mut payload).await.unwrap();
        assert_eq!(payload.pop(), Some(END));
        (head[0], payload)
    }
}

/// Encodes a short string.
pub(super) fn short(text: &[u8]) -> Vec<u8> {
    [&[u8::try_from(text.len()).unwrap()], text].concat()
}

/// Encodes a long string, a table or an array, with its length.
pub(super) fn long(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
}

/// A property: its position in the order of `basic` (AMQP 0-9-1 §1.8), where 0 is `content_type`,
/// and its value, encoded.
pub(super) type Property = (u8, Vec<u8>);

/// Encodes properties.
pub(super) fn properties(mut all: Vec<Property>) -> Vec<u8> {
    all.sort_unstable_by_key(|(place, _)| *place);
    let flags = all.iter().fold(0_u16, |flags, (place, _)| flags | (1 << (15 - place)));
    let values: Vec<u8> = all.into_iter().flat_map(|(_, value)| value).collect();
    [&flags.to_be_bytes(), &values[..]].concat()
}
