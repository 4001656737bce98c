//! The state that all connections of one worker share, with hyper configured by the limits.

use std::{rc::Rc, sync::Arc};

use hyper::server::conn;
use hyper_util::rt::TokioTimer;

use crate::edge::http::{
    connection::{
        activity::ShutdownSignal,
        local_executor::{Accepted, LocalExecutor, Switched},
    },
    handler::Handler,
    limits::{DEFAULT_HEADER_COUNT, HttpLimits},
};

/// The state that all connections of one worker share.
pub(in crate::edge::http) struct ServerState<H> {
    pub(super) handler: Arc<H>,
    pub(super) limits: HttpLimits,
    pub(super) stopping: Arc<ShutdownSignal>,
    pub(super) http1: conn::http1::Builder,
    pub(super) http1_large: conn::http1::Builder,
    pub(super) http2: conn::http2::Builder<LocalExecutor>,
    /// The stall state of the next stream that hyper spawns.
    pub(super) accepted: Accepted,
    /// The reset of the next tunnel that hyper spawns.
    pub(super) switched: Switched,
}

/// Maximum that hyper buffers of a body in either direction, on one connection (HTTP/2: stream).
const BUFFER_BYTES: usize = 64 * 1024;

impl<H: Handler> ServerState<H> {
    /// Creates the state of a worker, with hyper configured by `limits`.
    pub(in crate::edge::http) fn new(
        handler: H,
        limits: HttpLimits,
        stopping: Arc<ShutdownSignal>,
    ) -> Self {
        let header_bytes = limits.header_bytes as usize;
        let mut http1 = conn::http1::Builder::new();
        // Not `pipeline_flush`: it buffers a stream without bound, and delays a response while the
        // client has begun to send its next request. Its gain, one `write` of head and body
        // together, comes from `writev`.
        http1.max_buf_size(BUFFER_BYTES.max(header_bytes)).max_header_size(header_bytes);
        if limits.header_count != DEFAULT_HEADER_COUNT {
            http1.max_headers(limits.header_count);
        }
        let mut http1_large = http1.clone();
        http1.writev(false);
        http1_large.writev(true);
        let accepted = Accepted::default();
        let switched = Switched::default();
        let executor = LocalExecutor {
            accepted: Rc::clone(&accepted),
            switched: Rc::clone(&switched),
            write_timeout: limits.write_timeout,
        };
        let mut http2 = conn::http2::Builder::new(executor);
        http2
            .timer(TokioTimer::new())
            // RFC 8441 §3: WebSockets over HTTP/2.
            .enable_connect_protocol()
            .max_header_list_size(limits.header_bytes)
            .max_concurrent_streams(limits.http2.streams)
            .max_pending_accept_reset_streams(limits.http2.resets)
            .max_local_error_reset_streams(limits.http2.resets)
            .keep_alive_interval(limits.http2.ping_interval)
            .keep_alive_timeout(limits.http2.ping_timeout)
            .max_send_buf_size(BUFFER_BYTES)
            .initial_stream_window_size(256 * 1024)
            .initial_connection_window_size(512 * 1024);
        Self {
            handler: Arc::new(handler),
            limits,
            stopping,
            http1,
            http1_large,
            http2,
            accepted,
            switched,
        }
    }
}
