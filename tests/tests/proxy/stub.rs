//! An instance of raw bytes: it records what it receives, and answers what it is told to.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// The end of a connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It waits for the next request.
    Open,
    /// It is closed.
    Close,
    /// It is reset.
    Reset,
}

/// A stub: the same answer to each request.
#[derive(Clone)]
pub(super) struct Stub {
    pub(super) address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Stub {
    /// Starts a stub that answers each request with these bytes.
    pub(super) async fn start(answer: impl Into<Vec<u8>>, end: End) -> Self {
        let answer = Arc::<[u8]>::from(answer.into());
        Self::serve(move |mut stream, seen| {
            let answer = Arc::clone(&answer);
            async move {
                while let Some(request) = read_request(&mut stream).await {
                    seen.lock().unwrap().push(request);
                    stream.write_all(&answer).await.ok();
                    match end {
                        End::Open => {}
                        End::Close => return,
                        End::Reset => return drop(stream.set_zero_linger()),
                    }
                }
            }
        })
        .await
    }

    /// Starts a stub that handles each connection with a function.
    pub(super) async fn serve<F, W>(handle: F) -> Self
    where
        F: Fn(TcpStream, Arc<Mutex<Vec<String>>>) -> W + Send + 'static,
        W: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let requests = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(handle(stream, Arc::clone(&requests)));
            }
        });
        Self { address, seen }
    }

    /// Returns the requests that arrived, each with its body.
    pub(super) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

/// Reads one request: its head, and its body by its length or to the last chunk.
pub(super) async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(bytes).unwrap();
    let field = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    };
    let mut body = Vec::new();
    if let Some(length) = field("content-length") {
        body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut body).await.ok()?;
    } else if field("transfer-encoding").is_some() {
        while !(body.ends_with(b"\r\n\r\n") && body.windows(3).any(|three| three == b"0\r\n")) {
            body.push(stream.read_u8().await.ok()?);
        }
    }
    Some(head + &String::from_utf8_lossy(&body))
}
