//! A gateway in front of stubs, and a client of raw bytes.

use std::{net::SocketAddr, time::Duration};

use gateway_runtime::{Gateway, RunningGateway};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(10);

/// The secrets of the services that this program links.
pub(super) const SECRETS: &str = "secrets = { EDGE_WEBHOOK_SECRET = \
    \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\", EMAIL_WEBHOOK_SECRET = \
    \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\" }";

/// Starts a gateway whose route `foo` leads to these addresses; `more` are further lines of its
/// `[upstreams.foo]`.
pub(super) async fn start(instances: &[SocketAddr], more: &str) -> RunningGateway {
    start_with("", instances, more).await
}

/// Starts a gateway as [`start`] does, with further lines of its `[http]`.
pub(super) async fn start_with(http: &str, instances: &[SocketAddr], more: &str) -> RunningGateway {
    let urls: Vec<_> = instances.iter().map(|address| format!("http://{address}")).collect();
    Gateway::from_toml(&configuration(http, &urls, more)).unwrap().start().await.unwrap()
}

/// Starts a gateway whose route `foo` leads to these URLs.
pub(super) async fn start_at(urls: &[String], more: &str) -> RunningGateway {
    Gateway::from_toml(&configuration("", urls, more)).unwrap().start().await.unwrap()
}

/// Returns the configuration of a gateway whose route `foo` leads to these URLs, with further lines
/// of its `[http]` and its `[upstreams.foo]`.
pub(super) fn configuration(http: &str, urls: &[String], more: &str) -> String {
    let urls: Vec<_> = urls.iter().map(|url| format!("\"{url}\"")).collect();
    format!(
        "{SECRETS}\n[http]\nlisten = \"127.0.0.1:0\"\nhosts = [\"a\", \"gateway.example\"]\n\
         workers = 1\n{http}\n[upstreams.foo]\nurls = [{}]\n{more}",
        urls.join(", ")
    )
}

/// A response as its bytes.
#[derive(Debug)]
pub(super) struct Answer(pub(super) Vec<u8>);

impl Answer {
    pub(super) fn head(&self) -> &str {
        let end = self.0.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole head");
        std::str::from_utf8(&self.0[..end]).unwrap()
    }

    pub(super) fn body(&self) -> &[u8] {
        &self.0[self.head().len() + 4..]
    }

    pub(super) fn status(&self) -> u16 {
        self.head()[9..12].parse().unwrap()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head().lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// A client.
pub(super) struct Client(pub(super) TcpStream);

impl Client {
    pub(super) async fn to(gateway: &RunningGateway) -> Self {
        Self(TcpStream::connect(gateway.address()).await.unwrap())
    }

    pub(super) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Reads until the bytes end with `end`.
    pub(super) async fn read_to(&mut self, end: &str) -> Answer {
        let mut bytes = Vec::new();
        let read = async {
            while !bytes.ends_with(end.as_bytes()) {
                let byte = self.0.read_u8().await;
                bytes.push(byte.unwrap_or_else(|error| {
                    panic!("{error} after {:?}", String::from_utf8_lossy(&bytes))
                }));
            }
        };
        timeout(PATIENCE, read).await.expect("an answer in time");
        Answer(bytes)
    }

    /// Reads to the end of the connection; the second part is whether it was reset.
    pub(super) async fn read_all(&mut self) -> (Answer, bool) {
        let mut bytes = Vec::new();
        let read = timeout(PATIENCE, self.0.read_to_end(&mut bytes)).await.expect("an end in time");
        (Answer(bytes), read.is_err())
    }
}

/// Sends one request on a connection of its own, and reads to its end.
pub(super) async fn exchange(gateway: &RunningGateway, request: &str) -> (Answer, bool) {
    let mut client = Client::to(gateway).await;
    client.send(request).await;
    client.read_all().await
}
