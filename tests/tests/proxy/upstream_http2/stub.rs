//! An instance that speaks HTTP/2 by a library, with or without TLS.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use bytes::Bytes;
use h2::{RecvStream, server::SendResponse};
use http::{HeaderMap, Request, Response};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};

/// A request that has arrived.
pub(in crate::proxy) struct Call {
    pub(in crate::proxy) request: Request<RecvStream>,
    pub(in crate::proxy) respond: SendResponse<Bytes>,
}

/// The limits of a connection.
#[derive(Clone, Copy)]
pub(in crate::proxy) struct Limits {
    pub(in crate::proxy) streams: u32,
    /// The requests after which the connection is closed gracefully.
    pub(in crate::proxy) requests: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { streams: 1000, requests: usize::MAX }
    }
}

/// The instance.
#[derive(Clone)]
pub(in crate::proxy) struct Http2Stub {
    pub(in crate::proxy) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

impl Http2Stub {
    /// Starts an instance that handles each request with a function, in clear text.
    pub(in crate::proxy) async fn start<F, W>(limits: Limits, handle: F) -> Self
    where
        F: Fn(Call) -> W + Clone + Send + Sync + 'static,
        W: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stub = Self {
            address: listener.local_addr().unwrap(),
            connections: Arc::default(),
            requests: Arc::default(),
        };
        let counters = stub.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counters.connections.fetch_add(1, SeqCst);
                let requests = Arc::clone(&counters.requests);
                let handle = handle.clone();
                tokio::spawn(async move {
                    serve(stream, limits, |request, respond| {
                        requests.fetch_add(1, SeqCst);
                        handle(Call { request, respond })
                    })
                    .await;
                });
            }
        });
        stub
    }

    pub(in crate::proxy) fn connections(&self) -> usize {
        self.connections.load(SeqCst)
    }

    pub(in crate::proxy) fn requests(&self) -> usize {
        self.requests.load(SeqCst)
    }
}

/// Serves a connection until it ends.
pub(in crate::proxy) async fn serve<W>(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    limits: Limits,
    handle: impl Fn(Request<RecvStream>, SendResponse<Bytes>) -> W,
) where
    W: Future<Output = ()> + Send + 'static,
{
    let mut builder = h2::server::Builder::new();
    builder.max_concurrent_streams(limits.streams);
    let Ok(mut connection) = builder.handshake(stream).await else { return };
    let mut requests = 0;
    while let Some(Ok((request, respond))) = connection.accept().await {
        tokio::spawn(handle(request, respond));
        requests += 1;
        if requests == limits.requests {
            connection.graceful_shutdown();
        }
    }
}

/// Reads the body and the trailers of a request.
pub(in crate::proxy) async fn read(
    body: &mut RecvStream,
) -> Result<(Vec<u8>, HeaderMap), h2::Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk?;
        body.flow_control().release_capacity(chunk.len())?;
        bytes.extend(chunk);
    }
    Ok((bytes, body.trailers().await?.unwrap_or_default()))
}

/// Answers with a body.
pub(in crate::proxy) fn answer(mut respond: SendResponse<Bytes>, body: &'static str) {
    let response = Response::builder().header("content-length", body.len()).body(()).unwrap();
    // The peer may have left.
    if let Ok(mut stream) = respond.send_response(response, false) {
        stream.send_data(Bytes::from_static(body.as_bytes()), true).ok();
    }
}
