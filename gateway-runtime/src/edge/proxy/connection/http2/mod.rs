//! HTTP/2 to instances (RFC 9113). The requests of a worker share the connections of an instance,
//! each of which one task drives.
//!
//! What an instance can make the gateway buffer is bounded: the windows below for responses, the
//! send buffer for requests, each for one stream, and the number of streams. The window of a
//! connection is that of all its streams together, so that no stream which its client does not read
//! takes the window of another.
//!
//! - `shared`: a connection, and the places on it
//! - `driver`: the task of a connection, and the pings that find a peer which has vanished
//! - `exchange`: one request and the head of its response
//! - `head`: the translation of a request's head
//! - `upload_pipe`: the body of a request
//! - `body`: the body of a response

mod body;
mod driver;
mod exchange;
mod head;
mod shared;
mod upload_pipe;

use std::time::Duration;

pub(in crate::edge::proxy) use crate::edge::proxy::connection::http2::{
    body::Http2Body,
    exchange::Http2Exchange,
    shared::{ConnectionId, SharedConnection},
};

/// The maximum number of requests that share a connection; fewer if the instance allows fewer.
const MAX_STREAMS: usize = 100;

/// The window of a stream: what an instance may send before the client has read it, in bytes.
const STREAM_WINDOW_BYTES: u32 = 64 * 1024;

/// The window of a connection.
const CONNECTION_WINDOW_BYTES: u32 = STREAM_WINDOW_BYTES * MAX_STREAMS as u32;

/// The maximum of a request's body that waits in a stream for the instance's window, in bytes.
const MAX_SEND_BUFFER_BYTES: usize = 64 * 1024;

/// The maximum that the small frames of a connection may cost besides their bytes. Beyond it the
/// library ends the connection, so a stream of small events that nobody reads must fit many times.
const FRAME_OVERHEAD_BYTES: usize = 16 * 1024 * 1024;

/// The streams that are remembered after the gateway has cancelled them, since their last frames
/// may still arrive.
const MAX_CANCELLED_STREAMS: usize = 1024;

/// The silence of an instance that has not answered, after which a ping is sent.
const PING_AFTER: Duration = Duration::from_secs(2);

/// The maximum time of an instance to answer a ping.
const PING_TIMEOUT: Duration = Duration::from_secs(5);
