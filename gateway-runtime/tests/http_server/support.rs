//! A server to test, a client that sees bytes, and deadlines.

use std::num::NonZeroUsize;
use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use bytes::Bytes;
use gateway_runtime::http::{Body, DrainOutcome, Handler, HttpSettings, Peer, Server};
use http::{Request, Response};
use hyper::body::Incoming;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
    time::{sleep, timeout},
};

/// The longest wait of a test.
const DEADLINE: Duration = Duration::from_secs(20);

/// Awaits an event that must happen.
pub(crate) async fn within<T>(what: impl Future<Output = T>) -> T {
    timeout(DEADLINE, what).await.expect("this should have happened long ago")
}

/// Polls until a state is reached.
pub(crate) async fn until(mut reached: impl FnMut() -> bool) {
    within(async {
        while !reached() {
            sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

pub(crate) fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Returns settings for one worker on a free port; `adjust` changes the limits.
pub(crate) fn config(adjust: impl FnOnce(&mut HttpSettings)) -> HttpSettings {
    let mut config = HttpSettings {
        listen: ([127, 0, 0, 1], 0).into(),
        workers: NonZeroUsize::new(1),
        ..HttpSettings::default()
    };
    adjust(&mut config);
    config
}

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<io::Result<DrainOutcome>>,
}

pub(crate) fn start(handler: impl Handler, adjust: impl FnOnce(&mut HttpSettings)) -> Running {
    let server = Server::bind(&config(adjust)).unwrap();
    let address = server.local_addr();
    let (stop, stopped) = oneshot::channel();
    let served = tokio::spawn(server.serve(handler, async {
        let _ = stopped.await;
    }));
    Running { address, stop: Some(stop), served }
}

impl Running {
    pub(crate) fn begin_stop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
    }

    pub(crate) async fn ended(self) -> DrainOutcome {
        within(self.served).await.unwrap().unwrap()
    }

    pub(crate) async fn stop(mut self) -> DrainOutcome {
        self.begin_stop();
        self.ended().await
    }

    pub(crate) async fn connect(&self) -> Client {
        Client::connect(self.address).await
    }
}

/// Responds with `text` to everything.
pub(crate) fn says(text: &'static str) -> impl Handler {
    move |_: Request<Incoming>, _: Peer| async move { Response::new(Body::from(text)) }
}

/// A raw connection.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    unread: Vec<u8>,
}

/// A response as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn has(&self, field: &str) -> bool {
        self.head.lines().any(|line| line.eq_ignore_ascii_case(field))
    }
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = within(TcpStream::connect(address)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, unread: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        within(self.stream.write_all(bytes.as_ref())).await.unwrap();
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n")).await;
        self.answer().await
    }

    async fn more(&mut self) -> io::Result<usize> {
        within(self.stream.read_buf(&mut self.unread)).await
    }

    /// Reads the next complete response.
    pub(crate) async fn answer(&mut self) -> Answer {
        let head = self.head().await;
        let status = head[9..12].parse().unwrap();
        let field = |name: &str| {
            head.lines()
                .find_map(|line| {
                    line.split_once(": ").filter(|(n, _)| n.eq_ignore_ascii_case(name))
                })
                .map(|f| f.1)
        };
        let body = if let Some(length) = field("content-length") {
            let length = length.parse().unwrap();
            self.take(length).await
        } else if field("transfer-encoding") == Some("chunked") {
            let mut body = Vec::new();
            loop {
                let size = self.line().await;
                let size = usize::from_str_radix(&size, 16).unwrap();
                body.extend_from_slice(&self.take(size + 2).await[..size]);
                if size == 0 {
                    break body;
                }
            }
        } else {
            Vec::new()
        };
        Answer { status, head, body: body.into() }
    }

    pub(crate) async fn head(&mut self) -> String {
        let end = self.find(b"\r\n\r\n").await;
        String::from_utf8(self.take(end + 4).await).unwrap()
    }

    pub(crate) async fn line(&mut self) -> String {
        let end = self.find(b"\r\n").await;
        let mut line = self.take(end + 2).await;
        line.truncate(end);
        String::from_utf8(line).unwrap()
    }

    async fn find(&mut self, mark: &[u8]) -> usize {
        loop {
            if let Some(at) = self.unread.windows(mark.len()).position(|bytes| bytes == mark) {
                return at;
            }
            let n = self.more().await.unwrap();
            assert!(n > 0, "closed in the middle of {:?}", String::from_utf8_lossy(&self.unread));
        }
    }

    pub(crate) async fn take(&mut self, n: usize) -> Vec<u8> {
        while self.unread.len() < n {
            assert!(self.more().await.unwrap() > 0, "closed before {n} bytes");
        }
        self.unread.drain(..n).collect()
    }

    /// Waits for the end of the connection; returns the data before it, and whether it was a reset.
    pub(crate) async fn closed(mut self) -> (String, bool) {
        let reset = loop {
            match self.more().await {
                Ok(0) => break false,
                Ok(_) => {}
                Err(_) => break true,
            }
        };
        (String::from_utf8_lossy(&self.unread).into_owned(), reset)
    }
}

/// Counts how often its marks were dropped.
#[derive(Clone, Default)]
pub(crate) struct Drops(Arc<AtomicUsize>);

pub(crate) struct Mark(Drops);

impl Drops {
    pub(crate) fn mark(&self) -> Mark {
        Mark(self.clone())
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(SeqCst)
    }

    pub(crate) async fn reach(&self, n: usize) {
        until(|| self.count() >= n).await;
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, SeqCst);
    }
}

/// Connects an HTTP/2 client.
pub(crate) async fn h2(address: SocketAddr) -> h2::client::SendRequest<Bytes> {
    h2_with(address, &h2::client::Builder::new()).await
}

pub(crate) async fn h2_with(
    address: SocketAddr,
    builder: &h2::client::Builder,
) -> h2::client::SendRequest<Bytes> {
    let stream = within(TcpStream::connect(address)).await.unwrap();
    let (client, connection) = within(builder.handshake(stream)).await.unwrap();
    tokio::spawn(connection);
    within(client.ready()).await.unwrap()
}

/// Sends a request without a body over HTTP/2; returns the response and the beginning of its body.
pub(crate) async fn h2_get(
    client: &mut h2::client::SendRequest<Bytes>,
    path: &str,
) -> Response<h2::RecvStream> {
    let request = Request::get(format!("http://test{path}")).body(()).unwrap();
    let (answer, _) = client.send_request(request, true).unwrap();
    within(answer).await.unwrap()
}

pub(crate) async fn h2_body(answer: Response<h2::RecvStream>) -> Result<Vec<u8>, h2::Error> {
    let mut body = answer.into_body();
    let mut whole = Vec::new();
    while let Some(data) = within(body.data()).await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        whole.extend_from_slice(&data);
    }
    Ok(whole)
}
